package crmaction_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/victim"
)

func TestMain(m *testing.M) {
	victim.Work(runUntilKilled)
	os.Exit(m.Run())
}

type vars = parleytest.Vars

// bundle is a desk with CRM records: amy may write Visits but not their Salary, and read
// Farms; bo may read Visits.
type bundle struct {
	*parleytest.Parley
	made int
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	b := &bundle{Parley: parleytest.New(t, append([]func(*app.Config){keyed(t)}, options...)...)}
	b.define()
	return b
}

// keyed gives the vault a file of the test's own.
func keyed(t *testing.T) func(*app.Config) {
	file := t.TempDir() + "/key"
	return func(c *app.Config) { c.KeyFile = file }
}

func (b *bundle) define() {
	b.T.Helper()
	field := func(name, kind string, more vars) vars {
		f := vars{"name": name, "label": name, "type": kind}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	for _, in := range []vars{
		{"name": "Farm__c", "label": "Farm", "messaging": vars{"name": "Name"}, "fields": []vars{field("Name", "TEXT", nil), field("Herd", "NUMBER", nil)}},
		{"name": "Visit__c", "label": "Visit", "messaging": vars{"name": "Name", "phones": []vars{{"field": "Mobile"}}}, "fields": []vars{
			field("Name", "TEXT", nil), field("Mobile", "PHONE", nil), field("Amount", "CURRENCY", nil),
			field("Stage", "PICKLIST", vars{"choices": []string{"Open", "Won"}}), field("Farm", "REFERENCE", vars{"targets": []string{"Farm__c"}}),
			field("Salary", "NUMBER", vars{"isSensitive": true}), field("Tags", "MULTI_PICKLIST", vars{"choices": []string{"a", "b"}}),
		}},
	} {
		b.ok(`mutation($i: CreateObjectTypeInput!) { createObjectType(input: $i) { errors { code field message } } }`, "createObjectType", in)
	}
	b.grant("amy", []vars{{"objectType": "Visit__c", "access": "WRITE"}, {"objectType": "Farm__c", "access": "READ"}})
	b.grant("bo", []vars{{"objectType": "Visit__c", "access": "READ"}})
}

func (b *bundle) grant(username string, rights []vars) {
	b.T.Helper()
	set := b.ok(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { code field message } } }`,
		"createPermissionSet", vars{"name": "Records of " + username, "permissions": []string{}, "recordRights": rights})
	b.ok(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { code message } } }`, "grantPermissionSet",
		vars{"id": set.Get("permissionSet", "id").String(), "agentIds": []string{b.Directory.AgentNamed(username).ID}})
}

// do runs a mutation with an input and returns its payload.
func (b *bundle) do(username, document, field string, input vars) parleytest.Tree {
	b.T.Helper()
	if _, given := input["idempotencyKey"]; !given && field != "grantPermissionSet" && field != "updateCrmAction" && field != "upsertRecords" && field != "renewCrmActionSecret" {
		b.made++
		input["idempotencyKey"] = fmt.Sprintf("key-%d", b.made)
	}
	return b.As(username).Do(document, vars{"i": input}).Get(field)
}

// ok is what ada does without errors.
func (b *bundle) ok(document, field string, input vars) parleytest.Tree {
	b.T.Helper()
	payload := b.do("ada", document, field, input)
	require.Empty(b.T, payload.Get("errors").List(), payload.Get("errors").String())
	return payload
}

const creating = `mutation($i: CreateCrmActionInput!) { createCrmAction(input: $i) {
	action { id name developerName performs type isActive objectTypes parameters { label key type object value isAsked } trigger conditions { object field operator value } }
	webhookSecret errors { code field message } } }`

func (b *bundle) create(in vars) parleytest.Tree {
	b.T.Helper()
	return b.do("ada", creating, "createCrmAction", in)
}

