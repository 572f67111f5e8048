package resolvers_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"parley/graph"
	"parley/internal/check/parleytest"
	"parley/internal/edge/limit"
	"parley/internal/ground/viewer"
	"parley/resolvers"
)

// cheap are fields with a resolver that need no price, and why.
var cheap = map[string]string{
	"Query.viewer":                      "from memory",
	"Query.agents":                      "from memory",
	"Query.providers":                   "from memory",
	"Query.serviceAccounts":             "from memory",
	"Query.channels":                    "from memory",
	"Query.organization":                "from memory",
	"Query.channelTypes":                "from memory",
	"Query.queues":                      "from memory",
	"Mutation.setPreferences":           "one write",
	"Channel.queue":                     "from memory",
	"Channel.webhookUrls":               "from memory",
	"Query.node":                        "a row",
	"Query.conversation":                "a row",
	"Query.record":                      "a row",
	"Query.crmConnection":               "a row",
	"Query.bulkOperation":               "a row",
	"Query.quickText":                   "a row",
	"Query.component":                   "a row",
	"Query.image":                       "a row",
	"Query.images":                      "a page of an index",
	"ComponentImage.url":                "from memory",
	"Mutation.deleteImage":              "one write",
	"Query.customerToken":               "a row",
	"SlotOptions.providerUrl":           "from memory",
	"ComponentContent.componentId":      "from memory",
	"AnswerContent.componentId":         "from memory",
	"AnswerContent.questionId":          "from memory",
	"Mutation.cloneComponent":           "one write",
	"Mutation.deleteComponent":          "one write",
	"QuickText.viewerCanEdit":           "from memory",
	"Query.agentRights":                 "a row",
	"Viewer.queues":                     "from memory",
	"Record.mobileNumber":               "from memory",
	"Mutation.createQuickText":          "one write",
	"Mutation.updateQuickText":          "one write",
	"Mutation.useQuickText":             "one write",
	"Subscription.quickTextsChanged":    "a row",
	"Subscription.auditEntriesChanged":  "a row",
	"Viewer.agent":                      "from memory",
	"Viewer.channels":                   "from memory",
	"Conversation.viewerCanAssign":      "from memory",
	"Conversation.viewerCanMarkRead":    "from memory",
	"ConversationConnection.totalCount": "its connection's field pays",
	"Subscription.bulkOperationChanged": "a row",
	"Subscription.conversationChanged":  "a row",
	"Subscription.messageAdded":         "a row",
	"Subscription.conversationPresence": "a row",
	"Mutation.pauseBulkOperation":       "one write, which every mutation pays for",
	"Mutation.resumeBulkOperation":      "one write",
	"Mutation.cancelBulkOperation":      "one write",
	"Mutation.sendMessage":              "one write",
	"Mutation.startConversation":        "one write",
	"Mutation.addNote":                  "one write",
	"Mutation.retryMessage":             "one write",
	"Mutation.setConversationTopic":     "one write",
	"Mutation.setTyping":                "a row",
	"Mutation.createMessagingUser":      "one write",
	"Mutation.updateMessagingUser":      "one write",
	"Mutation.setConsent":               "one write",
	"Mutation.mergeMessagingUsers":      "one write",
	"Mutation.unmergeMessagingUser":     "one write",
	"Mutation.runCrmAction":             "one write",
	"Mutation.rerunCrmAction":           "one write",
	"Mutation.linkConversation":         "one write",
	"Mutation.unlinkConversation":       "one write",
	"Mutation.rejectLinkSuggestion":     "one write",
	"LinkingRule.channel":               "in memory",
	"CrmActionRun.conversation":         "its own fields pay",
	"CrmActionRun.record":               "its own fields pay",
	"CrmActionRun.delivery":             "a statement for a page",
}

