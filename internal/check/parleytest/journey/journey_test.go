// Package journey walks through Parley as its users do, from the carrier's
// webhook to another agent's screen.
package journey_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const customer = "+12025550199"

const watch = `subscription($view: ConversationView!, $after: Cursor) {
	conversationsChanged(view: $view, after: $after) {
		kind cursor cause conversationId counts { total unread new }
		conversation { id name isUnread newCount preview owner { username } }
	}
}`

// The end of the desk's first part: a signed inbound SMS is seen live, read,
// answered, delivered and given to a colleague who is told.
func TestAnInboundSMSIsSeenReadAnsweredAndAssigned(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	amy, bo := p.As("amy"), p.As("bo")
	mine := parleytest.Vars{"view": parleytest.Vars{"kind": "MY_INBOX"}}
	all := amy.Subscribe(watch, parleytest.Vars{"view": parleytest.Vars{"kind": "ALL"}})
	require.Equal(t, "OPEN", all.Next().Get("conversationsChanged", "kind").String())
	bosInbox := bo.Subscribe(watch, mine)
	require.Equal(t, "OPEN", bosInbox.Next().Get("conversationsChanged", "kind").String())

	p.Say(customer, parleytest.Sales, "Hello, is anybody there?")
	entered := all.Next().Get("conversationsChanged")
	require.Equal(t, "ENTER", entered.Get("kind").String())
	require.Equal(t, 1, entered.Get("counts", "unread").Int())
	id := entered.Get("conversation", "id").String()

	amy.Do(`mutation($id: ID!) { markConversationsRead(input: {conversations: [{id: $id}]}) { errors { code } results { error { code } } } }`, parleytest.Vars{"id": id})
	read := all.Next().Get("conversationsChanged")
	require.Equal(t, "CONVERSATION_READ", read.Get("cause").String())
	require.False(t, read.Get("conversation", "isUnread").Bool())
	require.Equal(t, 0, read.Get("counts", "unread").Int())

	one := amy.Subscribe(`subscription($id: ID!) { conversationChanged(id: $id) {
			__typename ... on MessageStatusChanged { status message { id } } ... on MessageAdded { idempotencyKey message { id } }
			... on ConversationUpdated { conversation { id } } ... on Reset { conversation { id } } } }`, parleytest.Vars{"id": id})
	require.Equal(t, "Reset", one.Next().Get("conversationChanged", "__typename").String())
	amy.Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Yes!", idempotencyKey: "a"}) { errors { code } message { id } } }`, parleytest.Vars{"id": id})
	added := one.Next().Get("conversationChanged")
	require.Equal(t, "MessageAdded", added.Get("__typename").String())
	require.Equal(t, "a", added.Get("idempotencyKey").String())
	for _, status := range []string{"SENDING", "SENT", "DELIVERED"} {
		require.Equal(t, status, one.Next().Get("conversationChanged", "status").String())
	}

	bosID := bo.Do(`{ viewer { agent { id } } }`, nil).Get("viewer", "agent", "id").String()
	given := amy.Do(`mutation($id: ID!, $to: ID!) { assignConversations(input: {ids: [$id], agentId: $to}) {
			errors { code } results { error { code } conversation { owner { username } isUnread } } } }`, parleytest.Vars{"id": id, "to": bosID})
	require.Equal(t, "bo", given.Get("assignConversations", "results", 0, "conversation", "owner", "username").String())
	told := bosInbox.Next().Get("conversationsChanged")
	require.Equal(t, "ENTER", told.Get("kind").String())
	require.Equal(t, "CONVERSATION_ASSIGNED", told.Get("cause").String())
	require.True(t, told.Get("conversation", "isUnread").Bool())
}
