package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

func agent(ctx context.Context, key int64) context.Context {
	return viewer.NewContext(ctx, &viewer.Viewer{AgentID: key})
}

// While scans of one agent hold all places for scans, others read; a scan whose
// turn does not come is told to wait, before the request's time is over.
func TestScansLeaveRoomForReads(t *testing.T) {
	t.Parallel()
	s := open(t, parleytest.Database(t))
	end := make(chan struct{})
	defer close(end)
	const many = 64
	for range many {
		go func() {
			_ = s.Scan(agent(context.Background(), 1), func(context.Context) error {
				return s.Each(agent(context.Background(), 1), store.System("a test looks"), store.SQL("SELECT id FROM agents LIMIT 1"), func(*store.Row) error {
					<-end
					return nil
				})
			})
		}()
	}
	busy := func() error {
		ctx, cancel := context.WithTimeout(agent(t.Context(), 2), 400*time.Millisecond)
		defer cancel()
		return s.Scan(ctx, func(context.Context) error { return nil })
	}
	var f *fault.Error
	require.Eventually(t, func() bool { return errors.As(busy(), &f) }, 10*time.Second, time.Millisecond)
	require.Equal(t, fault.LimitExceeded, f.Code)
	require.Positive(t, f.RetryAfter)
	for range 20 {
		ctx, cancel := context.WithTimeout(agent(t.Context(), 2), 5*time.Second)
		read := 0
		require.NoError(t, s.Each(ctx, store.System("a test looks"), store.SQL("SELECT id FROM agents LIMIT 1"), func(*store.Row) error { read++; return nil }))
		cancel()
		require.Equal(t, 1, read)
	}
	gone, cancel := context.WithCancel(agent(t.Context(), 3))
	cancel()
	require.ErrorIs(t, s.Scan(gone, nil), context.Canceled)
}

// What an edge reads as the system, it reads in the turn of the agent who asked.
func TestTheSystemWaitsAsTheAgentItServes(t *testing.T) {
	t.Parallel()
	amy := agent(t.Context(), 7)
	require.EqualValues(t, 7, viewer.Caller(amy))
	require.EqualValues(t, 7, viewer.Caller(viewer.AsSystem(viewer.AsSystem(amy, "edge"), "edge")))
	require.Zero(t, viewer.Caller(viewer.AsSystem(t.Context(), "lane")))
	require.Zero(t, viewer.Caller(t.Context()))
}
