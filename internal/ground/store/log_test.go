package store_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/count"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// follower passes over the log as a stream does, and fails when something comes
// in behind it or when the counts do not fit the events.
type follower struct {
	store  *store.Store
	passed int64
	base   int64 // events without a count
}

func (f *follower) look(t testing.TB) {
	t.Helper()
	head, events, counted := f.read(t, "(SELECT position FROM log_heads)")
	require.Equal(t, head, events, "positions up to the head are dense")
	require.Equal(t, head-f.base, counted, "cells never lag the events")
	require.GreaterOrEqual(t, head, f.passed)
	_, events, _ = f.read(t, "(SELECT MAX(id) FROM events)")
	require.GreaterOrEqual(t, events, head)
	f.passed = head
}

// read reads, in one statement, a position, how many events lie up to it, and
// what the cells sum up to.
func (f *follower) read(t testing.TB, position string) (at, events, counted int64) {
	t.Helper()
	q := raw{text: "SELECT p, (SELECT COUNT(*) FROM events WHERE id <= p)," +
		" (SELECT CAST(COALESCE(SUM(conversations), 0) AS BIGINT) FROM count_cells) FROM (SELECT " + position + " AS p) AS x"}
	err := f.store.Read(t.Context(), store.System("a test looks"), q, func(rows *sql.Rows) error { return rows.Scan(&at, &events, &counted) })
	require.NoError(t, err)
	return at, events, counted
}

// Two processes write at once; whoever reads up to the head never sees anything
// appear behind what they have passed.
func TestNothingAppearsBehindAReaderOfTheLog(t *testing.T) {
	t.Parallel()
	const writers, writes = 6, 15
	url := parleytest.Database(t)
	stores := []*store.Store{open(t, url), open(t, url)}
	reader := &follower{store: stores[0], base: number(t, stores[0], "SELECT position FROM log_heads")}
	var running sync.WaitGroup
	failed := make(chan error, 2*writers*writes)
	for i, s := range stores {
		for w := range writers {
			running.Go(func() {
				for n := range writes {
					failed <- s.Write(t.Context(), counted(int64(i*writers+w), n%3+1))
				}
			})
		}
	}
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		reader.look(t)
	}
	close(failed)
	for err := range failed {
		require.NoError(t, err)
	}
	require.EqualValues(t, 2*writers*writes*2, reader.passed-reader.base)
}

// counted appends events that each count for one.
func counted(channel int64, events int) write {
	return func(ctx context.Context, tx *store.Tx) error {
		count.Move(tx, count.Cell{Channel: channel}, count.Tally{Conversations: int64(events)})
		return emit(events)(ctx, tx)
	}
}

// Whoever wants the tail waits for the one who has it, and comes after.
func TestASecondTailWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	s := open(t, url)
	head := number(t, s, "SELECT position FROM log_heads")
	db := admin(t, url)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	run := func(text string) {
		_, err := conn.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	run("BEGIN")
	run("UPDATE log_heads SET position = position + 1")
	second := make(chan error, 1)
	go func() { second <- s.Write(context.WithoutCancel(t.Context()), emit(1)) }()
	if parleytest.OnPostgres() {
		eventually(t, func() bool {
			return number(t, s, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
		}, "the second waits for the lock")
	}
	require.Empty(t, second)
	require.Equal(t, head, number(t, s, "SELECT position FROM log_heads"))
	run("INSERT INTO events (id, cause, facts, created_at) VALUES ((SELECT position FROM log_heads), 'CONVERSATION_CHANGED', '{}', 0)")
	run("COMMIT")
	require.NoError(t, <-second)
	require.Equal(t, head+2, number(t, s, "SELECT MAX(id) FROM events"))
	require.Equal(t, head+2, number(t, s, "SELECT COUNT(*) FROM events"))
}

// A write that began first and commits last stands last in the log.
func TestALateCommitStandsBehindWhatCommittedBeforeIt(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	early, other := open(t, url), open(t, url)
	inside, leave, late := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	once := sync.OnceFunc(func() { close(inside) })
	go func() {
		late <- early.Write(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *store.Tx) error {
			if err := errors.Join(put("late")(ctx, tx), emit(1)(ctx, tx)); err != nil {
				return err
			}
			once()
			<-leave
			return nil
		})
	}()
	<-inside
	if parleytest.OnPostgres() { // SQLite has one writer at a time: nobody can overtake
		require.NoError(t, other.Write(t.Context(), emit(3)))
	}
	passed, err := other.Head(t.Context())
	require.NoError(t, err)
	close(leave)
	require.NoError(t, <-late)
	require.Equal(t, passed+1, number(t, other, "SELECT MAX(id) FROM events"))
	require.Equal(t, passed+1, number(t, other, "SELECT COUNT(*) FROM events"))
}

// What a reader that follows sees of the log is what the log holds: an event
// once seen stays, with its facts and in its order.
func TestAnEventHasTheOrderItsWriteHadInItsGroup(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	named := func(name string) write {
		return func(_ context.Context, tx *store.Tx) error {
			return feed.Record(tx, &feed.Event{Cause: feed.ConversationChanged, IdempotencyKey: name})
		}
	}
	errs := together(t, s, named("a"), named("b"), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(named("lost")(ctx, tx), errRefused)
	}, named("c"))
	require.ErrorIs(t, errs[2], errRefused)
	var order string
	err := s.Read(t.Context(), store.System("a test looks"), raw{text: "SELECT idempotency_key FROM events ORDER BY id"}, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		order += key
		return err
	})
	require.NoError(t, err)
	require.Equal(t, "abc", order)
	require.Equal(t, number(t, s, "SELECT COUNT(*) FROM events"), number(t, s, "SELECT MAX(id) FROM events"))
}
