package live_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/check/parleytest"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/stream"
	"parley/internal/ground/viewer"
)

// paused is a running Parley with an operation of amy's over n conversations,
// which waits to be resumed.
func paused(t *testing.T, n int) (*bundle, *bulk.Row) {
	t.Helper()
	b := &bundle{parleytest.New(t), t}
	for i := range n {
		b.Say(fmt.Sprintf("+1202555%04d", 1000+i), parleytest.Sales, "Hello")
	}
	b.Bulk.BatchSize = 2
	begun, err := b.Bulk.MarkRead(b.Context("amy"), bulk.MarkInput{
		Selection: &bulk.Selection{View: &conversation.View{Kind: conversation.All}}, IdempotencyKey: rand.Text(),
	})
	require.NoError(t, err)
	op, err := b.Bulk.Pause(b.Context("amy"), begun.Operation.ID()) // no worker runs yet
	require.NoError(t, err)
	b.Run()
	return b, op
}

func (b *bundle) watch(username, id string, after *string) *tap[*live.OperationChange] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.OperationChange, error) {
		return b.live().BulkOperation(ctx, id, after, end)
	})
}

func (b *bundle) live() *live.Streams { return b.Schema.Live }

func TestAnOperationIsWatchedToItsEnd(t *testing.T) {
	t.Parallel()
	const conversations = 30
	b, op := paused(t, conversations)
	s := b.watch("amy", op.ID(), nil)
	first := s.next()
	require.Equal(t, feed.Open, first.Kind)
	require.Equal(t, bulk.Paused, first.Operation.State)

	_, err := b.Bulk.Resume(b.Context("amy"), op.ID())
	require.NoError(t, err)
	frames, last := 0, first
	for !last.Operation.Ended() {
		next := s.next()
		require.Equal(t, feed.Update, next.Kind)
		require.GreaterOrEqual(t, next.Operation.Done, last.Operation.Done)
		require.NotEqual(t, last.Cursor, next.Cursor)
		last = next
		frames++
	}
	require.NoError(t, s.end(), "it completes")
	require.EqualValues(t, conversations, last.Operation.Done)
	require.Less(t, frames, conversations/2, "what comes quickly is one frame")

	// Who goes on from the first frame is told the end, as is who comes after it.
	for _, after := range []*string{&first.Cursor, nil} {
		s := b.watch("ada", op.ID(), after)
		require.Equal(t, bulk.Done, s.next().Operation.State)
		require.NoError(t, s.end())
	}
}

// A small operation may be over before its stream, whose first frame still shows
// it at work, has joined the hub.
func TestAnOperationThatEndsBeforeItsStreamIsLiveIsSeenToEnd(t *testing.T) {
	t.Parallel()
	b, op := paused(t, 3)
	ctx, leave := context.WithCancel(b.Context("amy"))
	woken := make(chan struct{}, 1)
	ctx, stream := stream.NewContext(ctx, func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	})
	defer func() { leave(); stream.Close() }()
	frames, err := b.live().BulkOperation(ctx, op.ID(), nil, func(err error) { t.Error(err) })
	require.NoError(t, err)
	require.True(t, stream.Ready())
	require.Equal(t, bulk.Paused, (<-frames).Operation.State)

	_, err = b.Bulk.Resume(b.Context("amy"), op.ID())
	require.NoError(t, err)
	b.Eventually(func() bool {
		row, err := b.Bulk.Get(b.Context("amy"), op.ID())
		return err == nil && row.Ended()
	}, "it ends")
	b.quiet()
	ready := func() {
		t.Helper()
		for patience := time.After(10 * time.Second); !stream.Ready(); {
			select {
			case <-woken:
			case <-patience:
				require.Fail(t, "nothing comes")
			}
		}
	}
	ready()
	require.Equal(t, bulk.Done, (<-frames).Operation.State)
	ready()
	_, more := <-frames
	require.False(t, more, "it completes")
}

func TestWhoMayWatchAnOperation(t *testing.T) {
	t.Parallel()
	b, op := paused(t, 1)
	for _, id := range []string{op.ID(), "blk_none"} {
		_, err := b.live().BulkOperation(b.Context("bo"), id, nil, func(error) {})
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	}
	s := b.watch("ada", op.ID(), nil)
	s.next()
	require.NoError(t, b.Directory.Change(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username("ada")).SetRole(viewer.Supervisor).Exec(ctx)
	}))
	require.Equal(t, fault.NotFound, fault.CodeOf(s.end()), "ada sees everything no more")
	mine := b.watch("amy", op.ID(), nil)
	mine.next()
	_, err := b.Bulk.Cancel(b.Context("amy"), op.ID())
	require.NoError(t, err)
	require.Equal(t, bulk.Cancelled, mine.next().Operation.State)
	require.NoError(t, mine.end())
}

// Views that are watched stay true while an operation goes through them, and its
// creator tells its echo by the key.
func TestViewsFollowAnOperation(t *testing.T) {
	t.Parallel()
	const conversations = 20
	b, op := paused(t, conversations)
	unread, all := true, conversation.View{Kind: conversation.All}
	watch := func(username string) *tap[*live.Change] {
		return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.Change, error) {
			return b.live().Conversations(ctx, all, &conversation.Filter{IsUnread: &unread}, nil, end)
		})
	}
	taps := map[string]*tap[*live.Change]{"amy": watch("amy"), "ada": watch("ada")}
	for _, s := range taps {
		require.EqualValues(t, conversations, s.next().Counts.Total)
	}
	_, err := b.Bulk.Resume(b.Context("amy"), op.ID())
	require.NoError(t, err)
	for who, s := range taps {
		left := map[string]bool{}
		for n := conversations - 1; n >= 0; n-- {
			e := s.next()
			require.Equal(t, feed.Leave, e.Kind)
			require.EqualValues(t, n, e.Counts.Total)
			require.Equal(t, feed.ConversationRead, *e.Cause)
			require.Equal(t, who == "amy", e.IdempotencyKey != nil && *e.IdempotencyKey == op.IdempotencyKey)
			left[*e.ConversationID] = true
		}
		require.Len(t, left, conversations, "each once")
	}
}
