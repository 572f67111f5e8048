package feed_test

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// log is a store whose clock and statements are at the test's hand.
type log struct {
	*store.Store
	t          *testing.T
	clock      *clock.Fake
	base       int64 // events of the demo organisation
	statements atomic.Int32
}

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{t: t, clock: clock.NewFake(time.Now())} // after the demo organisation's events
	l.Store = openStore(t, store.Options{
		URL:   parleytest.Database(t),
		Clock: l.clock,
		Trace: func(_ context.Context, s string) func(error) {
			if strings.Contains(s, "events") {
				l.statements.Add(1)
			}
			return nil
		},
	})
	l.base = l.number("SELECT position FROM log_heads")
	return l
}

func openStore(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (l *log) number(text store.SQL) (n int64) {
	l.t.Helper()
	require.NoError(l.t, l.Read(l.t.Context(), store.System("a test looks"), text, func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

// add records n events.
func (l *log) add(n int) {
	l.t.Helper()
	require.NoError(l.t, l.Write(l.t.Context(), func(_ context.Context, tx *store.Tx) error {
		for range n {
			if err := feed.Record(tx, &feed.Event{Cause: feed.ConversationChanged}); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (l *log) trim(r feed.Retention) int64 {
	l.t.Helper()
	removed, err := feed.Trim(l.t.Context(), l.Store, r)
	require.NoError(l.t, err)
	return removed
}

// requireFrom wants the log to hold the positions from first to the head, all.
func (l *log) requireFrom(first int64) {
	l.t.Helper()
	head := l.number("SELECT position FROM log_heads")
	require.Equal(l.t, first, l.number("SELECT MIN(id) FROM events"))
	require.Equal(l.t, head, l.number("SELECT MAX(id) FROM events"))
	require.Equal(l.t, head-first+1, l.number("SELECT COUNT(*) FROM events"))
}

func TestTheLogIsTrimmedByAge(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	for range 10 { // ten hours of 300 events
		l.clock.Advance(time.Hour)
		l.add(300)
	}
	keep := feed.Retention{Age: 3*time.Hour + time.Minute, Least: 1}
	require.Equal(t, l.base+6*300, l.trim(keep), "the newest hour and three more stay")
	l.requireFrom(l.base + 6*300 + 1)
	require.Zero(t, l.trim(keep), "once")
	l.clock.Advance(1000 * time.Hour)
	require.Zero(t, l.trim(keep), "a clock alone removes nothing")
}

func TestTheLogIsTrimmedByCount(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.add(2_500)
	require.Equal(t, l.base+2_000, l.trim(feed.Retention{Events: 500, Least: 1}))
	l.requireFrom(l.base + 2_001)
	require.Zero(t, l.trim(feed.Retention{Events: 100, Least: 500}), "the least is kept whatever the count")
	require.EqualValues(t, 499, l.trim(feed.Retention{Events: 1, Least: 1}))
	require.Zero(t, l.trim(feed.Retention{Events: 1, Least: 1}), "the last event is never removed")
	l.add(1)
	l.requireFrom(l.base + 2_500)
}

// A clock that was ahead for a while leaves the newest; one that was set back
// removes nothing that is young.
func TestAClockStepDoesNotEmptyTheLog(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.add(400)
	l.clock.Advance(365 * 24 * time.Hour)
	l.add(100)
	l.trim(feed.Retention{Least: 300})
	l.requireFrom(l.base + 201)
	l.clock.Advance(-365 * 24 * time.Hour)
	l.add(50)
	require.Zero(t, l.trim(feed.Retention{Least: 1}), "the newest event is of the day, and so are all others or later")
	l.requireFrom(l.base + 201)
}

// However long the log, a look at it costs a few reads by key, and a write
// removes a bounded number.
func TestTrimmingIsBounded(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	l.add(5_000)
	l.clock.Advance(time.Hour)
	l.add(5_000)
	l.statements.Store(0)
	require.Zero(t, l.trim(feed.Retention{}))
	require.LessOrEqual(t, l.statements.Load(), int32(2+1+15), "the span, the newest and a search by halves")
	l.statements.Store(0)
	require.Equal(t, l.base+5_000, l.trim(feed.Retention{Age: time.Minute, Least: 1}))
	require.LessOrEqual(t, l.statements.Load(), int32(2+1+15+6), "and a write for each thousand")
	l.requireFrom(l.base + 5_001)
}

func TestAnEmptyLogIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := openStore(t, store.Options{URL: parleytest.Empty(t), Create: true})
	removed, err := feed.Trim(t.Context(), s, feed.Retention{})
	require.NoError(t, err)
	require.Zero(t, removed)
}
