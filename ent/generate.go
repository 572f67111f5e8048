// Package ent stores what Parley knows. Everything in it but the folder schema
// is generated from there.
package ent

//go:generate go tool ent generate --feature privacy,intercept,sql/versioned-migration ./schema
