package resolvers_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

const setTopic = `mutation($id: ID!, $topic: String) { setConversationTopic(input: {conversationId: $id, topic: $topic}) { conversation { id topic } errors { code field message } } }`

// topic has amy set what a conversation is about, and returns what it is then.
func (d *desk) topic(id string, topic any) string {
	d.t.Helper()
	payload := d.As("amy").Do(setTopic, vars{"id": id, "topic": topic}).Get("setConversationTopic")
	require.Empty(d.t, payload.Get("errors").List())
	if t := payload.Get("conversation", "topic"); !t.IsNull() {
		return t.String()
	}
	return "none"
}

// A topic is what whoever sees the conversation says, and it moves nothing else.
func TestAConversationHasATopic(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Run()
	id := d.begin("+12025550151", parleytest.Sales, 2)
	other := d.begin("+12025550152", parleytest.Sales, 1)
	hidden := d.begin("+12025550153", parleytest.Direct, 1)
	const rest = `query($id: ID!) { conversation(id: $id) { name preview isUnread newCount lastMessageAt messageCount lastMessage { id } owner { id } }
		conversations(view: {kind: ALL}) { nodes { id } } }`
	before := d.As("ada").Do(rest, vars{"id": id}).String()
	require.Equal(t, "NOT_FOUND", d.As("bo").Do(setTopic, vars{"id": hidden, "topic": "Mine"}).Get("setConversationTopic", "errors", 0, "code").String())
	stream := d.As("amy").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind cause edge { node { id topic } } } }`, nil)
	stream.Next()

	require.Equal(t, "Roof repair", d.topic(id, "  Roof\u0007 repair\n"))
	frame := stream.Next().Get("conversationsChanged")
	require.Equal(t, []string{"UPDATE", "CONVERSATION_CHANGED", id, "Roof repair"}, []string{
		frame.Get("kind").String(), frame.Get("cause").String(), frame.Get("edge", "node", "id").String(), frame.Get("edge", "node", "topic").String(),
	})
	require.Equal(t, before, d.As("ada").Do(rest, vars{"id": id}).String(), "nothing else moves")
	require.Equal(t, "Roof repair", d.topic(id, "Roof repair"), "again: no event")
	require.Equal(t, strings.Repeat("ä", 200), d.topic(other, strings.Repeat("ä", 200)))
	require.Equal(t, other, stream.Next().Get("conversationsChanged", "edge", "node", "id").String())
	long := d.As("amy").Do(setTopic, vars{"id": id, "topic": strings.Repeat("x", 201)}).Get("setConversationTopic", "errors", 0)
	require.Equal(t, "input.topic Use at most 200 characters, not 201.", long.Get("field").String()+" "+long.Get("message").String())

	hits := func(query string) (found []string) {
		for _, h := range d.As("amy").Do(`query($q: String!) { search(query: $q) { nodes { kind conversation { id } highlights { start end } } } }`, vars{"q": query}).Get("search", "nodes").List() {
			require.Empty(t, h.Get("highlights").List(), "the topic is not highlighted in the name")
			found = append(found, h.Get("kind").String()+" "+h.Get("conversation", "id").String())
		}
		return found
	}
	require.Equal(t, []string{"NAME " + id}, hits("repair ro"))
	require.Equal(t, "none", d.topic(id, "\u200b \t"))
	require.Empty(t, hits("roof"))
	require.Equal(t, "none", d.topic(other, nil))
}

// Whoever begins to write may say what about; who goes on without leaves it.
func TestAConversationIsStartedWithATopic(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	channel := d.As("amy").Do(`{ channels { id address } }`, nil).Get("channels").List()
	sales := ""
	for _, c := range channel {
		if c.Get("address").String() == parleytest.Sales {
			sales = c.Get("id").String()
		}
	}
	start := func(in vars) parleytest.Tree {
		in["channelId"], in["number"], in["text"] = sales, "+12025550177", "Hello"
		return d.As("amy").Do(`mutation($i: StartConversationInput!) { startConversation(input: $i) { conversation { name topic } errors { field message } } }`, vars{"i": in}).Get("startConversation")
	}
	require.Equal(t, "Ann Roof", func() string {
		c := start(vars{"name": "Ann", "topic": " Roof ", "idempotencyKey": "1"}).Get("conversation")
		return c.Get("name").String() + " " + c.Get("topic").String()
	}())
	require.Equal(t, "Roof", start(vars{"idempotencyKey": "2"}).Get("conversation", "topic").String())
	found := d.As("amy").Do(`{ search(query: "ann roof") { nodes { highlights { start end } conversation { topic } } } }`, nil).Get("search", "nodes").List()
	require.Len(t, found, 1, "words of both find it")
	require.JSONEq(t, `[{"start":0,"end":3}]`, found[0].Get("highlights").String())
	require.Equal(t, "input.topic", start(vars{"topic": strings.Repeat("x", 201), "idempotencyKey": "3"}).Get("errors", 0, "field").String())
	require.True(t, start(vars{"topic": "", "idempotencyKey": "4"}).Get("conversation", "topic").IsNull())
}
