package allowance_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
)

const megabyte = 1 << 20

func TestAnAnswerHasABound(t *testing.T) {
	t.Parallel()
	pool := allowance.NewPool(allowance.Bounds{Answer: megabyte})
	ctx, a := pool.NewContext(t.Context())
	defer a.Close()
	require.Same(t, a, allowance.FromContext(ctx))
	require.NoError(t, a.Write(ctx, megabyte))
	require.NoError(t, a.Read(ctx, megabyte), "texts are counted by themselves")
	require.NoError(t, a.Fits(megabyte))
	err := a.Read(ctx, 1)
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	require.ErrorContains(t, err, "1048576 bytes")
	require.Equal(t, err, a.Write(ctx, 0), "a refusal stands")
	require.Equal(t, err, a.Refusal())
	require.NoError(t, ctx.Err(), "the context goes on")

	_, b := pool.NewContext(t.Context())
	defer b.Close()
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(b.Fits(megabyte+1)))
}

func TestTheProcessHasABound(t *testing.T) {
	t.Parallel()
	pool := allowance.NewPool(allowance.Bounds{Answer: 8 * megabyte, Process: 1, Wait: 10 * time.Millisecond})
	ctx, first := pool.NewContext(t.Context())
	require.NoError(t, first.Write(ctx, 8*megabyte), "one always has room")
	require.NoError(t, first.Read(ctx, 8*megabyte))

	ctx, second := pool.NewContext(t.Context())
	err := second.Write(ctx, 8*megabyte)
	require.Equal(t, fault.Unavailable, fault.CodeOf(err))
	second.Close()

	_, small := pool.NewContext(t.Context())
	require.NoError(t, small.Write(ctx, 60_000), "what is small asks nobody")
	first.Close()
	ctx, third := pool.NewContext(t.Context())
	defer third.Close()
	require.NoError(t, third.Write(ctx, 8*megabyte), "what was closed has given its room back")
}

func TestWhoWaitsForRoomStopsWithTheCaller(t *testing.T) {
	t.Parallel()
	pool := allowance.NewPool(allowance.Bounds{Process: 1, Wait: time.Minute})
	ctx, first := pool.NewContext(t.Context())
	defer first.Close()
	require.NoError(t, first.Write(ctx, 8*megabyte))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	ctx, second := pool.NewContext(gone)
	defer second.Close()
	require.ErrorIs(t, second.Write(ctx, 8*megabyte), context.Canceled)
}
