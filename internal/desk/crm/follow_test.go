package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
)

const shown = `query($id: ID!) { conversation(id: $id) { name objectType record { id externalId } sendability { refusals { code } } } }`

// said is a conversation about the record V1, begun by ada.
func (r *records) said(mobile string) string { return r.begun("V1", mobile) }

// begun is a conversation about a record, begun by ada.
func (r *records) begun(id, mobile string) string {
	r.t.Helper()
	r.upsert(visit(id, 1, "Name", "Kim", "Mobile", mobile, "Country", "US"))
	record, err := r.Conversations.RecordNamed(r.ctx, "Visit__c", id)
	require.NoError(r.t, err)
	channel := r.p.Directory.Channels()[0]
	for _, c := range r.p.Directory.Channels() {
		if c.Address == parleytest.Support {
			channel = c
		}
	}
	got := r.p.As("ada").Do(`mutation($in: StartConversationInput!) { startConversation(input: $in) { conversation { id } errors { message } refusals { code } } }`,
		parleytest.Vars{"in": map[string]any{"channelId": channel.ID, "recordId": record.ID(), "text": "Hello", "idempotencyKey": "k" + id}})
	return got.Get("startConversation", "conversation", "id").String()
}

func TestConversationsFollowTheirRecord(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.p.Run()
	id := r.said("202-555-0188")
	look := func() parleytest.Tree { return r.p.As("ada").Do(shown, parleytest.Vars{"id": id}).Get("conversation") }
	found := func(name string) int {
		return len(r.p.As("ada").Do(`query($q: String!) { search(query: $q) { nodes { __typename } } }`, parleytest.Vars{"q": name}).Get("search", "nodes").List())
	}
	require.Equal(t, "Kim", look().Get("name").String())

	r.upsert(visit("V1", 2, "Name", "Zoltan Weber"))
	require.Equal(t, "Zoltan Weber", look().Get("name").String())
	r.p.Eventually(func() bool { return found("Zoltan") == 1 && found("Kim") == 0 }, "search follows")

	r.upsert(visit("V1", 3, "OptOut", "true"))
	require.Equal(t, "OPTED_OUT", look().Get("sendability", "refusals", 0, "code").String())

	results, err := r.Delete(r.ctx, []*crm.DeletionInput{{ObjectType: "Visit__c", ExternalID: "V1"}})
	require.NoError(t, err)
	require.Equal(t, []string{"DELETED"}, outcomesOf(results))
	require.Equal(t, "Kim", look().Get("name").String(), "what the customer was called when the conversation began")
	require.Equal(t, "OPTED_OUT", look().Get("sendability", "refusals", 0, "code").String(), "an opt-out outlives its record")
	require.True(t, look().Get("record").IsNull())
	require.True(t, look().Get("objectType").IsNull())
}

// Each change is an event of the conversation, so open views follow.
func TestOpenViewsSeeWhatARecordChanges(t *testing.T) {
	t.Parallel()
	r := newRecords(t)
	r.p.Run()
	id := r.said("202-555-0189")
	s := r.p.As("ada").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind conversationId conversation { name } } }`, nil)
	require.Equal(t, "OPEN", s.Next().Get("conversationsChanged", "kind").String())
	r.upsert(visit("V1", 2, "Name", "Zoltan Weber"))
	r.p.Eventually(func() bool {
		e := s.Next().Get("conversationsChanged")
		return e.Get("conversationId").String() == id && e.Get("conversation", "name").String() == "Zoltan Weber"
	}, "the new name arrives")
}
