// Package graph is the executable schema that gqlgen generates from schema/.
// Only this file and published.go are written by hand.
package graph

//go:generate go run parley/internal/edge/selection/gen
