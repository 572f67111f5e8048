package plans

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
)

// operation is what Parley does at once, with what it says to the database.
type operation struct {
	name  string
	texts []string
}

// desk is a Parley that nothing else happens in: no job is worked and no event
// handed on.
type desk struct {
	*parleytest.Parley
	t *testing.T

	mu         sync.Mutex
	recording  bool
	operations []*operation
}

// record runs every operation and tells what each said.
func record(t *testing.T, url string) []*operation {
	d := &desk{t: t}
	d.Parley = parleytest.OpenAt(t, url, func(c *app.Config) {
		c.Trace = func(_ context.Context, text string) func(error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.recording {
				last := d.operations[len(d.operations)-1]
				last.texts = append(last.texts, text)
			}
			return nil
		}
	})
	d.Carrier.Script(func(sandbox.Message) sandbox.Plan { return sandbox.Plan{Silent: true} })
	d.lists()
	d.reads()
	d.ordered()
	d.searches()
	d.inbound()
	d.desk()
	d.background()
	d.Stop()
	return d.operations
}

// at names what happens until the next call.
func (d *desk) at(name string, do func()) {
	d.mu.Lock()
	d.operations = append(d.operations, &operation{name: name})
	d.recording = true
	d.mu.Unlock()
	do()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.recording = false
	require.NotEmpty(d.t, d.operations[len(d.operations)-1].texts, "%s said nothing", name)
}

const page = `query($view: ConversationView!, $filter: ConversationFilter, $first: Int, $after: String, $last: Int, $before: String) {
	conversations(view: $view, filterBy: $filter, first: $first, after: $after, last: $last, before: $before) {
		pageInfo { hasNextPage endCursor startCursor } feedCursor
		nodes { id name preview newCount isUnread lastMessageAt owner { username } channel { name } } } }`

// lists are the views, from both ends and in the middle, of who sees a part and
// of who sees everything; then filters, and what is counted.
func (d *desk) lists() {
	amy := d.As("amy")
	channelID := amy.Do(`{ viewer { channels { id } } }`, nil).Get("viewer", "channels", 0, "id").String()
	bo := amy.Do(`{ agents { id username } }`, nil).Get("agents", 1, "id").String()
	record := amy.Do(`{ conversations(view: {kind: OBJECT_TYPE, subject: "Contact"}, first: 1) { nodes { record { id } } } }`, nil).
		Get("conversations", "nodes", 0, "record", "id").String()
	view := func(kind string, subject ...string) parleytest.Vars {
		v := parleytest.Vars{"kind": kind}
		if subject != nil {
			v["subject"] = subject[0]
		}
		return v
	}
	views := []parleytest.Vars{
		view("ALL"), view("MY_INBOX"), view("SENT"), view("SENDER_ID", channelID), view("UNASSIGNED"),
		view("OBJECT_TYPE", "Contact"), view("RECORD", record),
	}
	for _, v := range views {
		d.pages("amy", v)
	}
	d.pages("sue", view("ALL"))
	d.pages("sue", view("TEAM_INBOX", bo))
	for _, v := range views {
		d.pages("ada", v)
	}
	for _, username := range []string{"amy", "ada"} {
		for _, filter := range []parleytest.Vars{
			{"isUnread": true},
			{"objectType": "Contact"},
			{"channelId": channelID},
			{"ownerId": bo},
			{"isAssigned": true},
			{"lastMessageDirection": "INBOUND"},
			{"lastMessageFrom": "2026-11-01T00:00:00Z", "lastMessageBefore": "2026-11-20T00:00:00Z"},
		} {
			name := fmt.Sprintf("ALL of %s, by %s", username, strings.Join(names(filter), " and "))
			d.at(name, func() { d.As(username).Do(page, parleytest.Vars{"view": view("ALL"), "filter": filter, "first": 20}) })
		}
	}
	d.at("MY_INBOX of amy, by isUnread", func() {
		amy.Do(page, parleytest.Vars{"view": view("MY_INBOX"), "filter": parleytest.Vars{"isUnread": true}, "first": 20})
	})
	d.at("SENDER_ID of amy, by isUnread", func() {
		amy.Do(page, parleytest.Vars{"view": view("SENDER_ID", channelID), "filter": parleytest.Vars{"isUnread": true}, "first": 20})
	})
	for _, username := range []string{"amy", "ada"} {
		d.at("standing counts of "+username, func() {
			d.As(username).Do(`{ viewer { inboxes { feedCursor nodes { counts { total unread new } } } } }`, nil)
		})
		d.at("totalCount of ALL of "+username, func() { d.As(username).Do(`{ conversations(view: {kind: ALL}, first: 1) { totalCount } }`, nil) })
		d.at("totalCount of SENT of "+username, func() { d.As(username).Do(`{ conversations(view: {kind: SENT}, first: 1) { totalCount } }`, nil) })
	}
}

