package hidden_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/hidden"
	"parley/internal/ground/cursor"
	"parley/internal/ground/store"
)

const (
	rows = `fragment Row on Conversation { id name mobileNumber preview isUnread newCount lastMessageAt lastIncomingAt messageCount objectType createdAt
		channel { id } owner { id } record { id name } messagingUser { id name } viewerCanAssign viewerCanMarkRead
		lastMessage { ...Said } messages(last: 2) { totalCount edges { cursor node { ...Said } } pageInfo { ...Info } } }
	fragment Said on Message { id number kind direction createdAt status author { id } content { __typename ... on TextContent { text } ... on NoteContent { text } } }
	fragment Info on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }`
	list = `query($view: ConversationView!, $filter: ConversationFilter, $order: ConversationOrder, $first: Int, $after: String, $last: Int, $before: String) {
		conversations(view: $view, filterBy: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
			totalCount feedCursor edges { cursor node { ...Row } } pageInfo { ...Info } } } ` + rows
	inboxes = `{ viewer { inboxes { feedCursor nodes { id title view { kind } total unread newCount } } } }`
	search  = `query($q: String!, $view: ConversationView, $first: Int, $after: String) { search(query: $q, view: $view, first: $first, after: $after) {
		isComplete pageInfo { ...Info } edges { cursor node { kind conversation { id } message { id } highlights { start end } } } } }
	fragment Info on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }`
	byID    = `query($id: ID!) { node(id: $id) { __typename id ... on Conversation { ...Row } ... on Message { ...Said } ... on Record { id name } } } ` + rows
	one     = `query($id: ID!) { conversation(id: $id) { ...Row messages(first: 50) { nodes { ...Said } } } } ` + rows
	changes = `subscription($view: ConversationView!, $after: Cursor) { conversationsChanged(view: $view, after: $after) {
		kind cursor cause idempotencyKey conversationId counts { total unread new } conversation { ...Shown } } } ` + shown
	added = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor idempotencyKey message { id number kind direction author { id } } conversation { ...Shown } } } ` + shown
	// shown is what a note leaves as it was: frames show a conversation as it is by then.
	shown = `fragment Shown on Conversation { id name mobileNumber preview isUnread newCount lastMessageAt owner { id } record { id } }`
)

// pair is a Parley, and the one that there would be without what an agent may not
// see.
type pair struct {
	t             *testing.T
	agent         string
	with, without *parleytest.Parley
	random        *mathrand.Rand
	seen          int // objects in the answers that were compared
}

// Whatever an agent asks for, they are answered as if there were nothing that they
// may not see: lists, counts, pages, objects by id, searches and streams, with all
// cursors opened.
func TestTheGraphIsThatOfADatabaseWithoutWhatIsHidden(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	ids, from := history(p)
	p.Eventually(func() bool { return settled(p) }, "what was sent is delivered")
	database := p.Config.Database
	p.Stop()
	for n, agent := range []string{"amy", "bo", "sue"} {
		without, gone := hidden.Without(t, database, agent)
		require.Positive(t, gone, agent)
		with := parleytest.OpenAt(t, parleytest.Copy(t, database))
		pair := &pair{t: t, agent: agent, with: with.Run(), without: without.Run(), random: mathrand.New(mathrand.NewPCG(uint64(n), 1))}
		pair.lists()
		pair.same(inboxes, nil)
		pair.searches()
		for _, id := range ids {
			pair.same(byID, parleytest.Vars{"id": id})
			pair.same(one, parleytest.Vars{"id": id})
		}
		pair.streams(from)
		require.Greater(t, pair.seen, 1_000, agent)
	}
}

// history is a day of the desk: customers write to all sender IDs and agents
// answer, assign, read and note. It returns the ids of what there is by then, and the
// feed's cursor from the middle of it.
func history(p *parleytest.Parley) (ids []string, from string) {
	r := mathrand.New(mathrand.NewPCG(5, 5))
	lines := []string{parleytest.Sales, parleytest.Direct, parleytest.Support}
	say := func() {
		p.Clock.Advance(time.Duration(r.IntN(90_000)) * time.Millisecond)
		k := r.IntN(24)
		p.Say(fmt.Sprintf("+1202555%04d", 1200+k), lines[k%len(lines)], []string{"hello order", "krakatoa", "zebulon approved", "thanks"}[r.IntN(4)])
	}
	act := func() {
		agent := []string{"amy", "bo", "sue", "ada"}[r.IntN(4)]
		mine := p.As(agent).Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id } } }`, nil).Get("conversations", "nodes").List()
		if len(mine) == 0 {
			return
		}
		vars := parleytest.Vars{"id": mine[r.IntN(len(mine))].Get("id").String(), "key": fmt.Sprint("k", r.Int64())}
		p.As(agent).Raw([]string{
			`mutation($id: ID!, $key: String!) { sendMessage(input: {conversationId: $id, text: "order sent", idempotencyKey: $key}) { errors { code } } }`,
			`mutation($id: ID!, $key: String!) { addNote(input: {conversationId: $id, text: "note to krakatoa", idempotencyKey: $key}) { errors { code } } }`,
			`mutation($id: ID!) { markConversationsRead(input: {conversationIds: [$id]}) { errors { code } } }`,
			`mutation($id: ID!) { markConversationsUnread(input: {conversationIds: [$id]}) { errors { code } } }`,
		}[r.IntN(4)], vars)
	}
	for range 60 {
		say()
	}
	from = p.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { feedCursor } }`, nil).Get("conversations", "feedCursor").String()
	for range 60 {
		say()
		act()
	}
	all := p.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100) { nodes { id lastMessage { id } messagingUser { id } record { id } } } }`, nil)
	for _, c := range all.Get("conversations", "nodes").List() {
		ids = append(ids, c.Get("id").String(), c.Get("lastMessage", "id").String())
	}
	return ids, from
}

