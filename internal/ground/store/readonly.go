package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"parley/internal/ground/store/address"
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
	db, err := sql.Open("sqlite3", sqliteURL(path, "mode=ro&_query_only=1&_busy_timeout=10000&_loc=UTC"))
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

// Schema is how a database's tables stand to what this program knows.
type Schema struct {
	// Version is that of the newest migration applied, 0 when there is none.
	Version int64
	// Known is the newest that this program knows.
	Known int64
	// Pending is how many of those it knows are not applied, the job tables' too.
	Pending int
}

// Schema reads it without changing anything.
func (s *Store) Schema(ctx context.Context) (c Schema, err error) {
	d := goose.DialectSQLite3
	if s.pool != nil {
		d = goose.DialectPostgres
	}
	provider, err := s.provider(d, s.db)
	if err != nil {
		return c, err
	}
	applied := map[int64]bool{}
	q := statement{"SELECT version_id FROM goose_db_version WHERE is_applied", nil}
	err = s.Read(ctx, q, func(rows *sql.Rows) error {
		var version int64
		err := rows.Scan(&version)
		applied[version], c.Version = true, max(c.Version, version)
		return err
	})
	if err != nil {
		return c, err
	}
	for _, source := range provider.ListSources() {
		if c.Known = source.Version; !applied[source.Version] {
			c.Pending++
		}
	}
	jobs, err := s.jobsAreCurrent(ctx)
	if err == nil && !jobs {
		c.Pending++
	}
	return c, err
}

func (s *Store) jobsAreCurrent(ctx context.Context) (bool, error) {
	if s.pool != nil {
		return validRiver(rivermigrate.New(riverpgxv5.New(s.pool), nil))(ctx)
	}
	return validRiver(rivermigrate.New(riversqlite.New(s.db), nil))(ctx)
}

func validRiver[T any](m *rivermigrate.Migrator[T], err error) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		if err != nil {
			return false, err
		}
		result, err := m.Validate(ctx, nil)
		if err != nil {
			return false, err
		}
		return result.OK, nil
	}
}
