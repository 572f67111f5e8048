package live_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/ground/fault"
)

func TestAConversationTellsEverythingThatHappensToIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "one")
	id := b.conversation(parleytest.Sales)
	s := b.one("amy", id, nil)
	open := s.next().(*live.Reset)
	require.Equal(t, feed.Open, open.Kind)
	require.Equal(t, id, open.Conversation.ID())

	b.Say(another, parleytest.Sales, "of another conversation")
	b.Say(customer, parleytest.Sales, "two")
	added := s.next().(*live.MessageAdded)
	require.Equal(t, "two", added.Conversation.Preview)
	b.read("amy", id)
	updated := s.next().(*live.ConversationUpdated)
	require.Equal(t, feed.ConversationRead, updated.Cause)

	resumed := b.one("amy", id, &open.Cursor)
	again := resumed.next().(*live.Reset)
	require.Equal(t, open.Cursor, again.Cursor, "going on from the first frame loses nothing")
	require.Equal(t, added.Message.ID(), resumed.next().(*live.MessageAdded).Message.ID())
	require.Equal(t, updated.Cursor, resumed.next().(*live.ConversationUpdated).Cursor)

	fromTwo := b.messages("amy", &id, &open.Cursor)
	require.Equal(t, open.Cursor, fromTwo.next().Cursor)
	require.Equal(t, added.Message.ID(), fromTwo.next().Message.ID())
	fromEnd := b.messages("amy", &id, &added.Cursor)
	require.Equal(t, feed.Open, fromEnd.next().Kind)
	b.Say(customer, parleytest.Sales, "three")
	require.Equal(t, "three", fromEnd.next().Conversation.Preview)
}

func TestLosingOneConversationIsALeave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Direct, "Hello")
	id := b.conversation(parleytest.Direct)
	b.assign(id, "bo")
	all, one, messages := b.view("bo", conversation.All, nil), b.one("bo", id, nil), b.messages("bo", &id, nil)
	requireKinds(t, all, feed.Open)
	require.Equal(t, feed.Open, one.next().(*live.Reset).Kind)
	require.Equal(t, feed.Open, messages.next().Kind)

	b.assign(id, "amy")
	require.Nil(t, requireKinds(t, all, feed.Leave).Conversation)
	left := one.next().(*live.Reset)
	require.Equal(t, feed.Leave, left.Kind)
	require.Nil(t, left.Conversation)

	b.Say(customer, parleytest.Direct, "not for bo")
	b.assign(id, "bo")
	require.Equal(t, feed.ConversationAssigned, one.next().(*live.ConversationUpdated).Cause, "and it comes back")
	requireKinds(t, all, feed.Enter)
	b.Say(customer, parleytest.Direct, "for bo")
	require.Equal(t, "for bo", messages.next().Conversation.Preview)
}

func TestWhatMayNotBeSeenIsNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Direct, "for amy")
	hidden, malformed := b.conversation(parleytest.Direct), "conversation_nonsense"
	theirs := b.Directory.AgentNamed("amy").ID
	bo := b.Context("bo")
	for _, id := range []string{hidden, malformed, theirs, ""} {
		_, err := b.Schema.Live.Conversation(bo, id, nil, nil)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), id)
		_, err = b.Schema.Live.Messages(bo, &id, nil, nil)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), id)
	}
	_, err := b.Schema.Live.Conversations(bo, conversation.View{Kind: conversation.TeamInbox, Subject: &theirs}, nil, nil, nil)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	require.Zero(t, b.Hub.Streams())
}

func TestACursorThatCannotBeResumedAsksForAResync(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	id, amy := b.conversation(parleytest.Sales), b.Context("amy")
	head, err := b.Store.Head(t.Context())
	require.NoError(t, err)
	for name, cursor := range map[string]string{
		"forged": "nonsense",
		"ahead":  b.Hub.Cursors.Encode(head + 1),
		"other":  feed.NewCursors([]byte("another key"), b.Store.Epoch).Encode(head),
	} {
		_, err := b.Schema.Live.Conversations(amy, conversation.View{Kind: conversation.All}, nil, &cursor, nil)
		require.Equal(t, fault.ResyncRequired, fault.CodeOf(err), name)
		_, err = b.Schema.Live.Conversation(amy, id, &cursor, nil)
		require.Equal(t, fault.ResyncRequired, fault.CodeOf(err), name)
		_, err = b.Schema.Live.Messages(amy, nil, &cursor, nil)
		require.Equal(t, fault.ResyncRequired, fault.CodeOf(err), name)
		_, err = b.Schema.Live.InboxCounts(amy, &cursor, nil)
		require.Equal(t, fault.ResyncRequired, fault.CodeOf(err), name)
	}
}

func TestAStreamEndsWithItsSubscriberAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var streams []*tap[*live.Change]
	for range 20 {
		s := b.view("amy", conversation.All, nil)
		requireKinds(t, s, feed.Open)
		streams = append(streams, s)
	}
	b.Eventually(func() bool { return b.Hub.Streams() == len(streams) }, "all are live")
	for i, s := range streams {
		if i%2 == 0 {
			b.Say(customer, parleytest.Sales, "while they leave")
		}
		s.leave()
	}
	for _, s := range streams {
		require.NoError(t, s.end(), "its channel closes, for its goroutine has ended")
	}
	b.Eventually(func() bool { return b.Hub.Streams() == 0 }, "the hub forgets them")
}

func TestShutdownTellsEveryStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := listen(b, context.WithoutCancel(b.Context("amy")), func(ctx context.Context, end live.End) (<-chan *live.Change, error) {
		return b.Schema.Live.Conversations(ctx, conversation.View{Kind: conversation.All}, nil, nil, end)
	})
	requireKinds(t, s, feed.Open)
	b.Stop()
	s.requireEnd(fault.Unavailable)
}