func names(filter parleytest.Vars) (out []string) {
	for _, name := range []string{
		"isUnread", "objectType", "channelId", "ownerId", "isAssigned", "lastMessageDirection", "lastMessageFrom", "lastMessageBefore",
	} {
		if _, there := filter[name]; there {
			out = append(out, name)
		}
	}
	return out
}

func (d *desk) pages(username string, view parleytest.Vars) {
	var info parleytest.Tree
	ask := func(vars parleytest.Vars) func() {
		return func() {
			vars["view"] = view
			info = d.As(username).Do(page, vars).Get("conversations", "pageInfo")
		}
	}
	name := fmt.Sprintf("%s of %s", view["kind"], username)
	d.at(name, ask(parleytest.Vars{"first": 1}))
	cursor := info.Get("endCursor").String()
	require.NotEmpty(d.t, cursor, "%s has nothing to page through", name)
	d.at(name+", next page", ask(parleytest.Vars{"first": 20, "after": cursor}))
	d.at(name+", backward", ask(parleytest.Vars{"last": 20, "before": cursor}))
}

// reads are what is opened from a list.
func (d *desk) reads() {
	for _, username := range []string{"amy", "ada"} {
		c := d.As(username)
		row := c.Do(`{ conversations(view: {kind: OBJECT_TYPE, subject: "Contact"}, first: 1) { nodes {
			id record { externalId } messages(last: 2) { nodes { id } pageInfo { startCursor } } } } }`, nil).Get("conversations", "nodes", 0)
		id := row.Get("id").String()
		d.at("what a list selects, for "+username, func() {
			c.Do(`{ conversations(view: {kind: ALL}, first: 20) { nodes { messagingUser { id } record { id }
				lastMessage { id attempts { status } conversation { id } } messages { totalCount nodes { id content { ... on TextContent { text } } } } } } }`, nil)
		})
		d.at("a thread's page, for "+username, func() {
			const thread = `query($id: ID!, $before: String, $after: String) { conversation(id: $id) { name sendability { canSend }
				old: messages(last: 20, before: $before) { nodes { id status author { name } attempts { status } } }
				new: messages(first: 20, after: $after) { nodes { id } } } }`
			cursor := row.Get("messages", "pageInfo", "startCursor").String()
			c.Do(thread, parleytest.Vars{"id": id, "before": cursor, "after": cursor})
		})
		d.at("a record view, for "+username, func() {
			c.Do(`query($id: String!) { record(objectType: "Contact", externalId: $id) { name conversations { totalCount nodes { id name } } } }`,
				parleytest.Vars{"id": row.Get("record", "externalId").String()})
		})
		d.at("node, for "+username, func() {
			const node = `query($id: ID!) { node(id: $id) { id ... on Message { status conversation { id } } ... on Conversation { name messagingUser { id } } } }`
			c.Do(node, parleytest.Vars{"id": id})
			c.Do(node, parleytest.Vars{"id": row.Get("messages", "nodes", 0, "id").String()})
		})
	}
}

// ordered are the records that a question offers in the order of a field.
func (d *desk) ordered() {
	account := "Account/A1"
	for _, o := range []struct {
		name   string
		filter *crm.Filter
	}{{"a question's records", nil}, {"a question's records, filtered", &crm.Filter{Fields: []*crm.FieldFilter{{Name: "AccountId", Equals: &account}}}}} {
		d.at(o.name, func() {
			_, err := d.Schema.Records.First(d.System(), "Contact", o.filter, crm.Order{Field: "CreatedDate", Descending: true}, 20)
			require.NoError(d.t, err)
		})
	}
}

func (d *desk) searches() {
	const search = `query($q: String!, $kinds: [SearchKind!]) { search(query: $q, kinds: $kinds, first: 20) { nodes { conversation { id name } message { id } } } }`
	for _, username := range []string{"amy", "ada"} {
		for _, s := range []struct{ kind, query string }{{"NAME", "anna"}, {"NUMBER", "0123"}, {"TEXT", "thanks"}} {
			d.at("search by "+s.kind+", for "+username, func() {
				d.As(username).Do(search, parleytest.Vars{"q": s.query, "kinds": []string{s.kind}})
			})
		}
	}
}

const customer = "+12025550191"

func (d *desk) inbound() {
	d.linking()
	d.at("a webhook's message from a new customer", func() { d.Say(customer, parleytest.Sales, "Hello") })
	d.at("a webhook's message from a known customer", func() { d.Say(customer, parleytest.Sales, "Anybody there?") })
}

