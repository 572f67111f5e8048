package backup_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/store"
	"parley/internal/ground/store/backup"
)

// A SQLite backup that was cut, anywhere, is told as such.
func TestACutBackupIsNoWholeBackup(t *testing.T) {
	t.Parallel()
	database, whole := filepath.Join(t.TempDir(), "parley.db"), filepath.Join(t.TempDir(), "backup")
	s, err := store.Open(t.Context(), store.Options{URL: database, Create: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, backup.Write(t.Context(), backup.Options{URL: database, File: whole}))
	content, err := os.ReadFile(whole)
	require.NoError(t, err)
	for _, size := range []int{0, 50, 4096, 100_000, len(content) - 4096, len(content) - 1} {
		cut, restored := filepath.Join(t.TempDir(), "cut"), filepath.Join(t.TempDir(), "restored.db")
		require.NoError(t, os.WriteFile(cut, content[:size], 0o600))
		err := backup.Restore(t.Context(), backup.RestoreOptions{File: cut, URL: restored, Settle: []string{}})
		require.ErrorContains(t, err, cut+" is not a complete backup", size)
		files, err := os.ReadDir(filepath.Dir(restored))
		require.NoError(t, err)
		require.Empty(t, files)
	}
}
