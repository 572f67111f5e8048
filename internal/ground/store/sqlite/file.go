package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"
)

// URL is the data source name of a SQLite file, with the driver's parameters.
func URL(path, parameters string) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: parameters}).String()
}

// WriterURL is the data source name of connections that write: each takes the write
// lock when a transaction begins.
func WriterURL(path string) string { return URL(path, pragmas+"&_journal_mode=WAL&_txlock=immediate") }

// ReaderURL is the data source name of connections that can only read.
func ReaderURL(path string) string { return URL(path, pragmas+"&_query_only=1") }

// synchronous=FULL: what was acknowledged survives a power cut; group commits
// make it cheap. mutex=no: database/sql lets one goroutine at a time use a
// connection, so SQLite need not take a lock for each value it hands out. mode=rw:
// a file is made by MakeEmpty or not at all.
const pragmas = "mode=rw&_mutex=no&_synchronous=FULL&_busy_timeout=10000&_foreign_keys=1&_loc=UTC&_stmt_cache_size=256&_cache_size=-32000"

// ownerOnly is the mode of every file that holds what the database holds: the keys
// of all tokens, carriers' secrets, customers' texts. SQLite gives its -wal and
// -shm the mode of the file they belong to.
const ownerOnly = 0o600

// MakeEmpty makes an empty file unless one is there, for its owner alone whatever the
// umask, and reports whether it did. It never opens one that is there: closing it
// again would drop the locks that SQLite has on it in this process.
func MakeEmpty(path string) (made bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, ownerOnly)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("make %s: %w", path, err)
	}
	return true, f.Close()
}

// Lock lets one process at a time open a SQLite database: until it is in WAL mode
// and up to date, they would trip over each other. The lock is a database beside it,
// the file's name and ".lock", whose exclusive transaction the system ends with the
// process; the file stays, unless unlock is told to leave nothing and this call made
// it.
func Lock(ctx context.Context, path string) (unlock func(leaveNothing bool), err error) {
	lock := path + ".lock"
	release, made, err := Hold(ctx, lock, time.Minute)
	if err != nil {
		return nil, fmt.Errorf("wait for other processes that open %s: %w", path, err)
	}
	return func(leaveNothing bool) {
		release()
		if made && leaveNothing {
			_ = os.Remove(lock)
		}
	}, nil
}

// Hold waits so long for a file that serves as a lock: an empty SQLite database, whose
// exclusive transaction the system ends with the process. It reports whether it made
// the file.
func Hold(ctx context.Context, lock string, patience time.Duration) (release func(), made bool, err error) {
	if made, err = MakeEmpty(lock); err != nil {
		return nil, made, err
	}
	db, err := sql.Open("sqlite3", URL(lock, fmt.Sprintf("_txlock=exclusive&_busy_timeout=%d", patience.Milliseconds())))
	if err != nil {
		return nil, made, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, made, errors.Join(err, db.Close())
	}
	return func() { _ = tx.Rollback(); _ = db.Close() }, made, nil
}
