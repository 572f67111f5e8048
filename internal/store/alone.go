package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"
)

// aloneLock is the PostgreSQL advisory lock that Alone takes.
const aloneLock = 0x616c6f6e65 // "alone"

// askAgain is how long Alone waits before it asks a SQLite lock again.
const askAgain = 200 * time.Millisecond

// Alone waits until no other process does long work on the database that would get
// into its way, such as an import, and holds them off until release is called or this
// process ends, however it does. Servers go on. It calls waits once if it has to wait.
//
// PostgreSQL has locks for it. Beside a SQLite file lies another, of the same name
// and ".busy", in which the work holds a transaction; it is removed at the end.
func (s *Store) Alone(ctx context.Context, waits func()) (release func(), err error) {
	if s.dialect == dialect.Postgres {
		return s.alonePostgres(ctx, waits)
	}
	for first := true; ; first = false {
		release, err := tryAlone(ctx, s.place.path+".busy")
		if release != nil || err != nil {
			return release, err
		}
		if first {
			waits()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(askAgain):
		}
	}
}

// tryAlone takes the lock; it returns nil while somebody else has it.
func tryAlone(ctx context.Context, lock string) (release func(), err error) {
	if _, err := layEmpty(lock); err != nil {
		return nil, err
	}
	before, err := os.Stat(lock)
	if err != nil {
		return nil, gone(err)
	}
	db, err := sql.Open("sqlite3", sqliteURL(lock, "mode=rw&_txlock=exclusive&_busy_timeout=0"))
	if err != nil {
		return nil, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		_ = db.Close()
		return nil, gone(err)
	}
	unlock := func() { _ = tx.Rollback(); _ = db.Close() }
	// Whoever had it removes the file: then this is the lock of nobody.
	if after, err := os.Stat(lock); err != nil || !os.SameFile(before, after) {
		unlock()
		return nil, gone(err)
	}
	return func() { _ = os.Remove(lock); unlock() }, nil
}

// gone is nil for what a lock that is held, or was just removed, answers.
func gone(err error) error {
	var lite sqlite3.Error
	if errors.Is(err, os.ErrNotExist) || errors.As(err, &lite) && (lite.Code == sqlite3.ErrBusy || lite.Code == sqlite3.ErrCantOpen) {
		return nil
	}
	return err
}

func (s *Store) alonePostgres(ctx context.Context, waits func()) (release func(), err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var has bool
	err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", aloneLock).Scan(&has)
	if err == nil && !has {
		waits()
		_, err = conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", aloneLock)
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("wait for other work on the database: %w", cmp.Or(ctx.Err(), err))
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", aloneLock)
		_ = conn.Close()
	}, nil
}
