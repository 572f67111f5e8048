package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

// statements counts the SQL statements of one request after another.
type statements struct {
	mu   sync.Mutex
	seen []string
}

func (s *statements) configure(c *app.Config) {
	c.Trace = func(_ context.Context, statement string) func(error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen = append(s.seen, statement)
		return nil
	}
}

func (s *statements) of(do func()) []string {
	s.mu.Lock()
	s.seen = nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

const page = `query($n: Int!) { conversations(view: {kind: ALL}, first: $n) { %s pageInfo { hasNextPage endCursor } feedCursor
	nodes { id name preview newCount isUnread lastMessageAt owner { username } channel { name members { username } } %s } } }`

// A document costs what it selects, whatever the rows.
func TestTheStatementsOfAReadAreFixedByItsDocument(t *testing.T) {
	t.Parallel()
	s := &statements{}
	p := parleytest.New(t, s.configure)
	for i := range 50 {
		for range 2 {
			p.Say(fmt.Sprintf("+1202555%04d", 1000+i), parleytest.Sales, "Hello")
		}
	}
	amy := p.As("amy")
	for _, c := range []struct {
		name, query string
		most        int
	}{
		{"a page", fmt.Sprintf(page, "", ""), 1},
		{"with the total", fmt.Sprintf(page, "totalCount", ""), 2},
		{"with messaging users", fmt.Sprintf(page, "", "messagingUser { id channel { id } }"), 2},
		{"with their identifiers", fmt.Sprintf(page, "", "messagingUser { identifiers { value received } }"), 3},
		{"with records, of which there are none", fmt.Sprintf(page, "", "record { id }"), 1},
		{"with the last messages and their attempts", fmt.Sprintf(page, "", "lastMessage { id attempts { status } }"), 1}, // none was sent
		{"with edges", fmt.Sprintf(page, "edges { node { messagingUser { id } lastMessage { id } } }", ""), 2},
		{"with the last messages", fmt.Sprintf(page, "", "lastMessage { id attempts { status } author { name } content { ... on TextContent { text } } }"), 1},
		{"with messages", fmt.Sprintf(page, "", "messages(last: 3) { totalCount pageInfo { hasPreviousPage } nodes { id number } }"), 2},
		{"with every edge", fmt.Sprintf(page, "totalCount", "messagingUser { id } record { id } lastMessage { id } messages { nodes { id } }"), 4},
		// What the viewer sees on which channel, their conversations, texts of these;
		// then what is selected.
		{"a search", `query($n: Int!) { search(query: "hello", first: $n) { isComplete nodes { kind highlights { start } } pageInfo { endCursor } } }`, 3},
		{"a search with what was found", `query($n: Int!) { search(query: "hello", first: $n) { nodes { conversation { id name } message { id author { name } } } } }`, 5},
		{"a search for a number", `query($n: Int!) { search(query: "202 555", first: $n, kinds: [NUMBER]) { nodes { conversation { id } } } }`, 3},
		{"the inboxes", `query($n: Int = 1) { viewer { agent { id } channels { id } inboxes { feedCursor nodes { title counts { total unread new } } } } agents { id } channels { id @include(if: true) } __type(name: "Int") { name } unused: conversations(view: {kind: ALL}, first: $n) { nodes { id } } }`, 2},
		{"the directory", `query($n: Int = 1) { viewer { permissions agent { name } } agents { username } channels { members { name } } one: conversations(view: {kind: ALL}, first: $n) { nodes { id } } }`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{5, 50} {
				got := s.of(func() { amy.Do(c.query, parleytest.Vars{"n": n}) })
				require.Len(t, got, c.most, "for %d rows:\n%s", n, strings.Join(got, "\n"))
			}
		})
	}
}

// A write alone in its group costs these statements; a bulk of n, so many for
// each besides.
func TestTheStatementsOfAWriteArePinned(t *testing.T) {
	t.Parallel()
	s := &statements{}
	p := parleytest.New(t, s.configure)
	customer := func(i int) string { return fmt.Sprintf("+1202555%04d", 1000+i) }
	// The search index: where it stands, and its messages, which are two tables on
	// SQLite.
	index := 3
	if parleytest.OnPostgres() {
		index = 2
	}
	p.Say(customer(20), parleytest.Sales, "Hello") // the index's first
	// Raw entry, who is there, customer, identifier, conversation, message, row; head,
	// index, cells, event.
	require.Len(t, s.of(func() { p.Say(customer(0), parleytest.Sales, "Hello") }), 10+index+1, "a new customer's webhook")
	require.Len(t, s.of(func() { p.Say(customer(0), parleytest.Sales, "Hello") }), 7+index, "a known customer's webhook")
	for i := range 20 {
		p.Say(customer(i), parleytest.Sales, "Hello")
	}
	amy := p.As("amy")
	ids := idsOf(amy.Do(`{ conversations(view: {kind: ALL}, first: 20) { nodes { id } } }`, nil))
	markRead := func(ids []string) func() {
		items := []parleytest.Vars{}
		for _, id := range ids {
			items = append(items, parleytest.Vars{"id": id})
		}
		return func() {
			amy.Do(`mutation($items: [MarkItem!]!) { markConversationsRead(input: {conversations: $items}) { results { error { code } } } }`,
				parleytest.Vars{"items": items})
		}
	}
	// Row read, row written; head, cells, event.
	require.Len(t, s.of(markRead(ids[:1])), 5)
	require.Len(t, s.of(markRead(ids[1:11])), 2*10+3)
	require.Len(t, s.of(markRead(ids[:1])), 1, "nothing happened, so nothing is written")
	to := amy.Do(`{ viewer { agent { id } } }`, nil).Get("viewer", "agent", "id").String()
	require.Len(t, s.of(func() { amy.Do(assign, parleytest.Vars{"ids": ids[:1], "to": to}) }), 6, "one for the selected customer")
	send := func(key string) int {
		return len(s.of(func() {
			amy.Do(`mutation($id: ID!, $key: String!) { sendMessage(input: {conversationId: $id, text: "Yes", idempotencyKey: $key}) {
				errors { code } message { id status } conversation { id owner { username } } } }`, parleytest.Vars{"id": ids[0], "key": key})
		}))
	}
	// Key, row, customer, message, row, participant, attempt, result; head, index,
	// cells, event. What is answered is what was written.
	require.Equal(t, 11+index, send("a"))
	require.Equal(t, 9+index, send("b"), "with no new sender to write and no count to move")
	require.LessOrEqual(t, send("b"), 4, "a repeated key only finds its result")
}

func idsOf(data parleytest.Tree) []string {
	var ids []string
	for _, n := range data.Get("conversations", "nodes").List() {
		ids = append(ids, n.Get("id").String())
	}
	return ids
}
