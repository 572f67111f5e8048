package crmaction_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/directory"
	"parley/internal/ground/job"
)

const logged = `query($f: CrmActionRunFilter) { crmActionRuns(filterBy: $f, first: 100) { nodes {
	id outcome trigger rerunOf problem { code } record { externalId } conversation { id } actor { name kind } delivery { status attempts { status problem answer } } } } }`

// runs are the runs of an action, newest first, as ada sees them.
func (b *bundle) runs(action string) []parleytest.Tree {
	b.T.Helper()
	return b.As("ada").Do(logged, vars{"f": vars{"actionId": action}}).Get("crmActionRuns", "nodes").List()
}

func outcomes(runs []parleytest.Tree) (all []string) {
	for _, r := range runs {
		is := r.Get("outcome").String()
		if r.Get("problem").String() != "" {
			is += " " + r.Get("problem", "code").String()
		}
		all = append(all, is)
	}
	return all
}

func TestTriggersRunActionsWhenTheirConditionsHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	create := b.action(vars{"performs": "CREATE_RECORD", "type": "AUTOMATIC", "trigger": "UNKNOWN_SENDER", "parameters": []vars{
		param("ObjectName", "VALUE", "Visit__c"), param("LinkConversation", "VALUE", "true"), param("Name", "VALUE", "Somebody"), param("Mobile", "FIELD", "Address", "$Conversation"),
	}})
	update := b.action(vars{
		"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "MESSAGE_RECEIVED", "objectTypes": []string{"Visit__c"},
		"conditions": []vars{{"object": "Visit__c", "field": "Amount", "operator": "AT_LEAST", "value": "100"}, {"object": "Visit__c", "field": "Stage", "operator": "NOT_EQUALS", "value": "Won"}},
		"parameters": []vars{param("Stage", "VALUE", "Won")},
	})
	conversation := b.conversation("+12025550190")
	b.Eventually(func() bool { return len(b.runs(create)) == 1 }, "the record is created")
	run := b.runs(create)[0]
	require.Equal(t, []string{"DONE", "UNKNOWN_SENDER", "SYSTEM"}, []string{run.Get("outcome").String(), run.Get("trigger").String(), run.Get("actor", "kind").String()})
	external := run.Get("record", "externalId").String()
	require.Equal(t, "+12025550190", b.visit(external)["Mobile"])
	shown := b.As("amy").Do(state, vars{"id": conversation}).Get("conversation")
	require.Equal(t, []string{"Somebody", "Visit__c", "Hello"}, []string{shown.Get("name").String(), shown.Get("objectType").String(), shown.Get("preview").String()})
	require.Empty(t, b.runs(update), "no amount")

	b.upsert("Visit__c", external, "Amount", "100.00")
	b.Say("+12025550190", parleytest.Sales, "Again")
	b.Eventually(func() bool { return len(b.runs(update)) == 1 }, "the record is updated")
	require.Equal(t, "Won", b.visit(external)["Stage"])
	b.Say("+12025550190", parleytest.Sales, "And again")
	b.settled()
	require.Len(t, b.runs(update), 1, "it is won already")
	require.Len(t, b.runs(create), 1, "the sender is known")
}

// A rule that links soon after the message has the customer, though the trigger's job comes
// first.
func TestACustomerWhomARuleLinksLaterIsKnown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	channels := b.Directory.Channels()
	sales := channels[slices.IndexFunc(channels, func(c *directory.Channel) bool { return c.Address == parleytest.Sales })]
	b.ok(`mutation($i: CreateLinkingRuleInput!) { createLinkingRule(input: $i) { errors { message } } }`, "createLinkingRule", vars{
		"channelId": sales.ID, "name": "Later", "mode": "AUTOMATIC", "timing": "AFTER", "objectType": "Visit__c",
	})
	create := b.action(vars{"performs": "CREATE_RECORD", "type": "AUTOMATIC", "trigger": "UNKNOWN_SENDER", "parameters": []vars{
		param("ObjectName", "VALUE", "Visit__c"), param("LinkConversation", "VALUE", "true"), param("Name", "VALUE", "Somebody"),
	}})
	b.upsert("Visit__c", "V1", "Name", "Ann", "Mobile", "+12025550190")
	known, unknown := b.conversation("+12025550190"), b.conversation("+12025550199")
	jobs, err := job.Start(b.System(), b.Store, b.Schema.Actions.Jobs(), job.Options{Workers: 2})
	require.NoError(t, err)
	b.settled()
	require.NoError(t, jobs.Stop(context.Background()))
	require.Len(t, b.runs(create), 1, "nothing was made for the customer whom the rule links")
	require.Equal(t, unknown, b.runs(create)[0].Get("conversation", "id").String())

	b.Run()
	b.Eventually(func() bool {
		return b.As("amy").Do(state, vars{"id": known}).Get("conversation", "name").String() == "Ann"
	}, "the rule links the customer")
	b.settled()
	require.Len(t, b.runs(create), 1)
}

