// Package migrate brings a database's tables up to date: Parley's with goose, the job
// tables with River. Migrations only add, so servers of the previous version keep
// working on a database that is newer than they are.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"parley/ent/migrate"
)

// migrationLock is the PostgreSQL advisory lock that processes migrate under.
const migrationLock = 0x7061726c6579 // "parley"

// On PostgreSQL a change of a table waits for those who use it, and everybody
// else waits behind it: it waits for ddlPatience at most, then lets them by for
// ddlPause and tries again, for ddlTries.
const (
	ddlPatience = time.Second
	ddlPause    = 2 * time.Second
	ddlTries    = 200 // ten minutes
)

// FewestConns is how many connections a pool must allow to migrate: one holds the
// lock, others work.
const FewestConns = 4

// Database is an open database.
type Database struct {
	DB   *sql.DB
	Pool *pgxpool.Pool // the same on PostgreSQL; nil on SQLite
	// Files are the migrations, in a folder for each dialect; nil for those of this
	// program.
	Files fs.FS
}

// Up applies what is pending. Processes that start together wait for one another: by
// an advisory lock on PostgreSQL, while the caller holds sqlite.Lock on SQLite. A
// database with migrations that this program does not know is taken as it is.
func Up(ctx context.Context, d Database) error {
	return Alone(ctx, d, func(m *Migrator) error { return m.Up(ctx) })
}

// Migrator applies migrations while no other process does.
type Migrator struct {
	provider *goose.Provider
	db       *sql.DB
	pool     *pgxpool.Pool // PostgreSQL only
}

// Alone calls fn while this process alone may migrate the database.
func Alone(ctx context.Context, d Database, fn func(*Migrator) error) error {
	if d.Pool == nil {
		provider, err := d.provider()
		if err != nil {
			return err
		}
		return fn(&Migrator{provider: provider, db: d.DB})
	}
	conn, err := d.DB.Conn(ctx)
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
	config := d.Pool.Config()
	config.ConnConfig.RuntimeParams["lock_timeout"] = fmt.Sprint(ddlPatience.Milliseconds())
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	provider, err := Database{DB: db, Pool: pool, Files: d.Files}.provider()
	if err != nil {
		return err
	}
	return fn(&Migrator{provider: provider, db: db, pool: pool})
}

// provider knows the migrations of the database's dialect.
func (d Database) provider() (*goose.Provider, error) {
	dialect, folder := goose.DialectSQLite3, "sqlite"
	if d.Pool != nil {
		dialect, folder = goose.DialectPostgres, "postgres"
	}
	files := d.Files
	if files == nil {
		files = migrate.Files
	}
	files, err := fs.Sub(files, folder)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(dialect, d.DB, files)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// Up applies everything that is pending.
func (m *Migrator) Up(ctx context.Context) error {
	err := patiently(ctx, func() error { _, err := m.provider.Up(ctx); return err })
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return m.jobs(ctx)
}

// UpTo applies what is pending up to a version, and the job tables.
func (m *Migrator) UpTo(ctx context.Context, version int64) error {
	err := patiently(ctx, func() error { _, err := m.provider.UpTo(ctx, version); return err })
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return m.jobs(ctx)
}

// Version is that of the newest migration applied.
func (m *Migrator) Version(ctx context.Context) (int64, error) { return m.provider.GetDBVersion(ctx) }

// Newest is the version of the newest migration that is known.
func (m *Migrator) Newest() int64 {
	sources := m.provider.ListSources()
	return sources[len(sources)-1].Version
}

// jobs brings River's tables up to date.
func (m *Migrator) jobs(ctx context.Context) error {
	up := migrateRiver(rivermigrate.New(riversqlite.New(m.db), nil))
	if m.pool != nil {
		up = migrateRiver(rivermigrate.New(riverpgxv5.New(m.pool), nil))
	}
	if err := patiently(ctx, func() error { return up(ctx) }); err != nil {
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

// patiently runs change until it gets its locks.
func patiently(ctx context.Context, change func() error) error {
	for tries := 1; ; tries++ {
		err := change()
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "55P03" || tries == ddlTries {
			return err
		}
		slog.WarnContext(ctx, "a migration waits for other users of a table; will try again", "try", tries, "of", ddlTries)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(ddlPause):
		}
	}
}
