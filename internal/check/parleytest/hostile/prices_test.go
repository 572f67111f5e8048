package hostile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dear are documents that did a hundred times the work of their price. They are
// repeated as often as the cost allows, with other arguments each time.
var dear = map[string]func(times int) string{
	"filtered counts": func(times int) string {
		return "{" + repeat(times, `a%[1]d: conversations(view: {kind: ALL}, first: 1, filterBy: {lastMessageFrom: "19%02[2]d-01-01T00:00:00Z"}) { totalCount }`, 70) + "}"
	},
	"dry runs": func(times int) string {
		return "mutation {" + repeat(times, `a%[1]d: bulkMarkConversationsRead(input: {selection: {view: {kind: ALL}}, dryRun: true, idempotencyKey: "d%[2]d"}) { preview { total } }`, 0) + "}"
	},
	"dry runs by search": func(times int) string {
		return "mutation {" + repeat(times, `a%[1]d: bulkMarkConversationsRead(input: {selection: {search: "the"}, dryRun: true, idempotencyKey: "s%[2]d"}) { preview { total } }`, 0) + "}"
	},
	"drafts": func(times int) string {
		return `query($draft: String!) { conversations(view: {kind: ALL}, first: 10) { nodes {` +
			repeat(times, `a%[1]d: sendability(draft: $draft) { canSend segments { segments } }`, 0) + "} } }"
	},
}

// drafted is the longest draft, which goes with all of them.
var drafted = vars{"draft": strings.Repeat("é€x", 6_600)}

func repeat(times int, format string, from int) string {
	var b strings.Builder
	for n := range times {
		fmt.Fprintf(&b, format+" ", n, from+n)
	}
	return b.String()
}

// documentsCostWhatTheyDo: none of them runs thirty times over, and 64 of what runs
// are more than an agent has.
func documentsCostWhatTheyDo(w *world) {
	sue := w.as("sue")
	for name, document := range dear {
		times, _ := sue.dearest(30, document)
		require.Less(w.t, times, 30, name)
		w.t.Logf("%s: %d at most", name, times)
	}
}

// dearestDocumentsLeaveOthersTheirs has a supervisor, who sees the most without
// being an administrator, send 64 of the dearest at once. Bounds are generous:
// without prices and turns a page takes hundreds of times as long.
func dearestDocumentsLeaveOthersTheirs(w *world) {
	sue := w.as("sue")
	quiet := w.visit("bo")
	pause(w.t.Context(), 1500*time.Millisecond)
	before := median(quiet.times())
	for name, document := range dear {
		_, text := sue.dearest(30, document)
		bo := w.visit("bo")
		answers := sue.crowd(64, 3*time.Second, func(int) (string, vars) { return text, drafted })
		took := bo.times()
		refused := 0
		for _, a := range answers {
			if a.code() == "LIMIT_EXCEEDED" {
				refused++
				require.Positive(w.t, a.wait(), "%s: when to come back is said", name)
			}
		}
		w.t.Logf("%s: %d answers, %d refused; a page of another took %s before, then %s, at most %s", name, len(answers), refused, before, median(took), took[len(took)-1])
		require.Positive(w.t, refused, name)
		require.Less(w.t, median(took), 20*before+100*time.Millisecond, name)
		require.Less(w.t, took[len(took)-1], 5*time.Second, name)
	}
}

// A caller that asks for more at once than it may have under way is told to wait.
func TestAnAgentHasSoManyOperationsUnderWay(t *testing.T) {
	w := newWorld(t, 20, "--rate", "0", "--in-flight", "4")
	refused := 0
	for _, a := range w.as("sue").crowd(100, 2*time.Second, func(n int) (string, vars) {
		return `query($from: DateTime!) { conversations(view: {kind: ALL}, first: 50, filterBy: {lastMessageFrom: $from}) { totalCount nodes { name } } }`,
			vars{"from": time.Date(1990, 1, 1, 0, 0, n, 0, time.UTC).Format(time.RFC3339)}
	}) {
		if a.code() == "LIMIT_EXCEEDED" {
			require.Contains(t, a.body, "in flight")
			require.Positive(t, a.wait(), "when to come back is said")
			refused++
		}
	}
	require.Positive(t, refused)
}

// problem is the first error of a mutation's payload.
type problem struct {
	Code, Message string
	RetryAfter    *int
}

type sent struct {
	SendMessage struct {
		Message *struct{ ID string }
		Errors  []problem
	}
}

