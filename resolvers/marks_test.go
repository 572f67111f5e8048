package resolvers_test

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

const (
	markRead = `mutation($items: [MarkItem!]!, $confirm: Boolean = false) { markConversationsRead(input: {conversations: $items, confirmForOwner: $confirm}) {
		errors { code message field } results { conversationId error { code message } conversation { id isUnread newCount owner { username } } } } }`
	markUnread = `mutation($ids: [ID!]!, $confirm: Boolean = false) { markConversationsUnread(input: {ids: $ids, confirmForOwner: $confirm}) {
		errors { code message field } results { conversationId error { code } conversation { id isUnread newCount } } } }`
	assign = `mutation($ids: [ID!]!, $to: ID) { assignConversations(input: {ids: $ids, agentId: $to}) {
		errors { code message field } results { conversationId error { code } conversation { id isUnread newCount messagingUser { address } owner { username } } } } }`
)

// desk is a Parley with conversations to mark and assign.
type desk struct {
	*parleytest.Parley
	t *testing.T
}

func newDesk(t *testing.T) *desk { return &desk{parleytest.New(t), t} }

// begin has a customer write n messages and returns the conversation.
func (d *desk) begin(customer, to string, n int) string {
	for range n {
		d.Say(customer, to, "Hello")
	}
	for _, c := range d.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id mobileNumber channel { address } } } }`, nil).Get("conversations", "nodes").List() {
		if c.Get("mobileNumber").String() == customer && c.Get("channel", "address").String() == to {
			return c.Get("id").String()
		}
	}
	require.Fail(d.t, "no conversation")
	return ""
}

func (d *desk) agentID(username string) string {
	return d.Conversations.IDs.Encode(publicid.Agent, d.Directory.AgentNamed(username).Key)
}

// results runs a bulk mutation and returns its only field.
func (d *desk) run(username, query string, v vars) parleytest.Tree {
	data := d.As(username).Do(query, v)
	for _, name := range []string{"markConversationsRead", "markConversationsUnread", "assignConversations"} {
		if strings.Contains(query, name) {
			return data.Get(name)
		}
	}
	return data
}

// codes are the error codes of the results, "" for success.
func codes(payload parleytest.Tree) []string {
	var out []string
	for _, r := range payload.Get("results").List() {
		code := ""
		if !r.Get("error").IsNull() {
			code = r.Get("error", "code").String()
			if !r.Get("conversation").IsNull() {
				code += " and yet changed"
			}
		}
		out = append(out, code)
	}
	return out
}

func item(id string) []vars { return []vars{{"id": id}} }

func TestReadingBelongsToTheOwnerUnlessConfirmed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	nobodys := d.begin("+12025550151", parleytest.Sales, 1)
	amys := d.begin("+12025550152", parleytest.Sales, 1)
	d.run("amy", assign, vars{"ids": []string{amys}, "to": d.agentID("amy")})

	for _, c := range []struct {
		who, id string
		confirm bool
		want    string
	}{
		{"bo", amys, false, "FORBIDDEN"}, // sees it, by the number they share
		{"bo", amys, true, "FORBIDDEN"},
		{"sue", amys, false, "CONFIRMATION_REQUIRED"},
		{"ada", amys, false, "CONFIRMATION_REQUIRED"},
		{"sue", nobodys, true, "NOT_FOUND"}, // nobody's, on a number sue has no part in
		{"bo", nobodys, false, ""},
		{"amy", amys, false, ""},
	} {
		for query, v := range map[string]vars{markRead: {"items": item(c.id)}, markUnread: {"ids": []string{c.id}}} {
			v["confirm"] = c.confirm
			require.Equal(t, []string{c.want}, codes(d.run(c.who, query, v)), "%s on %s", c.who, query)
		}
		may := d.As(c.who).Raw(`query($id: ID!) { conversation(id: $id) { viewerCanMarkRead } }`, vars{"id": c.id}).Tree(t).Get("conversation")
		require.Equal(t, c.want == "NOT_FOUND", may.IsNull())
		require.True(t, may.IsNull() || may.Get("viewerCanMarkRead").Bool() == (c.want != "FORBIDDEN"), "%s on %s", c.who, c.id)
	}
	d.run("amy", markUnread, vars{"ids": []string{amys}})
	confirmed := d.run("sue", markRead, vars{"items": item(amys), "confirm": true})
	require.False(t, confirmed.Get("results", 0, "conversation", "isUnread").Bool())
	require.Equal(t, "amy", confirmed.Get("results", 0, "conversation", "owner", "username").String(), "it stays amy's")
}

func TestReadingReachesUpToTheMessageOnTheScreen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550151", parleytest.Sales, 2)
	other := d.begin("+12025550152", parleytest.Sales, 1)
	d.As("amy").Do(`mutation($id: ID!) { addNote(input: {conversationId: $id, text: "Careful", idempotencyKey: "n"}) { errors { code } } }`, vars{"id": id})
	d.Say("+12025550151", parleytest.Sales, "Still there?")
	messages := func(id string) (ids []string) {
		for _, m := range d.As("ada").Do(`query($id: ID!) { conversation(id: $id) { messages(first: 10) { nodes { id } } } }`, vars{"id": id}).Get("conversation", "messages", "nodes").List() {
			ids = append(ids, m.Get("id").String())
		}
		return ids
	}
	read := func(upTo string) parleytest.Tree {
		return d.run("amy", markRead, vars{"items": []vars{{"id": id, "upToMessageId": upTo}}})
	}
	own := messages(id) // two inbounds, a note, an inbound
	for _, step := range []struct {
		upTo     string
		newCount int
		unread   bool
	}{{own[0], 2, true}, {own[2], 1, true}, {own[0], 1, true}, {own[3], 0, false}} {
		got := read(step.upTo).Get("results", 0, "conversation")
		require.Equal(t, step.newCount, got.Get("newCount").Int())
		require.Equal(t, step.unread, got.Get("isUnread").Bool())
	}
	for _, wrong := range []string{messages(other)[0], id, "msg_0000000000000", ""} {
		require.Equal(t, []string{"NOT_FOUND"}, codes(read(wrong)), "%q is no message of it", wrong)
	}
	d.run("amy", markUnread, vars{"ids": []string{id}})
	sent := d.As("amy").Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Yes", idempotencyKey: "s"}) { message { id } } }`, vars{"id": id})
	require.False(t, read(sent.Get("sendMessage", "message", "id").String()).Get("results", 0, "conversation", "isUnread").Bool(), "up to one's own answer")
}

