// Package store opens the database, SQLite or PostgreSQL, brings it up to date,
// and owns how it is written: one group writer per process that puts many use
// cases into one transaction, each in its own savepoint, and closes it with their
// jobs and their closing steps (see Deferred).
//
// Reads go through Ent or Read and see a committed snapshot per statement.
// Writes go through Write. Nothing may use Ent or Read inside a Write: they do not
// see what its transaction has changed.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"parley/ent"
	_ "parley/ent/runtime" // the policies
	"parley/internal/ground/clock"
	"parley/internal/ground/store/address"
	"parley/internal/ground/store/migrate"
	"parley/internal/ground/store/sqlite"
	"parley/internal/ground/turn"
)

// own reads what the store keeps for itself.
const own = System("the database's own state")

// Options say which database and how.
type Options struct {
	// URL is a file path (SQLite) or a postgres:// URL. Required.
	URL string
	// Create makes a new database where there is none, and Parley's tables in one
	// that lacks them. Without it Open answers ErrNoDatabase there.
	Create bool
	// Clock is the domain's time; the system's by default.
	Clock clock.Clock
	// GroupSize is how many writes share a transaction at most; 64 by default.
	GroupSize int
	// Migrations replaces those of package migrate, in its folders; for tests of a
	// program that is newer.
	Migrations fs.FS
	// TransactionTime is how long PostgreSQL may take over a transaction before its
	// connection is given up; 30 s by default.
	TransactionTime time.Duration
	// Trace sees the text of every statement before it runs, those of River
	// apart, and what it returns is called when its rows are read; either may be
	// nil for none. It must be safe for concurrent use.
	Trace Trace
	// OnCommit is called after a commit that added events, with the log's last
	// position. It must not block.
	OnCommit func(position int64)
}

// Trace is a hook around statements.
type Trace func(ctx context.Context, statement string) (done func(error))

// Store is an open database. It is safe for concurrent use.
type Store struct {
	// Ent reads under the viewer of the context. Writing through it fails on
	// SQLite and is not atomic with events on PostgreSQL: use Write.
	Ent *ent.Client
	// Clock is the domain's time.
	Clock clock.Clock
	// Epoch names this event log; a restored backup starts another.
	Epoch int64

	dialect  string
	place    *place // SQLite only
	watching sync.WaitGroup
	reader   *sql.DB
	db       *sql.DB       // the writer; on PostgreSQL the same as reader
	pool     *pgxpool.Pool // PostgreSQL only
	binary   bool          // its results can be had in the wire's binary format
	writer   *writer
	jobs     jobInserter
	trace    Trace

	readers *turn.Gate // the connections that read
	scans   *turn.Gate // those of them that walk through many rows
	walks   *turn.Gate // what takes many statements

	migrations fs.FS // nil for package migrate's
}

// Open opens the database at o.URL, applies pending migrations under a lock and
// starts the group writer. Close releases it.
func Open(ctx context.Context, o Options) (s *Store, err error) {
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	defer func() { err = address.Explain(o.URL, err) }()
	if err := layFile(o.URL, o.Create); err != nil {
		return nil, err
	}
	unlock, err := lock(ctx, o.URL)
	if err != nil {
		return nil, err
	}
	defer func() { unlock(isForeign(err)) }()
	s = &Store{Clock: o.Clock, trace: o.Trace, migrations: o.Migrations}
	if err := s.connect(ctx, o.URL); err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, o.Create); err != nil {
		_ = s.disconnect()
		return nil, err
	}
	s.Ent = ent.NewClient(ent.Driver(s.traced(entsql.OpenDB(s.dialect, s.reader))))
	s.writer = startWriter(s, o)
	if s.place != nil {
		s.watching.Go(func() { s.place.watch(s.writer.closing) })
	}
	return s, nil
}

// lock keeps other processes from opening the same SQLite file; PostgreSQL has locks
// of its own.
func lock(ctx context.Context, u string) (unlock func(leaveNothing bool), err error) {
	if address.IsPostgres(u) {
		return func(bool) {}, nil
	}
	return sqlite.Lock(ctx, u)
}

// migrated is the database as package migrate takes it.
func (s *Store) migrated() migrate.Database {
	return migrate.Database{DB: s.db, Pool: s.pool, Files: s.migrations}
}

func (s *Store) prepare(ctx context.Context, create bool) error {
	err := s.RequireParley(ctx)
	switch {
	case errors.Is(err, ErrNoDatabase) && create:
		slog.InfoContext(ctx, "no database was found, so a new one is created", "database", s.name())
	case err != nil:
		return err
	}
	if err := migrate.Up(ctx, s.migrated()); err != nil {
		return err
	}
	if err := s.keepSavepointsInMemory(ctx); err != nil {
		return err
	}
	if s.jobs, err = s.newJobInserter(); err != nil {
		return err
	}
	if err := s.startLog(ctx); err != nil || s.place == nil {
		return err
	}
	return s.place.remember() // now with the files that SQLite has made beside it
}

