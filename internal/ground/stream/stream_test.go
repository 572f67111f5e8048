package stream_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/stream"
)

func TestTheFirstErrorStays(t *testing.T) {
	t.Parallel()
	ctx, end := stream.NewContext(context.Background(), nil)
	require.NoError(t, end.Err())
	stream.Fail(ctx, nil)
	require.NoError(t, end.Err())

	first := errors.New("first")
	stream.Fail(ctx, first)
	stream.Fail(ctx, errors.New("second"))
	require.Equal(t, first, end.Err())
}

func TestNoStreamNoHarm(t *testing.T) {
	t.Parallel()
	stream.Fail(context.Background(), errors.New("unheard"))
}

// counted is ready every other time.
type counted struct{ asked, closed int }

func (c *counted) Next() bool   { c.asked++; return c.asked%2 == 0 }
func (c *counted) Close()       { c.closed++ }
func (*counted) Passed() string { return "c1" }

func TestAStreamIsDrivenWhereTheTransportAsks(t *testing.T) {
	t.Parallel()
	woken := 0
	ctx, end := stream.NewContext(context.Background(), func() { woken++ })
	require.Empty(t, end.Passed())
	require.True(t, end.Ready(), "until there is a source, the channel alone tells")
	source := &counted{}
	wake, driven := stream.Drive(ctx, source)
	require.True(t, driven)
	wake()
	require.Equal(t, 1, woken)
	require.False(t, end.Ready())
	require.True(t, end.Ready())
	require.Equal(t, "c1", end.Passed())
	end.Close()
	require.Equal(t, 1, source.closed)
}

func TestAStreamWaitsByItselfWhereNobodyAsks(t *testing.T) {
	t.Parallel()
	asked, end := stream.NewContext(context.Background(), nil)
	for _, ctx := range []context.Context{context.Background(), asked} {
		_, driven := stream.Drive(ctx, &counted{})
		require.False(t, driven)
	}
	require.True(t, end.Ready())
	end.Close()
}
