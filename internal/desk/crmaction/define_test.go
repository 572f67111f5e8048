package crmaction_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

const updating = `mutation($i: UpdateCrmActionInput!) { updateCrmAction(input: $i) { action { name isActive parameters { key } } errors { code field message } } }`

func TestOnlyAdministratorsDefineActions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := func(key string) vars {
		return vars{"name": "Open", "developerName": "Open" + key, "performs": "OPEN_URL", "type": "MANUAL", "parameters": []vars{param("Url", "URL", "https://x.test/")}}
	}
	made := b.ok(creating, "createCrmAction", in("ada")).Get("action")
	require.Equal(t, []string{"Open", "OPEN_URL", "MANUAL", "true"}, []string{
		made.Get("name").String(), made.Get("performs").String(), made.Get("type").String(), fmt.Sprint(made.Get("isActive").Bool()),
	})
	id := made.Get("id").String()
	for _, username := range []string{"amy", "bo", "sue"} {
		require.Equal(t, "FORBIDDEN", code(b.do(username, creating, "createCrmAction", in(username))), username)
		require.Equal(t, "FORBIDDEN", code(b.do(username, updating, "updateCrmAction", vars{"id": id, "name": "Mine"})), username)
	}
	changed := b.ok(updating, "updateCrmAction", vars{"id": id, "name": "Look"}).Get("action")
	require.Equal(t, `{"isActive":true,"name":"Look","parameters":[{"key":"Url"}]}`, changed.String())
	require.Equal(t, "NOT_FOUND", code(b.do("ada", updating, "updateCrmAction", vars{"id": "act_0000000000000", "name": "x"})))
	taken := in("ADA")
	require.Equal(t, "BAD_INPUT", code(b.do("ada", creating, "createCrmAction", taken)), "whatever the case")

	entry := b.As("ada").Do(`{ auditEntries(first: 1) { nodes { action subjectType subjectName changes { field before after } } } }`, nil).Get("auditEntries", "nodes", 0)
	require.Equal(t, `{"action":"UPDATED","changes":[{"after":"Look","before":"Open","field":"name"}],"subjectName":"Look","subjectType":"CrmAction"}`, entry.String())

	b.ok(updating, "updateCrmAction", vars{"id": id, "isActive": false})
	for username, want := range map[string]int{"amy": 0, "ada": 1} {
		require.Len(t, b.As(username).Do(`{ crmActions { id } }`, nil).Get("crmActions").List(), want, username)
		require.Equal(t, want == 1, len(b.As(username).Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Codes()) == 0, username)
	}
}

// What an agent sees of an action says nothing of fields and types that they may not read.
func TestAgentsSeeWhatTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.action(vars{"name": "Both", "performs": "UPDATE_RECORD", "objectTypes": []string{"Farm__c", "Visit__c"}, "parameters": []vars{asked("Name")}})
	b.action(vars{"name": "Farms", "performs": "UPDATE_RECORD", "objectTypes": []string{"Farm__c"}, "parameters": []vars{param("Herd", "VALUE", "1")}})
	b.action(vars{"name": "Pay", "performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Salary", "VALUE", "1"), asked("Stage")}})
	seen := func(username string) string {
		return b.As(username).Do(`{ crmActions { name objectTypes parameters { key } } }`, nil).Get("crmActions").String()
	}
	require.Equal(t, `[{"name":"Both","objectTypes":["Visit__c"],"parameters":[{"key":"Name"}]},{"name":"Pay","objectTypes":["Visit__c"],"parameters":[{"key":"Stage"}]}]`, seen("bo"))
	require.Contains(t, seen("ada"), "Salary")
	require.Equal(t, "[]", seen("sue"))
}

// formula is an automatic action with a formula for condition.
func formula(source, field string) vars {
	return vars{
		"performs": "UPDATE_RECORD", "type": "AUTOMATIC", "trigger": "MESSAGE_RECEIVED", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Stage", "VALUE", "Won")},
		"conditions": []vars{{"object": "Visit__c", "field": field, "operator": "FORMULA", "value": source}},
	}
}

func TestADefinitionThatCannotRunIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	url := param("Url", "URL", "https://x.test/")
	auto := func(in vars) vars { in["type"] = "AUTOMATIC"; return in }
	for name, c := range map[string]struct {
		in    vars
		field string
	}{
		"a field that is not there": {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Nope", "VALUE", "1")}}, "input.parameters.0.key"},
		"a value it does not take":  {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Amount", "VALUE", "much")}}, "input.parameters.0.value"},
		"no object type":            {vars{"performs": "UPDATE_RECORD", "parameters": []vars{param("Name", "VALUE", "1")}}, "input.objectTypes"},
		"an unknown object type":    {vars{"performs": "OPEN_URL", "objectTypes": []string{"Nope"}, "parameters": []vars{url}}, "input.objectTypes.0"},
		"nothing to write":          {vars{"performs": "CREATE_RECORD", "parameters": []vars{param("ObjectName", "VALUE", "Visit__c")}}, "input.parameters"},
		"a path that ends nowhere":  {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Name", "FIELD", "Farm.Nope", "Visit__c")}}, "input.parameters.0.value"},
		"a path through a text":     {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Name", "FIELD", "Name.Farm", "Visit__c")}}, "input.parameters.0.value"},
		"a path that is too long":   {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Name", "FIELD", "Farm.Farm.Farm.Farm.Farm.Farm.Name", "Visit__c")}}, "input.parameters.0.value"},
		"another object":            {vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("Name", "FIELD", "Name", "Farm__c")}}, "input.parameters.0.object"},
		"no lookup to link":         {vars{"performs": "LINK_RECORD", "objectTypes": []string{"Visit__c"}, "parameters": []vars{param("RecordId", "FIELD", "Name", "Visit__c")}}, "input.parameters.0.value"},
		"a script":                  {vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "javascript:alert(1)")}}, "input.parameters"},
		"a host from a value":       {vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://{Name}.x.test/"), param("Name", "VALUE", "x")}}, "input.parameters"},
		"a value without a place":   {vars{"performs": "OPEN_URL", "parameters": []vars{url, param("Name", "VALUE", "x")}}, "input.parameters"},
		"a place without a value":   {vars{"performs": "OPEN_URL", "parameters": []vars{param("Url", "URL", "https://x.test/{Name}")}}, "input.parameters"},
		"a webhook in the clear":    {vars{"performs": "CALL_WEBHOOK", "parameters": []vars{param("Url", "URL", "ftp://x.test/")}}, "input.parameters"},
		"a key twice":               {vars{"performs": "CALL_WEBHOOK", "parameters": []vars{url, param("A", "VALUE", "1"), param("A", "VALUE", "2")}}, "input.parameters.2.key"},
		"a trigger of an agent's":   {vars{"performs": "OPEN_URL", "trigger": "FIRST_INBOUND", "parameters": []vars{url}}, "input.trigger"},
		"no trigger":                {auto(vars{"performs": "CALL_WEBHOOK", "parameters": []vars{url}}), "input.trigger"},
		"nobody to open it":         {auto(vars{"performs": "OPEN_URL", "trigger": "FIRST_INBOUND", "parameters": []vars{url}}), "input.type"},
		"nobody to ask":             {auto(vars{"performs": "CALL_WEBHOOK", "trigger": "FIRST_INBOUND", "parameters": []vars{url, asked("Name")}}), "input.parameters.1.isAsked"},
		"records of no type":        {auto(vars{"performs": "CALL_WEBHOOK", "trigger": "RECORD_CHANGED", "parameters": []vars{url}}), "input.objectTypes"},
		"an order of places":        {auto(vars{"performs": "CALL_WEBHOOK", "trigger": "FIRST_INBOUND", "objectTypes": []string{"Visit__c"}, "parameters": []vars{url}, "conditions": []vars{{"object": "Visit__c", "field": "Tags", "operator": "LESS_THAN", "value": "a"}}}), "input.conditions.0.operator"},
		"a condition's value":       {auto(vars{"performs": "CALL_WEBHOOK", "trigger": "FIRST_INBOUND", "objectTypes": []string{"Visit__c"}, "parameters": []vars{url}, "conditions": []vars{{"object": "Visit__c", "field": "Amount", "operator": "EQUALS", "value": "much"}}}), "input.conditions.0.value"},
		"a formula of a number":     {formula("Amount + 1", ""), "input.conditions.0.value"},
		"a formula of no field":     {formula("Amonut > 1", ""), "input.conditions.0.value"},
		"a formula of another's":    {formula("Herd > 1", ""), "input.conditions.0.value"},
		"a formula about a field":   {formula("Amount > 1", "Amount"), "input.conditions.0.field"},
	} {
		in := vars{"name": "A", "developerName": "A", "type": "MANUAL"}
		for k, v := range c.in {
			in[k] = v
		}
		payload := b.create(in)
		require.Equal(t, "BAD_INPUT", code(payload), name)
		require.Equal(t, c.field, payload.Get("errors", 0, "field").String(), "%s: %s", name, payload.Get("errors", 0, "message"))
	}
	require.Empty(t, b.As("ada").Do(`{ crmActions { id } }`, nil).Get("crmActions").List())
}

// A trigger acts with all rights, so nobody has it do what they may not do themselves.
func TestNobodyHasATriggerDoWhatTheyMayNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.ok(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, "createPermissionSet",
		vars{"name": "Setup", "permissions": []string{"CONFIGURE_MESSAGING"}}).Get("permissionSet", "id").String()
	b.ok(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { message } } }`, "grantPermissionSet",
		vars{"id": set, "agentIds": []string{b.Directory.AgentNamed("amy").ID}})
	for name, c := range map[string]struct {
		in   vars
		want string
	}{
		"read":      {vars{"performs": "CALL_WEBHOOK", "parameters": []vars{param("Url", "URL", "https://x.test/"), param("S", "FIELD", "Salary", "Visit__c")}}, "FORBIDDEN"},
		"write":     {vars{"performs": "UPDATE_RECORD", "parameters": []vars{param("Salary", "VALUE", "1")}}, "FORBIDDEN"},
		"condition": {vars{"performs": "UPDATE_RECORD", "parameters": []vars{param("Stage", "VALUE", "Won")}, "conditions": []vars{{"object": "Visit__c", "field": "Salary", "operator": "IS_BLANK"}}}, "FORBIDDEN"},
		"formula":   {formula("ISBLANK(Salary)", ""), "FORBIDDEN"},
		"create":    {vars{"performs": "CREATE_RECORD", "parameters": []vars{param("ObjectName", "VALUE", "Farm__c"), param("Name", "VALUE", "x")}}, "FORBIDDEN"},
		"theirs":    {vars{"performs": "UPDATE_RECORD", "parameters": []vars{param("Stage", "VALUE", "Won"), param("Name", "FIELD", "Farm.Name", "Visit__c")}}, ""},
	} {
		in := vars{"name": name, "developerName": "A" + name, "type": "AUTOMATIC", "trigger": "MESSAGE_RECEIVED", "objectTypes": []string{"Visit__c"}}
		for k, v := range c.in {
			in[k] = v
		}
		require.Equal(t, c.want, code(b.do("amy", creating, "createCrmAction", in)), name)
	}
}
