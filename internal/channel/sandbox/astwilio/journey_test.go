package astwilio_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

const customer = "+12025550199"

const send = `mutation($id: ID!, $text: String!, $key: String!) {
	sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $key}) { errors { code message } message { id } }
}`

const look = `query($id: ID!) { node(id: $id) { ... on Message { status error { code } attempts { number status } } } }`

// A demo's Twilio number is answered without the internet: the customer writes,
// the agent replies, and Twilio's callbacks tell how it went.
func TestADemosTwilioNumberIsAnsweredInside(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t, func(c *app.Config) { c.Demo = true }).Run()
	amy := p.As("amy")
	p.Say(customer, parleytest.Billing, "Is my invoice right?")
	list := amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id preview channel { name } } } }`, nil).Get("conversations", "nodes", 0)
	require.Equal(t, "Billing", list.Get("channel", "name").String())
	id := list.Get("id").String()

	for i, c := range []struct{ name, text, status, code string }{
		{"delivered", "It is.", "DELIVERED", ""},
		{"refused at once", "It is. #reject=2001", "FAILED", "2001"},
		{"taken and not delivered", "It is. #undelivered=2004", "FAILED", "2004"},
		{"receipts before the answer", "It is. #early", "DELIVERED", ""},
		{"receipts doubled and in the wrong order", "It is. #reorder #double", "DELIVERED", ""},
	} {
		sent := amy.Do(send, parleytest.Vars{"id": id, "text": c.text, "key": strconv.Itoa(i)}).Get("sendMessage")
		require.Empty(t, sent.Get("errors").List(), c.name)
		message := parleytest.Vars{"id": sent.Get("message", "id").String()}
		var now parleytest.Tree
		p.Eventually(func() bool {
			now = amy.Do(look, message).Get("node")
			return now.Get("status").String() == c.status
		}, c.name)
		if c.code != "" {
			require.Equal(t, c.code, now.Get("error", "code").String(), c.name)
		}
	}
	require.Empty(t, p.Carrier.Got(), "the sandbox account's carrier has no part in it")
}
