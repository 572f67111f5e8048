package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/check/parleytest"
)

// An operator's evening: the server runs, is backed up, the backup restored and
// examined.
func TestBackupThenRestoreThenDoctor(t *testing.T) {
	t.Parallel()
	database, file, restored := parleytest.Database(t), filepath.Join(t.TempDir(), "backup"), parleytest.Empty(t)
	serve(t, "--database", database)
	printed, err := command(t, "backup", "--database", database, file)
	require.NoError(t, err)
	require.Contains(t, printed, "Backed up the database to "+file)
	_, err = command(t, "backup", "--database", database, file)
	require.ErrorContains(t, err, "--overwrite")
	printed, err = command(t, "restore", "--database", restored, file)
	require.NoError(t, err)
	require.Contains(t, printed, "Restored the backup")
	_, err = command(t, "restore", "--database", restored, file)
	require.Error(t, err)

	printed, err = command(t, "doctor", "--database", restored, "--demo", "--public-url", "https://parley.example.com", "--json")
	require.NoError(t, err, printed)
	var found []doctor.Finding
	require.NoError(t, json.Unmarshal([]byte(printed), &found))
	require.Greater(t, len(found), 15)

	printed, err = command(t, "doctor", "--database", restored, "--demo", "--private-addr", "nine")
	require.ErrorIs(t, err, errUnwell)
	require.Contains(t, printed, "FAIL  settings: The private address \"nine\" is not host:port.")
}