// settled reports whether no event will follow.
func settled(p *parleytest.Parley) bool {
	waiting := 0
	q := store.SQL("SELECT COUNT(*) FROM attempts WHERE status <> 'DELIVERED'")
	require.NoError(p.T, p.Store.Read(p.T.Context(), store.System("a test looks"), q, func(rows *sql.Rows) error { return rows.Scan(&waiting) }))
	return waiting == 0
}

// same asks both and compares the whole answers.
func (p *pair) same(query string, vars parleytest.Vars) parleytest.Tree {
	p.t.Helper()
	a, b := p.with.As(p.agent).Raw(query, vars), p.without.As(p.agent).Raw(query, vars)
	p.seen += p.equal(b, a, query, vars)
	return a.Tree(p.t)
}

func (p *pair) equal(want, got any, about ...any) (objects int) {
	p.t.Helper()
	w, _ := p.opened(p.without, want)
	g, n := p.opened(p.with, got)
	require.Equal(p.t, w, g, "%s: %v", p.agent, about)
	return n
}

// opened is an answer with the places that stand in its cursors, and how many
// objects it has.
func (p *pair) opened(at *parleytest.Parley, answer any) (text string, objects int) {
	b, err := json.Marshal(answer)
	require.NoError(p.t, err)
	var tree any
	require.NoError(p.t, json.Unmarshal(b, &tree))
	var open func(v any) any
	open = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			objects++
			for k := range v {
				v[k] = open(v[k])
			}
		case []any:
			for i := range v {
				v[i] = open(v[i])
			}
		case string:
			return placeIn(at, v)
		}
		return v
	}
	b, err = json.MarshalIndent(open(tree), "", " ")
	require.NoError(p.t, err)
	return string(b), objects
}

func placeIn(at *parleytest.Parley, text string) string {
	for _, kind := range []cursor.Kind{cursor.Feed, cursor.Conversations, cursor.Messages, cursor.Search} {
		var n [3]int64
		for _, place := range [][]*int64{{&n[0]}, {&n[0], &n[1]}, {&n[0], &n[1], &n[2]}} {
			if at.Conversations.Cursors.Open(kind, text, place...) {
				return fmt.Sprint(kind, n[:len(place)])
			}
		}
	}
	return text
}

