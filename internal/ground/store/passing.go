package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
)

// Passing reports whether a write failed for a reason of the moment (a lock, a
// lost connection, a full disk, a database that stops or was moved away) and not for what it
// writes: the same write may well take effect later.
func Passing(err error) bool {
	var pg *pgconn.PgError
	var lite sqlite3.Error
	var lost net.Error
	switch {
	case errors.As(err, &pg):
		return len(pg.Code) == 5 && slices.Contains(passingClasses, pg.Code[:2])
	case errors.As(err, &lite):
		return slices.Contains(passingCodes, lite.Code)
	case errors.As(err, &lost), pgconn.SafeToRetry(err): // such as a connection that was closed already
		return true
	}
	return slices.ContainsFunc([]error{
		ErrClosed, ErrMoved, errEnded, errNoAnswer, driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	}, func(target error) bool { return errors.Is(err, target) })
}

// passingClasses are PostgreSQL's classes of SQLSTATE that tell of the moment:
// connections, transactions that were given up, resources, locks, operators and
// the system (PostgreSQL manual, appendix A).
var passingClasses = []string{"08", "25", "40", "53", "55", "57", "58"}

var passingCodes = []sqlite3.ErrNo{
	sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrNomem, sqlite3.ErrReadonly, sqlite3.ErrInterrupt,
	sqlite3.ErrIoErr, sqlite3.ErrFull, sqlite3.ErrCantOpen, sqlite3.ErrProtocol,
}
