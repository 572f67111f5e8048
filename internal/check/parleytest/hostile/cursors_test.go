package hostile_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"parley/internal/ground/cursor"
)

// kind is a list, or a stream, that gives cursors and takes them.
type kind struct {
	name  cursor.Kind
	gives string // a document with a cursor in it
	takes string // one that goes on from $c
	vars  vars   // of both
}

const stream = "subscription"

// kinds are those of the agent's own lists, each with something in it.
func (a *agent) kinds() []kind {
	a.t.Helper()
	own := a.conversations()[0].ID
	a.note(own, "something to find")
	var begun struct {
		BulkMarkConversationsUnread struct{ Operation *struct{ ID string } }
	}
	a.do(&begun, `mutation($id: ID!, $key: String!) { bulkMarkConversationsUnread(input: {selection: {ids: [$id]}, idempotencyKey: $key}) { operation { id } errors { code message } } }`,
		vars{"id": own, "key": key()})
	require.NotNil(a.t, begun.BulkMarkConversationsUnread.Operation)
	operation := vars{"id": begun.BulkMarkConversationsUnread.Operation.ID}
	conversation := vars{"id": own}
	return []kind{
		{
			cursor.Conversations, `{ conversations(view: {kind: ALL}, first: 2) { edges { cursor } } }`,
			`query($c: String!) { conversations(view: {kind: ALL}, first: 2, after: $c) { nodes { id } } }`, nil,
		},
		{
			cursor.Messages, `query($id: ID!) { conversation(id: $id) { messages(first: 2) { edges { cursor } } } }`,
			`query($id: ID!, $c: String!) { conversation(id: $id) { messages(first: 2, after: $c) { nodes { id } } } }`, conversation,
		},
		{
			cursor.Search, `{ search(query: "something", first: 1) { edges { cursor } } }`,
			`query($c: String!) { search(query: "something", first: 1, after: $c) { nodes { kind } } }`, nil,
		},
		{
			cursor.Operations, `{ viewer { bulkOperations(first: 1) { edges { cursor } } } }`,
			`query($c: String!) { viewer { bulkOperations(first: 1, after: $c) { nodes { id } } } }`, nil,
		},
		{
			cursor.Results, `query($id: ID!) { bulkOperation(id: $id) { results(first: 1) { edges { cursor } } } }`,
			`query($id: ID!, $c: String!) { bulkOperation(id: $id) { results(first: 1, after: $c) { nodes { conversationId } } } }`, operation,
		},
		{
			cursor.Feed, `{ conversations(view: {kind: ALL}, first: 1) { cursor: feedCursor } }`,
			stream + `($c: Cursor!) { messageAdded(after: $c) { kind } }`, nil,
		},
	}
}

// cursor is one that the list gives now.
func (a *agent) cursor(k kind) string {
	a.t.Helper()
	got := a.ask(k.gives, k.vars)
	require.Empty(a.t, got.Errors, got.body)
	_, rest, _ := strings.Cut(got.body, `"cursor":"`)
	text, _, _ := strings.Cut(rest, `"`)
	require.NotEmpty(a.t, text, got.body)
	return text
}

// pass has the list go on from a text; it gives the code of the refusal.
func (a *agent) pass(k kind, text string) (code string) {
	a.t.Helper()
	v := with(k.vars, "c", text)
	if !strings.HasPrefix(k.takes, stream) {
		return a.ask(k.takes, v).code()
	}
	_, event := a.event(k.takes, v)
	var got answer
	require.NoError(a.t, json.Unmarshal([]byte(event), &got), event)
	return got.code()
}

// refusal is how a text is refused that is no cursor of the list.
func (k kind) refusal() string {
	if k.name == cursor.Feed {
		return "RESYNC_REQUIRED"
	}
	return "BAD_INPUT"
}

func cursorsAreOpaque(w *world) {
	amy := w.as("amy")
	for _, k := range amy.kinds() {
		var all [][]byte
		length := 0
		for range 24 {
			text := amy.cursor(k)
			raw, err := base64.RawURLEncoding.DecodeString(text)
			require.NoError(w.t, err)
			all, length = append(all, raw), len(text)
			require.Len(w.t, raw, len(all[0]), k.name)
		}
		require.LessOrEqual(w.t, length, cursor.MostLength)
		requireNothingConstant(w, all, k.name)
	}
}

// requireNothingConstant holds that texts of one place have no byte in common:
// what is in the clear would be the same in all of them.
func requireNothingConstant(w *world, all [][]byte, about any) {
	w.t.Helper()
	for i := range all[0] {
		values := map[byte]bool{}
		for _, raw := range all {
			values[raw[i]] = true
		}
		require.Greater(w.t, len(values), len(all)/2, "byte %d of %v", i, about)
	}
}

