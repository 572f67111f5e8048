package live_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Who does not read is told so once what waits is given, and goes on from there.
func TestASlowSubscriberIsToldAndGoesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Say(customer, parleytest.Sales, "Hello")
	key, ok := b.Conversations.IDs.Decode(publicid.Conversation, b.conversation(parleytest.Sales))
	require.True(t, ok)
	s := b.view("amy", conversation.All, nil)
	requireKinds(t, s, feed.Open)
	b.Eventually(func() bool { return b.Hub.Streams() == 1 }, "it is live")
	const burst = 9000 // what the stream takes at most and what may wait, and more
	require.NoError(t, b.Store.Write(b.System(), func(ctx context.Context, tx *store.Tx) error {
		row, err := b.Conversations.Load(ctx, tx, key)
		for range burst {
			if err == nil {
				err = feed.Record(tx, &feed.Event{Cause: feed.ConversationChanged, ConversationID: key, Before: row.Facts(), After: row.Facts()})
			}
		}
		return err
	}))
	b.quiet()
	require.Zero(t, b.Hub.Streams(), "it is out")
	given := 0
	for range s.frames {
		given++
	}
	var ended *fault.Error
	require.ErrorAs(t, s.end(), &ended)
	require.Equal(t, fault.ResyncRequired, ended.Code)
	again := b.view("amy", conversation.All, &ended.Cursor)
	requireKinds(t, again, feed.Open)
	for ; given < burst; given++ {
		requireKinds(t, again, feed.Update)
	}
	b.Say(customer, parleytest.Sales, "the last")
	require.Equal(t, "the last", requireKinds(t, again, feed.Update).Conversation.Preview)
}

// A cursor that the log no longer reaches back to is refused by every stream that
// would go on from it.
func TestASubscriberFromBeforeTheLogIsToldToResync(t *testing.T) {
	t.Parallel()
	retention := feed.Retention{Events: 1, Least: 1}
	b := &bundle{parleytest.New(t, func(c *app.Config) { c.Log = retention }).Run(), t}
	before := b.head()
	for range 3 {
		b.Say(customer, parleytest.Sales, "Hello")
	}
	b.quiet()
	_, err := feed.Trim(t.Context(), b.Store, retention)
	require.NoError(t, err)
	id := b.conversation(parleytest.Sales)
	b.view("amy", conversation.All, &before).requireEnd(fault.ResyncRequired)
	b.one("amy", id, &before).requireEnd(fault.ResyncRequired)
	b.messages("amy", nil, &before).requireEnd(fault.ResyncRequired)
	head := b.head()
	s := b.view("amy", conversation.All, &head)
	requireKinds(t, s, feed.Open)
	b.Say(customer, parleytest.Sales, "and on")
	requireKinds(t, s, feed.Update)
}