func TestAssigningNeedsItsPermissionAndAnActiveAgent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550151", parleytest.Sales, 2)
	require.NoError(t, d.Directory.Change(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Create().SetUsername("gone").SetName("Gone").SetRole("STANDARD").SetActive(false).SetCreatedAt(tx.Now).Exec(ctx)
	}))
	for _, c := range []struct{ who, to, code, field string }{
		{"bo", d.agentID("bo"), "FORBIDDEN", ""},
		{"amy", d.agentID("gone"), "CONFLICT", "input.agentId"},
		{"amy", "agt_0000000000000", "NOT_FOUND", "input.agentId"},
		{"amy", id, "NOT_FOUND", "input.agentId"},
	} {
		payload := d.run(c.who, assign, vars{"ids": []string{id}, "to": c.to})
		require.Equal(t, c.code, payload.Get("errors", 0, "code").String())
		require.Equal(t, c.field, payload.Get("errors", 0, "field").String())
		require.Empty(t, payload.Get("results").List())
	}
	d.run("amy", markRead, vars{"items": item(id)})
	given := d.run("amy", assign, vars{"ids": []string{id}, "to": d.agentID("sue")}).Get("results", 0, "conversation")
	require.Equal(t, "sue", given.Get("owner", "username").String())
	require.True(t, given.Get("isUnread").Bool())
	taken := d.run("ada", assign, vars{"ids": []string{id}}).Get("results", 0, "conversation")
	require.Empty(t, taken.Get("owner").String(), "null leaves it to nobody")
}

// Who assigns what they own on a number they have no part in loses sight of it,
// and is still told whole what became of it.
func TestAssigningAwayAnswersWhole(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550151", parleytest.Support, 1)
	d.run("ada", assign, vars{"ids": []string{id}, "to": d.agentID("amy")})
	away := d.run("amy", assign, vars{"ids": []string{id}, "to": d.agentID("sue")}).Get("results", 0)
	require.True(t, away.Get("error").IsNull())
	require.Equal(t, "+12025550151", away.Get("conversation", "messagingUser", "address").String())
	require.Equal(t, []string{"NOT_FOUND"}, d.As("amy").Raw(`query($id: ID!) { conversation(id: $id) { id } }`, vars{"id": id}).Codes())
}

func TestABulkDecidesEachByItselfAndDoesNothingByHalves(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mine := d.begin("+12025550151", parleytest.Sales, 2)
	hidden := d.begin("+12025550152", parleytest.Support, 1)
	sues := d.begin("+12025550153", parleytest.Sales, 1)
	d.run("ada", assign, vars{"ids": []string{sues}, "to": d.agentID("sue")})
	ids := []string{mine, hidden, "cnv_0000000000000", d.agentID("amy"), "", sues, mine}

	items := []vars{}
	for _, id := range ids {
		items = append(items, vars{"id": id})
	}
	payload := d.run("amy", markRead, vars{"items": items})
	require.Equal(t, []string{"", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND", "FORBIDDEN", ""}, codes(payload))
	require.Empty(t, payload.Get("errors").List())
	for i, id := range ids {
		require.Equal(t, id, payload.Get("results", i, "conversationId").String(), "in the order given")
	}
	require.True(t, d.As("ada").Do(`query($id: ID!) { conversation(id: $id) { isUnread } }`, vars{"id": sues}).Get("conversation", "isUnread").Bool())

	many := slices.Repeat([]string{mine}, 101)
	manyItems := slices.Repeat(item(mine), 101)
	for _, c := range []struct {
		query, field string
		v            vars
	}{
		{markRead, "input.conversations", vars{"items": []vars{}}},
		{markRead, "input.conversations", vars{"items": manyItems}},
		{markUnread, "input.ids", vars{"ids": []string{}}},
		{markUnread, "input.ids", vars{"ids": many}},
		{assign, "input.ids", vars{"ids": []string{}}},
		{assign, "input.ids", vars{"ids": many}},
	} {
		payload := d.run("amy", c.query, c.v)
		require.Equal(t, "BAD_INPUT", payload.Get("errors", 0, "code").String())
		require.Equal(t, c.field, payload.Get("errors", 0, "field").String())
		require.Contains(t, payload.Get("errors", 0, "message").String(), "100")
		require.Empty(t, payload.Get("results").List())
	}
	require.Len(t, codes(d.run("amy", markUnread, vars{"ids": many[:100]})), 100)
}

// sayAs has a customer write under a name.
func (d *desk) sayAs(name string) {
	id := rand.Text()
	d.Post(d.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: "+12025550151", To: parleytest.Sales, Text: "Hi", FromName: name}))
}