func cursorsCannotBeMade(w *world) {
	amy := w.as("amy")
	for _, k := range amy.kinds() {
		good := amy.cursor(k)
		require.Empty(w.t, amy.pass(k, good), "a good one of %s", k.name)
		raw, err := base64.RawURLEncoding.DecodeString(good)
		require.NoError(w.t, err)
		for bit := 0; bit < 8*len(raw); bit += 13 {
			raw[bit/8] ^= 1 << (bit % 8)
			require.Equal(w.t, k.refusal(), amy.pass(k, base64.RawURLEncoding.EncodeToString(raw)), "%s with bit %d changed", k.name, bit)
			raw[bit/8] ^= 1 << (bit % 8)
		}
		for _, forged := range []string{
			good[:len(good)-1], good + "A", good + "==", good[:8] + "\n" + good[8:], strings.Repeat("A", len(good)), strings.Repeat(good, 200),
			base64.RawURLEncoding.EncodeToString(make([]byte, 16)),               // places in the clear
			base64.RawURLEncoding.EncodeToString([]byte("\x02\x34\x30" + "abc")), // and with their kind before them
			fmt.Sprintf("%08d", 17),
		} {
			require.Equal(w.t, k.refusal(), amy.pass(k, forged), "%s %.90s", k.name, forged)
		}
	}
}

func cursorsAreOfTheirList(w *world) {
	amy := w.as("amy")
	all := amy.kinds()
	for _, from := range all {
		text := amy.cursor(from)
		for _, to := range all {
			if from.name != to.name {
				require.Equal(w.t, to.refusal(), amy.pass(to, text), "%s as %s", from.name, to.name)
			}
		}
	}
}

func cursorsGiveNoRights(w *world) {
	amy, ada := w.as("amy"), w.as("ada")
	sights := amy.sights()
	var theirs struct {
		Conversations struct {
			FeedCursor string
			Edges      []struct{ Cursor string }
		}
		Conversation struct {
			Messages struct{ Edges []struct{ Cursor string } }
		}
		Search struct{ Edges []struct{ Cursor string } }
	}
	ada.do(&theirs, `query($id: ID!) {
		conversations(view: {kind: ALL}, first: 100) { feedCursor edges { cursor } }
		conversation(id: $id) { messages(first: 10) { edges { cursor } } }
		search(query: "krakatoa", first: 10) { edges { cursor } } }`, vars{"id": sights.hidden[0].ID})
	clean := func(document string, v vars) {
		w.t.Helper()
		got := amy.ask(document, v)
		require.Empty(w.t, got.Errors, got.body)
		require.Empty(w.t, sights.gives(got.body))
	}
	for n := 0; n < len(theirs.Conversations.Edges); n += 7 {
		for _, page := range []string{"after: $c, first: 20", "before: $c, last: 20"} {
			clean(`query($c: String!) { conversations(view: {kind: ALL}, `+page+`) { nodes { id lastMessage { id } record { id } messagingUser { id } } } }`,
				vars{"c": theirs.Conversations.Edges[n].Cursor})
		}
	}
	for _, e := range theirs.Conversation.Messages.Edges {
		clean(`query($id: ID!, $c: String!) { conversation(id: $id) { messages(after: $c, first: 20) { nodes { id } } } }`, vars{"id": sights.own[0].ID, "c": e.Cursor})
	}
	require.Len(w.t, theirs.Search.Edges, 10)
	for _, e := range theirs.Search.Edges {
		clean(`query($c: String!) { search(query: "krakatoa", after: $c, first: 20) { nodes { conversation { id } message { id } } } }`, vars{"c": e.Cursor})
	}
	ada.note(sights.hidden[0].ID, "between us")
	own := amy.note(sights.own[0].ID, "my own")
	events := amy.events(stream+`($c: Cursor!) { messageAdded(after: $c) { kind conversation { id } message { id } } }`, vars{"c": theirs.Conversations.FeedCursor}, own)
	require.Empty(w.t, sights.gives(events))
	require.NotContains(w.t, events, "between us")
}

// feedCursorsCountNothing looks at many of before and after: nothing in them
// stands still or moves with what others write.
func feedCursorsCountNothing(w *world) {
	amy, ada := w.as("amy"), w.as("ada")
	hidden := amy.sights().hidden[0].ID
	feed := kind{gives: `{ conversations(view: {kind: ALL}, first: 1) { cursor: feedCursor } }`}
	var all [2][][]byte
	var places [2]string
	for round := range all {
		for range 24 {
			text := amy.cursor(feed)
			raw, err := base64.RawURLEncoding.DecodeString(text)
			require.NoError(w.t, err)
			all[round], places[round] = append(all[round], raw), w.place(text)
		}
		for n := range 20 {
			ada.note(hidden, fmt.Sprint("quiet ", n))
		}
	}
	require.NotEqual(w.t, places[0], places[1], "the log has moved")
	requireNothingConstant(w, all[0], "before")
	requireNothingConstant(w, all[1], "after")
	require.Len(w.t, all[1][0], len(all[0][0]))
}
