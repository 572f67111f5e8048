package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/store"
	"parley/internal/ground/store/backup"
)

// lite is a SQLite database, whatever the suite runs on.
func lite(t testing.TB, path string) *store.Store {
	t.Helper()
	return open(t, path, func(o *store.Options) { o.Create = true })
}

// move renames those of the files that are there.
func move(t testing.TB, from, to string) {
	t.Helper()
	for _, beside := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(from+beside, to+beside); !errors.Is(err, os.ErrNotExist) {
			require.NoError(t, err)
		}
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, content, 0o600))
}

// Whichever way the files go, no write is acknowledged after it, nothing is written
// where they went, and readiness says so within a second; when the same files come
// back, all is well again.
func TestAFileThatIsNotWhereItWasTakesNoWrites(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		away, back func(t *testing.T, path string)
	}{
		"moved": {
			func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".away")) },
			func(t *testing.T, path string) { require.NoError(t, os.Rename(path+".away", path)) },
		},
		"moved with what is beside it": {
			func(t *testing.T, path string) { move(t, path, path+".away") },
			func(t *testing.T, path string) { move(t, path+".away", path) },
		},
		"moved with its folder": {
			func(t *testing.T, path string) {
				require.NoError(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".away"))
			},
			func(t *testing.T, path string) {
				require.NoError(t, os.Rename(filepath.Dir(path)+".away", filepath.Dir(path)))
			},
		},
		"removed": {away: func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) }},
		"replaced": {away: func(t *testing.T, path string) {
			copyFile(t, path, path+".copy")
			require.NoError(t, os.Rename(path+".copy", path))
		}},
		"without its log": {
			func(t *testing.T, path string) { require.NoError(t, os.Rename(path+"-wal", path+"-gone")) },
			func(t *testing.T, path string) { require.NoError(t, os.Rename(path+"-gone", path+"-wal")) },
		},
		"without its locks": {away: func(t *testing.T, path string) { require.NoError(t, os.Remove(path+"-shm")) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "folder", "parley.db")
			s := lite(t, path)
			require.NoError(t, s.Write(t.Context(), put("before")))
			require.NoError(t, s.Ready(t.Context()))

			way.away(t, path)
			require.ErrorIs(t, s.Write(t.Context(), put("doubtful")), store.ErrMoved, "it may have been written")
			require.ErrorIs(t, s.Write(t.Context(), put("after")), store.ErrMoved)
			_, err := s.WriterDB().ExecContext(t.Context(), "INSERT INTO secrets (name, value) VALUES ('a job', x'00')")
			require.Error(t, err, "job workers write by themselves")
			require.False(t, has(t, s, "after"))
			require.False(t, has(t, s, "a job"))
			require.ErrorIs(t, s.Ready(t.Context()), store.ErrMoved)
			if way.back == nil {
				return
			}
			way.back(t, path)
			eventually(t, func() bool { return s.Ready(t.Context()) == nil }, "it is ready again by itself")
			require.NoError(t, s.Write(t.Context(), put("later")))
			require.True(t, has(t, s, "before") && has(t, s, "later") && !has(t, s, "after"))
		})
	}
}

// Nobody needs to write for the loss to be seen.
func TestAMovedFileIsSeenWhileNothingIsWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	s := lite(t, path)
	require.NoError(t, os.Remove(path))
	require.Eventually(t, func() bool { return errors.Is(s.Ready(t.Context()), store.ErrMoved) }, time.Second, 10*time.Millisecond)
}

// A link is followed: what counts is where it leads when it is asked.
func TestALinkThatLeadsElsewhereTakesNoWrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, other, link := filepath.Join(dir, "one.db"), filepath.Join(dir, "other.db"), filepath.Join(dir, "link.db")
	require.NoError(t, lite(t, other).Close())
	require.NoError(t, lite(t, one).Close())
	require.NoError(t, os.Symlink(one, link))
	s := open(t, link)
	require.NoError(t, s.Write(t.Context(), put("before")))
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(other, link))
	require.ErrorIs(t, s.Write(t.Context(), put("after")), store.ErrMoved)
	require.NoError(t, os.Remove(one+"-wal"))
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(one, link))
	require.ErrorIs(t, s.Write(t.Context(), put("after")), store.ErrMoved, "the log beside the file, not beside the link")
}

// Its pages are not the ones that this process remembers any more.
func TestAFileThatComesBackChangedTakesNoWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	s := lite(t, path)
	require.NoError(t, os.Rename(path, path+".away"))
	require.ErrorIs(t, s.Write(t.Context(), put("after")), store.ErrMoved)
	later := time.Now().Add(time.Second)
	require.NoError(t, os.Chtimes(path+".away", later, later))
	require.NoError(t, os.Rename(path+".away", path))
	for range 2 {
		err := s.Write(t.Context(), put("after"))
		require.ErrorIs(t, err, store.ErrMoved)
		eventually(t, func() bool { err := s.Ready(t.Context()); return err != nil && errors.Is(err, store.ErrMoved) }, "it stays so")
	}
}

// What lies in the files is for their owner alone, whatever makes them.
func TestFilesAreForTheirOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	path, copied, restored := filepath.Join(dir, "parley.db"), filepath.Join(dir, "backup"), filepath.Join(dir, "restored", "parley.db")
	s := lite(t, path)
	require.NoError(t, s.Write(t.Context(), put("before")))
	require.NoError(t, backup.Write(t.Context(), backup.Options{URL: path, File: copied}))
	require.NoError(t, backup.Restore(t.Context(), backup.RestoreOptions{File: copied, URL: restored, Settle: []string{}}))
	open(t, restored)
	seen := 0
	for _, folder := range []string{dir, filepath.Dir(restored)} {
		files, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, file := range files {
			info, err := file.Info()
			require.NoError(t, err)
			if runtime.GOOS != "windows" {
				require.Zero(t, info.Mode().Perm()&0o077, file.Name())
			}
			seen++
		}
	}
	require.GreaterOrEqual(t, seen, 9, "two databases with -wal, -shm and .lock, and a backup")
}