// A field whose value a use case gets has a price, or a reason for none.
func TestEveryFieldThatCanBeDearHasAPrice(t *testing.T) {
	t.Parallel()
	config := graph.Config{Resolvers: &resolvers.Resolver{}}
	schema, tables := graph.NewExecutableSchema(config).Schema(), graph.SelectionTables(config)
	resolved := map[string]bool{}
	for _, object := range tables.Objects {
		for name, field := range object.Fields {
			if field.Resolve != nil || field.Batch != nil || field.Stream != nil {
				resolved[object.Name+"."+name] = true
			}
		}
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range root.Fields {
			if !strings.HasPrefix(field.Name, "__") {
				resolved[root.Name+"."+field.Name] = true
			}
		}
	}
	for name := range resolved {
		_, priced := resolvers.Prices[name]
		require.NotEqual(t, priced, cheap[name] != "", "%s has a price in resolvers.Prices, or a reason here why it needs none", name)
	}
	for name, p := range resolvers.Prices {
		object, field, _ := strings.Cut(name, ".")
		require.NotNil(t, schema.Types[object].Fields.ForName(field), name)
		require.NotEmpty(t, p.Why, name)
	}
	for name := range cheap {
		require.True(t, resolved[name], "%s is no field with a resolver", name)
	}
}

// costOf is what a document costs.
func costOf(t *testing.T, document string) int {
	t.Helper()
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: &resolvers.Resolver{}}).Schema()
	doc, errs := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules())
	require.Empty(t, errs)
	coerced, err := validator.VariableValues(schema, doc.Operations[0], nil)
	require.NoError(t, err)
	return limit.Options{Prices: resolvers.Prices}.CostOf(doc, doc.Operations[0], coerced)
}

// Each of these is the smallest document that made a machine work for hundreds of
// times its price.
func TestWhatIsDearCosts(t *testing.T) {
	t.Parallel()
	bulk := func(selection string) string {
		return `mutation { bulkMarkConversationsRead(input: {dryRun: true, idempotencyKey: "a", selection: {` + selection + `}}) { preview { total } } }`
	}
	for document, least := range map[string]int{
		`{ conversations(view: {kind: ALL}, first: 1, filterBy: {lastMessageFrom: "1990-01-01T00:00:00Z"}) { totalCount } }`:                                                 500,
		`{ conversations(view: {kind: ALL}, first: 1, filterBy: {lastMessageBefore: "1990-01-01T00:00:00Z"}) { ...T } } fragment T on ConversationConnection { totalCount }`: 500,

		`{ conversations(view: {kind: SENT}) { totalCount } }`:                                                         100,
		`{ conversations(view: {kind: ALL}, first: 1, filterBy: {lastMessageDirection: OUTBOUND}) { nodes { id } } }`:  1_000,
		`{ conversations(view: {kind: UNASSIGNED}, first: 1, filterBy: {objectType: "Lead"}) { nodes { id } } }`:       1_000,
		`subscription { conversationsChanged(view: {kind: ALL}, filterBy: {lastMessageDirection: INBOUND}) { kind } }`: 500,

		bulk(`view: {kind: ALL}`):                          1_000,
		bulk(`search: "the"`):                              2_000,
		bulk(`view: {kind: MY_INBOX}, search: "the"`):      2_000,
		bulk(`ids: [` + strings.Repeat(`"a",`, 300) + `]`): 300,

		`{ conversation(id: "a") { sendability(draft: "` + strings.Repeat("x", 10_000) + `") { canSend } } }`: 400,
		`{ search(query: "a", first: 1) { isComplete } }`:                                                     1_200,
	} {
		require.GreaterOrEqual(t, costOf(t, document), least, "%.200s", document)
	}
	for document, most := range map[string]int{
		`{ conversations(view: {kind: ALL}, first: 50) { nodes { id name preview isUnread newCount lastMessageAt owner { id name } } } }`: 600,
		`{ conversations(view: {kind: MY_INBOX}, first: 1, filterBy: {isUnread: true}) { totalCount } }`:                                  100,
		`{ conversations(view: {kind: ALL}, first: 1, filterBy: {channelId: "a"}) { totalCount } }`:                                       100,
		`{ conversations(view: {kind: RECORD, subject: "a"}, filterBy: {lastMessageDirection: INBOUND}) { totalCount } }`:                 400,
		`{ conversation(id: "a") { sendability(draft: "See you at nine.") { canSend } } }`:                                                40,
	} {
		require.LessOrEqual(t, costOf(t, document), most, document)
	}
}