const sending = `mutation($in: SendMessageInput!) { sendMessage(input: $in) { message { id } errors { code message retryAfter } } }`

// sendsHaveAQuota: a hundred at once, then one every six seconds. What was sent is
// found again for nothing, and others send as before.
func sendsHaveAQuota(w *world) {
	bo := w.as("bo")
	conversation := bo.sendable()
	send := func(by *agent, conversation, key string) (got sent) {
		w.t.Helper()
		by.do(&got, sending, vars{"in": vars{"conversationId": conversation, "text": "Buy now", "idempotencyKey": key}})
		return got
	}
	first := send(bo, conversation, "first")
	require.NotNil(w.t, first.SendMessage.Message, "%v", first)
	for range 30 {
		require.Equal(w.t, first, send(bo, conversation, "first"), "a repeat")
	}
	accepted, refused := 1, problem{}
	for accepted < 300 && refused.Code == "" {
		if got := send(bo, conversation, key()); len(got.SendMessage.Errors) > 0 {
			refused = got.SendMessage.Errors[0]
		} else {
			accepted++
		}
	}
	require.Equal(w.t, "LIMIT_EXCEEDED", refused.Code, "%d were accepted", accepted)
	require.InDelta(w.t, 100, accepted, 20)
	require.Positive(w.t, *refused.RetryAfter)
	require.Equal(w.t, first, send(bo, conversation, "first"), "what was sent is found all the same")
	frame := bo.frame(sending, vars{"in": vars{"conversationId": conversation, "text": "Buy now", "idempotencyKey": key()}})
	require.Contains(w.t, frame, "LIMIT_EXCEEDED", "nor by a socket")
	amy := w.as("amy")
	require.Empty(w.t, send(amy, amy.sendable(), key()).SendMessage.Errors, "others send as before")
	bo.starts()
}

// starts begins conversations until it may not.
func (a *agent) starts() {
	a.t.Helper()
	channel := a.own(a.conversations()[0])["channelId"]
	for n := range 60 {
		var got struct{ StartConversation struct{ Errors []problem } }
		a.do(&got, `mutation($in: StartConversationInput!) { startConversation(input: $in) { errors { code message retryAfter } } }`,
			vars{"in": vars{"channelId": channel, "number": fmt.Sprintf("+1202555%04d", 7000+n), "text": "Buy now", "idempotencyKey": key()}})
		if e := got.StartConversation.Errors; len(e) > 0 && e[0].Code == "LIMIT_EXCEEDED" {
			require.Positive(a.t, *e[0].RetryAfter)
			return
		}
	}
	require.Fail(a.t, "conversations are started without end")
}

// sendable is a conversation in which the agent may send.
func (a *agent) sendable() string {
	a.t.Helper()
	var all struct {
		Conversations struct {
			Nodes []struct {
				ID          string
				Sendability struct{ CanSend bool }
			}
		}
	}
	a.do(&all, `{ conversations(view: {kind: ALL}, first: 50) { nodes { id sendability { canSend } } } }`, nil)
	for _, c := range all.Conversations.Nodes {
		if c.Sendability.CanSend {
			return c.ID
		}
	}
	require.Fail(a.t, "the agent may send nowhere")
	return ""
}

// bulkOperationsHaveAQuota: each keeps something, also when it is cancelled.
func bulkOperationsHaveAQuota(w *world) {
	amy := w.as("amy")
	for n := range 60 {
		var begun struct {
			BulkMarkConversationsUnread struct {
				Operation *struct{ ID string }
				Errors    []problem
			}
		}
		amy.do(&begun, `mutation($key: String!) { bulkMarkConversationsUnread(input: {selection: {view: {kind: ALL}}, idempotencyKey: $key}) { operation { id } errors { code message retryAfter } } }`, vars{"key": key()})
		if errors := begun.BulkMarkConversationsUnread.Errors; len(errors) > 0 && errors[0].RetryAfter != nil {
			require.Equal(w.t, "LIMIT_EXCEEDED", errors[0].Code)
			require.Greater(w.t, n, 3)
			return
		}
		if op := begun.BulkMarkConversationsUnread.Operation; op != nil {
			amy.ask(`mutation($id: ID!) { cancelBulkOperation(input: {id: $id}) { errors { code } } }`, vars{"id": op.ID})
		}
	}
	require.Fail(w.t, "operations are begun and cancelled without end")
}
