//go:build rolling

package rolling

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
)

// idOf is the id of what a query lists under a name.
func (w *world) idOf(query, name string) string {
	var answer struct {
		R []struct{ ID, Name string }
	}
	if err := w.last.client.Query(w.t.Context(), "ada", query, nil, &answer); err != nil {
		return err.Error()
	}
	for _, node := range answer.R {
		if node.Name == name {
			return node.ID
		}
	}
	return "nothing is named " + name
}

func (w *world) agent(username string) string {
	return w.idOf(`{ r: agents { id name: username } }`, username)
}

func (w *world) channel(name string) string {
	return w.idOf(`{ r: channels { id name } }`, name)
}

// seeded are words of messages that the last version had before the update.
func (w *world) seeded() []string {
	w.t.Helper()
	var words []string
	for _, text := range w.column(`SELECT text FROM messages WHERE kind = 'TEXT' AND text NOT LIKE 'heron %' ORDER BY id LIMIT 20`) {
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r < 'a' || r > 'z' }) {
			if len(word) > 5 && !slices.Contains(words, word) {
				words = append(words, word)
				break
			}
		}
	}
	require.Greater(w.t, len(words), 3)
	return append(words[:4], "2025551000") // and a customer's number
}

const search = `query($query: String!, $after: String) { search(query: $query, first: 100, after: $after) { isComplete pageInfo { hasNextPage endCursor }
	nodes { kind conversation { id } message { id } highlights { start end } } } }`

// search returns all hits as JSON, and whether there can be no more.
func (w *world) search(s *side, query string) (hits string, complete bool) {
	w.t.Helper()
	nodes, complete := w.found(s, query)
	out, err := json.Marshal(nodes)
	require.NoError(w.t, err)
	return string(out), complete
}

func (w *world) hits(s *side, query string) int {
	w.t.Helper()
	nodes, _ := w.found(s, query)
	return len(nodes)
}

func (w *world) found(s *side, query string) (nodes []any, complete bool) {
	w.t.Helper()
	nodes, complete = []any{}, true
	for after := any(nil); ; {
		var page struct {
			Search struct {
				IsComplete bool
				PageInfo   struct {
					HasNextPage bool
					EndCursor   *string
				}
				Nodes []any
			}
		}
		require.NoError(w.t, s.client.Query(w.t.Context(), "ada", search, map[string]any{"query": query, "after": after}, &page), s.name)
		nodes, complete = append(nodes, page.Search.Nodes...), complete && page.Search.IsComplete
		if !page.Search.PageInfo.HasNextPage {
			return nodes, complete
		}
		after = *page.Search.PageInfo.EndCursor
	}
}

// cursorOf is where the log stands, as a version says it.
func (w *world) cursorOf(s *side) string {
	w.t.Helper()
	var page struct{ Conversations struct{ FeedCursor string } }
	require.NoError(w.t, s.client.Query(w.t.Context(), "ada", `{ conversations(view: {kind: ALL}, first: 1) { feedCursor } }`, nil, &page))
	return page.Conversations.FeedCursor
}

const (
	lists = `query($kind: ViewKind!, $filter: ConversationFilter) { conversations(view: {kind: $kind}, filterBy: $filter, first: 100) { totalCount
		nodes { id name mobileNumber preview lastMessageAt lastMessageDirection isUnread newCount messageCount owner { username } channel { name type }
			messagingUser { address country consentStatus } sendability { canSend } lastMessage { id } } } }`
	threads = `query($id: ID!) { conversation(id: $id) { isUnread newCount messages(first: 100) { totalCount nodes { id number kind source direction status createdAt
		author { username } attempts { status } content { __typename ... on TextContent { text } ... on NoteContent { text } } } } } }`
	inboxes = `{ viewer { permissions inboxes { nodes { kind subject title counts { total unread new } } } } }`
)

// agree wants lists, counts, inboxes and threads to be the same in both versions, for
// every agent.
func (w *world) agree() {
	w.t.Helper()
	for _, username := range []string{"ada", "amy", "bo", "sue"} {
		for _, kind := range []string{"ALL", "MY_INBOX", "SENT", "UNASSIGNED"} {
			for _, filter := range []map[string]any{nil, {"isUnread": true}, {"isAssigned": true}} {
				w.same(username, lists, map[string]any{"kind": kind, "filter": filter})
			}
		}
		w.same(username, inboxes, nil)
	}
	for _, c := range w.customers {
		w.same("ada", threads, map[string]any{"id": c.id})
	}
}

func (w *world) same(username, document string, variables map[string]any) {
	w.t.Helper()
	require.Equal(w.t, w.last.ask(username, document, variables), w.this.ask(username, document, variables), "%s, %v", username, variables)
}

// bulk begins a bulk operation at one version and follows it at the other.
func (w *world) bulk(at, from *side, mutation, input string) {
	w.t.Helper()
	begin := `mutation($input: ` + input + `!) { r: ` + mutation + `(input: $input) { operation { id } errors { message } } }`
	const look = `query($id: ID!) { bulkOperation(id: $id) { action state total done changed unchanged refused results(first: 100) { nodes { outcome conversation { id } } } } }`
	var begun struct {
		R struct {
			Operation *struct{ ID string }
			Errors    []struct{ Message string }
		}
	}
	require.NoError(w.t, at.client.Query(w.t.Context(), "ada", begin, map[string]any{"input": map[string]any{
		"selection": map[string]any{"view": map[string]any{"kind": "ALL"}}, "confirmForOwner": true, "dryRun": false, "idempotencyKey": mutation,
	}}, &begun))
	require.NotNil(w.t, begun.R.Operation, "%v", begun.R.Errors)
	id := map[string]any{"id": begun.R.Operation.ID}
	w.eventually(func() bool { return strings.Contains(from.ask("ada", look, id), `"state":"DONE"`) }, "%s is done", mutation)
	w.same("ada", look, id)
	require.Contains(w.t, from.ask("ada", look, id), fmt.Sprintf(`"refused":%d`, 0))
}
