package linking_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/linking"
	"parley/internal/ground/viewer"
)

func TestOnlyAdministratorsSetRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.rule(vars{"name": "By number"})
	for mutation, in := range map[string]vars{
		"createLinkingRule": {"channelId": b.sales(), "name": "New", "objectType": "Visit__c", "mode": "AUTOMATIC", "idempotencyKey": b.key()},
		"updateLinkingRule": {"id": id, "name": "Mine"}, "deleteLinkingRule": {"id": id},
		"bulkLinkConversations": {"selection": vars{"view": vars{"kind": "ALL"}}, "idempotencyKey": b.key()},
		"undoBulkOperation":     {"id": "blk_0000000000000", "idempotencyKey": b.key()},
	} {
		input := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input"
		for _, username := range []string{"amy", "sue"} {
			require.Regexp(t, "FORBIDDEN", b.do(username, mutation, input, in)[0], mutation)
		}
	}
	const listing = `query($c: ID!) { linkingRules(channelId: $c) { id name description isActive order channel { id } objectType matchFields mode timing } }`
	list := func(username string) []parleytest.Tree {
		return b.As(username).Do(listing, vars{"c": b.sales()}).Get("linkingRules").List()
	}
	require.Len(t, list("ada"), 1)
	require.Empty(t, list("amy"))
	require.Equal(t, []string{"NOT_FOUND"}, b.As("ada").Raw(listing, vars{"c": "chn_0000000000000"}).Codes())

	b.ok("deleteLinkingRule", "DeleteLinkingRuleInput", vars{"id": id})
	require.Empty(t, list("ada"))
	require.Equal(t, []string{"NOT_FOUND No such linking rule, or you may not see it."}, b.do("ada", "deleteLinkingRule", "DeleteLinkingRuleInput", vars{"id": id}))
	entries := b.As("ada").Do(`{ auditEntries(first: 2) { nodes { action subjectType subjectName } } }`, nil).Get("auditEntries", "nodes").List()
	require.Equal(t, []string{"DELETED", "LinkingRule", "By number"},
		[]string{entries[0].Get("action").String(), entries[0].Get("subjectType").String(), entries[0].Get("subjectName").String()})
}

func TestARuleThatCouldFindNothingIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.rule(vars{"name": "By number"})
	for problem, change := range map[string]vars{
		"input.name":        {"name": "BY NUMBER"},
		"input.objectType":  {"objectType": "Opportunity"}, // has no phone field
		"No such object":    {"objectType": "Nothing__c"},
		"input.order":       {"order": 1001},
		"input.matchFields": {"matchFields": []string{"Name"}},
		"is there twice":    {"matchFields": []string{"Mobile", "mobile"}},
		"input.channelId":   {"channelId": "chn_0000000000000"},
		"input.condition Line 1, column 5: There is no field Nme. Did you mean Name?": {"condition": "NOT(Nme = \"Ann\")"},
		"input.condition The formula gives a text":                                    {"condition": "Name"},
		"AccountId.Name is of another record":                                         {"objectType": "Contact", "condition": "AccountId.Name = \"Hill\""},
	} {
		in := vars{"channelId": b.sales(), "name": "New", "objectType": "Visit__c", "mode": "AUTOMATIC", "idempotencyKey": b.key()}
		for k, v := range change {
			in[k] = v
		}
		payload := b.As("ada").Do(`mutation($i: CreateLinkingRuleInput!) { createLinkingRule(input: $i) { errors { field message } } }`, vars{"i": in})
		require.Len(t, payload.Get("createLinkingRule", "errors").List(), 1, problem)
		e := payload.Get("createLinkingRule", "errors", 0)
		require.Contains(t, e.Get("field").String()+" "+e.Get("message").String(), problem)
	}
	for range 19 {
		b.rule(vars{"isActive": false})
	}
	in := vars{"channelId": b.sales(), "name": "New", "objectType": "Visit__c", "mode": "AUTOMATIC", "idempotencyKey": b.key()}
	require.Regexp(t, "LIMIT_EXCEEDED The channel has 20 linking rules", b.do("ada", "createLinkingRule", "CreateLinkingRuleInput", in)[0])
}

func TestWhoLinksWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Visit__c", "V1", "Name", "Ann")
	c, record := b.say(ann), b.record("Visit__c", "V1")
	both, one := vars{"conversationId": c, "recordId": record}, vars{"conversationId": c}
	link := func(username string) []string {
		return b.do(username, "linkConversation", "LinkConversationInput", both)
	}
	amy, err := b.Directory.Viewer("amy")
	require.NoError(t, err)
	idle := *amy
	idle.Permissions = nil
	ctx := viewer.NewContext(t.Context(), &idle)
	in := linking.Input{ConversationID: c, RecordID: record}
	for _, do := range []func() error{
		func() error { _, err := b.Schema.Linking.Link(ctx, in); return err },
		func() error { _, err := b.Schema.Linking.Unlink(ctx, c); return err },
		func() error { _, err := b.Schema.Linking.Reject(ctx, in); return err },
	} {
		require.ErrorContains(t, do(), "TAKE_ACTION")
	}
	require.Regexp(t, "NOT_FOUND No such record", link("bo")[0], "he may read no Visits")
	require.Regexp(t, "NOT_FOUND No such record", b.do("bo", "rejectLinkSuggestion", "RejectLinkSuggestionInput", both)[0])
	require.Empty(t, link("amy"))
	require.Empty(t, link("amy"), "it is linked already")
	require.Empty(t, b.do("bo", "unlinkConversation", "UnlinkConversationInput", one), "he sees the conversation")

	b.Say(ann, parleytest.Direct, "Hello")
	hidden := b.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	require.Regexp(t, "NOT_FOUND No such conversation", b.do("bo", "unlinkConversation", "UnlinkConversationInput", vars{"conversationId": hidden})[0])
}

// Linking costs a message one statement where nobody is linked, two where somebody is, and
// none where there is nothing to link or no rule that would.
func TestWhatLinkingCostsAMessage(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, s string) func(error) {
			if !strings.Contains(s, "river_job") {
				statements.Add(1)
			}
			return func(error) {}
		}
	})
	cost := func(from string) int64 {
		before := statements.Load()
		b.Say(from, parleytest.Sales, "Hello")
		return statements.Load() - before
	}
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	cost("+12025550179") // whatever is asked once
	first, later := cost("+12025550170"), cost("+12025550170")
	late := b.rule(vars{"timing": "AFTER"})
	require.Equal(t, first, cost("+12025550171"), "the job does it")
	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": late, "timing": "DURING", "condition": `Name = "Ann"`})
	require.Equal(t, first+1, cost("+12025550172"), "nobody has the number")
	require.Equal(t, later+1, cost("+12025550170"))
	require.Equal(t, first+2, cost(ann), "the record is linked")
	require.Equal(t, later, cost(ann), "it is linked already")
	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": late, "mode": "SUGGESTED"})
	require.Equal(t, later, cost("+12025550170"), "suggestions wait to be read")
}

