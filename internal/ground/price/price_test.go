package price_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/price"
)

func TestArguments(t *testing.T) {
	t.Parallel()
	a := price.Args{
		"input": map[string]any{"ids": []any{"a", "b"}, "one": "a", "dry": true, "null": nil, "in": map[string]any{"kind": "ALL"}},
		"draft": "grüße",
	}
	in := a.Object("input")
	require.Equal(t, 2, in.Count("ids"))
	require.Equal(t, 1, in.Count("one"), "a single value is a list of it")
	require.Zero(t, in.Count("null"))
	require.True(t, in.Is("dry"))
	require.False(t, in.Is("ids"))
	require.False(t, in.Has("null"))
	require.Equal(t, "ALL", in.Object("in").Text("kind"))
	require.Equal(t, 5, a.Length("draft"), "characters, not bytes")

	none := a.Object("draft").Object("absent")
	require.False(t, none.Has("x") || none.Is("x"))
	require.Zero(t, none.Count("x")+none.Length("x"))
}
