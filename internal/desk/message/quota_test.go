package message_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
	"parley/internal/ground/quota"
)

// A stolen token is no phone bill: sends and starts end, and how long they do is
// said. What was sent before is found again, and what is refused does not count.
func TestAnAgentSendsSoMuchAtMost(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	clk := clock.NewFake(parleytest.Start)
	p.Messenger.Sends, p.Messenger.Starts = quota.New("send", "messages", 18, clk), quota.New("start", "conversations", 6, clk)
	p.Say(customer, parleytest.Sales, "Hello")
	amy := p.As("amy")
	seen := amy.Do(`{ viewer { channels { id address } } conversations(view: {kind: ALL}) { nodes { id } } }`, nil)
	id := seen.Get("conversations", "nodes", 0, "id").String()
	sales := p.Conversations.Directory.Channels()[0].ID
	for _, ch := range p.Conversations.Directory.Channels() {
		if ch.Address == parleytest.Sales {
			sales = ch.ID
		}
	}
	send := func(c *parleytest.Client, key, text string) parleytest.Tree {
		return c.Do(`mutation($in: SendMessageInput!) { sendMessage(input: $in) { message { id } refusals { code } errors { code message retryAfter } } }`,
			parleytest.Vars{"in": parleytest.Vars{"conversationId": id, "text": text, "idempotencyKey": key}}).Get("sendMessage")
	}
	start := func(key, number string) parleytest.Tree {
		return amy.Do(`mutation($in: StartConversationInput!) { startConversation(input: $in) { message { id } errors { code message retryAfter } } }`,
			parleytest.Vars{"in": parleytest.Vars{"channelId": sales, "number": number, "text": "Hello", "idempotencyKey": key}}).Get("startConversation")
	}
	wait := func(tree parleytest.Tree, what string, seconds int) {
		t.Helper()
		require.Equal(t, "LIMIT_EXCEEDED", tree.Get("errors", 0, "code").String())
		require.Contains(t, tree.Get("errors", 0, "message").String(), what)
		require.Equal(t, seconds, tree.Get("errors", 0, "retryAfter").Int())
	}
	first := send(amy, "1", "One").Get("message", "id").String()
	for n := range 5 {
		require.Equal(t, first, send(amy, "1", "One").Get("message", "id").String(), "a repeat")
		require.Equal(t, "TEXT_EMPTY", send(amy, fmt.Sprint("r", n), " ").Get("refusals", 0, "code").String())
	}
	require.Empty(t, start("1", "+12025559001").Get("errors").List())
	wait(start("2", "+12025559002"), "start 6 conversations per hour", 600)
	require.Empty(t, send(amy, "2", "Two").Get("errors").List(), "what the start took of the sends was put back")
	wait(send(amy, "3", "Three"), "18 messages per hour", 200)
	require.Equal(t, first, send(amy, "1", "One").Get("message", "id").String(), "what was sent is found all the same")
	require.Empty(t, send(p.As("bo"), "1", "Bo").Get("errors").List(), "each agent has their own")
	clk.Advance(200 * time.Second)
	require.Empty(t, send(amy, "3", "Three").Get("errors").List())
}
