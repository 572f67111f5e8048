package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"parley/ent/migrate"
)

// migrationLock is the PostgreSQL advisory lock that processes migrate under.
const migrationLock = 0x7061726c6579 // "parley"

// migrate applies what is pending. Processes that start together wait for one
// another: by an advisory lock on PostgreSQL, by lockFile on SQLite.
func (s *Store) migrate(ctx context.Context) error {
	if s.dialect == dialect.SQLite {
		return s.applyMigrations(ctx, goose.DialectSQLite3, "sqlite")
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("wait for the migration lock: %w", err)
	}
	defer func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}()
	return s.applyMigrations(ctx, goose.DialectPostgres, "postgres")
}

// lockFile lets one process at a time open a SQLite database: until it is in WAL
// mode and up to date, they would trip over each other. The lock is a database
// beside it, the file's name and ".lock", whose exclusive transaction the system
// ends with the process; the file stays. On PostgreSQL it does nothing.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	if IsPostgresURL(path) {
		return func() {}, nil
	}
	if path == "" || strings.ContainsAny(path, "?#") {
		return nil, fmt.Errorf("the database must be a file path without ? and #, or a postgres:// URL; got %q", path)
	}
	db, err := sql.Open("sqlite3", sqliteURL(path+".lock", "_txlock=exclusive&_busy_timeout=60000"))
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("wait for other processes that open %s: %w", path, err)
	}
	return func() { _ = tx.Rollback(); _ = db.Close() }, nil
}

func (s *Store) applyMigrations(ctx context.Context, d goose.Dialect, folder string) error {
	files, err := fs.Sub(migrate.Files, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(d, s.db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return s.migrateJobs(ctx)
}

func (s *Store) migrateJobs(ctx context.Context) error {
	var err error
	if s.pool != nil {
		err = migrateRiver(rivermigrate.New(riverpgxv5.New(s.pool), nil))(ctx)
	} else {
		err = migrateRiver(rivermigrate.New(riversqlite.New(s.db), nil))(ctx)
	}
	if err != nil {
		return fmt.Errorf("migrate the job tables: %w", err)
	}
	return nil
}

func migrateRiver[T any](m *rivermigrate.Migrator[T], err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
}