func TestReadingSuggestionsCostsThreeStatements(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) {
			statements.Add(1)
			return func(error) {}
		}
	})
	b.rule(vars{"mode": "SUGGESTED"})
	cost := func(fields string) int64 {
		before := statements.Load()
		b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 50) { nodes { id `+fields+` } } }`, nil)
		return statements.Load() - before
	}
	for i, from := range []string{ann, bob, "+12025550192", "+12025550193"} {
		b.say(from)
		for range i {
			b.upsert("Visit__c", b.key(), "Name", "Ann", "Mobile", from)
		}
		more := int64(3)
		if i == 0 { // nobody has the number
			more = 1
		}
		require.Equal(t, cost("")+more, cost("linkSuggestions { record { id name } reason }"))
	}
}

func TestManyConversationsAreLinkedByABulkOperation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	b.upsert("Visit__c", "V2", "Name", "Bob", "Mobile", bob)
	a, c := b.say(ann), b.say(bob)
	b.rule(nil)
	require.Empty(t, b.do("amy", "rejectLinkSuggestion", "RejectLinkSuggestionInput", vars{"conversationId": c, "recordId": b.record("Visit__c", "V2")}))
	begun := b.As("ada").Do(`mutation($i: BulkLinkConversationsInput!) { bulkLinkConversations(input: $i) { operation { id } errors { message } } }`,
		vars{"i": vars{"selection": vars{"ids": []string{a, c}}, "idempotencyKey": b.key()}}).Get("bulkLinkConversations", "operation", "id").String()
	const progress = `query($id: ID!) { bulkOperation(id: $id) { state action results(first: 10) { nodes { outcome conversation { id record { externalId } } } } } }`
	var done parleytest.Tree
	b.Eventually(func() bool {
		done = b.As("ada").Do(progress, vars{"id": begun}).Get("bulkOperation")
		return done.Get("state").String() == "DONE"
	}, "the operation is done")
	require.Equal(t, "LINK", done.Get("action").String())
	outcomes := map[string]string{}
	for _, r := range done.Get("results", "nodes").List() {
		outcomes[r.Get("conversation", "id").String()] = r.Get("outcome").String()
	}
	require.Equal(t, map[string]string{a: "CHANGED", c: "UNCHANGED"}, outcomes)
	require.Equal(t, []string{"V1", ""}, []string{b.anchor(a), b.anchor(c)})
}

// An operation that linked is undone by another: what is still as it left it has no link any
// more and may be linked again, and what somebody has changed since stays.
func TestABulkOperationThatLinkedIsUndone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	numbers := []string{ann, bob, "+12025550171", "+12025550172", "+12025550173"}
	var ids []string
	for i, number := range numbers {
		ids = append(ids, b.say(number))
		b.upsert("Visit__c", fmt.Sprint("V", i), "Name", fmt.Sprint("Visit ", i), "Mobile", number)
	}
	b.upsert("Visit__c", "W", "Name", "Winner")
	rule := b.rule(nil)
	const progress = `query($id: ID!) { bulkOperation(id: $id) { state action total changed unchanged refused results(first: 10) { nodes { outcome conversation { id } } } } }`
	done := func(payload parleytest.Tree) parleytest.Tree {
		require.Empty(t, payload.Get("errors").List(), payload.String())
		id := payload.Get("operation", "id").String()
		var op parleytest.Tree
		b.Eventually(func() bool {
			op = b.As("ada").Do(progress, vars{"id": id}).Get("bulkOperation")
			return op.Get("state").String() == "DONE"
		}, "the operation is done")
		return op
	}
	begun := b.As("ada").Do(`mutation($i: BulkLinkConversationsInput!) { bulkLinkConversations(input: $i) { operation { id } errors { message } } }`,
		vars{"i": vars{"selection": vars{"ids": ids}, "idempotencyKey": b.key()}}).Get("bulkLinkConversations")
	require.Equal(t, 5, done(begun).Get("changed").Int())
	undo := func(id, key string) parleytest.Tree {
		return b.As("ada").Do(`mutation($i: UndoBulkOperationInput!) { undoBulkOperation(input: $i) { operation { id } errors { code field message } } }`,
			vars{"i": vars{"id": id, "idempotencyKey": key}}).Get("undoBulkOperation")
	}
	// The second was linked to another by an agent, and the third was linked anew by one. The
	// record of the fourth was merged.
	b.ok("linkConversation", "LinkConversationInput", vars{"conversationId": ids[1], "recordId": b.record("Visit__c", "W")})
	b.ok("unlinkConversation", "UnlinkConversationInput", vars{"conversationId": ids[2]})
	b.ok("linkConversation", "LinkConversationInput", vars{"conversationId": ids[2], "recordId": b.record("Visit__c", "V2")})
	b.merge("V3", "W")
	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": rule, "isActive": false})

	first := begun.Get("operation", "id").String()
	key := b.key()
	undone := undo(first, key)
	op := done(undone)
	require.Equal(t, "UNDO_LINK 5 3 2 0", fmt.Sprint(op.Get("action").String(), " ", op.Get("total").Int(), " ", op.Get("changed").Int(), " ", op.Get("unchanged").Int(), " ", op.Get("refused").Int()))
	anchors := func() (all []string) {
		for _, id := range ids {
			all = append(all, b.anchor(id))
		}
		return all
	}
	require.Equal(t, []string{"", "W", "V2", "", ""}, anchors())
	require.Empty(t, b.links("ada", ids[0]))
	require.Equal(t, undone.Get("operation", "id").String(), undo(first, key).Get("operation", "id").String(), "the same key")
	require.Equal(t, 0, done(undo(first, b.key())).Get("changed").Int(), "nothing is left of it")
	require.Equal(t, "CONFLICT", undo(undone.Get("operation", "id").String(), b.key()).Get("errors", 0, "code").String())
	require.Equal(t, "NOT_FOUND input.id", func() string {
		e := undo("blk_0000000000000", b.key()).Get("errors", 0)
		return e.Get("code").String() + " " + e.Get("field").String()
	}())

	b.ok("updateLinkingRule", "UpdateLinkingRuleInput", vars{"id": rule, "isActive": true})
	b.say(ann)
	require.Equal(t, "V0", b.anchor(ids[0]), "no refusal is left, so a rule links again")
}

// An unknown customer becomes a new record, which is linked, by a trigger; one whom a rule
// links does not.
func TestAnUnknownCustomerBecomesARecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	b.rule(nil)
	b.ok("createCrmAction", "CreateCrmActionInput", vars{
		"name": "Greet", "developerName": "Greet", "performs": "CREATE_RECORD", "type": "AUTOMATIC", "trigger": "UNKNOWN_SENDER", "idempotencyKey": b.key(), "parameters": []vars{
			{"label": "a", "key": "ObjectName", "type": "VALUE", "value": "Visit__c"},
			{"label": "b", "key": "LinkConversation", "type": "VALUE", "value": "true"},
			{"label": "c", "key": "Name", "type": "VALUE", "value": "Somebody"},
			{"label": "d", "key": "Mobile", "type": "FIELD", "value": "Address", "object": "$Conversation"},
		},
	})
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", ann)
	known, unknown := b.say(ann), b.say(bob)
	b.Eventually(func() bool { return b.anchor(unknown) != "" }, "a record is made")
	require.Equal(t, "V1", b.anchor(known))
	require.Regexp(t, "^parley:\\S+ ACTION $", b.links("ada", unknown)[0])
	require.Equal(t, "2", parleytest.Rows(t, b.Store, "SELECT COUNT(*) FROM records WHERE object_type = 'Visit__c'")[0])
}
