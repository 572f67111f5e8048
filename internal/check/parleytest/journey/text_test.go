package journey_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// PostgreSQL takes no NUL in a text: wherever a caller puts one, it must not fail
// on our side.
func TestATextWithNULIsNoFaultOfOurs(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	amy := p.As("amy")
	p.Say("+12025550177", parleytest.Direct, "hello")
	id := amy.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	vars := parleytest.Vars{"id": id, "x": "a\x00b"}
	for document, code := range map[string]string{
		`query ($x: String!) { record(objectType: $x, externalId: "a") { name } }`:                                                                                                  "NOT_FOUND",
		`query ($x: String!) { record(objectType: "Contact", externalId: $x) { name } }`:                                                                                            "NOT_FOUND",
		`{ record(objectType: "Contact", externalId: "a\u0000b") { name } }`:                                                                                                        "NOT_FOUND",
		`query ($x: ID!) { node(id: $x) { id } }`:                                                                                                                                   "NOT_FOUND",
		`query ($x: String!) { conversations(view: {kind: ALL}, after: $x) { totalCount } }`:                                                                                        "BAD_INPUT",
		`mutation ($id: ID!, $x: String!) { sendMessage(input: {conversationId: $id, text: "x", idempotencyKey: $x}) { errors { code } } }`:                                         "",
		`mutation ($id: ID!, $x: String!) { sendMessage(input: {conversationId: $id, text: $x, idempotencyKey: "k1"}) { message { id content { ... on TextContent { text } } } } }`: "",
		`mutation ($id: ID!, $x: String!) { addNote(input: {conversationId: $id, text: $x, idempotencyKey: "k2"}) { message { id } } }`:                                             "",
	} {
		answer := amy.Raw(document, vars)
		if code == "" {
			require.Empty(t, answer.Errors, document)
			continue
		}
		require.Equal(t, []string{code}, answer.Codes(), document)
	}
}
