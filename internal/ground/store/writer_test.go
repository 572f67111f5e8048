package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

func TestACallerWhoLeavesBeforeTheirTurnIsAnsweredAtOnceAndSkipped(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	release := hold(t, s)
	first := queue(t, s, t.Context(), put("first"))
	ctx, cancel := context.WithCancel(t.Context())
	ran := false
	gone := queue(t, s, ctx, func(context.Context, *store.Tx) error { ran = true; return nil })
	last := queue(t, s, t.Context(), put("last"))

	cancel()
	require.ErrorIs(t, <-gone, context.Canceled, "while the writer is busy")
	release()
	require.NoError(t, errors.Join(<-first, <-last))
	require.False(t, ran)
	require.True(t, has(t, s, "first") && has(t, s, "last"))
}

// A write that runs takes no notice of its caller's leaving: the caller learns
// what became of it, and the neighbours are not touched.
func TestACallerWhoLeavesDuringTheirWriteLearnsItsOutcome(t *testing.T) {
	t.Parallel()
	type key struct{}
	s := open(t, parleytest.Database(t))
	release := hold(t, s)
	before := queue(t, s, t.Context(), put("before"))
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
	during := queue(t, s, ctx, func(inner context.Context, tx *store.Tx) error {
		cancel()
		if inner.Err() != nil || inner.Value(key{}) != "kept" {
			return errors.New("the write has its caller's cancellation, or not its values")
		}
		return put("during")(inner, tx)
	})
	after := queue(t, s, t.Context(), put("after"))
	release()
	require.NoError(t, errors.Join(<-before, <-during, <-after))
	for _, name := range []string{"before", "during", "after"} {
		require.True(t, has(t, s, name), name)
	}
}

func TestACallerWhoHasLeftIsNotQueued(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Write(ctx, put("never")), context.Canceled)
	require.NoError(t, s.Write(t.Context(), put("next")))
	require.False(t, has(t, s, "never"))
}

// Nothing is seen, answered or hinted at before the commit.
func TestAWriteIsSeenAnsweredAndHintedOnlyAfterTheCommit(t *testing.T) {
	t.Parallel()
	var s *store.Store
	var seen atomic.Int64 // by readers, when the hint came
	hinted := make(chan int64, 8)
	url := parleytest.Database(t)
	s = open(t, url, func(o *store.Options) {
		o.OnCommit = func(position int64) {
			seen.Store(number(t, s, "SELECT COUNT(*) FROM secrets WHERE name = 'first'"))
			hinted <- position
		}
	})
	head := number(t, s, "SELECT position FROM log_heads")
	release := hold(t, s)
	first := queue(t, s, t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(put("first")(ctx, tx), emit(2)(ctx, tx))
	})
	inside, leave := make(chan struct{}), make(chan struct{})
	second := queue(t, s, t.Context(), func(context.Context, *store.Tx) error { close(inside); <-leave; return nil })
	go release()
	<-inside // the first has run, in the same transaction
	require.False(t, has(t, s, "first"))
	require.Empty(t, first)
	require.Empty(t, hinted)
	close(leave)
	require.NoError(t, errors.Join(<-first, <-second))
	require.Equal(t, head+2, <-hinted)
	require.EqualValues(t, 1, seen.Load())

	require.NoError(t, s.Write(t.Context(), put("no event")))
	require.Error(t, s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return errors.Join(emit(1)(ctx, tx), errRefused) }))
	require.Empty(t, hinted, "a hint without an event")
}

func TestCloseDrainsAndLaterWritesAreRefused(t *testing.T) {
	t.Parallel()
	url := parleytest.Database(t)
	s := open(t, url)
	release := hold(t, s)
	outcomes := []<-chan error{queue(t, s, t.Context(), put("a")), queue(t, s, t.Context(), put("b"))}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	release()
	for _, outcome := range outcomes {
		if err := <-outcome; err != nil {
			require.ErrorIs(t, err, store.ErrClosed)
			require.Fail(t, "a queued write was not drained")
		}
	}
	require.NoError(t, <-closed)
	require.ErrorIs(t, s.Write(t.Context(), put("late")), store.ErrClosed)
	again := open(t, url)
	require.True(t, has(t, again, "a") && has(t, again, "b"))
	require.False(t, has(t, again, "late"))
}

// ticking tells another time whenever it is asked, as the writer does once for
// each transaction.
type ticking struct{ n atomic.Int64 }

// Now implements clock.Clock.
func (c *ticking) Now() clock.Time { return clock.Time(c.n.Add(1)) }

func TestAGroupHoldsNoMoreThanItsSize(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t), func(o *store.Options) { o.GroupSize, o.Clock = 4, &ticking{} })
	groups := map[clock.Time]int{}
	writes := make([]write, 10)
	for i := range writes {
		writes[i] = func(_ context.Context, tx *store.Tx) error { groups[tx.Now]++; return nil }
	}
	require.NoError(t, errors.Join(together(t, s, writes...)...))
	var sizes []int
	for _, n := range groups {
		sizes = append(sizes, n)
	}
	require.ElementsMatch(t, []int{4, 4, 2}, sizes)
}
