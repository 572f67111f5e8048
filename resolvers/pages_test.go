package resolvers_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// A record's conversations page both ways. The schema's default for `first`
// gives way to `last` and `before`; another number does not.
func TestARecordsConversationsPageBothWays(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	amy := d.As("amy")
	for _, address := range []string{parleytest.Sales, parleytest.Direct, parleytest.Billing} {
		d.begin("+12025550151", address, 1)
	}
	require.NoError(t, d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error {
		lead, err := tx.Ent.Record.Create().SetObjectType("Lead").SetExternalID("L1").Save(ctx)
		if err != nil {
			return err
		}
		return tx.Ent.Conversation.Update().SetRecord(lead).Exec(ctx)
	}))
	page := func(arguments string) ([]string, parleytest.Tree) {
		at := amy.Do(`{ record(objectType: "Lead", externalId: "L1") { conversations`+arguments+` { edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } } } }`, nil).
			Get("record", "conversations")
		var ids []string
		for _, e := range at.Get("edges").List() {
			ids = append(ids, e.Get("node", "id").String())
		}
		return ids, at
	}
	all, whole := page("")
	require.Len(t, all, 3)
	oldest, last := page("(last: 2)")
	require.Equal(t, all[1:], oldest)
	require.True(t, last.Get("pageInfo", "hasPreviousPage").Bool())
	before, _ := page(`(before: "` + whole.Get("edges", 2, "cursor").String() + `")`)
	require.Equal(t, all[:2], before)
	same, _ := page("(first: 20, last: 1)")
	require.Equal(t, all[2:], same, "20 is what the schema gives when nobody says")
	refused := amy.Raw(`{ record(objectType: "Lead", externalId: "L1") { conversations(first: 2, last: 2) { totalCount } } }`, nil)
	require.Equal(t, []string{"BAD_INPUT"}, refused.Codes())
}

// Inboxes can be told apart by id, and an event's edge is the list's.
func TestWhatCachesKeepByID(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Run()
	id := d.begin("+12025550151", parleytest.Direct, 1)
	var ids []string
	for _, in := range d.As("ada").Do(`{ viewer { inboxes { nodes { id } } } }`, nil).Get("viewer", "inboxes", "nodes").List() {
		ids = append(ids, in.Get("id").String())
	}
	slices.Sort(ids)
	require.Greater(t, len(ids), 5)
	require.Len(t, slices.Compact(ids), len(ids))

	amy := d.As("amy")
	const edge = `edges { cursor node { id } }`
	stream := amy.Subscribe(`subscription { conversationsChanged(view: {kind: MY_INBOX}) { kind edge { cursor node { id } } } }`, nil)
	thread := amy.Subscribe(`subscription { messageAdded { kind edge { cursor node { id } } } }`, nil)
	require.True(t, stream.Next().Get("conversationsChanged", "edge").IsNull())
	require.True(t, thread.Next().Get("messageAdded", "edge").IsNull())
	d.Say("+12025550151", parleytest.Direct, "And then?")
	change, added := stream.Next().Get("conversationsChanged"), thread.Next().Get("messageAdded")
	list := amy.Do(`query($id: ID!) { conversations(view: {kind: MY_INBOX}) { `+edge+` } conversation(id: $id) { messages(last: 1) { `+edge+` } } }`, vars{"id": id})
	require.Equal(t, list.Get("conversations", "edges", 0).String(), change.Get("edge").String())
	require.Equal(t, list.Get("conversation", "messages", "edges", 0).String(), added.Get("edge").String())
}
