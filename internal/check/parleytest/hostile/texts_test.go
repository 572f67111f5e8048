package hostile_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

// texts are what no column holds, or nobody sees, or turns a line around: as JSON
// writes them, since some are no texts of this language.
var texts = []string{
	`"a\u0000b"`, `"\u0000"`, `"\ud800"`, `"a\udfffb\ud83d"`, `"\u202eabc\u2066\u202c"`, `"\u200b\u200d\ufeff"`,
	`"\ufdd0\uffff\udbff\udfff"`, "\"\xff\xfe\xc0\x80\"", `"` + "\x7f" + `\u0001\u001b[2J"`, `""`, `"'; DROP TABLE agents; --"`, `"%_\\\"*():^ NEAR/2 -a"`,
}

// noTextIsInternal puts each wherever a text can be put.
func noTextIsInternal(w *world) {
	amy := w.as("amy")
	walk := newWalk(amy.own(amy.sights().own[0]))
	const here = "value-goes-here"
	tried := 0
	for _, s := range walk.spots("String", "ID", "Cursor", "DateTime") {
		views := []string{""}
		if strings.HasSuffix(s.path, "view.subject") {
			views = []string{"SENDER_ID", "TEAM_INBOX", "OBJECT_TYPE", "RECORD"}
		}
		for _, view := range views {
			for _, text := range texts {
				body, err := json.Marshal(map[string]any{"query": walk.document(s), "variables": walk.variables(s, here, view)})
				require.NoError(w.t, err)
				written := strings.ReplaceAll(string(body), `"`+here+`"`, text)
				got := amy.speak(s, written)
				require.NotContains(w.t, got.body, "INTERNAL", "%s of %q", s, text)
				require.NotContains(w.t, got.body, "GRAPHQL_VALIDATION_FAILED", "%s of %q", s, text)
				require.NotContains(w.t, []int{http.StatusInternalServerError, http.StatusBadGateway}, got.status, "%s of %q", s, text)
				tried++
			}
		}
	}
	require.Greater(w.t, tried, 500)
	require.NotContains(w.t, w.Log(), "INTERNAL")
}

// speak sends a body, of a subscription for an event stream.
func (a *agent) speak(s spot, body string) *answer {
	a.t.Helper()
	if s.root.Name != "Subscription" {
		return a.insist(body)
	}
	status, event := a.streamOf(body, func(string) bool { return true })
	return &answer{status: status, body: event}
}

// blankTextsAreRefused: what nobody sees is no message and no note.
func blankTextsAreRefused(w *world) {
	amy := w.as("amy")
	own := amy.conversations()[0].ID
	for _, blank := range []string{"", "  \t\n", "\u200b", "\u200d\ufeff\u2060", "\u202e\u202c", "\u00ad", "\u3164", "\u2800", "\u180e\u034f", "\U000e0020\U000e007f"} {
		v := vars{"in": vars{"conversationId": own, "text": blank, "idempotencyKey": key()}}
		sent := amy.ask(`mutation($in: SendMessageInput!) { sendMessage(input: $in) { message { id } refusals { code } errors { code } } }`, v)
		require.Contains(w.t, sent.body, "TEXT_EMPTY", "%+q", blank)
		require.Contains(w.t, sent.body, `"message":null`, "%+q", blank)
		noted := amy.ask(`mutation($in: AddNoteInput!) { addNote(input: $in) { message { id } errors { code field } } }`, v)
		require.Contains(w.t, noted.body, "BAD_INPUT", "%+q", blank)
		require.Contains(w.t, noted.body, `"message":null`, "%+q", blank)
	}
}
