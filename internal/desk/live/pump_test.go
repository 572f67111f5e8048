package live_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/stream"
)

var streams atomic.Int64

// eitherWay opens a stream. Every other one is asked for its frames, as sockets
// ask; the others wait in a goroutine of their own.
func eitherWay[T any](ctx context.Context, open func(context.Context) (<-chan T, error)) (<-chan T, error) {
	if streams.Add(1)%2 == 0 {
		return open(ctx)
	}
	frames, _, err := driven(ctx, open)
	return frames, err
}

// driven opens a stream and asks it for frames until it ends. closed is closed
// when nothing of it is left.
func driven[T any](ctx context.Context, open func(context.Context) (<-chan T, error)) (frames <-chan T, closed <-chan struct{}, err error) {
	woken := make(chan struct{}, 1)
	ctx, end := stream.NewContext(ctx, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	given, err := open(ctx)
	if err != nil {
		return nil, nil, err
	}
	out, over := make(chan T), make(chan struct{})
	go func() {
		defer close(over)
		defer close(out)
		defer end.Close()
		for {
			if !end.Ready() {
				select {
				case <-woken:
				case <-ctx.Done():
				}
				continue
			}
			frame, ok := <-given
			if !ok {
				return
			}
			select {
			case out <- frame:
			case <-ctx.Done():
			}
		}
	}()
	return out, over, nil
}

func TestAStreamThatIsAskedForgetsNothingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.Hub.Streams()
	ctx, leave := context.WithCancel(b.Context("ada"))
	defer leave()
	frames, closed, err := driven(ctx, func(ctx context.Context) (<-chan *live.Change, error) {
		return b.Schema.Live.Conversations(ctx, conversation.View{Kind: conversation.All}, nil, nil, func(err error) { t.Error(err) })
	})
	require.NoError(t, err)
	require.Equal(t, feed.Open, (<-frames).Kind)
	for range 20 {
		b.Say(customer, parleytest.Sales, "Hello")
	}
	last := ""
	for last != b.head() {
		last = (<-frames).Cursor
	}
	require.Equal(t, before+1, b.Hub.Streams())
	leave()
	<-closed
	require.Equal(t, before, b.Hub.Streams())
}
