package merge_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Reading what was read before changes nothing, in the whole or in its parts: a mark set
// by hand before the merge is there after it.
func TestReadingNothingNewLeavesMarksAlone(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	winner, loser := d.conversation[address(0)], d.conversation[address(1)]
	mark := func(id, mutation string) {
		results := d.As("amy").Do(`mutation($id: ID!) { done: `+mutation+` { results { error { code } } } }`, vars{"id": id}).Get("done", "results")
		require.True(t, results.Get(0, "error").IsNull(), mutation)
	}
	unread := func(id string) bool {
		return d.As("amy").Do(`query($id: ID!) { conversation(id: $id) { isUnread } }`, vars{"id": id}).Get("conversation", "isUnread").Bool()
	}
	read := d.As("amy").Do(`query($id: ID!) { conversation(id: $id) { lastMessage { id } } }`, vars{"id": loser}).Get("conversation", "lastMessage", "id").String()
	mark(loser, `markConversationsRead(input: {conversations: [{id: $id}]})`)
	mark(loser, `markConversationsUnread(input: {ids: [$id]})`)
	d.merged(0, 1)
	mark(winner, `markConversationsRead(input: {conversations: [{id: $id, upToMessageId: "`+read+`"}]})`)
	d.As("amy").Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: "k", upToMessageId: "`+read+`"}) { message { id } } }`, vars{"id": winner})
	require.True(t, unread(winner), "its own message is new")
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
	require.True(t, unread(winner))
	require.True(t, unread(loser))
	d.merged(0, 1)
	mark(winner, `markConversationsRead(input: {conversations: [{id: $id}]})`)
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
	require.False(t, unread(winner))
	require.False(t, unread(loser), "reading something new takes the mark off")
}

// A customer who has not written yet has no conversation that could be merged.
func TestACustomerWithoutAConversationIsNotMerged(t *testing.T) {
	t.Parallel()
	d := meet(t, 1)
	key, _ := d.Conversations.IDs.Decode(publicid.Channel, d.direct())
	var made string
	require.NoError(t, d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error {
		u, err := tx.Ent.MessagingUser.Create().SetChannelID(key).SetAddress(address(1)).SetConsentStatus(channel.Pending).SetCreatedAt(tx.Now).Save(ctx)
		made = d.Conversations.IDs.Encode(publicid.MessagingUser, u.ID)
		return err
	}))
	for i, pair := range [][2]string{{d.user[address(0)], made}, {made, d.user[address(0)]}} {
		errs := d.merge("ada", pair[0], pair[1], fmt.Sprint(i)).Get("errors")
		require.Equal(t, "CONFLICT", errs.Get(0, "code").String())
		require.Equal(t, address(1)+" has no conversation yet and cannot be merged. Try again once they have one.", errs.Get(0, "message").String())
	}
	d.Say(address(1), parleytest.Direct, "Hello")
	require.Empty(t, code(d.merge("ada", made, d.user[address(0)], "k")))
}

// The audit names both customers, whether they become one or two; a repeat adds nothing.
func TestMergesAreAudited(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	winner, loser := d.user[address(0)], d.user[address(1)]
	for range 2 {
		require.Empty(t, code(d.merge("ada", loser, winner, "k")))
	}
	for range 2 {
		require.Empty(t, code(d.unmerge("ada", loser)))
	}
	entries := d.As("ada").Do(`query($id: ID!) { auditEntries(filterBy: {subjectId: $id}) { nodes {
		action actorName subjectType subjectId subjectName changes { field before after added removed } } } }`, vars{"id": loser}).Get("auditEntries", "nodes")
	entry := `{"action":"%s","actorName":"ada","changes":[{"added":%s,"after":%s,"before":%s,"field":"mergedInto","removed":%s}],` +
		`"subjectId":"` + loser + `","subjectName":"` + address(1) + `","subjectType":"MessagingUser"}`
	name, id := `"`+address(0)+`"`, `["`+winner+`"]`
	require.JSONEq(t, "["+fmt.Sprintf(entry, "UNMERGED", "[]", "null", name, id)+","+fmt.Sprintf(entry, "MERGED", id, name, "null", "[]")+"]", entries.String())
}

// Search finds the winner's conversation by what the loser wrote and by their name, which
// does not show and so has no highlights. The message keeps its id.
func TestSearchFollowsAMerge(t *testing.T) {
	t.Parallel()
	d := meet(t, 2)
	d.Post(d.Inbound(channel.Inbound{EventID: "z", ProviderID: "z", From: address(1), FromName: "Zoe Zimmer", To: parleytest.Direct, Text: "zebra"}))
	hits := func(username, query string) (conversations []string, hit parleytest.Tree) {
		found := d.As(username).Do(`query($q: String!) { search(query: $q) { nodes { kind conversation { id } message { id } highlights { start } } } }`, vars{"q": query}).Get("search", "nodes")
		for _, h := range found.List() {
			conversations, hit = append(conversations, h.Get("conversation", "id").String()), h
		}
		return conversations, hit
	}
	winner, loser := []string{d.conversation[address(0)]}, []string{d.conversation[address(1)]}
	found, before := hits("amy", "zebra")
	require.Equal(t, loser, found)
	d.merged(0, 1)
	for query, highlights := range map[string]int{"zebra": 1, "zimmer": 0, address(1): 0} {
		for _, username := range []string{"amy", "ada"} { // one looks into few conversations, the other into the index
			found, hit := hits(username, query)
			require.Equal(t, winner, found, query)
			require.Len(t, hit.Get("highlights").List(), highlights, query)
		}
		found, _ := hits("bo", query)
		require.Empty(t, found, query)
	}
	_, hit := hits("amy", "zebra")
	require.Equal(t, before.Get("message", "id").String(), hit.Get("message", "id").String())
	require.Empty(t, code(d.unmerge("ada", d.user[address(1)])))
	for _, query := range []string{"zebra", "zimmer", address(1)} {
		found, hit := hits("amy", query)
		require.Equal(t, loser, found, query)
		require.Len(t, hit.Get("highlights").List(), 1, query)
	}
}
