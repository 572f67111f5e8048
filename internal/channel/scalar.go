package channel

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalText writes the graph's scalar String.
func MarshalText(s string) graphql.Marshaler { return graphql.MarshalString(s) }

// UnmarshalText reads the graph's scalar String. What no database stores becomes U+FFFD,
// wherever the argument stands: what is not UTF-8, and NUL.
func UnmarshalText(v any) (string, error) {
	s, err := graphql.UnmarshalString(v)
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD"), err
}