// A condition may be a formula over the record, what it references, and the conversation.
func TestAConditionMayBeAFormula(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	id := b.action(formula(`Amount * 1.1 >= 110 && BEGINS(Farm.Name, "Hill") && ISPICKVAL(Stage, "Open") && CONTAINS($Conversation.Address, "555")`, ""))
	broken := formula(`100 / (Amount - Amount) > 1`, "")
	broken["developerName"] = "Broken"
	ill := b.action(broken)
	conversation := b.conversation("+12025550191")
	b.settled()
	require.Empty(t, b.runs(id), "the conversation is of no visit")
	b.upsert("Farm__c", "F9", "Name", "Hill Farm")
	b.upsert("Visit__c", "V1", "Name", "Nina", "Mobile", "+12025550191", "Amount", "99.99", "Stage", "Open", "Farm", "F9")
	b.upsert("Visit__c", "V1", "Amount", "100")
	b.link(conversation)
	b.Say("+12025550191", parleytest.Sales, "Hi")
	b.Eventually(func() bool { return len(b.runs(id)) == 1 && len(b.runs(ill)) == 1 }, "the formula holds")
	require.Equal(t, []string{"DONE"}, outcomes(b.runs(id)))
	require.Equal(t, []string{"REFUSED CONFLICT"}, outcomes(b.runs(ill)))
	require.Equal(t, "Won", b.visit("V1")["Stage"])
	b.Say("+12025550191", parleytest.Sales, "Again")
	b.settled()
	require.Len(t, b.runs(id), 1, "it is won already")
}

// settled waits until no job of a trigger is under way.
func (b *bundle) settled() {
	b.T.Helper()
	b.Eventually(func() bool {
		return parleytest.Rows(b.T, b.Store, "SELECT COUNT(*) FROM river_job WHERE kind = 'run_crm_actions' AND state <> 'completed'")[0] == "0"
	}, "jobs of triggers are done")
}

func TestActionsThatSetEachOtherOffEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	var ids []string
	for _, stage := range []string{"Open", "Won"} {
		other := map[string]string{"Open": "Won", "Won": "Open"}[stage]
		ids = append(ids, b.action(vars{
			"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "RECORD_CHANGED", "objectTypes": []string{"Visit__c"},
			"conditions": []vars{{"object": "Visit__c", "field": "Stage", "operator": "EQUALS", "value": other}}, "parameters": []vars{param("Stage", "VALUE", stage)},
		}))
	}
	b.upsert("Visit__c", "V1", "Name", "Ann", "Stage", "Open")
	refused := func() (n int) {
		for _, id := range ids {
			for _, o := range outcomes(b.runs(id)) {
				if o == "REFUSED LIMIT_EXCEEDED" {
					n++
				}
			}
		}
		return n
	}
	b.Eventually(func() bool { return refused() > 0 }, "the loop is refused")
	b.settled()
	for _, id := range ids {
		require.LessOrEqual(t, len(b.runs(id)), 21, "at most 20 in an hour, and one refusal of more")
	}
	require.Equal(t, []string{"4"}, parleytest.Rows(t, b.Store, "SELECT MAX(depth) FROM crm_action_runs WHERE outcome = 'DONE'"))
}

// A trigger's action that cannot run leaves the message where it is, and an entry in the
// log that can be run again.
func TestARefusedRunLeavesTheMessageAndRunsAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	b.upsert("Visit__c", "V1", "Name", "twelve")
	id := b.action(vars{
		"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "MESSAGE_RECEIVED", "objectTypes": []string{"Visit__c"},
		"parameters": []vars{param("Amount", "FIELD", "Name", "Visit__c")},
	})
	conversation := b.conversation("+12025550190")
	b.settled()
	b.link(conversation)
	b.Say("+12025550190", parleytest.Sales, "Still here")
	b.Eventually(func() bool { return len(b.runs(id)) == 1 }, "the refusal is logged")
	refused := b.runs(id)[0]
	require.Equal(t, []string{"REFUSED BAD_INPUT"}, outcomes(b.runs(id)))
	require.Equal(t, "Still here", b.As("amy").Do(state, vars{"id": conversation}).Get("conversation", "preview").String())

	const again = `mutation($i: RerunCrmActionInput!) { rerunCrmAction(input: $i) { run { id outcome rerunOf } errors { code field message } } }`
	in := func(key string) vars { return vars{"runId": refused.Get("id").String(), "idempotencyKey": key} }
	require.Equal(t, "BAD_INPUT", code(b.do("ada", again, "rerunCrmAction", in("a"))), "nothing has changed")
	b.upsert("Visit__c", "V1", "Name", "12")
	require.Equal(t, "FORBIDDEN", code(b.do("amy", again, "rerunCrmAction", in("b"))))
	done := b.ok(again, "rerunCrmAction", in("c"))
	require.Equal(t, []string{"DONE", refused.Get("id").String()}, []string{done.Get("run", "outcome").String(), done.Get("run", "rerunOf").String()})
	require.Equal(t, "12", b.visit("V1")["Amount"])
	require.Equal(t, done.Get("run", "id").String(), b.ok(again, "rerunCrmAction", in("c")).Get("run", "id").String())
	require.Equal(t, "CONFLICT", code(b.do("ada", again, "rerunCrmAction", vars{"runId": done.Get("run", "id").String()})), "done is done")
	require.Empty(t, b.As("amy").Do(logged, vars{"f": nil}).Get("crmActionRuns", "nodes").List(), "the log is the administrators'")
}

