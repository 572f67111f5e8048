package resolvers_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/graph"
	"parley/internal/check/parleytest"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// entryPoint is a root field with a document that goes through it. One that
// takes an id says which; for the others, shows lists the objects' ids or names
// that an answer shows.
type entryPoint struct {
	doc  string
	byID func(o *object) []vars
	// shows is given the answer and tells which objects it shows, by conversation id.
	shows func(data parleytest.Tree) []string
	// counts, when set, is how many conversations the answer counts.
	counts func(data parleytest.Tree) int
	// open says that everybody with a token gets the same.
	open bool
	// ofOperation says that the id is a bulk operation's; see mayOperate.
	ofOperation bool
}

func byConversation(o *object) []vars { return []vars{{"id": o.conversation}} }

// entryPoints are all root fields of the schema. One that is added to the schema
// fails the test until its rule stands here.
var entryPoints = map[string]entryPoint{
	"Query.node": {doc: `query($id: ID!) { node(id: $id) { id } }`, byID: func(o *object) []vars {
		return []vars{{"id": o.conversation}, {"id": o.message}, {"id": o.user}, {"id": o.record}}
	}},
	"Query.conversation": {doc: `query($id: ID!) { conversation(id: $id) { id messagingUser { id } record { id } lastMessage { id }
		messages { nodes { id attempts { number } conversation { id } } } } }`, byID: byConversation},
	"Query.record": {
		doc:  `query($id: String!) { record(objectType: "Contact", externalId: $id) { id conversations { nodes { id } totalCount } } }`,
		byID: func(o *object) []vars { return []vars{{"id": o.externalName}} },
	},
	"Query.conversations": {
		doc:    `{ conversations(view: {kind: ALL}, first: 100) { totalCount nodes { id } } }`,
		shows:  func(data parleytest.Tree) []string { return idsOf(data) },
		counts: func(data parleytest.Tree) int { return data.Get("conversations", "totalCount").Int() },
	},
	"Query.viewer": {
		doc:    `{ viewer { inboxes { nodes { kind counts { total } } } } }`,
		counts: func(data parleytest.Tree) int { return inboxTotal(data.Get("viewer", "inboxes", "nodes")) },
	},
	"Query.bulkOperation": {doc: `query($id: ID!) { bulkOperation(id: $id) { id results { nodes { conversationId } } } }`, ofOperation: true},
	"Query.search": {
		doc: `{ search(query: "hi", kinds: [TEXT]) { nodes { ...Found } } name: search(query: "matrix") { nodes { ...Found } } number: search(query: "0310", kinds: [NUMBER]) { nodes { ...Found } }
			begun: search(query: "202 555 031") { nodes { ...Found } } } fragment Found on SearchHit { kind conversation { id } message { conversation { id } } }`,
		shows: foundAlike,
	},
	"Query.checkFormula": {doc: `{ checkFormula(input: {expression: "1 + 1"}) { type value error { code } } }`, open: true},
	"Query.agents":       {doc: `{ agents { id } }`, open: true},
	"Query.channels":     {doc: `{ channels { id } }`, open: true},

	"Mutation.sendMessage": {doc: `mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "", idempotencyKey: "k"}) {
		message { id } conversation { id } errors { code message field } } }`, byID: byConversation},
	"Mutation.addNote": {doc: `mutation($id: ID!) { addNote(input: {conversationId: $id, text: "A note", idempotencyKey: "n"}) {
		message { conversation { id } } errors { code message field } } }`, byID: byConversation},
	"Mutation.retryMessage": {doc: `mutation($id: ID!) { retryMessage(input: {messageId: $id, idempotencyKey: "r"}) {
		message { id } errors { code message field } } }`, byID: func(o *object) []vars { return []vars{{"id": o.message}} }},
	"Mutation.startConversation": {doc: `mutation($id: ID!, $channel: ID!) { startConversation(input: {channelId: $channel, recordId: $id, text: "", idempotencyKey: "s"}) {
		message { id } conversation { id } errors { code message field } } }`, byID: func(o *object) []vars { return []vars{{"id": o.record}} }},
	"Mutation.markConversationsRead": {doc: `mutation($id: ID!) { markConversationsRead(input: {conversations: [{id: $id}]}) {
		errors { code } results { conversationId conversation { id } error { code message field } } } }`, byID: byConversation},
	"Mutation.markConversationsUnread": {doc: `mutation($id: ID!) { markConversationsUnread(input: {ids: [$id]}) {
		errors { code } results { conversationId conversation { id } error { code message field } } } }`, byID: byConversation},
	"Mutation.assignConversations": {doc: `mutation($id: ID!, $owner: ID) { assignConversations(input: {ids: [$id], agentId: $owner}) {
		errors { code } results { conversationId conversation { id } error { code message field } } } }`, byID: byConversation},
	"Mutation.setConversationTopic": {doc: `mutation($id: ID!) { setConversationTopic(input: {conversationId: $id, topic: "Roof"}) {
		conversation { id topic } errors { code message field } } }`, byID: byConversation},
	"Mutation.setTyping": {doc: `mutation($id: ID!) { setTyping(input: {conversationId: $id, isTyping: true}) { errors { code message field } } }`, byID: byConversation},
	"Mutation.bulkMarkConversationsRead": {doc: `mutation($id: ID!) { bulkMarkConversationsRead(input: {selection: {ids: [$id]}, dryRun: true, idempotencyKey: "b"}) {
		preview { total changed unchanged refusals { code count } } errors { code message field } } }`, byID: byConversation},
	"Mutation.bulkMarkConversationsUnread": {doc: `mutation($id: ID!) { bulkMarkConversationsUnread(input: {selection: {ids: [$id]}, dryRun: true, idempotencyKey: "b"}) {
		preview { total changed unchanged refusals { code count } } errors { code message field } } }`, byID: byConversation},
	"Mutation.bulkAssignConversations": {doc: `mutation($id: ID!, $owner: ID) { bulkAssignConversations(input: {selection: {ids: [$id]}, agentId: $owner, dryRun: true, idempotencyKey: "b"}) {
		preview { total changed unchanged refusals { code count } } errors { code message field } } }`, byID: byConversation},
	"Mutation.pauseBulkOperation":  {doc: `mutation($id: ID!) { pauseBulkOperation(input: {id: $id}) { operation { id } errors { code message field } } }`, ofOperation: true},
	"Mutation.resumeBulkOperation": {doc: `mutation($id: ID!) { resumeBulkOperation(input: {id: $id}) { operation { id } errors { code message field } } }`, ofOperation: true},
	"Mutation.cancelBulkOperation": {doc: `mutation($id: ID!) { cancelBulkOperation(input: {id: $id}) { operation { id } errors { code message field } } }`, ofOperation: true},

	"Subscription.bulkOperationChanged": {doc: `subscription($id: ID!) { bulkOperationChanged(id: $id) { kind operation { id } } }`, ofOperation: true},
	"Subscription.conversationPresence": {doc: `subscription($id: ID!) { conversationPresence(id: $id) { conversationId agents { state } } }`, byID: byConversation},
	"Subscription.conversationChanged":  {doc: `subscription($id: ID!) { conversationChanged(id: $id) { __typename } }`, byID: byConversation},
	"Subscription.messageAdded":         {doc: `subscription($id: ID!) { messageAdded(conversationId: $id) { kind } }`, byID: byConversation},
	"Subscription.conversationsChanged": {
		doc: `subscription { conversationsChanged(view: {kind: ALL}) { kind conversationId counts { total } } }`,
		shows: func(data parleytest.Tree) []string {
			return []string{data.Get("conversationsChanged", "conversationId").String()}
		},
		counts: func(data parleytest.Tree) int { return data.Get("conversationsChanged", "counts", "total").Int() },
	},
	"Subscription.inboxCountsChanged": {
		doc:    `subscription { inboxCountsChanged { kind inboxes { kind counts { total } } } }`,
		counts: func(data parleytest.Tree) int { return inboxTotal(data.Get("inboxCountsChanged", "inboxes")) },
	},
}

