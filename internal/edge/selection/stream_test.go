package selection_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/edge/selection"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/stream"
	"parley/internal/ground/viewer"
)

// subscription is one that is open, by either way.
type subscription struct {
	t    testing.TB
	ctx  context.Context
	next graphql.ResponseHandler
}

func (w *world) subscribe(t testing.TB, e *executor.Executor, agent, document string, variables map[string]any) *subscription {
	v, err := w.Directory.Viewer(agent)
	require.NoError(t, err)
	return w.subscribeAs(t, e, v, document, variables)
}

func (w *world) subscribeAs(t testing.TB, e *executor.Executor, v *viewer.Viewer, document string, variables map[string]any) *subscription {
	ctx, cancel := context.WithTimeout(viewer.NewContext(context.Background(), v), 20*time.Second)
	t.Cleanup(cancel)
	ctx, _ = stream.NewContext(graphql.StartOperationTrace(ctx), nil)
	op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: asSent(t, variables)})
	require.Empty(t, errs, document)
	require.True(t, w.schema.Compiles(op), document)
	next, ctx := e.DispatchOperation(ctx, op)
	return &subscription{t, ctx, next}
}

// frame is the next frame with its errors.
func (s *subscription) frame() string {
	response := s.next(s.ctx)
	require.NotNil(s.t, response, "the stream has ended")
	errs, err := json.Marshal(response.Errors)
	require.NoError(s.t, err)
	return string(response.Data) + string(errs)
}

// fields of streams that give one frame for each event here.
var streams = map[string]string{
	"messageAdded": "", "conversationsChanged": "(view: {kind: ALL})", "conversationChanged": "(id: $id)",
}

// stream writes a document that subscribes to a field.
func (a *author) stream(field string) (document string, variables map[string]any) {
	a.variables, a.left = map[string]any{}, 20
	f := a.schema.Subscription.Fields.ForName(field)
	body := a.selections(a.schema.Types[f.Type.Name()], 5, false)
	if field == "conversationChanged" {
		a.declared = append(a.declared, "$id: ID!")
	}
	head := "subscription"
	if len(a.declared) > 0 {
		head += "(" + strings.Join(a.declared, ", ") + ")"
	}
	return head + " { it: " + field + streams[field] + " " + body + " }\n" + strings.Join(a.fragments, "\n"), a.variables
}

// Frames are the executor's byte for byte, whoever subscribes with whom.
func TestCompiledFramesEqualTheExecutors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Run()
	const customer = "+12025550160"
	w.Say(customer, parleytest.Sales, "Hello")
	id := w.conversationOf(customer)
	for field := range streams {
		for seed := range uint64(25) {
			w.compareFrames(t, field, seed, customer, id)
		}
	}
}

func (w *world) compareFrames(t *testing.T, field string, seed uint64, customer, id string) {
	a := &author{random: rand.New(rand.NewPCG(seed, 2)), schema: w.schema.Schema(), world: w}
	document, variables := a.stream(field)
	if field == "conversationChanged" {
		variables["id"] = id
	}
	type pair struct{ want, got *subscription }
	var pairs []pair
	for _, agent := range []string{"amy", "bo", "ada"} {
		pairs = append(pairs, pair{w.subscribe(t, w.executor, agent, document, variables), w.subscribe(t, w.compiled, agent, document, variables)})
	}
	same := func() {
		for _, p := range pairs {
			require.Equal(t, p.want.frame(), p.got.frame(), "%d: %s\n%v", seed, document, variables)
		}
	}
	same()
	w.Say(customer, parleytest.Sales, "one more")
	same()
}

