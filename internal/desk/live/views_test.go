package live_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/live"
	"parley/internal/desk/message"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

func TestAStreamOpensWithItsPositionAndCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "one")
	b.Say(customer, parleytest.Sales, "two")
	b.Say(another, parleytest.Sales, "three")
	b.Say(another, parleytest.Support, "not bo's to see in My Inbox")
	open := b.view("amy", conversation.All, nil).next()
	require.Equal(t, feed.Open, open.Kind)
	require.Equal(t, b.head(), open.Cursor)
	require.Equal(t, conversation.Counts{Total: 2, Unread: 2, New: 3}, open.Counts)
	require.Nil(t, open.Conversation)
}

func TestWhatComesIntoAViewEntersAndWhatGoesLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	amys, bos := b.view("amy", conversation.MyInbox, nil), b.view("bo", conversation.MyInbox, nil)
	unassigned := b.view("bo", conversation.Unassigned, nil)
	for _, s := range []*tap[*live.Change]{amys, bos, unassigned} {
		requireKinds(t, s, feed.Open)
	}
	b.Say(customer, parleytest.Direct, "Hello") // amy's own number
	entered := requireKinds(t, amys, feed.Enter)
	id := *entered.ConversationID
	require.Equal(t, id, entered.Conversation.ID())
	require.Equal(t, conversation.Counts{Total: 1, Unread: 1, New: 1}, entered.Counts)
	require.Equal(t, feed.MessageAdded, *entered.Cause)

	b.read("amy", id)
	updated := requireKinds(t, amys, feed.Update)
	require.False(t, updated.Conversation.IsUnread)
	require.Equal(t, conversation.Counts{Total: 1}, updated.Counts)

	b.assign(id, "bo")
	left := requireKinds(t, amys, feed.Leave)
	require.Equal(t, id, *left.ConversationID)
	require.Nil(t, left.Conversation)
	require.Equal(t, conversation.Counts{}, left.Counts)
	requireKinds(t, bos, feed.Enter)

	b.assign(id, "amy")
	left = requireKinds(t, bos, feed.Leave)
	require.Nil(t, left.Conversation, "it is not bo's to see any more")
	requireKinds(t, amys, feed.Enter)

	b.Say(another, parleytest.Sales, "for whoever comes")
	requireKinds(t, unassigned, feed.Enter) // and nothing before
}

func TestACausersOwnEchoIsKnownToThemAlone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	id := b.conversation(parleytest.Sales)
	amys, bos := b.messages("amy", nil, nil), b.messages("bo", &id, nil)
	require.Equal(t, feed.Open, amys.next().Kind)
	require.Equal(t, feed.Open, bos.next().Kind)
	_, err := b.Messenger.Send(b.Context("amy"), message.SendInput{ConversationID: id, Text: "Hi", IdempotencyKey: "mine"})
	require.NoError(t, err)
	require.Equal(t, "mine", *amys.next().IdempotencyKey)
	require.Nil(t, bos.next().IdempotencyKey)
}

func TestAChangeOfRightsIsOneReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "one")
	b.Say(another, parleytest.Support, "two")
	sues, bos := b.view("sue", conversation.All, nil), b.view("bo", conversation.All, nil)
	requireKinds(t, sues, feed.Open)
	require.EqualValues(t, 2, requireKinds(t, bos, feed.Open).Counts.Total)

	b.expel()
	reset := requireKinds(t, bos, feed.Reset)
	require.Equal(t, conversation.Counts{Total: 1, Unread: 1, New: 1}, reset.Counts)
	require.Equal(t, b.head(), reset.Cursor)

	b.Say(customer, parleytest.Sales, "not for bo")
	b.Say(another, parleytest.Support, "for both")
	require.Equal(t, "for both", requireKinds(t, bos, feed.Update).Conversation.Preview)
	// Sue's rights did not change. She sees what has an owner, and amy has Sales
	// for herself now.
	require.Equal(t, "not for bo", requireKinds(t, sues, feed.Enter).Conversation.Preview)
	require.Equal(t, "for both", requireKinds(t, sues, feed.Update).Conversation.Preview)
}

