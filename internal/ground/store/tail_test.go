package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// Every step runs once for a group, in the order of the stages, with what the writes
// that succeed deferred to it in their order.
func TestClosingStepsRunOnceForAGroupInTheirOrder(t *testing.T) {
	t.Parallel()
	var ran []string
	step := func(name string, stage store.Stage) *store.Deferred[int] {
		return &store.Deferred[int]{Name: name, Stage: stage, Do: func(ctx context.Context, tx *store.Tx, items []int) error {
			ran = append(ran, fmt.Sprint(name, items))
			return put(name)(ctx, tx)
		}}
	}
	counts, last, first := step("count", store.Counting), step("last index", store.Indexing), step("first index", store.Indexing)
	s := open(t, parleytest.Database(t))
	errs := together(t, s,
		func(_ context.Context, tx *store.Tx) error {
			counts.Defer(tx, 1)
			first.Defer(tx, 2, 3)
			last.Defer(tx, 4)
			return nil
		},
		func(_ context.Context, tx *store.Tx) error {
			first.Defer(tx, 5)
			return errRefused
		},
		func(_ context.Context, tx *store.Tx) error {
			last.Defer(tx, 6)
			first.Defer(tx, 7)
			return nil
		})
	require.ErrorIs(t, errs[1], errRefused)
	require.NoError(t, errors.Join(errs[0], errs[2]))
	require.Equal(t, []string{"first index[2 3 7]", "last index[4 6]", "count[1]"}, ran)
	require.True(t, has(t, s, "count"), "it is part of the transaction")
}

// Each item of a step of Logging has a position of its own, and all that is deferred
// to other steps takes none.
func TestOnlyLoggingTakesPositions(t *testing.T) {
	t.Parallel()
	var firsts []int64
	logging := &store.Deferred[int]{Name: "log", Stage: store.Logging, Do: func(_ context.Context, tx *store.Tx, _ []int) error {
		firsts = append(firsts, tx.First)
		return nil
	}}
	index := &store.Deferred[int]{Name: "index", Do: func(_ context.Context, tx *store.Tx, _ []int) error {
		firsts = append(firsts, tx.First)
		return nil
	}}
	var hinted []int64
	s := open(t, parleytest.Database(t), func(o *store.Options) { o.OnCommit = func(position int64) { hinted = append(hinted, position) } })
	head, err := s.Head(t.Context())
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, s.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
			logging.Defer(tx, 1, 2, 3)
			index.Defer(tx, 1)
			return nil
		}))
	}
	require.NoError(t, s.Write(t.Context(), func(_ context.Context, tx *store.Tx) error {
		index.Defer(tx, 1)
		return nil
	}))
	require.Equal(t, []int64{0, head + 1, 0, head + 4, 0}, firsts)
	require.Equal(t, []int64{head + 3, head + 6}, hinted)
}

// A step that fails undoes its group, and says which it is.
func TestAClosingStepThatFailsUndoesItsGroup(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	fails := &store.Deferred[int]{Name: "count stars", Stage: store.Counting, Do: func(context.Context, *store.Tx, []int) error { return errRefused }}
	err := s.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		fails.Defer(tx, 1)
		return put("before")(ctx, tx)
	})
	require.ErrorIs(t, err, errRefused)
	require.ErrorContains(t, err, "count stars")
	require.False(t, has(t, s, "before"))
}
