package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"github.com/mattn/go-sqlite3"

	"parley/internal/ground/store/sqlite"
)

// aloneLock is the PostgreSQL advisory lock that Alone takes.
const aloneLock = 0x616c6f6e65 // "alone"

// askAgain is how long Alone waits before it asks again. It never waits in the database,
// whose own time-outs would end it.
const askAgain = 200 * time.Millisecond

// Alone waits until no other process does long work on the database that would get
// into its way, such as an import, and holds them off until release is called or this
// process ends, however it does. Servers go on. It calls waits once if it has to wait.
//
// PostgreSQL has locks for it. Beside a SQLite file lies another, of the same name
// and ".busy", in which the work holds a transaction; it stays there, empty.
func (s *Store) Alone(ctx context.Context, waits func()) (release func(), err error) {
	try := s.tryAlonePostgres
	if s.dialect != dialect.Postgres {
		try = func(ctx context.Context) (func(), error) { return tryAlone(ctx, s.place.path+".busy") }
	}
	for first := true; ; first = false {
		release, err := try(ctx)
		if release != nil || err != nil {
			return release, err
		}
		if first {
			waits()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for other work on the database: %w", ctx.Err())
		case <-time.After(askAgain):
		}
	}
}

// tryAlone takes the lock; it returns nil while somebody else has it.
func tryAlone(ctx context.Context, lock string) (release func(), err error) {
	release, _, err = sqlite.Hold(ctx, lock, 0)
	var lite sqlite3.Error
	if errors.As(err, &lite) && lite.Code == sqlite3.ErrBusy {
		return nil, nil
	}
	return release, err
}

func (s *Store) tryAlonePostgres(ctx context.Context) (release func(), err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	var has bool
	if err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", aloneLock).Scan(&has); err != nil || !has {
		return nil, errors.Join(err, conn.Close())
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", aloneLock)
		_ = conn.Close()
	}, nil
}