func TestAnAgentWhoIsSwitchedOffLosesEveryStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	id := b.conversation(parleytest.Sales)
	views, one := b.view("bo", conversation.All, nil), b.one("bo", id, nil)
	messages, counts := b.messages("bo", nil, nil), b.counts("bo")
	old := b.Context("bo")
	b.switchOff("bo")
	views.requireEnd(fault.Unauthenticated)
	one.requireEnd(fault.Unauthenticated)
	messages.requireEnd(fault.Unauthenticated)
	counts.requireEnd(fault.Unauthenticated)

	_, err := b.Schema.Live.InboxCounts(old, nil, nil)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), "nor opens one on a socket from before")
}

// A socket lives on through changes of rights: what is opened on it later goes by
// the rights of then.
func TestAStreamOpensUnderTheRightsOfNow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	id, before := b.conversation(parleytest.Sales), b.Context("bo")
	b.expel()
	s := listen(b, before, func(ctx context.Context, end live.End) (<-chan *live.Change, error) {
		return b.Schema.Live.Conversations(ctx, conversation.View{Kind: conversation.All}, nil, nil, end)
	})
	require.Zero(t, requireKinds(t, s, feed.Open).Counts.Total)
	_, err := b.Schema.Live.Conversation(before, id, nil, nil)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
	_, err = b.Schema.Live.Messages(before, &id, nil, nil)
	require.Equal(t, fault.NotFound, fault.CodeOf(err))
}

// A stream that is read slowly reads rows late. What they hold by then is shown
// only to those who may see it by then.
func TestALateReadRowShowsNothingThatMayNotBeSeenAnyMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s, told := b.view("bo", conversation.All, nil), b.messages("bo", nil, nil)
	for range 5 { // what nobody reads waits in the stream, not yet looked up
		b.Say(customer, parleytest.Sales, "harmless")
	}
	b.quiet()
	b.expel()
	b.Say(customer, parleytest.Sales, "secret")
	for frame := s.next(); frame.Kind != feed.Reset; frame = s.next() {
		require.True(t, frame.Conversation == nil || frame.Conversation.Preview == "harmless")
	}
	for frame := told.next(); frame.Kind != feed.Reset; frame = told.next() {
		require.True(t, frame.Conversation == nil || frame.Conversation.Preview == "harmless")
	}
	b.Say(customer, parleytest.Support, "for bo")
	require.Equal(t, "for bo", requireKinds(t, s, feed.Enter).Conversation.Preview, "there was one reset")
	require.Equal(t, "for bo", told.next().Conversation.Preview)
}

// A change of rights while nobody listened is a reset for who comes back: their
// list was read under the rights of then.
func TestResumingAcrossAChangeOfRightsIsOneReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "one")
	before := b.head()
	b.Say(customer, parleytest.Sales, "two")
	b.expel()
	b.Say(another, parleytest.Support, "three")
	s := b.view("bo", conversation.All, &before)
	open := requireKinds(t, s, feed.Open)
	require.Equal(t, before, open.Cursor, "what came since is still to come")
	reset := requireKinds(t, s, feed.Reset)
	require.Equal(t, b.head(), reset.Cursor)
	b.Say(another, parleytest.Support, "four")
	requireKinds(t, s, feed.Update)
}

// The rights of others are nothing to a subscriber who comes back.
func TestResumingAcrossAChangeOfAnothersRightsIsNoReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(another, parleytest.Support, "one")
	before := b.head()
	b.switchOff("amy")
	b.Say(another, parleytest.Support, "two")
	s := b.view("bo", conversation.All, &before)
	requireKinds(t, s, feed.Open, feed.Update)
	b.Say(another, parleytest.Support, "three")
	require.Equal(t, "three", requireKinds(t, s, feed.Update).Conversation.Preview)
}

func TestAnAgentWhoJoinsIsAnInboxOfTheSupervisors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.counts("sue")
	had := len(s.next().Inboxes)
	b.change(func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Create().SetUsername("cy").SetName("Cy Cole").SetRole(viewer.Standard).SetCreatedAt(tx.Now).Exec(ctx)
	})
	reset := s.next()
	require.Equal(t, feed.Reset, reset.Kind)
	require.Len(t, reset.Inboxes, had+1)
	b.Say(customer, parleytest.Sales, "Hello")
	b.assign(b.conversation(parleytest.Sales), "cy")
	changed := s.next()
	require.Contains(t, titles(changed.Inboxes), "Cy Cole")
}

func titles(inboxes []*conversation.Inbox) (out []string) {
	for _, in := range inboxes {
		out = append(out, in.Title)
	}
	return out
}
