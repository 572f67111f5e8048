package main

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever forgets --database is in a new, empty file, and must be told so.
func TestAnEmptyDatabaseIsSaidToBePerhapsTheWrongOne(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"token":       {"token", "amy"},
		"sandbox say": {"sandbox", "say", "--to", "+12025550100", "Hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "new.db")
			err := run(t.Context(), append(args, "--database", file), io.Discard)
			require.ErrorContains(t, err, "give --database as the server has it")
		})
	}
}