// The runs of conversations that an administrator does not see are not there for them.
func TestRunsAreSeenWithTheirConversations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.action(vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://crm.example.com/")}})
	b.Say("+12025550190", parleytest.Direct, "For amy alone")
	conversation := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	run := b.run("amy", id, conversation, nil).Get("run", "id").String()
	set := b.ok(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, "createPermissionSet",
		vars{"name": "Setup", "permissions": []string{"CONFIGURE_MESSAGING"}}).Get("permissionSet", "id").String()
	b.ok(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { message } } }`, "grantPermissionSet",
		vars{"id": set, "agentIds": []string{b.Directory.AgentNamed("bo").ID}})
	for username, want := range map[string]int{"ada": 1, "bo": 0, "amy": 0} {
		require.Len(t, b.As(username).Do(logged, vars{"f": vars{"actionId": id}}).Get("crmActionRuns", "nodes").List(), want, username)
		found := b.As(username).Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": run})
		require.Equal(t, want == 1, len(found.Codes()) == 0, username)
	}
}

func TestOldRunsAreForgottenWithTheirDeliveries(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.action(vars{"performs": "CALL_WEBHOOK", "parameters": []vars{param("Url", "URL", "https://crm.example.com/")}})
	conversation := b.conversation("+12025550190")
	require.Empty(t, code(b.run("amy", id, conversation, nil)))
	b.Clock.Advance(89 * 24 * 3600 * 1e9)
	require.Empty(t, code(b.run("amy", id, conversation, nil)))
	b.Clock.Advance(2 * 24 * 3600 * 1e9)
	b.Run()
	left := func(query interface {
		Count(context.Context) (int, error)
	},
	) int {
		n, err := query.Count(b.System())
		require.NoError(t, err)
		return n
	}
	client := b.Store.Ent
	b.Eventually(func() bool { return left(client.CrmActionRun.Query()) == 1 }, "the old run is forgotten")
	require.Equal(t, 1, left(client.WebhookDelivery.Query()))
}

// A trigger reads what administrators of actions need not be allowed to: the log tells them
// nothing of it.
func TestARefusedRunTellsNoValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Run()
	set := b.ok(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, "createPermissionSet",
		vars{"name": "Setup", "permissions": []string{"CONFIGURE_MESSAGING", "TAKE_ACTION"}})
	b.ok(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { message } } }`, "grantPermissionSet",
		vars{"id": set.Get("permissionSet", "id").String(), "agentIds": []string{b.Directory.AgentNamed("bo").ID}})
	conversation := b.conversation("+12025550191")
	b.upsert("Visit__c", "V1", "Name", "Nina", "Mobile", "+12025550191", "Salary", "98765")
	b.link(conversation)
	for i, kind := range []string{"Stage", "Tags"} {
		id := b.action(vars{
			"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "MESSAGE_RECEIVED", "objectTypes": []string{"Visit__c"},
			"parameters": []vars{param(kind, "FIELD", "Salary", "Visit__c")},
		})
		b.Say("+12025550191", parleytest.Sales, kind)
		b.Eventually(func() bool { return len(b.runs(id)) == 1 }, "the run is in the log")
		run := b.As("bo").Do(`query($f: CrmActionRunFilter) { crmActionRuns(filterBy: $f) { nodes { id outcome problem { code message } } } }`, vars{"f": vars{"actionId": id}}).Get("crmActionRuns", "nodes", 0)
		require.Equal(t, "REFUSED", run.Get("outcome").String())
		require.NotContains(t, run.String(), "98765")
		again := b.do("bo", `mutation($i: RerunCrmActionInput!) { rerunCrmAction(input: $i) { errors { code field message } } }`, "rerunCrmAction",
			vars{"runId": run.Get("id").String(), "idempotencyKey": fmt.Sprint("again", i)})
		require.NotEmpty(t, code(again))
		require.NotContains(t, again.String(), "98765")
	}
}
