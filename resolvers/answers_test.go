package resolvers_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const (
	wholeMessage = `id number direction kind source content { __typename ... on TextContent { text } ... on NoteContent { text } }
		author { username } status error { code } createdAt providerTime channelTemplateType conversation { id }`
	wholeConversation = `id name mobileNumber channel { name } owner { username } messagingUser { id } record { id } objectType preview isUnread
		newCount lastMessageAt lastIncomingAt lastMessageDirection lastMessage { id } messageCount viewerCanAssign viewerCanMarkRead createdAt`
)

// What a write answers was never read: it must be what a read gives.
func TestWhatAWriteAnswersIsWhatIsReadAfterIt(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy := p.As("amy")
	p.Say("+12025550199", parleytest.Sales, "Hello")
	id := idsOf(amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil))[0]
	channel := amy.Do(`query($id: ID!) { conversation(id: $id) { channel { id } } }`, parleytest.Vars{"id": id}).
		Get("conversation", "channel", "id").String()
	inConversation := ` conversation { ` + wholeConversation + ` }`
	for _, c := range []struct {
		mutation, input, answer string
		vars                    parleytest.Vars
	}{
		{"sendMessage", "SendMessageInput", inConversation, parleytest.Vars{"conversationId": id, "text": "Yes, on Tuesday.\nOr later?"}},
		{"sendMessage", "SendMessageInput", inConversation, parleytest.Vars{"conversationId": id, "text": "Again"}},
		{"addNote", "AddNoteInput", "", parleytest.Vars{"conversationId": id, "text": "Wants Tuesday"}},
		{"startConversation", "StartConversationInput", inConversation, parleytest.Vars{"channelId": channel, "number": "+12025550198", "text": "Hi"}},
		{"startConversation", "StartConversationInput", inConversation, parleytest.Vars{"channelId": channel, "number": "+12025550199", "text": "Hi"}},
	} {
		p.Clock.Advance(time.Minute)
		c.vars["idempotencyKey"] = rand.Text()
		got := amy.Do(`mutation($input: `+c.input+`!) { `+c.mutation+`(input: $input) { errors { message } message { `+wholeMessage+` }`+c.answer+` } }`,
			parleytest.Vars{"input": c.vars}).Get(c.mutation)
		require.Empty(t, got.Get("errors").List(), c.mutation)
		message := got.Get("message", "id").String()
		read := amy.Do(`query($id: ID!) { node(id: $id) { ... on Message { `+wholeMessage+` } } }`, parleytest.Vars{"id": message})
		require.JSONEq(t, read.Get("node").String(), got.Get("message").String(), c.mutation)
		if c.answer == "" {
			continue
		}
		read = amy.Do(`query($id: ID!) { node(id: $id) { ... on Message {`+c.answer+` } } }`, parleytest.Vars{"id": message})
		require.JSONEq(t, read.Get("node", "conversation").String(), got.Get("conversation").String(), c.mutation)
	}
}