// foundAlike is what was found by text, and so by name and by number; else it
// tells what differs.
func foundAlike(data parleytest.Tree) []string {
	var ids []string
	for _, by := range []string{"search", "name", "begun"} {
		var these []string
		for _, hit := range data.Get(by, "nodes").List() {
			these = append(these, hit.Get("conversation", "id").String())
		}
		sort.Strings(these)
		if ids != nil && !slices.Equal(ids, these) {
			return append(ids, "and by "+by, strings.Join(these, " "))
		}
		ids = append([]string{}, these...)
	}
	for _, hit := range data.Get("number", "nodes").List() {
		if id := hit.Get("conversation", "id").String(); !slices.Contains(ids, id) {
			return append(ids, id)
		}
	}
	return ids
}

// inboxTotal is how many conversations the inbox of the one object type counts:
// every object is a Contact.
func inboxTotal(inboxes parleytest.Tree) int {
	for _, in := range inboxes.List() {
		if in.Get("kind").String() == "OBJECT_TYPE" {
			return in.Get("counts", "total").Int()
		}
	}
	return 0
}

func TestEveryEntryPointHasARule(t *testing.T) {
	t.Parallel()
	var have, want []string
	for name := range entryPoints {
		have = append(have, name)
	}
	for name := range ownRules {
		have = append(have, name)
	}
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, f := range root.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				want = append(want, root.Name+"."+f.Name)
			}
		}
	}
	sort.Strings(have)
	sort.Strings(want)
	require.Equal(t, want, have, "a new root field needs a rule in entryPoints, and an old one its removal")
}