// lists walks random lists in pages, both ways.
func (p *pair) lists() {
	for range 40 {
		vars := parleytest.Vars{
			"view":   map[string]any{"kind": []string{"ALL", "MY_INBOX", "SENT", "UNASSIGNED"}[p.random.IntN(4)]},
			"order":  map[string]any{"field": "LAST_MESSAGE_AT", "direction": []string{"ASC", "DESC"}[p.random.IntN(2)]},
			"filter": p.filter(),
		}
		size, cursor, way := []string{"first", "last"}, []string{"after", "before"}, p.random.IntN(2)
		vars[size[way]] = 1 + p.random.IntN(7)
		for more := true; more; {
			info := p.same(list, vars).Get("conversations", "pageInfo")
			more = info.Get([]string{"hasNextPage", "hasPreviousPage"}[way]).Bool()
			vars[cursor[way]] = info.Get([]string{"endCursor", "startCursor"}[way]).String()
		}
	}
}

func (p *pair) filter() map[string]any {
	f := map[string]any{}
	if p.random.IntN(3) == 0 {
		f["isUnread"] = p.random.IntN(2) == 0
	}
	if p.random.IntN(3) == 0 {
		f["lastMessageDirection"] = []string{"INBOUND", "OUTBOUND"}[p.random.IntN(2)]
	}
	if p.random.IntN(4) == 0 {
		f["isAssigned"] = p.random.IntN(2) == 0
	}
	if p.random.IntN(4) == 0 {
		f["lastMessageFrom"] = parleytest.Start.Add(time.Duration(p.random.IntN(90)) * time.Minute).Format(time.RFC3339)
	}
	return f
}

func (p *pair) searches() {
	for _, q := range []string{"krakatoa", "zebulon", "zeb", "order", "nowhere", "o", "+1202555", "1207", "note kra", "thanks"} {
		vars := parleytest.Vars{"q": q, "first": 1 + p.random.IntN(6)}
		for more := true; more; {
			info := p.same(search, vars).Get("search", "pageInfo")
			more = info.Get("hasNextPage").Bool()
			vars["after"] = info.Get("endCursor").String()
		}
	}
}

// streams replays from a cursor what has happened since: the same frames.
func (p *pair) streams(from string) {
	for _, kind := range []string{"ALL", "MY_INBOX", "UNASSIGNED"} {
		p.stream(changes, kind, from)
	}
	p.stream(added, "ALL", from)
}

func (p *pair) stream(query, view, from string) {
	p.t.Helper()
	vars := parleytest.Vars{"after": from}
	if query == changes {
		vars["view"] = map[string]any{"kind": view}
	}
	want, got := p.frames(p.without, query, view, vars), p.frames(p.with, query, view, vars)
	p.seen += p.equal(want, got, query, vars)
}

// frames are what a stream gives until the log is replayed, which the agent's own
// note in the view shows.
func (p *pair) frames(at *parleytest.Parley, query, view string, vars parleytest.Vars) (all []any) {
	c := at.As(p.agent)
	first := c.Do(`query($kind: ViewKind!) { conversations(view: {kind: $kind}, first: 1) { nodes { id } } }`, parleytest.Vars{"kind": view}).Get("conversations", "nodes").List()
	if len(first) == 0 {
		return nil
	}
	s := c.Subscribe(query, vars)
	defer s.Close()
	end := "end-" + strings.ToLower(view) + fmt.Sprint("-", query == added) // the same in both
	noted := c.Do(`mutation($id: ID!, $key: String!) { addNote(input: {conversationId: $id, text: "end", idempotencyKey: $key}) { errors { code } } }`,
		parleytest.Vars{"id": first[0].Get("id").String(), "key": end})
	require.Empty(p.t, noted.Get("addNote", "errors").List())
	for {
		f, err := s.Read(20 * time.Second)
		require.NoError(p.t, err)
		if strings.Contains(string(f.Payload), end) {
			return all
		}
		all = append(all, f.Payload)
	}
}
