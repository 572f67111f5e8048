package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"parley/ent/migrate"
	"parley/internal/ground/store/address"
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

// migrate applies what is pending. Processes that start together wait for one
// another: by an advisory lock on PostgreSQL, by lockFile on SQLite. A database
// with migrations that this program does not know is taken as it is: they only
// add.
func (s *Store) migrate(ctx context.Context) error {
	return s.migrating(ctx, func(m *migrator) error { return m.up(ctx) })
}

// migrator applies migrations while no other process does.
type migrator struct {
	store    *Store
	provider *goose.Provider
	pool     *pgxpool.Pool // PostgreSQL only
}

// migrating calls fn while this process alone may migrate the database.
func (s *Store) migrating(ctx context.Context, fn func(*migrator) error) error {
	if s.dialect == dialect.SQLite {
		provider, err := s.provider(goose.DialectSQLite3, s.db)
		if err != nil {
			return err
		}
		return fn(&migrator{store: s, provider: provider})
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
	config := s.pool.Config()
	config.ConnConfig.RuntimeParams["lock_timeout"] = fmt.Sprint(ddlPatience.Milliseconds())
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	provider, err := s.provider(goose.DialectPostgres, db)
	if err != nil {
		return err
	}
	return fn(&migrator{store: s, provider: provider, pool: pool})
}

// provider knows the migrations of the database's dialect.
func (s *Store) provider(d goose.Dialect, db *sql.DB) (*goose.Provider, error) {
	folder := "sqlite"
	if d == goose.DialectPostgres {
		folder = "postgres"
	}
	files := s.migrations
	if files == nil {
		files = migrate.Files
	}
	files, err := fs.Sub(files, folder)
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(d, db, files)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

// lockFile lets one process at a time open a SQLite database: until it is in WAL
// mode and up to date, they would trip over each other. The lock is a database
// beside it, the file's name and ".lock", whose exclusive transaction the system
// ends with the process; the file stays, unless unlock is told to leave nothing and
// this call made it. On PostgreSQL it does nothing.
func lockFile(ctx context.Context, path string) (unlock func(leaveNothing bool), err error) {
	if address.IsPostgres(path) {
		return func(bool) {}, nil
	}
	lock := path + ".lock"
	release, made, err := holdFile(ctx, lock, time.Minute)
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

// holdFile waits so long for the lock that a file is: an empty SQLite database, whose
// exclusive transaction the system ends with the process. It reports whether it made
// the file.
func holdFile(ctx context.Context, lock string, patience time.Duration) (release func(), made bool, err error) {
	if made, err = layEmpty(lock); err != nil {
		return nil, made, err
	}
	db, err := sql.Open("sqlite3", sqliteURL(lock, fmt.Sprintf("_txlock=exclusive&_busy_timeout=%d", patience.Milliseconds())))
	if err != nil {
		return nil, made, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, made, errors.Join(err, db.Close())
	}
	return func() { _ = tx.Rollback(); _ = db.Close() }, made, nil
}

// isForeign reports whether what lies at the path is no database of this user's
// Parley: nobody else opens one there meanwhile.
func isForeign(err error) bool {
	var lite sqlite3.Error
	return errors.Is(err, ErrNoDatabase) || errors.As(err, &lite) && slices.Contains([]sqlite3.ErrNo{
		sqlite3.ErrNotADB, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrPerm,
	}, lite.Code)
}

// up applies everything that is pending.
func (m *migrator) up(ctx context.Context) error {
	err := patiently(ctx, func() error { _, err := m.provider.Up(ctx); return err })
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return m.jobs(ctx)
}

// upTo applies what is pending up to a version, and the job tables.
func (m *migrator) upTo(ctx context.Context, version int64) error {
	err := patiently(ctx, func() error { _, err := m.provider.UpTo(ctx, version); return err })
	if err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return m.jobs(ctx)
}

// jobs brings River's tables up to date.
func (m *migrator) jobs(ctx context.Context) error {
	up := migrateRiver(rivermigrate.New(riversqlite.New(m.store.db), nil))
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
