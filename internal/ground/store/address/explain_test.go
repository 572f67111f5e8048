package address

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"
)

// Who may not, and where, is said in an operator's words; the cause stays.
func TestRefusalsOfTheSystemAreToldPlainly(t *testing.T) {
	t.Parallel()
	denied := &fs.PathError{Op: "open", Path: "/srv/parley.db.lock", Err: syscall.EACCES}
	for want, c := range map[string]struct {
		url string
		err error
	}{
		"may not write in the folder /srv: run this as the user":  {"/srv/parley.db", denied},
		"the disk of the folder /srv may only be read":            {"/srv/parley.db", &fs.PathError{Op: "open", Path: "/srv/x", Err: syscall.EROFS}},
		"may not write to /srv/parley.db and in its folder":       {"/srv/parley.db", sqlite3.Error{Code: sqlite3.ErrReadonly}},
		"may not open /srv/parley.db (unable to open database":    {"/srv/parley.db", sqlite3.Error{Code: sqlite3.ErrCantOpen}},
		"lets this user not write (permission denied for table x": {"postgres://h/x", &pgconn.PgError{Code: "42501", Message: "permission denied for table x"}},
	} {
		err := Explain(c.url, fmt.Errorf("migrate: %w", c.err))
		require.ErrorContains(t, err, want)
		require.ErrorIs(t, err, c.err)
	}
	other := errors.New("something else")
	require.Equal(t, other, Explain("/srv/parley.db", other))
	require.NoError(t, Explain("postgres://h/x", nil))
}
