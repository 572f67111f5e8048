package resolvers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// Text that no column can hold names nothing: it is bad input or not there, on
// every database and by every argument, and never an error of ours.
func TestTextThatNoColumnHoldsIsTheCallersError(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.begin("+12025550151", parleytest.Sales, 1)
	d.Run()
	documents := map[string]string{
		"view":         `query($s: ID!, $id: ID!) { conversations(view: {kind: OBJECT_TYPE, subject: $s}) { totalCount nodes { id } } conversation(id: $id) { id } }`,
		"filter":       `query($s: String!, $id: ID!) { conversations(view: {kind: ALL}, filterBy: {objectType: $s}) { totalCount nodes { id } } conversation(id: $id) { id } }`,
		"object type":  `query($s: String!, $id: ID!) { record(objectType: $s, externalId: "1") { id } conversation(id: $id) { id } }`,
		"external id":  `query($s: String!, $id: ID!) { record(objectType: "Contact", externalId: $s) { id } conversation(id: $id) { id } }`,
		"draft":        `query($s: String!, $id: ID!) { conversation(id: $id) { sendability(draft: $s) { canSend } } }`,
		"text":         `mutation($s: String!, $id: ID!) { sendMessage(input: {conversationId: $id, text: $s, idempotencyKey: "t"}) { errors { code } message { id } } }`,
		"note":         `mutation($s: String!, $id: ID!) { addNote(input: {conversationId: $id, text: $s, idempotencyKey: "n"}) { errors { code } message { id } } }`,
		"number":       `mutation($s: String!, $id: ID!) { startConversation(input: {channelId: $id, number: $s, text: "x", idempotencyKey: "s"}) { errors { code } } }`,
		"key":          `mutation($s: String!, $id: ID!) { addNote(input: {conversationId: $id, text: "x", idempotencyKey: $s}) { errors { code } } }`,
		"marked":       `mutation($s: ID!, $id: ID!) { markConversationsUnread(input: {ids: [$s, $id]}) { errors { code } } }`,
		"up to":        `mutation($s: ID!, $id: ID!) { markConversationsRead(input: {conversations: [{id: $id, upToMessageId: $s}]}) { errors { code } } }`,
		"assignee":     `mutation($s: ID!, $id: ID!) { assignConversations(input: {ids: [$id], agentId: $s}) { errors { code } } }`,
		"node":         `query($s: ID!, $id: ID!) { node(id: $s) { id } conversation(id: $id) { id } }`,
		"cursor":       `query($s: String!, $id: ID!) { conversations(view: {kind: ALL}, after: $s) { nodes { id } } conversation(id: $id) { id } }`,
		"live view":    `subscription($s: ID!) { conversationsChanged(view: {kind: OBJECT_TYPE, subject: $s}) { kind } }`,
		"live filter":  `subscription($s: String!) { conversationsChanged(view: {kind: ALL}, filterBy: {objectType: $s}) { kind } }`,
		"live cursor":  `subscription($s: Cursor!) { inboxCountsChanged(after: $s) { kind } }`,
		"live subject": `subscription($s: ID!) { conversationChanged(id: $s) { __typename } }`,
	}
	for name, document := range documents {
		for _, s := range []string{"a\x00b", "\x00", strings.Repeat("x", 5_000)} {
			v := vars{"s": s, "id": id}
			if strings.HasPrefix(document, "subscription") {
				socket := d.As("amy").Subscribe(document, vars{"s": s})
				f, err := socket.Read(10 * time.Second)
				require.NoError(t, err, name)
				requireOurs(t, string(f.Payload), name, s)
				socket.Close()
				continue
			}
			requireOurs(t, strings.Join(d.As("amy").Raw(document, v).Codes(), " "), name, s)
		}
	}
}

// requireOurs fails when an answer is no word of a use case's.
func requireOurs(t *testing.T, answer, name, s string) {
	t.Helper()
	require.NotContains(t, answer, "INTERNAL", "%s %.10q", name, s)
	require.NotContains(t, answer, "GRAPHQL_", "%s %.10q", name, s)
}

func TestAQueryInAURLIsUTF8(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token, err := d.Tokens.Mint("ada", time.Hour)
	require.NoError(t, err)
	query := "{ record(objectType: \"\xff\", externalId: \"1\") { id } }"
	req, err := http.NewRequest(http.MethodGet, "http://parley.test/graphql?query="+url.QueryEscape(query), http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	rec := d.Answer(req)
	require.Contains(t, rec.Body.String(), "BAD_INPUT")
}
