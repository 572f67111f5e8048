package live_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/fault"
)

// crowded is a bundle with n conversations, of which it returns the ids.
func crowded(t *testing.T, n int, every time.Duration) (*bundle, []string) {
	t.Helper()
	b := setup(t)
	b.Schema.Live.CountsEvery = every
	for i := range n {
		b.Say(fmt.Sprintf("+120255502%02d", i), parleytest.Sales, "Hello")
	}
	page, err := b.Conversations.List(b.Context("ada"), conversation.View{Kind: conversation.All}, nil, nil, conversation.Window{Size: n}, conversation.Selected{})
	require.NoError(t, err)
	var ids []string
	for _, row := range page.Nodes {
		ids = append(ids, row.ID())
	}
	require.Len(t, ids, n)
	return b, ids
}

// What changes faster than four times a second comes four times a second, and
// the last frame says how it ended.
func TestABurstOfCountsIsFewFrames(t *testing.T) {
	t.Parallel()
	b, ids := crowded(t, 50, 0)
	s := b.counts("sue")
	have, want := state{}, state{}
	have.put(s.next().Inboxes)
	began, frames := time.Now(), 0
	for _, to := range []string{"amy", "bo", "sue", "ada"} {
		key := b.Directory.AgentNamed(to).ID
		_, err := b.Conversations.Assign(b.Context("ada"), ids, &key)
		require.NoError(t, err)
	}
	list, err := b.Conversations.Inboxes(b.Context("sue"))
	require.NoError(t, err)
	var last *live.InboxCountsChange
	want.put(list.Inboxes)
	for ; !maps.Equal(want, have); frames++ {
		last = s.next()
		require.Equal(t, feed.Update, last.Kind)
		have.put(last.Inboxes)
	}
	require.Equal(t, b.head(), last.Cursor)
	took := time.Since(began)
	require.LessOrEqual(t, frames, 1+int(took/(250*time.Millisecond)), "200 changes in %s", took)
}

// A change of rights is told at once, with what is held.
func TestAResetWaitsForNoPace(t *testing.T) {
	t.Parallel()
	b, ids := crowded(t, 3, time.Hour)
	s := b.counts("bo")
	require.Equal(t, feed.Open, s.next().Kind)
	b.read("ada", ids[0])
	b.assign(ids[1], "amy")
	b.expel()
	reset := s.next()
	require.Equal(t, feed.Reset, reset.Kind)
	require.Equal(t, b.head(), reset.Cursor)
	list, err := b.Conversations.Inboxes(b.Context("bo"))
	require.NoError(t, err)
	have, want := state{}, state{}
	have.put(reset.Inboxes)
	want.put(list.Inboxes)
	require.Equal(t, want, have)
}

// What is held is not given to one who may see it no more.
func TestWhatIsHeldEndsWithItsViewer(t *testing.T) {
	t.Parallel()
	b, ids := crowded(t, 1, time.Hour)
	s := b.counts("bo")
	require.Equal(t, feed.Open, s.next().Kind)
	b.read("ada", ids[0])
	b.switchOff("bo")
	for frame := range s.frames {
		require.Fail(t, "given in spite of it", "%+v", frame)
	}
	s.requireEnd(fault.Unauthenticated)
}

// A subscriber who goes while a frame is held leaves nothing behind.
func TestAHeldFrameEndsWithItsSubscriber(t *testing.T) {
	t.Parallel()
	b, ids := crowded(t, 1, time.Hour)
	ctx, leave := context.WithCancel(b.Context("amy"))
	s := listen(b, ctx, func(ctx context.Context, end live.End) (<-chan *live.InboxCountsChange, error) {
		return b.Schema.Live.InboxCounts(ctx, nil, end)
	})
	require.Equal(t, feed.Open, s.next().Kind)
	b.read("amy", ids[0])
	b.quiet()
	leave()
	require.NoError(t, s.end())
	require.Zero(t, b.Hub.Streams())
}
