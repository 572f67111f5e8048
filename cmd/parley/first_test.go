package main

import (
	"context"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// The statements of docs/operations.md make agents who can sign in.
func TestFirstAgentsAreMadeAsTheDocsSay(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	sample := regexp.MustCompile("(?s)## First agents and numbers.*?```sql\n(.*?)```").FindSubmatch(docs)
	require.NotNil(t, sample)
	database := parleytest.Empty(t)
	require.NoError(t, run(t.Context(), []string{"migrate", "--database", database}, io.Discard))
	s, err := store.Open(t.Context(), store.Options{URL: database})
	require.NoError(t, err)
	require.NoError(t, s.Write(viewer.AsSystem(t.Context(), "setup"), func(ctx context.Context, tx *store.Tx) error {
		for statement := range strings.SplitSeq(strings.TrimSpace(string(sample[1])), ";") {
			if statement == "" {
				continue
			}
			if _, err := tx.Exec(ctx, store.SQL(statement)); err != nil {
				return err
			}
		}
		return nil
	}))
	require.NoError(t, s.Close())
	for _, agent := range []string{"ada", "bo"} {
		printed, err := command(t, "token", agent, "--database", database)
		require.NoError(t, err)
		require.NotEmpty(t, printed)
	}
}
