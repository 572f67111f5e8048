package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"

	"parley/internal/ground/store/address"
	"parley/internal/ground/store/migrate"
	"parley/internal/ground/store/sqlite"
)

// OpenToRead opens a database that is there, as it is: nothing is migrated, made
// or written, and the tables may be older or newer than this program, or missing.
// Write answers ErrClosed; Ent and Epoch are not set.
func OpenToRead(ctx context.Context, o Options) (*Store, error) {
	s := &Store{Clock: o.Clock, trace: o.Trace, writer: &writer{closing: make(chan struct{}), closed: make(chan struct{})}}
	s.writer.once.Do(func() { close(s.writer.closing); close(s.writer.closed) })
	if err := address.Check(o.URL); err != nil {
		return s, err
	}
	if address.IsPostgres(o.URL) {
		return s, address.Explain(o.URL, s.connectPostgres(ctx, withParameter(o.URL, "default_transaction_read_only", "on")))
	}
	return s, address.Explain(o.URL, s.connectToRead(ctx, o.URL))
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
		return fmt.Errorf("%w at %s: %s", ErrNoDatabase, path, whatToDo)
	}
	db, err := sql.Open("sqlite3", sqlite.URL(path, "mode=ro&_query_only=1&_busy_timeout=10000&_loc=UTC"))
	if err == nil {
		err = db.PingContext(ctx)
	}
	s.dialect, s.db, s.reader = dialect.SQLite, db, db
	s.shareReaders(runtime.NumCPU())
	if err != nil {
		return fmt.Errorf("open %s for reading: %w", path, err)
	}
	return nil
}

// Schema is how the tables stand to what this program knows.
func (s *Store) Schema(ctx context.Context) (migrate.Schema, error) {
	return migrate.Read(ctx, s.migrated())
}