// Of two people who assign one conversation at once, each as they saw it, only one is
// told success; to ask again for what is so already is no conflict.
func TestAssignmentOfWhatWasSeen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550161", parleytest.Sales, 1)
	amy, bo, sue := d.agentID("amy"), d.agentID("bo"), d.agentID("sue")
	give := func(to any, item vars) parleytest.Tree {
		item["id"] = id
		return d.run("ada", `mutation($items: [AssignItem!], $to: ID) { assignConversations(input: {conversations: $items, agentId: $to}) {
			errors { code field } results { conversationId error { code } conversation { owner { username } } } } }`, vars{"items": []vars{item}, "to": to})
	}
	owner := func() string {
		o := d.As("ada").Do(`query($id: ID!) { conversation(id: $id) { owner { username } } }`, vars{"id": id}).Get("conversation", "owner")
		if o.IsNull() {
			return ""
		}
		return o.Get("username").String()
	}
	was := owner()
	require.Equal(t, []string{"CONFLICT"}, codes(give(amy, vars{"expectedOwner": sue})), "not the owner")
	require.Equal(t, []string{"CONFLICT"}, codes(give(amy, vars{"expectedOwner": "nonsense"})))
	require.Equal(t, was, owner())
	require.Equal(t, []string{""}, codes(give(nil, vars{})), "not expected")
	require.Equal(t, []string{""}, codes(give(amy, vars{"expectedOwner": nil})), "nobody's")
	require.Equal(t, []string{"CONFLICT"}, codes(give(bo, vars{"expectedOwner": nil})), "the second")
	require.Equal(t, "amy", owner())
	require.Equal(t, []string{""}, codes(give(amy, vars{"expectedOwner": nil})), "a repeat")
	require.Equal(t, []string{""}, codes(give(bo, vars{"expectedOwner": amy})))
	require.Equal(t, "bo", owner())
	for _, input := range []string{`agentId: "x"`, `ids: ["` + id + `"], conversations: [{id: "` + id + `"}]`} {
		payload := d.run("ada", `mutation { assignConversations(input: {`+input+`}) { errors { code field } results { error { code } } } }`, nil)
		require.Equal(t, "BAD_INPUT", payload.Get("errors", 0, "code").String())
	}
}

// An answer marks as read what was on the screen when it was written.
func TestAnAnswerReadsWhatWasSeen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550162", parleytest.Sales, 2)
	require.Empty(t, d.run("ada", assign, vars{"ids": []string{id}, "to": d.agentID("amy")}).Get("errors").List())
	const thread = `query($id: ID!) { conversation(id: $id) { isUnread newCount messages(last: 100) { nodes { id } } } }`
	messages := d.As("amy").Do(thread, vars{"id": id}).Get("conversation", "messages", "nodes").List()
	send := func(upTo any) parleytest.Tree {
		return d.As("amy").Do(`mutation($id: ID!, $key: String!, $upTo: ID) {
			sendMessage(input: {conversationId: $id, text: "Yes", idempotencyKey: $key, upToMessageId: $upTo}) {
				errors { code field } conversation { isUnread newCount } } }`, vars{"id": id, "key": rand.Text(), "upTo": upTo}).Get("sendMessage")
	}
	got := send(messages[0].Get("id").String())
	require.Empty(t, got.Get("errors").List())
	require.Equal(t, 1, got.Get("conversation", "newCount").Int(), "the second was not seen")
	require.True(t, got.Get("conversation", "isUnread").Bool())
	other := d.begin("+12025550163", parleytest.Sales, 1)
	foreign := d.As("ada").Do(thread, vars{"id": other}).Get("conversation", "messages", "nodes", 0, "id").String()
	for _, no := range []string{foreign, "nonsense", id} {
		wrong := send(no)
		require.Equal(t, "NOT_FOUND", wrong.Get("errors", 0, "code").String())
		require.Equal(t, "input.upToMessageId", wrong.Get("errors", 0, "field").String())
	}
	require.Equal(t, 0, send(nil).Get("conversation", "newCount").Int(), "all was seen")
}