// Thirty aliases that ask for the same count are one statement and one price; with
// filters that differ each is its own.
func TestEqualCountsAreOne(t *testing.T) {
	t.Parallel()
	s := &statements{}
	p := parleytest.New(t, s.configure)
	p.Say("+12025551000", parleytest.Sales, "Hello")
	counts := func(n int, filter string) string {
		b := strings.Builder{}
		for i := range n {
			fmt.Fprintf(&b, ` a%d: conversations(view: {kind: ALL}, first: 1, filterBy: {%s}) { totalCount }`, i, strings.ReplaceAll(filter, "%d", fmt.Sprint(10+i)))
		}
		return "{" + b.String() + "}"
	}
	const equal, others = `lastMessageFrom: "1990-01-01T00:00:00Z"`, `lastMessageFrom: "1990-01-%dT00:00:00Z"`
	counted := func(document string) (n int) {
		for _, statement := range s.of(func() {
			require.Equal(t, 1, p.As("amy").Do(document, nil).Get("a0", "totalCount").Int())
		}) {
			if strings.Contains(statement, "COUNT(*)") {
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, counted(counts(30, equal)))
	require.Equal(t, 3, counted(counts(3, others)))
	one := costOf(t, counts(1, equal))
	require.Less(t, costOf(t, counts(30, equal)), one+30*20)
	require.Greater(t, costOf(t, counts(3, others)), 3*500)
	require.Equal(t, []string{"LIMIT_EXCEEDED"}, p.As("amy").Raw(counts(21, others), nil).Codes())

	// Standing counts of the same statement differ by what is read from it.
	p.Say("+12025551001", parleytest.Direct, "Hello")
	both := p.As("amy").Do(`{ all: conversations(view: {kind: MY_INBOX}) { totalCount } read: conversations(view: {kind: MY_INBOX}, filterBy: {isUnread: false}) { totalCount } }`, nil)
	require.Equal(t, 1, both.Get("all", "totalCount").Int())
	require.Zero(t, both.Get("read", "totalCount").Int())
}

// A mutation counts anew what it has changed.
func TestAMutationCountsAnew(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say("+12025551000", parleytest.Direct, "Hello")
	amy := p.As("amy")
	dry := func(alias string) string {
		return alias + `: bulkMarkConversationsRead(input: {dryRun: true, idempotencyKey: "a", selection: {view: {kind: MY_INBOX}}}) { preview { changed } }`
	}
	id := amy.Do(`{ conversations(view: {kind: MY_INBOX}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	got := amy.Do(`mutation($id: ID!) { `+dry("before")+` markConversationsRead(input: {conversations: [{id: $id}]}) { errors { code } } `+dry("after")+` }`,
		parleytest.Vars{"id": id})
	require.Equal(t, 1, got.Get("before", "preview", "changed").Int())
	require.Zero(t, got.Get("after", "preview", "changed").Int())
}

// A count whose turn does not come is refused with a time to wait, and pages that
// count nothing go on meanwhile.
func TestACountWhoseTurnDoesNotComeIsRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	p.Say("+12025551000", parleytest.Sales, "Hello")
	free, scanning, begun := make(chan struct{}), sync.WaitGroup{}, atomic.Int64{}
	for agent := range int64(2 * runtime.NumCPU()) { // more than there are places
		scanning.Go(func() {
			ctx := viewer.NewContext(context.Background(), &viewer.Viewer{AgentID: 1_000 + agent})
			require.NoError(t, p.Store.Scan(ctx, func(context.Context) error {
				begun.Add(1)
				<-free
				return nil
			}))
		})
	}
	defer scanning.Wait()
	defer close(free)
	p.Eventually(func() bool { return begun.Load() >= max(1, int64(runtime.NumCPU())/2) }, "every place is taken")
	const count = `{ conversations(view: {kind: ALL}, first: 1, filterBy: {lastMessageFrom: "1990-01-01T00:00:00Z"}) { totalCount } }`
	refused := p.As("amy").Raw(count, nil)
	require.Equal(t, []string{"LIMIT_EXCEEDED"}, refused.Codes())
	require.EqualValues(t, 5, refused.Errors[0].Extensions.RetryAfter)
	require.Contains(t, refused.Errors[0].Message, "try again with fewer at once")
	require.Len(t, p.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes").List(), 1)
}
