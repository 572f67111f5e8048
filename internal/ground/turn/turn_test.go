package turn_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/turn"
)

const amy, bo, cy = 1, 2, 3

// arrivals lets requests come one after another and notes who is let in.
type arrivals struct {
	gate *turn.Gate
	mu   sync.Mutex
	in   []int64
}

func (a *arrivals) come(ctx context.Context, caller int64, times int) {
	for range times {
		go func() {
			if a.gate.Enter(ctx, caller) == nil {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.in = append(a.in, caller)
			}
		}()
		synctest.Wait()
	}
}

func (a *arrivals) leave(callers ...int64) {
	for _, caller := range callers {
		a.gate.Leave(caller)
		synctest.Wait()
	}
}

func TestCallersTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := arrivals{gate: turn.New(turn.Options{Places: 1})}
		a.come(t.Context(), amy, 4)
		a.come(t.Context(), bo, 2)
		a.come(t.Context(), cy, 1)
		a.leave(amy, amy, bo, cy, amy, bo, amy)
		require.Equal(t, []int64{amy, amy, bo, cy, amy, bo, amy}, a.in, "a place each, in turn")
		a.come(t.Context(), cy, 1)
		require.Len(t, a.in, 8, "the place is free again")
	})
}

func TestACallerHoldsSoManyAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := arrivals{gate: turn.New(turn.Options{Places: 3, Each: 2})}
		a.come(t.Context(), amy, 4)
		require.Equal(t, []int64{amy, amy}, a.in, "the third place is for others")
		a.come(t.Context(), bo, 2)
		require.Equal(t, []int64{amy, amy, bo}, a.in)
		a.leave(bo)
		require.Equal(t, []int64{amy, amy, bo, bo}, a.in, "amy, who waits for longer, holds hers")
		a.leave(amy, amy, amy, amy, bo)
		require.Len(t, a.in, 6)
	})
}

func TestWhoeverLeavesTheQueueHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := arrivals{gate: turn.New(turn.Options{Places: 1})}
		a.come(t.Context(), amy, 1)
		gone, leave := context.WithCancel(t.Context())
		a.come(gone, bo, 3)
		a.come(t.Context(), cy, 1)
		leave()
		synctest.Wait()
		a.leave(amy)
		require.Equal(t, []int64{amy, cy}, a.in)
		a.leave(cy)
		a.come(t.Context(), bo, 1)
		require.Equal(t, []int64{amy, cy, bo}, a.in)
	})
}

// Places are neither lost nor made when waits end at the moment a place comes.
func TestPlacesAreKept(t *testing.T) {
	t.Parallel()
	gate := turn.New(turn.Options{Places: 2, Each: 1})
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for caller := range int64(4) {
		for range 4 {
			all.Go(func() {
				for range 500 {
					ctx, cancel := context.WithCancel(context.Background())
					go cancel()
					if gate.Enter(ctx, caller) == nil {
						n := inside.Add(1)
						most.Store(max(most.Load(), n))
						inside.Add(-1)
						gate.Leave(caller)
					}
				}
			})
		}
	}
	all.Wait()
	require.LessOrEqual(t, most.Load(), int32(2))
	require.NoError(t, gate.Enter(t.Context(), amy))
	require.NoError(t, gate.Enter(t.Context(), bo), "both places are there")
}
