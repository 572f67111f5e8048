package store_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

func TestWhatPassesIsToldFromWhatStays(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		store.ErrClosed, io.ErrUnexpectedEOF, &net.OpError{Op: "read", Err: errors.New("reset")},
		&pgconn.PgError{Code: "40001"}, &pgconn.PgError{Code: "53100"}, &pgconn.PgError{Code: "57P01"},
		sqlite3.Error{Code: sqlite3.ErrBusy},
		sqlite3.Error{Code: sqlite3.ErrFull},
	} {
		require.True(t, store.Passing(fmt.Errorf("begin: %w", err)), "%v", err)
	}
	for _, err := range []error{
		nil, errors.New("a write panicked: oops"), &pgconn.PgError{Code: "23505"}, &pgconn.PgError{Code: "22021"}, &pgconn.PgError{},
		sqlite3.Error{Code: sqlite3.ErrConstraint},
		sqlite3.Error{Code: sqlite3.ErrTooBig},
	} {
		require.False(t, store.Passing(err), "%v", err)
	}
}

// A connection that was lost before the statement is one of the moment, too.
func TestAConnectionThatIsClosedPasses(t *testing.T) {
	t.Parallel()
	if !parleytest.OnPostgres() {
		return
	}
	conn, err := pgx.Connect(t.Context(), parleytest.Database(t))
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	_, err = conn.Exec(t.Context(), "SELECT 1")
	require.True(t, store.Passing(err), "%v", err)
}
