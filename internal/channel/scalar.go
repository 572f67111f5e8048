package channel

import "github.com/99designs/gqlgen/graphql"

// MarshalText writes the graph's scalar String.
func MarshalText(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalText reads the graph's scalar String as [CleanText] leaves it, so that no
// argument, wherever it stands, holds what a database refuses.
func UnmarshalText(v any) (string, error) {
	s, err := graphql.UnmarshalString(v)
	return CleanText(s), err
}