// name is the SQLite file, or the database's name in its server: never a password.
func (s *Store) name() string {
	if s.place != nil {
		return s.place.path
	}
	return s.pool.Config().ConnConfig.Database
}

// keepSavepointsInMemory spares every write with neighbours some 25 writes to a
// temporary file: SQLite keeps there what a page held before the savepoint. It
// comes after the migrations, whose sorting may need the file.
func (s *Store) keepSavepointsInMemory(ctx context.Context) error {
	if s.dialect != dialect.SQLite {
		return nil
	}
	_, err := s.db.ExecContext(ctx, "PRAGMA temp_store = MEMORY")
	return err
}

func (s *Store) connect(ctx context.Context, u string) error {
	if address.IsPostgres(u) {
		return s.connectPostgres(ctx, u)
	}
	return s.connectSQLite(ctx, u)
}

func (s *Store) connectPostgres(ctx context.Context, u string) (err error) {
	if s.pool, err = ConnectPostgres(ctx, u); err != nil {
		return err
	}
	s.dialect = dialect.Postgres
	s.binary = s.pool.Config().ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol
	s.db = stdlib.OpenDBFromPool(s.pool)
	s.reader = s.db
	s.shareReaders(int(s.pool.Config().MaxConns) - ownConns)
	return nil
}

// ConnectPostgres opens a pool of connections to the database at a postgres:// URL,
// once it answers.
func ConnectPostgres(ctx context.Context, u string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(u)
	if err != nil {
		return nil, errors.New("the database URL is not a PostgreSQL URL: expected postgres://user:password@host:port/name")
	}
	if !strings.Contains(u, "pool_max_conns") {
		config.MaxConns = 16
	}
	config.MaxConns = max(config.MaxConns, migrate.FewestConns)
	config.PingTimeout = pingTime
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	if params := config.ConnConfig.RuntimeParams; params[idleInTransaction] == "" {
		params[idleInTransaction] = "30s"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach PostgreSQL: %w", err)
	}
	return pool, nil
}

// ownConns are left to the writer and the jobs by those who read.
const ownConns = 2

// idleInTransaction is how long PostgreSQL lets a transaction of ours stand
// still: a process that hangs inside one holds the log's tail, and with it every
// other process.
const idleInTransaction = "idle_in_transaction_session_timeout"

// How long PostgreSQL may take over a read whose caller set no deadline, and to
// answer on a connection that was idle. One that went dead without a word, as a
// failover or a firewall leaves it, is closed then.
const (
	readTime = 15 * time.Second
	pingTime = 2 * time.Second
)

// within bounds what is asked of PostgreSQL. A SQLite file does not go silent, and
// its locks have a bound of their own.
func (s *Store) within(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded || s.dialect != dialect.Postgres {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, most)
}

// Close waits for the writes under way and releases the database. Later writes
// get ErrClosed.
func (s *Store) Close() error {
	s.writer.close()
	s.watching.Wait() // or it would miss the files that the last connection takes away
	return s.disconnect()
}

func (s *Store) disconnect() error {
	var errs []error
	if s.reader != nil && s.reader != s.db {
		errs = append(errs, s.reader.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return errors.Join(errs...)
}

// Dialect is ent's name of the database in use.
func (s *Store) Dialect() string { return s.dialect }

// Query is a built statement: one of ent's SQL builders.
type Query interface{ Query() (string, []any) }

// SQL is a statement written by hand that takes no arguments.
type SQL string

// Query implements Query.
func (s SQL) Query() (string, []any) { return string(s), nil }

// Builder starts a statement in the store's dialect.
func (s *Store) Builder() *entsql.DialectBuilder { return entsql.Dialect(s.dialect) }

// Access says for whom rows are read, so that no read forgets to ask: for a viewer,
// whose rights the statement holds (rule.Visibility, viewer.Viewer), or for the
// System.
type Access interface {
	// MayRead is false for nobody, for whom there are no rows: no statement runs.
	MayRead() bool
}

// System is the reason why rows are read whoever asks. Lint lists the packages that
// may give one.
type System string

// MayRead implements Access.
func (System) MayRead() bool { return true }

// Read runs q outside any transaction and calls scan for every row.
func (s *Store) Read(ctx context.Context, access Access, q Query, scan func(*sql.Rows) error) error {
	if !access.MayRead() {
		return nil
	}
	ctx, cancel := s.within(ctx, readTime)
	defer cancel()
	return s.inTurn(ctx, func() error { return s.each(ctx, s.reader, q, scan) })
}

// As returns Read for one access, in the form of Tx.Query.
func (s *Store) As(access Access) func(ctx context.Context, q Query, scan func(*sql.Rows) error) error {
	return func(ctx context.Context, q Query, scan func(*sql.Rows) error) error {
		return s.Read(ctx, access, q, scan)
	}
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) each(ctx context.Context, db querier, q Query, scan func(*sql.Rows) error) (err error) {
	text, args := s.words(q)
	done := s.note(ctx, text)
	defer func() { done(err) }()
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
