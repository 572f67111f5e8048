package main

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever forgets --database is told so, and gets no stray file.
func TestADatabaseThatIsNotThereIsNotMade(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"token":       {"token", "amy"},
		"inbound":     {"inbound", "rerun"},
		"sandbox say": {"sandbox", "say", "--to", "+12025550100", "Hello"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "new.db")
			err := run(t.Context(), append(args, "--database", file), io.Discard)
			require.ErrorContains(t, err, "give --database as the server has it")
			require.NoFileExists(t, file)
		})
	}
}

func TestAnEmptyDatabaseIsSaidToBePerhapsTheWrongOne(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new.db")
	require.NoError(t, run(t.Context(), []string{"migrate", "--database", file}, io.Discard))
	err := run(t.Context(), []string{"token", "amy", "--database", file}, io.Discard)
	require.ErrorContains(t, err, "none; give --database as the server has it")
}