func (w *world) conversationOf(customer string) string {
	for _, c := range w.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 20) { nodes { id mobileNumber } } }`, nil).Get("conversations", "nodes").List() {
		if c.Get("mobileNumber").String() == customer {
			return c.Get("id").String()
		}
	}
	require.Fail(w.T, "no conversation", customer)
	return ""
}

// What depends on who asks is never another's.
func TestWhatDependsOnTheViewerIsNotShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Run()
	const document = `subscription { messageAdded { conversation { id viewerCanAssign sendability { canSend refusals { code } } record { conversations(first: 1) { totalCount } } } } }`
	var want, got []*subscription
	for _, agent := range []string{"bo", "ada"} {
		want = append(want, w.subscribe(t, w.executor, agent, document, nil))
		got = append(got, w.subscribe(t, w.compiled, agent, document, nil))
		require.Equal(t, want[len(want)-1].frame(), got[len(got)-1].frame())
	}
	w.Say("+12025550161", parleytest.Sales, "Hello")
	frames := map[string]bool{}
	for i := range got {
		frame := got[i].frame()
		require.Equal(t, want[i].frame(), frame)
		frames[frame] = true
	}
	require.Len(t, frames, 2)
}

// A batch resolver may give each viewer their own, unless the schema promises that
// it does not: then it cannot know who asks.
func TestABatchIsSharedOnlyWhereTheSchemaSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Run()
	customer := w.tables.Objects["Conversation"].Fields["messagingUser"]
	require.Equal(t, selection.SharedByAll, customer.Shared)
	require.Equal(t, selection.SharedByNone, w.tables.Objects["BulkResult"].Fields["conversation"].Shared, "nil for whom may not see it")
	for _, shared := range []selection.Sharing{selection.SharedByAll, selection.SharedByNone} {
		asked := []*viewer.Viewer{}
		own := *customer
		own.Shared = shared
		own.Batch = func(ctx context.Context, parents []any, fc selection.Call) ([]any, error) {
			asked = append(asked, viewer.FromContext(ctx))
			return customer.Batch(ctx, parents, fc)
		}
		w.tables.Objects["Conversation"].Fields["messagingUser"] = &own
		e := newExecutor(selection.New(w.schema.ExecutableSchema, w.tables, w.recordRights, w.Directory.Now))
		var open []*subscription
		for _, agent := range []string{"ada", "amy"} {
			open = append(open, w.subscribe(t, e, agent, `subscription { messageAdded { conversation { messagingUser { id } } } }`, nil))
			open[len(open)-1].frame()
		}
		asked = nil
		w.Say("+12025550161", parleytest.Sales, "Hello")
		require.Equal(t, open[0].frame(), open[1].frame())
		if shared == selection.SharedByAll {
			require.Len(t, asked, 1, "read once for both")
			require.NotEmpty(t, asked[0].System)
		} else {
			require.Len(t, asked, 2, "read for each")
			require.NotEqual(t, asked[0].AgentID, asked[1].AgentID)
		}
	}
}

// What subscribers share is read and written once, however many they are.
func TestAnEventIsWrittenOnceForItsSubscribers(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	w := newWorld(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if strings.Contains(statement, "messaging_users") && strings.HasPrefix(statement, "SELECT") {
				reads.Add(1)
			}
			return nil
		}
	})
	w.Run()
	const customer = "+12025550162"
	w.Say(customer, parleytest.Sales, "Hello")
	id := w.conversationOf(customer)
	const document = `subscription($id: ID!, $name: Boolean!) { conversationChanged(id: $id) { __typename
		... on ConversationUpdated { cursor conversation { id isUnread messagingUser { id name @include(if: $name) } } } } }`
	var open []*subscription
	for _, agent := range []string{"amy", "bo", "ada", "amy", "ada"} {
		open = append(open, w.subscribe(t, w.compiled, agent, document, map[string]any{"id": id, "name": true}))
		open[len(open)-1].frame()
	}
	open = append(open, w.subscribe(t, w.compiled, "ada", document, map[string]any{"id": id, "name": false})) // another plan
	open[len(open)-1].frame()
	reads.Store(0)
	w.change(id)
	var got []string
	for _, s := range open {
		got = append(got, s.frame())
	}
	require.Len(t, slices.Compact(got[:5]), 1)
	require.Contains(t, got[0], `"name":`)
	require.NotContains(t, got[5], `"name":`)
	require.EqualValues(t, 2, reads.Load())
}

// What is the same to viewers with equal rights on records is read and written once for
// each of the rights there are among them, and never shown to those with others.
func TestFieldsOfRecordsAreSharedByRights(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	w := newWorld(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if strings.Contains(statement, "body") && strings.HasPrefix(statement, "SELECT") {
				reads.Add(1)
			}
			return nil
		}
	})
	w.Run()
	shared := w.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 40) { nodes { id channel { address } record { id objectType externalId } } } }`, nil).Get("conversations", "nodes")
	var id string
	for _, c := range shared.List() {
		if c.Get("channel", "address").String() == parleytest.Sales && !c.Get("record").IsNull() && c.Get("record", "objectType").String() == "Lead" {
			id = c.Get("id").String()
			w.admin("upsertRecords", "UpsertRecordsInput", parleytest.Vars{"records": []parleytest.Vars{{
				"objectType": "Lead",
				"externalId": c.Get("record", "externalId").String(), "fields": []parleytest.Vars{{"name": "Company", "text": "Acme"}},
			}}})
		}
	}
	require.NotEmpty(t, id)
	set := w.admin("createPermissionSet", "CreatePermissionSetInput", parleytest.Vars{
		"name": "Leads", "permissions": []string{}, "idempotencyKey": "set",
		"recordRights": []parleytest.Vars{{"objectType": "Lead", "access": "READ"}},
	}).Get("permissionSet", "id").String()
	w.admin("grantPermissionSet", "GrantPermissionSetInput", parleytest.Vars{"id": set, "agentIds": []string{
		w.Directory.AgentNamed("amy").ID, w.Directory.AgentNamed("bo").ID,
	}})
	const document = `subscription($id: ID!) { conversationChanged(id: $id) { __typename
		... on ConversationUpdated { conversation { id record { name mobileNumber fields(names: ["Company"]) { name text unreadable } } } } } }`
	var open []*subscription
	for _, agent := range []string{"amy", "bo", "ada", "sue"} {
		open = append(open, w.subscribe(t, w.compiled, agent, document, map[string]any{"id": id}))
		open[len(open)-1].frame()
	}
	reads.Store(0)
	w.change(id)
	var got []string
	for _, s := range open {
		got = append(got, s.frame())
	}
	require.Contains(t, got[0], `"Acme"`)
	require.Contains(t, got[2], `"Acme"`)
	require.NotContains(t, got[3], `"Acme"`)
	require.Equal(t, got[0], got[1])
	require.EqualValues(t, 3, reads.Load(), "once for the two with equal rights, once for who has all, once for who has none")
}

