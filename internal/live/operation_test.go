package live_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	"parley/internal/conversation"
	"parley/internal/fault"
	"parley/internal/feed"
	"parley/internal/live"
	"parley/internal/operation"
	"parley/internal/parleytest"
	"parley/internal/store"
	"parley/internal/viewer"
)

// begin begins an operation of amy's over n conversations, which waits to be
// resumed.
func (b *bundle) begin(n int) *operation.Row {
	b.t.Helper()
	for i := range n {
		b.Say(fmt.Sprintf("+1202555%04d", 1000+i), parleytest.Sales, "Hello")
	}
	b.Foreman.BatchSize = 2
	var op *operation.Row
	b.Eventually(func() bool { // a worker may be quicker than the pause
		begun, err := b.Foreman.MarkUnread(b.Context("amy"), operation.MarkInput{
			Selection: &operation.Selection{View: &conversation.View{Kind: conversation.All}}, IdempotencyKey: rand.Text(),
		})
		require.NoError(b.t, err)
		op, err = b.Foreman.Pause(b.Context("amy"), begun.Operation.ID())
		return err == nil && op.Done == 0
	}, "it is paused at its beginning")
	return op
}

func (b *bundle) watch(username, id string, after *string) *tap[*live.OperationChange] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.OperationChange, error) {
		return b.live().BulkOperation(ctx, id, after, end)
	})
}

func (b *bundle) live() *live.Desk { return b.Schema.Live }

func TestAnOperationIsWatchedToItsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const conversations = 30
	op := b.begin(conversations)
	s := b.watch("amy", op.ID(), nil)
	first := s.next()
	require.Equal(t, feed.Open, first.Kind)
	require.Equal(t, operation.Paused, first.Operation.State)

	_, err := b.Foreman.Resume(b.Context("amy"), op.ID())
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
		require.Equal(t, operation.Done, s.next().Operation.State)
		require.NoError(t, s.end())
	}
}

func TestWhoMayWatchAnOperation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	op := b.begin(1)
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
	_, err := b.Foreman.Cancel(b.Context("amy"), op.ID())
	require.NoError(t, err)
	require.Equal(t, operation.Cancelled, mine.next().Operation.State)
	require.NoError(t, mine.end())
}
