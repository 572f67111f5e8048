package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// Where no Parley's database is, none is made, and nothing is left behind.
func TestADatabaseIsMadeOnlyWhenTold(t *testing.T) {
	t.Parallel()
	url := parleytest.Empty(t)
	_, err := store.Open(t.Context(), store.Options{URL: url})
	require.ErrorIs(t, err, store.ErrNoDatabase)
	require.ErrorContains(t, err, "parley migrate")
	if !parleytest.OnPostgres() {
		files, err := os.ReadDir(filepath.Dir(url))
		require.NoError(t, err)
		require.Empty(t, files)
		require.NoError(t, os.WriteFile(url, nil, 0o600)) // a file of nothing, as a full disk leaves one
		_, err = store.Open(t.Context(), store.Options{URL: url})
		require.ErrorIs(t, err, store.ErrNoDatabase)
	}
	s := open(t, url, func(o *store.Options) { o.Create = true })
	require.NoError(t, s.Write(t.Context(), put("x")))
	open(t, url)
}

// Tables of somebody else are no Parley.
func TestADatabaseOfSomebodyElseIsNotFilled(t *testing.T) {
	t.Parallel()
	url := parleytest.Empty(t)
	_, err := admin(t, url).ExecContext(t.Context(), "CREATE TABLE recipes (id bigint)")
	require.NoError(t, err)
	_, err = store.Open(t.Context(), store.Options{URL: url})
	require.ErrorIs(t, err, store.ErrNoDatabase)
}

// SQLite drops a -wal whose database is new: with it what was acknowledged last in
// the one that was moved away.
func TestALogWithoutItsDatabaseIsKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	require.NoError(t, os.WriteFile(path+"-wal", []byte("acknowledged"), 0o600))
	_, err := store.Open(t.Context(), store.Options{URL: path, Create: true})
	require.ErrorContains(t, err, "-wal exists without its database")
	kept, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.Equal(t, "acknowledged", string(kept))
}