// A stream goes on when rights are taken away: what it gives from then on is what a new
// one gives, whichever way its frames are made.
func TestAStreamHasTheRightsOfNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Run()
	const customer = "+12025550164"
	w.Say(customer, parleytest.Sales, "Hello")
	w.Say(customer, parleytest.Direct, "Hello") // amy's alone
	bo := w.Directory.AgentNamed("bo").ID
	w.admin("upsertRecords", "UpsertRecordsInput", parleytest.Vars{"records": []parleytest.Vars{{
		"objectType": "Lead", "externalId": "L1", "fields": []parleytest.Vars{{"name": "LastName", "text": "Jones"}, {"name": "Company", "text": "Acme"}},
	}}})
	record := w.As("ada").Do(`{ record(objectType: "Lead", externalId: "L1") { id } }`, nil).Get("record", "id").String()
	var id string
	for _, c := range w.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 40) { nodes { id mobileNumber channel { address } } } }`, nil).Get("conversations", "nodes").List() {
		if c.Get("mobileNumber").String() != customer {
			continue
		}
		if w.admin("linkConversation", "LinkConversationInput", parleytest.Vars{"conversationId": c.Get("id").String(), "recordId": record}); c.Get("channel", "address").String() == parleytest.Sales {
			id = c.Get("id").String()
		}
	}
	set := w.admin("createPermissionSet", "CreatePermissionSetInput", parleytest.Vars{
		"name": "All", "permissions": []string{"MANAGE_RECORDS", "VIEW_ALL_DATA", "ASSIGN_CONVERSATION"}, "idempotencyKey": "set",
	}).Get("permissionSet", "id").String()
	w.admin("grantPermissionSet", "GrantPermissionSetInput", parleytest.Vars{"id": set, "agentIds": []string{bo}})
	const document = `subscription($id: ID!) { conversationChanged(id: $id) { __typename ... on ConversationUpdated { conversation {
		viewerCanAssign record { fields(names: ["Company"]) { text unreadable } conversations { totalCount } } } } } }`
	slow := newExecutor(selection.New(w.schema.ExecutableSchema, selection.Tables{}, w.recordRights, w.Directory.Now))
	subscribe := func(e *executor.Executor) *subscription {
		s := w.subscribe(t, e, "bo", document, map[string]any{"id": id})
		s.frame()
		return s
	}
	compiled, executed := subscribe(w.compiled), subscribe(slow)
	w.change(id)
	frame := compiled.frame()
	require.Equal(t, executed.frame(), frame)
	require.Contains(t, frame, `"viewerCanAssign":true,"record":{"fields":[{"text":"Acme","unreadable":null}],"conversations":{"totalCount":2}}`)
	w.admin("revokePermissionSet", "RevokePermissionSetInput", parleytest.Vars{"id": set, "agentIds": []string{bo}})
	compiled.frame() // RESET
	executed.frame()
	w.change(id)
	frame = compiled.frame()
	require.Equal(t, executed.frame(), frame)
	require.Contains(t, frame, `"viewerCanAssign":false,"record":{"fields":[{"text":null,"unreadable":"FIELD_NOT_READABLE"}],"conversations":{"totalCount":1}}`)
}

func (w *world) admin(mutation, input string, in parleytest.Vars) parleytest.Tree {
	w.T.Helper()
	done := w.As("ada").Do(fmt.Sprintf(`mutation($i: %s!) { %s(input: $i) { errors { message } %s } }`, input, mutation,
		map[string]string{"createPermissionSet": "permissionSet { id }"}[mutation]), parleytest.Vars{"i": in}).Get(mutation)
	require.Empty(w.T, done.Get("errors").List())
	return done
}

// change marks a conversation unread as the system.
func (w *world) change(id string) {
	row, err := w.Conversations.Get(w.System(), id)
	require.NoError(w.T, err)
	require.NoError(w.T, w.Store.Write(w.System(), func(ctx context.Context, tx *store.Tx) error {
		_, err := w.Conversations.Change(ctx, tx, row.Key, func(_ context.Context, row *conversation.Row) (feed.Event, error) {
			row.MarkUnread()
			return feed.Event{Cause: feed.ConversationUnread}, nil
		})
		return err
	}))
}

// A stream that is refused is refused once, as the executor does.
func TestAStreamIsRefusedAsByTheExecutor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, document := range []string{
		`subscription { conversationChanged(id: "nonsense") { __typename } }`,
		`subscription { it: conversationsChanged(view: {kind: SENDER_ID}) { kind } }`,
		`subscription { messageAdded(after: "forged") { kind } }`,
		`subscription { conversationsChanged(view: {kind: ALL}, filterBy: {lastMessageFrom: "yesterday"}) { kind } }`,
	} {
		want, got := w.subscribe(t, w.executor, "amy", document, nil), w.subscribe(t, w.compiled, "amy", document, nil)
		frame := want.frame()
		require.Contains(t, frame, "message")
		require.Equal(t, frame, got.frame(), document)
	}
}

// What is refused to one subscriber is not refused to others, and what is large is
// not kept for them.
func TestWhatIsRefusedToOneIsGivenToOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Run()
	const customer = "+12025550163"
	for i := range 12 {
		w.Say(customer, parleytest.Sales, strings.Repeat(strconv.Itoa(i%10), 16_000))
	}
	id := w.conversationOf(customer)
	const document = `subscription($id: ID!) { conversationChanged(id: $id) { __typename
		... on ConversationUpdated { conversation { messages(last: 20) { nodes { content { ... on TextContent { text } } } } } } } }`
	poor := allowance.NewPool(allowance.Bounds{Answer: 100_000})
	var open []*subscription
	for i := range 6 {
		s := w.subscribe(t, w.compiled, "amy", document, map[string]any{"id": id})
		if i%2 == 0 {
			s.ctx, _ = poor.NewContext(s.ctx)
		}
		open = append(open, s)
		s.frame()
	}
	w.change(id)
	for i, s := range open {
		frame, refusal := s.frame(), allowance.FromContext(s.ctx).Refusal()
		if i%2 == 0 {
			require.Equal(t, fault.LimitExceeded, fault.CodeOf(refusal))
			require.Equal(t, "null", frame, "no data")
			continue
		}
		require.NoError(t, refusal)
		require.Greater(t, len(frame), 120_000)
	}
}
