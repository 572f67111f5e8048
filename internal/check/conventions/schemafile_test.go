package conventions

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSchemaFile holds schema.graphql against schema/*.graphql.
func TestSchemaFile(t *testing.T) {
	t.Parallel()
	root := rootOf(t)
	schema, err := LoadSchema(root)
	require.NoError(t, err)
	committed, err := os.ReadFile(filepath.Join(root, SchemaFile))
	require.NoError(t, err)
	require.Equal(t, Canonical(schema), string(committed), "run make generate")
	again, err := parse(filepath.Join(root, SchemaFile))
	require.NoError(t, err)
	require.Empty(t, Diff(again, schema), "the printed schema is the written one")
	require.Empty(t, Diff(schema, again), "the printed schema is the written one")
}

func TestWriteSchema(t *testing.T) {
	t.Parallel()
	root, now := t.TempDir(), time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	write := func(sdl string) error {
		require.NoError(t, os.MkdirAll(filepath.Join(root, "schema"), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(root, "schema", "a.graphql"), []byte(sdl), 0o600))
		return WriteSchema(root, now)
	}
	kept := func() string {
		text, err := os.ReadFile(filepath.Join(root, SchemaFile))
		require.NoError(t, err)
		return string(text)
	}
	require.ErrorContains(t, WriteSchema(root, now), "no schema/*.graphql")

	require.NoError(t, write(`directive @goField(name: String) on FIELD_DEFINITION
		type Query { a: Int b: Int @goField(name: "X") }`))
	first := kept()
	require.NotContains(t, first, "goField")

	require.ErrorContains(t, write("type Query { a: Int }"), "Query.b was removed")
	require.Equal(t, first, kept(), "a refused schema leaves the file alone")

	require.NoError(t, write(`type Query { a: Int b: Int @deprecated(reason: "Use a. Since 2026-07-01, removed after 2027-01-31.") }`))
	require.NoError(t, write("type Query { a: Int }"))
	require.NotContains(t, kept(), "b: Int")
}
