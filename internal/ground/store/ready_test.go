package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// readOnly has the database refuse what is written from now on, until over.
func readOnly(t testing.TB, s *store.Store, url string) (over func()) {
	t.Helper()
	if !parleytest.OnPostgres() {
		_, err := s.WriterDB().ExecContext(t.Context(), "PRAGMA query_only = 1")
		require.NoError(t, err)
		return func() {
			_, err := s.WriterDB().ExecContext(t.Context(), "PRAGMA query_only = 0")
			require.NoError(t, err)
		}
	}
	set := func(value string) {
		for _, statement := range []string{
			"DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) || ' SET default_transaction_read_only = " + value + "'; END $$",
			"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
		} {
			_, err := admin(t, url+"?default_transaction_read_only=off").ExecContext(t.Context(), statement)
			require.NoError(t, err)
		}
	}
	set("on")
	return func() { set("off") }
}

// The database answers all the while.
func TestReadinessSaysThatWritesAreRefused(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	s := open(t, url)
	require.NoError(t, s.Write(t.Context(), put("before")))
	require.NoError(t, s.Ready(t.Context()))
	over := readOnly(t, s, url)
	eventually(t, func() bool {
		return store.Passing(s.Write(t.Context(), put("meanwhile"))) && errors.Is(s.Ready(t.Context()), store.ErrRefused)
	}, "it says so")
	require.True(t, s.RefusesWrites())
	require.True(t, has(t, s, "before"), "reads go on")
	over()
	nothing := func(context.Context, *store.Tx) error { return nil }
	eventually(t, func() bool { return s.Write(t.Context(), nothing) == nil }, "it begins and commits")
	require.ErrorIs(t, s.Ready(t.Context()), store.ErrRefused, "a commit of nothing proves nothing")
	eventually(t, func() bool {
		return s.Write(t.Context(), exec("INSERT INTO secrets (name, value) VALUES ('after', 'x') ON CONFLICT (name) DO NOTHING")) == nil
	}, "it takes writes")
	require.NoError(t, s.Ready(t.Context()))
	require.False(t, s.RefusesWrites())
}

// A file that cannot grow is as a full disk is.
func TestReadinessSaysThatTheDiskIsFull(t *testing.T) {
	t.Parallel()
	if parleytest.OnPostgres() {
		return // its own disk is its own server's
	}
	s := open(t, parleytest.Database(t))
	most := func(pages string) {
		_, err := s.WriterDB().ExecContext(t.Context(), "PRAGMA max_page_count = "+pages)
		require.NoError(t, err)
	}
	most("1") // as many as there are
	write := exec("INSERT INTO secrets (name, value) VALUES (hex(randomblob(8)), randomblob(100000))")
	eventually(t, func() bool { return store.Passing(s.Write(t.Context(), write)) }, "there is no room left")
	require.ErrorIs(t, s.Ready(t.Context()), store.ErrRefused)
	require.ErrorContains(t, s.Ready(t.Context()), "full")
	most("4294967294")
	require.NoError(t, s.Write(t.Context(), write))
	require.NoError(t, s.Ready(t.Context()))
}

// What concerns one write alone says nothing of the database.
func TestAWriteThatFailsByItselfLeavesTheDatabaseReady(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	require.NoError(t, s.Write(t.Context(), put("x")))
	require.Error(t, s.Write(t.Context(), put("x")), "a key that is there")
	require.NoError(t, s.Ready(t.Context()))
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	outcome := queue(t, s, ctx, put("y"))
	cancel()
	require.ErrorIs(t, <-outcome, context.Canceled)
	release()
	require.NoError(t, s.Ready(t.Context()))
}
