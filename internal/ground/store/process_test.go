package store_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// Two processes that lock the same rows in opposite order: PostgreSQL gives one
// of them up, and it is run again. On SQLite one simply waits for the other.
func TestADeadlockBetweenTwoProcessesIsRunAgain(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	stores := []*store.Store{open(t, url), open(t, url)}
	require.NoError(t, stores[0].Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(put("left")(ctx, tx), put("right")(ctx, tx))
	}))
	var both sync.WaitGroup // both hold their first row
	both.Add(len(stores))
	outcomes := make(chan error, len(stores))
	for i, s := range stores {
		order := []string{"left", "right"}
		if i == 1 {
			order = []string{"right", "left"}
		}
		meet := sync.OnceFunc(func() {
			both.Done()
			if parleytest.OnPostgres() {
				both.Wait()
			}
		})
		go func() {
			outcomes <- s.Write(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
				if err := touch(order[0])(ctx, tx); err != nil {
					return err
				}
				meet()
				return errors.Join(touch(order[1])(ctx, tx), emit(1)(ctx, tx))
			})
		}()
	}
	require.NoError(t, errors.Join(<-outcomes, <-outcomes))
	for _, name := range []string{"left", "right"} {
		require.EqualValues(t, 2, number(t, stores[0], "SELECT LENGTH(value) - 1 FROM secrets WHERE name = '"+name+"'"),
			"each write took effect once")
	}
}

// touch makes a row's value one byte longer.
func touch(name string) write {
	return func(ctx context.Context, tx *store.Tx) error {
		var value []byte
		q := raw{text: "SELECT value FROM secrets WHERE name = '" + name + "'"}
		if tx.Locks() {
			q.text += " FOR UPDATE"
		}
		if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&value) }); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, tx.Builder().Update("secrets").Set("value", append(value, 'x')).Where(entsql.EQ("name", name)))
		return err
	}
}

// A process that hangs inside a transaction does not hold up the others for ever:
// PostgreSQL ends it. (On SQLite there is one process, or they wait in turn.)
func TestATransactionThatStandsStillIsEnded(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	if !parleytest.OnPostgres() {
		return
	}
	impatient := url + "?idle_in_transaction_session_timeout=300"
	if strings.Contains(url, "?") {
		impatient = url + "&idle_in_transaction_session_timeout=300"
	}
	hung, other := open(t, impatient), open(t, url)
	require.NoError(t, other.Write(t.Context(), put("row")))
	inside, leave, outcome := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	enter := sync.OnceFunc(func() { close(inside) })
	go func() {
		outcome <- hung.Write(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
			err := touch("row")(ctx, tx)
			enter()
			<-leave
			return errors.Join(err, touch("row")(ctx, tx))
		})
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, other.Write(ctx, touch("row")))
	close(leave)
	require.Error(t, <-outcome)
	require.NoError(t, hung.Write(t.Context(), touch("row")), "the writer lives on")
	require.EqualValues(t, 30_000, number(t, other, "SELECT setting::bigint FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"))
}
