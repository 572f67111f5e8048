package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/count"
	"parley/internal/ground/store"
)

var errRefused = errors.New("refused")

// A write that goes wrong, in whatever way, is undone alone: those that share its
// transaction take effect, and it tells its caller.
func TestOneSpoiledWriteHarmsNoNeighbour(t *testing.T) {
	t.Parallel()
	then := func(fn write, err error) write {
		return func(ctx context.Context, tx *store.Tx) error {
			if err := put("spoiled")(ctx, tx); err != nil {
				return err
			}
			count.Move(tx, count.Cell{Channel: 1}, count.Tally{Conversations: 1})
			return errors.Join(emit(1)(ctx, tx), fn(ctx, tx), err)
		}
	}
	for name, spoiled := range map[string]write{
		"by an error of its own":               then(func(context.Context, *store.Tx) error { return nil }, errRefused),
		"by a statement that fails":            then(put("there already"), nil),
		"by a statement that is none":          then(exec("SELEC 1"), nil),
		"by a panic":                           then(func(context.Context, *store.Tx) error { panic("oops") }, nil),
		"by an error that ends it all":         then(endTransaction, nil),
		"by an end that it keeps to itself":    then(func(ctx context.Context, tx *store.Tx) error { _ = endTransaction(ctx, tx); return nil }, nil),
		"by rows left open when it panics":     then(panicInRows, nil),
		"by a savepoint of its own, left open": then(exec("SAVEPOINT mine"), errRefused),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, parleytest.Database(t))
			require.NoError(t, s.Write(t.Context(), put("there already")))
			events, cells := number(t, s, "SELECT COUNT(*) FROM events"), number(t, s, "SELECT COUNT(*) FROM count_cells")
			errs := together(t, s, put("before"), spoiled, put("after"), emit(1))
			require.Error(t, errs[1])
			require.NoError(t, errors.Join(errs[0], errs[2], errs[3]))
			require.False(t, has(t, s, "spoiled"))
			require.True(t, has(t, s, "before"))
			require.True(t, has(t, s, "after"))
			require.Equal(t, events+1, number(t, s, "SELECT COUNT(*) FROM events"))
			require.Equal(t, cells, number(t, s, "SELECT COUNT(*) FROM count_cells"), "counts of the spoiled write moved")
			require.NoError(t, s.Write(t.Context(), put("later")), "the writer lives on")
		})
	}
}

func exec(text string) write {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, raw{text: text})
		return err
	}
}

// endTransaction makes the database undo the whole transaction.
func endTransaction(ctx context.Context, tx *store.Tx) error {
	if tx.Locks() {
		return exec("SELECT 1 / 0")(ctx, tx)
	}
	return exec("INSERT OR ROLLBACK INTO secrets (name, value) VALUES ('there already', x'00')")(ctx, tx)
}

func panicInRows(ctx context.Context, tx *store.Tx) error {
	return tx.Query(ctx, raw{text: "SELECT name FROM secrets"}, func(*sql.Rows) error { panic("oops") })
}

// PostgreSQL may cut the connection of a transaction that is half done: its
// neighbours run again on another.
func TestALostConnectionHarmsNoNeighbour(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	s := open(t, url)
	var once atomic.Bool
	cut := func(ctx context.Context, tx *store.Tx) error {
		if tx.Locks() && once.CompareAndSwap(false, true) {
			if err := terminate(ctx, tx, admin(t, url)); err != nil {
				return err
			}
		}
		return put("middle")(ctx, tx)
	}
	errs := together(t, s, put("before"), cut, put("after"))
	require.NoError(t, errors.Join(errs...))
	for _, name := range []string{"before", "middle", "after"} {
		require.True(t, has(t, s, name), name)
	}
}

func terminate(ctx context.Context, tx *store.Tx, by *sql.DB) error {
	var pid int
	err := tx.Query(ctx, raw{text: "SELECT pg_backend_pid()"}, func(rows *sql.Rows) error { return rows.Scan(&pid) })
	if err != nil {
		return err
	}
	_, err = by.ExecContext(ctx, fmt.Sprintf("SELECT pg_terminate_backend(%d, 5000)", pid))
	return err
}

// Whether a commit that failed took effect is not known, so nothing is run again
// and everybody is told.
func TestAFailedCommitFailsAll(t *testing.T) {
	t.Parallel()
	var hints atomic.Int64
	url := parleytest.Database(t)
	s := open(t, url, func(o *store.Options) { o.OnCommit = func(int64) { hints.Add(1) } })
	_, err := admin(t, url).ExecContext(t.Context(),
		"CREATE TABLE late_checks (secret_id bigint REFERENCES secrets (id) DEFERRABLE INITIALLY DEFERRED)")
	require.NoError(t, err)
	runs := 0
	errs := together(t, s, put("before"), func(ctx context.Context, tx *store.Tx) error {
		runs++
		return errors.Join(emit(1)(ctx, tx), exec("INSERT INTO late_checks VALUES (-1)")(ctx, tx))
	}, put("after"))
	for _, err := range errs {
		require.ErrorContains(t, err, "commit")
	}
	require.Equal(t, 1, runs)
	require.Zero(t, hints.Load())
	require.False(t, has(t, s, "before"))
	require.NoError(t, s.Write(t.Context(), put("before")), "the writer lives on")
}

// Every write has a result of its own even when it runs twice.
func TestAWriteMayRunMoreThanOnce(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	runs, result := 0, 0
	errs := together(t, s, func(ctx context.Context, tx *store.Tx) error {
		runs++
		result = 1
		return put("twice run, once written")(ctx, tx)
	}, func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(put("x")(ctx, tx), put("x")(ctx, tx), exec("ROLLBACK")(ctx, tx))
	})
	require.NoError(t, errs[0])
	require.Error(t, errs[1])
	require.Equal(t, 2, runs)
	require.Equal(t, 1, result)
	require.True(t, has(t, s, "twice run, once written"))
}

// What a write said in an attempt that was undone is no answer: it may have been
// the doing of a neighbour that was undone with it.
func TestAnErrorOfAnUndoneAttemptIsNotTold(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	errs := together(t, s,
		func(context.Context, *store.Tx) error { return errRefused },
		func(context.Context, *store.Tx) error {
			// They are to run singly, and cannot begin.
			return errors.Join(&pgconn.PgError{Code: "40P01"}, s.WriterDB().Close())
		})
	for _, err := range errs {
		require.ErrorContains(t, err, "begin")
		require.NotErrorIs(t, err, errRefused)
	}
}