// action defines an action and returns its id.
func (b *bundle) action(in vars) string {
	b.T.Helper()
	b.made++
	full := vars{"name": fmt.Sprint("Action ", b.made), "developerName": fmt.Sprint("Action", b.made), "type": "MANUAL"}
	for k, v := range in {
		full[k] = v
	}
	return b.ok(creating, "createCrmAction", full).Get("action", "id").String()
}

// param is a parameter: its key, type, and value; of a FIELD with object and path.
func param(key, source, value string, object ...string) vars {
	p := vars{"label": key, "key": key, "type": source, "value": value}
	if len(object) > 0 {
		p["object"] = object[0]
	}
	return p
}

func asked(key string) vars {
	p := param(key, "VALUE", "")
	p["isAsked"] = true
	return p
}

func (b *bundle) upsert(objectType, id string, fields ...string) {
	b.T.Helper()
	var list []vars
	for i := 0; i < len(fields); i += 2 {
		list = append(list, vars{"name": fields[i], "text": fields[i+1]})
	}
	payload := b.ok(`mutation($i: UpsertRecordsInput!) { upsertRecords(input: $i) { results { error { message } } errors { message } } }`, "upsertRecords",
		vars{"records": []vars{{"objectType": objectType, "externalId": id, "fields": list}}})
	require.Empty(b.T, payload.Get("results", 0, "error").String())
}

// visit reads the fields of a Visit as ada sees it, by name; empty for one that is not there.
func (b *bundle) visit(id string) map[string]string {
	b.T.Helper()
	found := b.As("ada").Do(`query($t: String!, $e: String!) { record(objectType: $t, externalId: $e) { fields { name text } } }`, vars{"t": "Visit__c", "e": id})
	values := map[string]string{}
	for _, f := range found.Get("record", "fields").List() {
		values[f.Get("name").String()] = f.Get("text").String()
	}
	return values
}

// conversation has a customer write to Sales and returns the conversation's id.
func (b *bundle) conversation(from string) string {
	b.T.Helper()
	b.Say(from, parleytest.Sales, "Hello")
	list := b.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil)
	return list.Get("conversations", "nodes", 0, "id").String()
}

// link anchors a conversation to the Visit V1.
func (b *bundle) link(conversation string) {
	b.T.Helper()
	id := b.action(vars{"performs": "LINK_RECORD", "parameters": []vars{asked("RecordId")}})
	b.ok(running, "runCrmAction", vars{"actionId": id, "conversationId": conversation, "values": []vars{{"key": "RecordId", "value": "Visit__c/V1"}}})
}

const running = `mutation($i: RunCrmActionInput!) { runCrmAction(input: $i) {
	run { id outcome actionName actor { name } conversation { id } record { externalId } delivery { status } }
	changes { objectType field label before after } requests { method url body } openUrl
	record { objectType externalId name } conversation { id objectType name preview isUnread newCount lastMessageAt }
	reasons { code message } errors { code field message } } }`

func (b *bundle) run(username, action, conversation string, more vars) parleytest.Tree {
	b.T.Helper()
	in := vars{"actionId": action, "conversationId": conversation}
	for k, v := range more {
		in[k] = v
	}
	return b.do(username, running, "runCrmAction", in)
}

// available are an agent's reasons by action.
func (b *bundle) available(username, conversation string) map[string]string {
	b.T.Helper()
	found := b.As(username).Do(`query($id: ID!) { conversation(id: $id) { availableActions { action { name } isAvailable reasons { code } } } }`, vars{"id": conversation})
	out := map[string]string{}
	for _, a := range found.Get("conversation", "availableActions").List() {
		codes := ""
		for _, r := range a.Get("reasons").List() {
			codes += r.Get("code").String() + " "
		}
		require.Equal(b.T, codes == "", a.Get("isAvailable").Bool())
		out[a.Get("action", "name").String()] = codes
	}
	return out
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func reasons(payload parleytest.Tree) (codes []string) {
	for _, r := range payload.Get("reasons").List() {
		codes = append(codes, r.Get("code").String())
	}
	return codes
}
