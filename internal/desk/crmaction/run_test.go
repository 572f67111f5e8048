package crmaction_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
)

func TestUpdatingARecordWritesItsFieldsAndALine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Farm__c", "F1", "Name", "Hilltop", "Herd", "12")
	b.upsert("Visit__c", "V1", "Name", "Ann", "Amount", "10.50", "Farm", "F1")
	conversation := b.conversation("+12025550190")
	b.link(conversation)
	before := b.As("amy").Do(state, vars{"id": conversation}).Get("conversation").String()
	id := b.action(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{
		param("Stage", "VALUE", "Won"), asked("Amount"), param("Name", "FIELD", "Farm.Name", "Visit__c"), param("Mobile", "FIELD", "Address", "$Conversation"),
	}})
	values := vars{"values": []vars{{"key": "Amount", "value": "99.90"}}}

	values["dryRun"] = true
	dry := b.run("amy", id, conversation, values)
	changes := dry.Get("changes").String()
	require.Equal(t, `[{"after":"Hilltop","before":"Ann","field":"Name","label":"Name","objectType":"Visit__c"},`+
		`{"after":"+12025550190","before":null,"field":"Mobile","label":"Mobile","objectType":"Visit__c"},`+
		`{"after":"99.90","before":"10.50","field":"Amount","label":"Amount","objectType":"Visit__c"},`+
		`{"after":"Won","before":null,"field":"Stage","label":"Stage","objectType":"Visit__c"}]`, changes)
	require.Empty(t, dry.Get("run").String())
	require.Equal(t, "10.50", b.visit("V1")["Amount"], "a dry run writes nothing")
	require.Equal(t, before, b.As("amy").Do(state, vars{"id": conversation}).Get("conversation").String())

	values["dryRun"], values["idempotencyKey"] = false, "once"
	ran := b.run("amy", id, conversation, values)
	require.Empty(t, code(ran), ran.Get("errors").String())
	require.Equal(t, changes, ran.Get("changes").String())
	require.Equal(t, "DONE", ran.Get("run", "outcome").String())
	require.Equal(t, "V1", ran.Get("record", "externalId").String())
	require.Equal(t, "Hilltop", ran.Get("conversation", "name").String(), "the conversation follows its record")
	held := b.visit("V1")
	require.Equal(t, []string{"99.90", "Won", "Hilltop", "+12025550190"}, []string{held["Amount"], held["Stage"], held["Name"], held["Mobile"]})

	require.Equal(t, ran.Get("run", "id").String(), b.run("amy", id, conversation, values).Get("run", "id").String())
	values["values"] = []vars{{"key": "Amount", "value": "1"}}
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(b.run("amy", id, conversation, values)))

	after := b.As("amy").Do(state, vars{"id": conversation}).Get("conversation")
	line := after.Get("messages", "nodes", 0)
	require.Equal(t, `{"__typename":"ActionContent","actionName":"Action 8","performs":"UPDATE_RECORD","text":"The action “Action 8” was taken."}`, line.Get("content").String())
	require.Equal(t, `"amy"`, `"`+line.Get("author", "username").String()+`"`)
	require.NotContains(t, after.String(), "99.90", "a line holds no values")
	for _, field := range []string{"preview", "lastMessageAt", "isUnread", "newCount"} {
		require.Equal(t, b.as(before, field), after.Get(field).String(), field)
	}
}

const state = `query($id: ID!) { conversation(id: $id) { preview lastMessageAt isUnread newCount name objectType messages(last: 1) { nodes {
	author { username } kind content { __typename ... on ActionContent { text actionName performs } ... on TextContent { text } } } } } }`

func (*bundle) as(written, field string) string {
	_, rest, _ := strings.Cut(written, `"`+field+`":`)
	end := strings.IndexAny(rest, ",}")
	return strings.Trim(rest[:end], `"`)
}

