package ent

//go:generate go tool ent generate --feature privacy,intercept,sql/execquery,sql/versioned-migration ./schema
