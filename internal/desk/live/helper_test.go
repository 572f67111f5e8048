package live_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/ent/agent"
	entchannel "parley/ent/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

const (
	customer = "+12025550199"
	another  = "+12025550198"
)

// bundle is a running Parley whose streams a test opens without a socket.
type bundle struct {
	*parleytest.Parley
	t *testing.T
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return &bundle{parleytest.New(t).Run(), t}
}

// tap is an open stream.
type tap[T any] struct {
	t      *testing.T
	frames <-chan T
	ended  chan error
	leave  context.CancelFunc
}

// listen opens a stream of the agent by what subscribe calls.
func listen[T any](b *bundle, ctx context.Context, subscribe func(context.Context, live.End) (<-chan T, error)) *tap[T] { //nolint:revive // the bundle comes first, as in every helper
	b.t.Helper()
	ctx, leave := context.WithCancel(ctx)
	b.t.Cleanup(leave)
	s := &tap[T]{t: b.t, ended: make(chan error, 1), leave: leave}
	var err error
	s.frames, err = eitherWay(ctx, func(ctx context.Context) (<-chan T, error) {
		return subscribe(ctx, func(err error) { s.ended <- err })
	})
	require.NoError(b.t, err)
	return s
}

// next returns the next frame, which must come within ten seconds.
func (s *tap[T]) next() T {
	s.t.Helper()
	select {
	case frame, ok := <-s.frames:
		if !ok {
			require.Fail(s.t, "the stream has ended", "%v", s.end())
		}
		return frame
	case <-time.After(10 * time.Second):
		require.Fail(s.t, "no frame came")
		panic("unreachable")
	}
}

// end waits for the stream's end and returns why; nil when it was told nothing.
func (s *tap[T]) end() error {
	s.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case _, ok := <-s.frames:
			if ok {
				continue
			}
			select {
			case err := <-s.ended:
				return err
			default:
				return nil
			}
		case <-deadline:
			require.Fail(s.t, "the stream did not end")
		}
	}
}

func (s *tap[T]) requireEnd(code fault.Code) {
	s.t.Helper()
	require.Equal(s.t, code, fault.CodeOf(s.end()))
}

// view streams a view of an agent; after is nil for now.
func (b *bundle) view(username string, kind conversation.ViewKind, after *string) *tap[*live.Change] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.Change, error) {
		return b.Schema.Live.Conversations(ctx, conversation.View{Kind: kind}, nil, after, end)
	})
}

// one streams a conversation.
func (b *bundle) one(username, id string, after *string) *tap[live.OneChange] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan live.OneChange, error) {
		return b.Schema.Live.Conversation(ctx, id, after, end)
	})
}

// messages streams the messages of a conversation, nil for all.
func (b *bundle) messages(username string, id, after *string) *tap[*live.MessageAdded] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.MessageAdded, error) {
		return b.Schema.Live.Messages(ctx, id, after, end)
	})
}

// counts streams the counts of the inboxes.
func (b *bundle) counts(username string) *tap[*live.InboxCountsChange] {
	b.t.Helper()
	return listen(b, b.Context(username), func(ctx context.Context, end live.End) (<-chan *live.InboxCountsChange, error) {
		return b.Schema.Live.InboxCounts(ctx, nil, end)
	})
}

// conversation is the one with the customer at a sender ID.
func (b *bundle) conversation(to string) string {
	b.t.Helper()
	page, err := b.Conversations.List(b.Context("ada"), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: 100}, conversation.Selected{})
	require.NoError(b.t, err)
	for _, row := range page.Nodes {
		if row.Address == customer && row.Channel().Address == to {
			return row.ID()
		}
	}
	require.Fail(b.t, "no such conversation")
	return ""
}

// assign gives a conversation to an agent, as the supervisor does.
func (b *bundle) assign(id, username string) {
	b.t.Helper()
	to := b.Directory.AgentNamed(username).ID
	results, err := b.Conversations.Assign(b.Context("ada"), []string{id}, &to)
	require.NoError(b.t, err)
	require.Nil(b.t, results[0].Error)
}

func (b *bundle) read(username, id string) {
	b.t.Helper()
	results, err := b.Conversations.MarkRead(b.Context(username), []*conversation.MarkItem{{ID: id}}, true)
	require.NoError(b.t, err)
	require.Nil(b.t, results[0].Error)
}

// change changes the directory.
func (b *bundle) change(fn func(ctx context.Context, tx *store.Tx) error) {
	b.t.Helper()
	require.NoError(b.t, b.Directory.Change(context.Background(), fn))
}

// expel takes bo off the sender ID Sales.
func (b *bundle) expel() {
	b.t.Helper()
	key := b.Directory.AgentNamed("bo").Key
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).RemoveMemberIDs(key).Exec(ctx)
	})
}

// switchOff makes an agent inactive.
func (b *bundle) switchOff(username string) {
	b.t.Helper()
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Update().Where(agent.Username(username)).SetActive(false).Exec(ctx)
	})
}

func (b *bundle) head() string {
	b.t.Helper()
	position, err := b.Store.Head(context.Background())
	require.NoError(b.t, err)
	return b.Hub.Cursors.Encode(position)
}

// quiet waits until the hub has handed on everything there is.
func (b *bundle) quiet() {
	b.t.Helper()
	position, err := b.Store.Head(context.Background())
	require.NoError(b.t, err)
	require.NoError(b.t, b.Hub.Await(context.Background(), position))
}

func requireKinds(t *testing.T, s *tap[*live.Change], kinds ...feed.StreamKind) (last *live.Change) {
	t.Helper()
	for _, kind := range kinds {
		last = s.next()
		require.Equal(t, kind, last.Kind)
	}
	return last
}