func TestAnActionIsAvailableAsRightsAndRecordsAllow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Visit__c", "V1", "Name", "Ann", "Salary", "5")
	conversation := b.conversation("+12025550190")
	for name, in := range map[string]vars{
		"stage":    {"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Stage", "VALUE", "Won")}},
		"salary":   {"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Salary", "VALUE", "6")}},
		"peek":     {"performs": "OPEN_URL", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Url", "URL", "https://x.test/{S}"), param("S", "FIELD", "Salary", "Visit__c")}},
		"farm":     {"performs": "OPEN_URL", "objectTypes": []string{"Farm__c"}, "parameters": []vars{param("Url", "URL", "https://x.test/")}},
		"create":   {"performs": "CREATE_RECORD", "parameters": []vars{param("ObjectName", "VALUE", "Visit__c"), param("Name", "VALUE", "New")}},
		"template": {"performs": "SEND_TEMPLATE", "parameters": []vars{param("TemplateName", "VALUE", "Hello")}},
		"off":      {"performs": "OPEN_URL", "isActive": false, "parameters": []vars{param("Url", "URL", "https://x.test/")}},
	} {
		in["name"] = name
		b.action(in)
	}
	require.Equal(t, map[string]string{
		"stage": "NO_RECORD ", "salary": "NO_RECORD ", "peek": "NO_RECORD ", "farm": "NO_RECORD ", "create": "", "template": "TEMPLATES_UNAVAILABLE ",
	}, b.available("amy", conversation))
	b.link(conversation)
	linking := map[string]string{"Action 11": ""}
	for username, want := range map[string]map[string]string{
		"amy": {"stage": "", "salary": "FIELD_NOT_WRITABLE ", "peek": "FIELD_NOT_READABLE ", "farm": "NOT_FOR_OBJECT_TYPE ", "create": "", "template": "TEMPLATES_UNAVAILABLE "},
		"bo":  {"stage": "FIELD_NOT_WRITABLE ", "salary": "FIELD_NOT_WRITABLE ", "peek": "FIELD_NOT_READABLE ", "create": "FIELD_NOT_WRITABLE ", "template": "TEMPLATES_UNAVAILABLE "},
		"ada": {"stage": "", "salary": "", "peek": "", "farm": "NOT_FOR_OBJECT_TYPE ", "create": "", "template": "TEMPLATES_UNAVAILABLE "},
	} {
		got := b.available(username, conversation)
		for name := range linking {
			delete(got, name)
		}
		for name := range got {
			if strings.HasPrefix(name, "Action ") {
				delete(got, name)
			}
		}
		require.Equal(t, want, got, username)
	}
}

// What availableActions says is what runCrmAction does, for every agent and action.
func TestARunIsRefusedForTheReasonsThatWereShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Visit__c", "V1", "Name", "Ann", "Salary", "5")
	conversation := b.conversation("+12025550190")
	b.link(conversation)
	ids := map[string]string{}
	for name, in := range map[string]vars{
		"stage":  {"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Stage", "VALUE", "Won")}},
		"salary": {"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Salary", "VALUE", "6")}},
		"peek":   {"performs": "OPEN_URL", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Url", "URL", "https://x.test/{S}"), param("S", "FIELD", "Salary", "Visit__c")}},
	} {
		in["name"] = name
		ids[name] = b.action(in)
	}
	for _, username := range []string{"amy", "bo", "ada"} {
		shown := b.available(username, conversation)
		for name, id := range ids {
			for _, dry := range []bool{true, false} {
				ran := b.run(username, id, conversation, vars{"dryRun": dry})
				require.Equal(t, strings.Fields(shown[name]), append([]string{}, reasons(ran)...), "%s %s", username, name)
				require.Equal(t, shown[name] != "", code(ran) == "CONFLICT", "%s %s", username, name)
				require.NotContains(t, ran.Get("errors").String()+ran.Get("reasons").String(), "Salary")
			}
		}
	}
	require.Equal(t, "NOT_FOUND", code(b.run("amy", "act_0000000000000", conversation, nil)))
	require.Equal(t, "NOT_FOUND", code(b.run("amy", ids["stage"], "cnv_0000000000000", nil)))
	b.Say("+12025550191", parleytest.Direct, "For amy alone")
	hidden := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	require.Equal(t, "NOT_FOUND", code(b.run("bo", ids["stage"], hidden, nil)), "bo does not see the conversation")
}

// A value that the field does not take is at fault where the agent gave it.
func TestAWrongValueIsNamedWhereItWasGiven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation("+12025550190")
	id := b.action(vars{"performs": "CREATE_RECORD", "parameters": []vars{
		param("ObjectName", "VALUE", "Visit__c"), asked("Amount"), asked("Name"), param("Mobile", "VALUE", "+12025550190"), asked("Stage"),
	}})
	refused := b.run("amy", id, conversation, vars{"values": []vars{{"key": "Stage", "value": "Open"}, {"key": "Amount", "value": "much"}, {"key": "Name", "value": "Zoe"}}})
	require.Equal(t, "input.values.1.value", refused.Get("errors", 0, "field").String(), refused.Get("errors").String())
	refused = b.run("amy", id, conversation, vars{"values": []vars{{"key": "Stage", "value": "Sold"}, {"key": "Amount", "value": "1"}, {"key": "Name", "value": "Zoe"}}})
	require.Equal(t, "input.values.0.value", refused.Get("errors", 0, "field").String(), refused.Get("errors").String())
}

func TestACreatedRecordCanTakeTheConversation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation("+12025550190")
	id := b.action(vars{"performs": "CREATE_RECORD", "parameters": []vars{
		param("ObjectName", "VALUE", "Visit__c"), param("LinkConversation", "VALUE", "true"), asked("Name"), param("Mobile", "FIELD", "Address", "$Conversation"),
	}})
	refused := b.run("amy", id, conversation, nil)
	require.Equal(t, "BAD_INPUT", code(refused))
	ran := b.run("amy", id, conversation, vars{"values": []vars{{"key": "Name", "value": "Zoe"}}})
	require.Empty(t, code(ran), ran.Get("errors").String())
	external := ran.Get("record", "externalId").String()
	require.True(t, strings.HasPrefix(external, "parley:"), external)
	require.Equal(t, "Visit__c", ran.Get("conversation", "objectType").String())
	require.Equal(t, "Zoe", ran.Get("conversation", "name").String())
	require.Equal(t, "+12025550190", b.visit(external)["Mobile"])
}

func TestLinkingMovesViewsAndCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Farm__c", "F1", "Name", "Hilltop")
	b.upsert("Visit__c", "V1", "Name", "Ann", "Farm", "F1")
	conversation := b.conversation("+12025550190")
	b.link(conversation)
	id := b.action(vars{"performs": "LINK_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("RecordId", "FIELD", "Farm", "Visit__c")}})
	count := func(objectType string) int {
		return b.As("amy").Do(`query($t: ID!) { conversations(view: {kind: OBJECT_TYPE, subject: $t}, first: 5) { totalCount } }`, vars{"t": objectType}).Get("conversations", "totalCount").Int()
	}
	require.Equal(t, []int{1, 0}, []int{count("Visit__c"), count("Farm__c")})
	ran := b.run("amy", id, conversation, nil)
	require.Empty(t, code(ran), ran.Get("errors").String())
	require.Equal(t, "Hilltop", ran.Get("conversation", "name").String())
	require.Equal(t, []int{0, 1}, []int{count("Visit__c"), count("Farm__c")})

	asking := b.action(vars{"performs": "LINK_RECORD", "parameters": []vars{asked("RecordId")}})
	for _, wanted := range []string{"Lead/L1", "rec_0000000000000", "nonsense", "Visit__c/none"} {
		require.Equal(t, "NOT_FOUND", code(b.run("amy", asking, conversation, vars{"values": []vars{{"key": "RecordId", "value": wanted}}})), wanted)
	}
}

func TestAnAddressIsBuiltSoThatValuesStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.upsert("Visit__c", "V1", "Name", "A&b=c/../ #?é")
	conversation := b.conversation("+12025550190")
	b.link(conversation)
	id := b.action(vars{"performs": "OPEN_URL", "objectTypes": []string{"Visit__c"}, "parameters": []vars{
		param("Url", "URL", "https://crm.example.com/v/{N}?q={N}"), param("N", "FIELD", "Name", "Visit__c"),
	}})
	const want = "https://crm.example.com/v/A%26b%3Dc%2F..%2F%20%23%3F%C3%A9?q=A%26b%3Dc%2F..%2F%20%23%3F%C3%A9"
	ran := b.run("amy", id, conversation, vars{"idempotencyKey": "again"})
	require.Equal(t, want, ran.Get("openUrl").String())
	require.Equal(t, want, b.run("amy", id, conversation, vars{"idempotencyKey": "again"}).Get("openUrl").String())
}

func TestAnActionRunsSoOftenWithARecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	conversation := b.conversation("+12025550190")
	id := b.action(vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://crm.example.com/")}})
	for range 20 {
		require.Empty(t, code(b.run("amy", id, conversation, nil)))
	}
	require.Equal(t, "LIMIT_EXCEEDED", code(b.run("amy", id, conversation, nil)))
	other := b.conversation("+12025550191")
	require.Empty(t, code(b.run("amy", id, other, nil)))
}

// A run costs these statements, however many parameters it has and however much the
// conversation holds; a path costs one for each lookup of the longest.
func TestARunCostsSoManyStatements(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := setup(t, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			if !strings.Contains(statement, "log_heads") && !strings.Contains(statement, "processes") { // asked in the background too
				statements.Add(1)
			}
			return nil
		}
	})
	b.upsert("Farm__c", "F1", "Name", "Hilltop")
	b.upsert("Visit__c", "V1", "Name", "Ann", "Farm", "F1")
	conversation := b.conversation("+12025550190")
	b.link(conversation)
	cost := func(in vars) int {
		id := b.action(in)
		from := statements.Load()
		require.Empty(t, code(b.run("amy", id, conversation, nil)))
		return int(statements.Load() - from)
	}
	one := cost(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Stage", "VALUE", "Won")}})
	many := cost(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{
		param("Stage", "VALUE", "Open"), param("Amount", "VALUE", "1"), param("Tags", "VALUE", "a;b"),
	}})
	require.Equal(t, one, many)
	far := cost(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{
		param("Stage", "VALUE", "Won"), param("Amount", "FIELD", "Farm.Herd", "Visit__c"),
	}})
	require.Equal(t, one+1, far)
	open := cost(vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://crm.example.com/")}})
	require.LessOrEqual(t, far, 30)
	require.LessOrEqual(t, open, 20)

	for range 5 {
		b.action(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Stage", "VALUE", "Won")}})
	}
	from := statements.Load()
	b.available("amy", conversation)
	require.Equal(t, int64(1), statements.Load()-from, "the conversation; actions and rights are in memory")
}
