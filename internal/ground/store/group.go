package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"
	"github.com/riverqueue/river"

	"parley/ent"
	"parley/internal/ground/clock"
)

// group is one open transaction.
type group struct {
	store *Store
	conn  *sql.Conn
	tx    *sql.Tx
	ent   *ent.Client
	now   clock.Time
}

func (w *writer) begin(ctx context.Context) (*group, error) {
	conn, err := w.store.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	driver := openDriver{w.store.traced(entsql.NewDriver(w.store.dialect, entsql.Conn{ExecQuerier: tx}))}
	return &group{
		store: w.store, conn: conn, tx: tx, now: w.store.Clock.Now(),
		ent: ent.NewClient(ent.Driver(driver)),
	}, nil
}

// release ends the transaction if it is still open and gives the connection back.
func (g *group) release() {
	_ = g.tx.Rollback()
	_ = g.conn.Close()
}

func (g *group) builder() *entsql.DialectBuilder { return g.store.Builder() }

func (g *group) exec(ctx context.Context, q Query) (n int64, err error) {
	text, args := g.store.words(q)
	done := g.store.note(ctx, text)
	defer func() { done(err) }()
	result, err := g.tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (g *group) enqueue(ctx context.Context, jobs []river.InsertManyParams) error {
	return g.store.jobs(ctx, g.conn, g.tx, jobs)
}

// run runs one item, in a savepoint when it has neighbours. Its own failure is
// kept in it.err; a returned error says that the transaction is spoiled.
func (g *group) run(ctx context.Context, it *item, shared bool) error {
	if it.err = it.absent(); it.err != nil {
		return nil // the item's failure is its own, the transaction is well
	}
	if shared {
		if _, err := g.tx.ExecContext(ctx, "SAVEPOINT item"); err != nil {
			return err
		}
	}
	tx := &Tx{Ent: g.ent, Now: g.now, group: g, parent: g.store.parentOf(it)}
	own := context.WithoutCancel(it.ctx)
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		own, cancel = context.WithDeadline(own, deadline)
		defer cancel()
	}
	it.err = contained(own, it.fn, tx)
	it.tail = tx.tail
	if err := g.ended(); err != nil {
		if Passing(it.err) { // such as a full disk
			err = fmt.Errorf("%w: %w", err, it.err)
		}
		it.err = cmp.Or(it.err, err)
		return err
	}
	switch {
	case it.err == nil && !shared:
		return nil
	case it.err == nil:
		_, err := g.tx.ExecContext(ctx, "RELEASE SAVEPOINT item")
		return err
	case !shared, lostRace(it.err):
		return it.err
	}
	_, err := g.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT item")
	return err
}

var errEnded = errors.New("store: the database ended the transaction after a failed statement")

// ended reports whether SQLite has undone the whole transaction by itself, as it
// does when the disk is full or a conflict clause says so: what came next would
// take effect statement by statement. PostgreSQL refuses every further statement.
func (g *group) ended() error {
	if g.store.dialect != dialect.SQLite {
		return nil
	}
	return g.conn.Raw(func(driverConn any) error {
		if c, ok := driverConn.(*sqlite3.SQLiteConn); ok && c.AutoCommit() {
			return errEnded
		}
		return nil
	})
}

// lostRace reports whether PostgreSQL gave up err's transaction for another
// process's: a deadlock, a serialization failure or a lock that did not come in
// time, good to run again.
func lostRace(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001" || pg.Code == "55P03")
}

// groupPatience is how long an item with neighbours waits for a row that another
// process has locked. The groups of two processes easily wait for each other in
// a circle, which PostgreSQL looks for only after a second of standstill; run
// singly, the items lock one conversation each and cannot.
const groupPatience = 100 * time.Millisecond

// waitAtMost bounds the wait for a lock in this transaction; 0 for no bound.
func (g *group) waitAtMost(ctx context.Context, d time.Duration) error {
	if g.store.dialect != dialect.Postgres {
		return nil // one writer
	}
	_, err := g.tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", d.Milliseconds()))
	return err
}

// contained turns a panic in fn into an error, so that it costs no neighbour.
func contained(ctx context.Context, fn func(context.Context, *Tx) error, tx *Tx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			slog.ErrorContext(ctx, "a write panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("a write panicked: %v", r)
		}
	}()
	return fn(ctx, tx)
}

// openDriver runs ent on a transaction that the group writer owns: ent's own
// begin and commit do nothing.
type openDriver struct{ dialect.Driver }

// Tx implements dialect.Driver.
func (d openDriver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d.Driver), nil }

// BeginTx implements ent's optional interface.
func (d openDriver) BeginTx(context.Context, *sql.TxOptions) (dialect.Tx, error) {
	return dialect.NopTx(d.Driver), nil
}