// What a role may not see is answered exactly as what is not there.
func TestEveryRoleSeesExactlyWhatItMayThroughEveryEntryPoint(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.Run()
	for role := range seen {
		for name, e := range entryPoints {
			t.Run(role+" "+name, func(t *testing.T) {
				switch {
				case e.byID != nil:
					m.checkByID(t, role, e)
					return
				case e.ofOperation:
					m.checkOperation(t, role, e.doc)
					return
				}
				data, code := m.ask(role, e.doc, nil)
				require.Empty(t, code)
				if e.open {
					return
				}
				m.checkList(t, role, name, e, data)
			})
		}
	}
}

func (m *matrix) checkByID(t *testing.T, role string, e entryPoint) {
	ask := func(o *object, v vars) (string, bool) {
		id := v["id"].(string)
		if strings.Contains(e.doc, "$channel") {
			v["channel"] = m.Conversations.Directory.Channels()[0].ID
		}
		if strings.Contains(e.doc, "$owner") && o.owner != "" {
			v["owner"] = o.owner // whose it is: nothing changes
		}
		data, errs := m.ask(role, e.doc, v)
		body, err := json.Marshal([]string{data.String(), errs})
		require.NoError(t, err)
		return strings.ReplaceAll(string(body), id, "ID"), strings.Contains(string(body), "NOT_FOUND")
	}
	absent := e.byID(m.absent)
	for _, o := range m.objects {
		for i, v := range e.byID(o) {
			answer, missing := ask(o, v)
			if o.seenBy(role) {
				require.False(t, missing, "%s sees %s: %s", role, o.name, answer)
				continue
			}
			nothing, _ := ask(m.absent, absent[i])
			require.Equal(t, nothing, answer, "%s must not tell %s from nothing", role, o.name)
			require.NotContains(t, answer, "cnv_")
		}
	}
}

// mayOperate are the roles that may see the owner's bulk operation.
var mayOperate = []string{"owner", "admin"}

func (m *matrix) checkOperation(t *testing.T, role, doc string) {
	ask := func(id string) string {
		data, errs := m.ask(role, doc, vars{"id": id})
		return strings.ReplaceAll(data.String()+errs, id, "ID")
	}
	for _, doc := range []string{doc, `query($id: ID!) { node(id: $id) { id } }`} {
		nothing, answer := ask(m.Conversations.IDs.Encode(publicid.BulkOperation, 1<<40)), ask(m.operation)
		require.Contains(t, nothing, "NOT_FOUND", doc)
		if slices.Contains(mayOperate, role) {
			require.NotContains(t, answer, "NOT_FOUND", doc)
			continue
		}
		require.Equal(t, nothing, answer, "%s must not tell it from nothing", role)
	}
}

// A bulk operation over everything is over what its creator sees.
func TestABulkOperationIsOfWhatItsCreatorSees(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for role, sees := range seen {
		preview := m.As(role).Do(`mutation { bulkMarkConversationsRead(input: {selection: {view: {kind: ALL}}, dryRun: true, idempotencyKey: "k"}) {
			preview { total } } }`, nil).Get("bulkMarkConversationsRead", "preview", "total")
		require.Equal(t, len(sees), preview.Int(), role)
	}
}

