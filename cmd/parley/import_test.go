package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func TestImportReportsAndListsWhatItRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	database, refused, inboundOnly := parleytest.Database(t), filepath.Join(dir, "refused.csv"), filepath.Join(dir, "inbound-only.csv")
	in := "../../internal/admin/importer/testdata/"
	args := []string{
		"import", "--database", database, "--records", in + "records.csv", "--outgoing", in + "outgoing.csv", "--incoming", in + "incoming.csv",
		"--region", "US", "--json",
	}
	var foretold, report map[string]any
	printed, err := command(t, append(args, "--dry-run")...)
	require.Equal(t, 3, exitCode(err), "some rows were refused: %v", err)
	require.NoError(t, json.Unmarshal([]byte(printed), &foretold))
	require.Equal(t, true, foretold["dry_run"])

	printed, err = command(t, append(args, "--refused", refused, "--inbound-only", inboundOnly)...)
	require.Equal(t, 3, exitCode(err), "some rows were refused: %v", err)
	require.NoError(t, json.Unmarshal([]byte(printed), &report))
	foretold["dry_run"] = false
	require.Equal(t, foretold, report)
	require.EqualValues(t, 8, report["refused_rows"])
	for _, list := range []string{refused, inboundOnly} {
		info, err := os.Stat(list)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm(), "it holds customers' numbers")
	}
}

func TestADryRunNeedsNoDatabaseAndMakesNone(t *testing.T) {
	t.Parallel()
	database := filepath.Join(t.TempDir(), "none", "parley.db")
	printed, err := command(t, "import", "--dry-run", "--database", database, "--incoming", "../../internal/admin/importer/testdata/incoming.csv", "--region", "US")
	require.ErrorContains(t, err, "2 rows were refused")
	require.Contains(t, printed, "5  incoming messages would be imported")
	require.NoDirExists(t, filepath.Dir(database))
}

func TestADryRunOnAnEarlierDatabaseSaysToMigrate(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	s, err := store.Open(t.Context(), store.Options{URL: database})
	require.NoError(t, err)
	require.NoError(t, s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)"))
		return err
	}))
	require.NoError(t, s.Close())
	_, err = command(t, "import", "--dry-run", "--database", database, "--incoming", "../../internal/admin/importer/testdata/incoming.csv", "--region", "US")
	require.ErrorContains(t, err, "run parley migrate")
}
