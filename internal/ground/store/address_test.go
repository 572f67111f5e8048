package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/store/backup"
)

// What is neither a file path nor a postgres:// URL never becomes a file.
func TestAMistypedAddressIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "backup")
	for address, want := range map[string]string{
		"postgre://u:secret@h/x":        "unknown scheme postgre: use postgres://",
		"mysql://h/x":                   "unknown scheme mysql",
		"POSTGRES://u:secret@h/x":       "unknown scheme POSTGRES",
		"postgres:/h/x":                 "unknown scheme postgres",
		"sqlite:data/parley.db":         "a file path for SQLite",
		"host=h dbname=x pass=secret":   "postgres://user@host/name",
		"postgresql ://u:secret@h/x":    "unknown scheme postgresql",
		"/nowhere/parley.db?mode=rw":    "without ? and #",
		" /nowhere/parley.db":           "without spaces around it",
		"":                              "must be a file path",
		filepath.Dir(file):              "is a folder",
		"postgres://u:secret@h:port/x":  "postgres://user:password@host:port/name",
		"jdbc:postgresql://u:secret@/x": "unknown scheme jdbc",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			_, opened := store.Open(t.Context(), store.Options{URL: address, Create: true})
			_, read := store.OpenToRead(t.Context(), store.Options{URL: address})
			backed := backup.Write(t.Context(), backup.Options{URL: address, File: file})
			for _, err := range []error{opened, read, backed} {
				require.ErrorContains(t, err, want)
				require.NotContains(t, err.Error(), "secret")
			}
		})
	}
}

func TestAFileMayHaveAnyNameThatIsWrittenAsAPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "my desk: parley.db")
	open(t, path, func(o *store.Options) { o.Create = true })
	require.FileExists(t, path)
}

// A file that is no database is left as it was, and so is its folder.
func TestAFileOfSomethingElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wrong.csv")
	require.NoError(t, os.WriteFile(path, []byte("Id,Text\n"), 0o600))
	_, err := store.Open(t.Context(), store.Options{URL: path, Create: true})
	require.ErrorContains(t, err, path+" is not a SQLite database")
	_, err = store.OpenToRead(t.Context(), store.Options{URL: path})
	require.ErrorContains(t, err, path+" is not a SQLite database")
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1)
}

// PostgreSQL that does not answer is told once, with what to do.
func TestPostgresAwayIsToldOnce(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Options{URL: "postgres://u:secret@127.0.0.1:1/x"})
	require.EqualError(t, err, "PostgreSQL cannot be reached: 127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused: "+
		"see that it runs, and that --database names its host and port")
	if parleytest.OnPostgres() {
		_, err = store.Open(t.Context(), store.Options{URL: parleytest.Empty(t) + "_and_more"})
		require.ErrorContains(t, err, "createdb")
	}
}