func (m *matrix) checkList(t *testing.T, role, name string, e entryPoint, data parleytest.Tree) {
	var want []string
	for _, o := range m.objects {
		if o.seenBy(role) {
			want = append(want, o.conversation)
		}
	}
	if e.counts != nil {
		require.Equal(t, len(want), e.counts(data), "counted")
	}
	if e.shows != nil && strings.HasPrefix(name, "Query.") {
		require.ElementsMatch(t, want, e.shows(data))
	}
}

// ask runs a document as the agent, over a socket when it subscribes, and
// returns its data and its errors as text.
func (m *matrix) ask(role, doc string, v vars) (parleytest.Tree, string) {
	c := m.As(role)
	if !strings.HasPrefix(doc, "subscription") {
		r := c.Raw(doc, v)
		return r.Tree(m.T), errorText(r)
	}
	s := c.Subscribe(doc, v)
	defer s.Close()
	frame, err := s.Read(10 * time.Second)
	require.NoError(m.T, err)
	var r parleytest.Response
	if frame.Type == "error" {
		require.NoError(m.T, json.Unmarshal(frame.Payload, &r.Errors))
		return parleytest.Tree{}, errorText(&r)
	}
	require.NoError(m.T, json.Unmarshal(frame.Payload, &r))
	return r.Tree(m.T), errorText(&r)
}

func errorText(r *parleytest.Response) string {
	var b strings.Builder
	for _, e := range r.Errors {
		b.WriteString(e.Extensions.Code + " " + e.Extensions.Field + " " + e.Message + "\n")
	}
	return b.String()
}

// Streams tell a role of what it sees and of nothing else.
func TestStreamsTellEveryRoleOnlyOfWhatItSees(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	m.Run()
	for role := range seen {
		changes := m.As(role).Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind conversationId } }`, nil)
		added := m.As(role).Subscribe(`subscription { messageAdded { kind conversation { id } } }`, nil)
		require.Equal(t, "OPEN", changes.Next().Get("conversationsChanged", "kind").String())
		require.Equal(t, "OPEN", added.Next().Get("messageAdded", "kind").String())
		// Events come in order: a frame too many would stand in another's place.
		for range 2 {
			for _, o := range m.objects {
				m.touch(o)
			}
		}
		for range 2 {
			for _, o := range m.objects {
				if o.seenBy(role) {
					require.Equal(t, o.conversation, changes.Next().Get("conversationsChanged", "conversationId").String(), role)
					require.Equal(t, o.conversation, added.Next().Get("messageAdded", "conversation", "id").String(), role)
				}
			}
		}
		changes.Close()
		added.Close()
	}
}

func TestWithoutAValidTokenNothingIsAnswered(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for name, e := range entryPoints {
		if strings.HasPrefix(name, "Subscription.") {
			continue
		}
		v := vars{"id": m.objects[0].conversation, "channel": m.Conversations.Directory.Channels()[0].ID}
		for _, who := range []string{"inactive", "nobody"} {
			r := m.As(who).Raw(e.doc, v)
			require.Equal(t, []string{"UNAUTHENTICATED"}, r.Codes(), "%s by %s", name, who)
			require.Empty(t, r.Data)
		}
		body, err := json.Marshal(map[string]any{"query": e.doc, "variables": v})
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://parley.test/graphql", strings.NewReader(string(body)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		answer := m.Answer(req)
		require.Equal(t, http.StatusUnauthorized, answer.Code, name)
		require.NotContains(t, answer.Body.String(), `"data"`)
	}
}

func TestTheSystemSeesEverything(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	var keys []int64
	for _, o := range m.objects {
		keys = append(keys, o.row)
	}
	rows, err := m.Conversations.ByKey(viewer.AsSystem(t.Context(), "test"), keys)
	require.NoError(t, err)
	require.Len(t, rows, len(keys))
	rows, err = m.Conversations.ByKey(t.Context(), keys)
	require.NoError(t, err)
	require.Empty(t, rows, "nobody asks, nothing is seen")
}