// linking is what a rule that links customers costs a message, and reading suggestions.
func (d *desk) linking() {
	amy := d.As("amy")
	channels := d.Directory.Channels()
	sales := channels[slices.IndexFunc(channels, func(c *directory.Channel) bool { return c.Address == parleytest.Sales })]
	rule, err := d.Schema.Linking.Create(d.System(), linking.CreateInput{ChannelID: sales.ID, Name: "Contacts", ObjectType: "Contact", Mode: match.Automatic, IdempotencyKey: "rule"})
	require.NoError(d.t, err)
	d.at("a webhook's message from a new customer, for whom a rule looks for a record", func() { d.Say("+12025550888", parleytest.Sales, "Hello") })
	id := amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	d.at("suggested records", func() {
		amy.Do(`query($id: ID!) { conversation(id: $id) { linkSuggestions { record { id name } reason } messagingUser { links { record { id } } } } }`, parleytest.Vars{"id": id})
	})
	_, err = d.Schema.Linking.Delete(d.System(), rule.ID)
	require.NoError(d.t, err)
}

// desk is what an agent does, and the carrier's part in it.
func (d *desk) desk() {
	amy := d.As("amy")
	id := amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id mobileNumber } } }`, nil).Get("conversations", "nodes", 0)
	require.Equal(d.t, customer, id.Get("mobileNumber").String())
	vars := parleytest.Vars{"id": id.Get("id").String(), "to": amy.Do(`{ viewer { agent { id } } }`, nil).Get("viewer", "agent", "id").String()}
	for _, o := range []struct{ name, document string }{
		{"mark read", `mutation($id: ID!) { o: markConversationsRead(input: {conversations: [{id: $id}]}) { results { conversation { id } } errors { code } } }`},
		{"mark unread", `mutation($id: ID!) { o: markConversationsUnread(input: {ids: [$id]}) { results { conversation { id } } errors { code } } }`},
		{"assign", `mutation($id: ID!, $to: ID!) { o: assignConversations(input: {ids: [$id], agentId: $to}) { results { conversation { id } } errors { code } } }`},
		{"a note", `mutation($id: ID!) { o: addNote(input: {conversationId: $id, text: "Nice", idempotencyKey: "n"}) { message { id } errors { code } } }`},
		{"sendMessage", `mutation($id: ID!) { o: sendMessage(input: {conversationId: $id, text: "Yes", idempotencyKey: "s"}) { message { id } errors { code } } }`},
	} {
		d.at(o.name, func() {
			require.Empty(d.t, amy.Do(o.document, vars).Get("o", "errors").List(), o.name)
		})
	}
	key, ok := d.Conversations.IDs.Decode(publicid.Conversation, vars["id"].(string))
	require.True(d.t, ok)
	d.at("a message goes to the carrier", func() {
		_, err := d.Messenger.Drain(d.System(), key)
		require.NoError(d.t, err)
	})
	sent := d.Carrier.Got()
	require.Len(d.t, sent, 1)
	d.at("the carrier's receipt", func() {
		req, err := sandbox.Compose(sent[0].Secret, sent[0].StatusURL, sandbox.ReceiptEntry(sent[0].ID, channel.Delivered, ""))
		require.NoError(d.t, err)
		require.Equal(d.t, http.StatusOK, d.Answer(req).Code)
	})
}

// background is what Parley does by itself.
func (d *desk) background() {
	d.at("the log after a cursor", func() {
		stream := d.Hub.Follow(0, nil, func(*feed.Event) bool { return true })
		defer stream.Close()
		_, err := stream.Next(d.t.Context())
		require.NoError(d.t, err)
	})
	d.at("what is due", func() {
		_, err := d.Conversations.SweepDue(d.System())
		require.NoError(d.t, err)
	})
	d.at("lanes and receipts that were left", func() {
		_, err := d.Messenger.SweepLanes(d.System())
		require.NoError(d.t, err)
		_, err = d.Messenger.SweepReceipts(d.System())
		require.NoError(d.t, err)
	})
	d.Clock.Advance(60 * 24 * time.Hour)
	d.at("the log's retention", func() {
		removed, err := feed.Trim(d.System(), d.Store, feed.Retention{Least: 5, Events: conversations - 100})
		require.NoError(d.t, err)
		require.Positive(d.t, removed)
	})
	d.at("the retention of webhooks and keys", func() {
		_, err := d.Receiver.Forget(d.System())
		require.NoError(d.t, err)
		_, err = idempotency.Forget(d.System(), d.Store)
		require.NoError(d.t, err)
	})
}
