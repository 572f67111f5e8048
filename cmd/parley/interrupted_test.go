package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Whenever a long command is interrupted it says how to go on, and never what
// became of a context.
func TestAnInterruptedCommandSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	backup := filepath.Join(t.TempDir(), "backup")
	_, err := command(t, "backup", "--database", parleytest.Database(t), backup)
	require.NoError(t, err)
	for name, args := range map[string][]string{
		"import":         {"import", "--incoming", "../../internal/admin/importer/testdata/incoming.csv", "--database", parleytest.Database(t)},
		"dry run":        {"import", "--dry-run", "--incoming", "../../internal/admin/importer/testdata/incoming.csv", "--database", parleytest.Database(t)},
		"seed":           {"seed", "--conversations", "5", "--messages", "50", "--database", parleytest.Database(t)},
		"search rebuild": {"search", "rebuild", "--database", parleytest.Database(t)},
		"numbers mend":   {"numbers", "mend", "--database", parleytest.Database(t)},
		"backup":         {"backup", filepath.Join(t.TempDir(), "another"), "--database", parleytest.Database(t)},
		"restore":        {"restore", backup, "--database", parleytest.Empty(t)},
		"migrate":        {"migrate", "--database", parleytest.Empty(t)},
		"serve":          {"serve", "--database", parleytest.Database(t)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var out bytes.Buffer
			err := run(ctx, args, &out)
			require.ErrorIs(t, err, context.Canceled)
			require.True(t, strings.HasPrefix(err.Error(), "interrupted "), err)
			require.Contains(t, err.Error(), "run it again")
			require.NotContains(t, err.Error(), "context")
		})
	}
}
