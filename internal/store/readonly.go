package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"entgo.io/ent/dialect"
)

// ErrNoDatabase is what OpenToRead answers where there is no SQLite file.
var ErrNoDatabase = errors.New("there is no database")

// OpenToRead opens a database that is there, as it is: nothing is migrated, made
// or written, and the tables may be older or newer than this program, or missing.
// Write answers ErrClosed; Ent and Epoch are not set.
func OpenToRead(ctx context.Context, o Options) (*Store, error) {
	s := &Store{Clock: o.Clock, trace: o.Trace, writer: &writer{closing: make(chan struct{}), closed: make(chan struct{})}}
	s.writer.once.Do(func() { close(s.writer.closing); close(s.writer.closed) })
	if IsPostgresURL(o.URL) {
		return s, s.connectPostgres(ctx, withParameter(o.URL, "default_transaction_read_only", "on"))
	}
	return s, s.connectToRead(ctx, o.URL)
}

// withParameter adds a parameter of the session to a PostgreSQL URL.
func withParameter(u, name, value string) string {
	separator := "?"
	if strings.Contains(u, "?") {
		separator = "&"
	}
	return u + separator + name + "=" + value
}

func (s *Store) connectToRead(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w at %s: give --database as the server has it", ErrNoDatabase, path)
	}
	db, err := sql.Open("sqlite3", sqliteURL(path, "mode=ro&_query_only=1&_busy_timeout=10000&_loc=UTC"))
	if err == nil {
		err = db.PingContext(ctx)
	}
	s.dialect, s.db, s.reader = dialect.SQLite, db, db
	if err != nil {
		return fmt.Errorf("open %s for reading: %w", path, err)
	}
	return nil
}
