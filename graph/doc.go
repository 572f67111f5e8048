// Package graph is the executable schema that gqlgen generates from schema/.
// Only this file is written by hand.
package graph

//go:generate go run parley/internal/selection/gen
