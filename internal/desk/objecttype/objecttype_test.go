package objecttype_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/administration"
	"parley/internal/desk/object"
	"parley/internal/desk/objecttype"
	"parley/internal/desk/staff"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

var administers = []viewer.Permission{viewer.ConfigureMessaging}

type vars = parleytest.Vars

const (
	line   = ` objectType { id name label pluralLabel access fields { name type isSensitive isFilterable isRetired choices targets access } messaging { name owner phones { field channelTypes } } } errors { code field message } `
	create = `mutation($i: CreateObjectTypeInput!) { createObjectType(input: $i) {` + line + `} }`
	update = `mutation($i: UpdateObjectTypeInput!) { updateObjectType(input: $i) {` + line + `} }`
)

// visit is an object type with a field that few may read.
func visit() vars {
	return vars{
		"name": "Visit__c", "label": "Visit", "idempotencyKey": "visit",
		"fields": []vars{
			{"name": "Name", "label": "Name", "type": "TEXT", "isFilterable": true},
			{"name": "Mobile__c", "label": "Mobile", "type": "PHONE"},
			{"name": "Diagnosis__c", "label": "Diagnosis", "type": "TEXT", "isSensitive": true},
			{"name": "Kind__c", "label": "Kind", "type": "PICKLIST", "choices": []string{"First", "Again"}},
		},
		"messaging": vars{"name": "name", "phones": []vars{{"field": "mobile__c", "channelTypes": []string{"SMS_LONG_CODE"}}}},
	}
}

func setup(t *testing.T) (*parleytest.Parley, string) {
	t.Helper()
	p := parleytest.New(t)
	made := p.As("ada").Do(create, vars{"i": visit()}).Get("createObjectType")
	require.Empty(t, made.Get("errors").List(), made.String())
	return p, made.Get("objectType", "id").String()
}

// An amount is in the record's own currency, or in that of its field.
func TestAmountsHaveACurrency(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	change := func(fields ...vars) {
		require.Empty(t, p.As("ada").Do(update, vars{"i": vars{"id": id, "fields": fields}}).Get("updateObjectType", "errors").List())
	}
	change(vars{"name": "Fee__c", "label": "Fee", "type": "CURRENCY", "currencyCode": "eur"}, vars{"name": "Tip__c", "label": "Tip", "type": "CURRENCY"})
	name := p.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on ObjectType { name fields { name currencyCode } } } }`, vars{"id": id}).Get("node")
	require.Contains(t, name.Get("fields").String(), `{"currencyCode":"EUR","name":"Fee__c"}`)
	amounts := func(fields ...vars) string {
		record := vars{"objectType": name.Get("name").String(), "externalId": "V1", "fields": append(fields, vars{"name": "Name", "text": "Ann"}, vars{"name": "Fee__c", "text": "12.50"}, vars{"name": "Tip__c", "text": "1"})}
		p.As("ada").Do(`mutation($r: UpsertRecordInput!) { upsertRecords(input: {records: [$r]}) { errors { message } } }`, vars{"r": record})
		return p.As("ada").Do(`query($t: String!) { record(objectType: $t, externalId: "V1") { fields(names: ["Name", "Fee__c", "Tip__c"]) { text currencyCode } } }`,
			vars{"t": record["objectType"]}).Get("record", "fields").String()
	}
	require.Equal(t, `[{"currencyCode":null,"text":"Ann"},{"currencyCode":"EUR","text":"12.50"},{"currencyCode":null,"text":"1"}]`, amounts())
	change(vars{"name": "CurrencyIsoCode", "label": "Currency", "type": "TEXT"})
	require.Equal(t, `[{"currencyCode":null,"text":"Ann"},{"currencyCode":"CHF","text":"12.50"},{"currencyCode":"CHF","text":"1"}]`, amounts(vars{"name": "CurrencyIsoCode", "text": "chf"}))
}

// blanks are blankAsZero of all fields of an object type.
func blanks(p *parleytest.Parley, id string) string {
	var all []string
	for _, f := range p.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on ObjectType { fields { blankAsZero } } } }`, vars{"id": id}).Get("node", "fields").List() {
		all = append(all, f.Get("blankAsZero").String())
	}
	return "[" + strings.Join(all, ",") + "]"
}

// give gives an agent a permission set with rights on records.
func give(p *parleytest.Parley, username, name string, rights ...object.Right) *staff.PermissionSet {
	p.T.Helper()
	set, err := p.Schema.Staff.CreatePermissionSet(p.System(), staff.CreatePermissionSetInput{Name: name, RecordRights: rights, IdempotencyKey: name})
	require.NoError(p.T, err)
	_, err = p.Schema.Staff.Grant(p.System(), staff.GrantInput{ID: set.ID(), AgentIDs: []string{p.Directory.AgentNamed(username).ID}})
	require.NoError(p.T, err)
	return set
}

// record writes a record of which there is no more than an import has.
func record(p *parleytest.Parley, objectType, externalID, name, mobile string) {
	p.T.Helper()
	require.NoError(p.T, p.Store.Write(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Record.Create().SetObjectType(objectType).SetExternalID(externalID).SetName(name).SetMobileNumber(mobile).SetUpdatedAt(1).Exec(ctx)
	}))
}

// code is the code of the first error of an operation.
func code(p *parleytest.Parley, username, query string, v vars) string {
	p.T.Helper()
	errs := p.As(username).Raw(query, v).Errors
	require.NotEmpty(p.T, errs)
	return errs[0].Extensions.Code
}

func names(list parleytest.Tree) string {
	var out []string
	for _, t := range list.List() {
		out = append(out, t.Get("name").String())
	}
	return strings.Join(out, " ")
}

func TestEveryDatabaseHasTheStandardTypes(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	all := p.As("ada").Do(`{ objectTypes { id name messaging { phones { field } } } }`, nil).Get("objectTypes")
	require.Equal(t, "Account Case Contact Lead Opportunity", names(all))
	require.Equal(t, "MobilePhone", all.Get(2, "messaging", "phones", 0, "field").String())
	changed := p.As("ada").Do(update, vars{"i": vars{"id": all.Get(3, "id").String(), "label": "Prospect"}}).Get("updateObjectType")
	require.Equal(t, "Prospect", changed.Get("objectType", "label").String())
	require.NoError(t, objecttype.Install(t.Context(), p.Store))
	require.NoError(t, p.Directory.Refresh(t.Context()))
	require.Equal(t, "Prospect", p.Directory.ObjectType("Lead").Label, "what an administrator changed stays")
}

func TestOnlyAdministratorsDefineObjectTypes(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	for _, username := range []string{"amy", "sue"} {
		in := visit()
		in["name"] = "Other__c"
		require.Equal(t, "FORBIDDEN", p.As(username).Do(create, vars{"i": in}).Get("createObjectType", "errors", 0, "code").String())
		require.Equal(t, "FORBIDDEN", p.As(username).Do(update, vars{"i": vars{"id": id, "label": "Mine"}}).Get("updateObjectType", "errors", 0, "code").String())
	}
	repeated := p.As("ada").Do(create, vars{"i": visit()}).Get("createObjectType")
	require.Equal(t, id, repeated.Get("objectType", "id").String(), "once for an idempotency key")
	again := visit()
	again["name"], again["idempotencyKey"] = "VISIT__C", "again"
	require.Equal(t, "input.name", p.As("ada").Do(create, vars{"i": again}).Get("createObjectType", "errors", 0, "field").String())
	missing := p.As("ada").Do(update, vars{"i": vars{"id": "obj_0000000000000", "label": "None"}}).Get("updateObjectType", "errors", 0)
	require.Equal(t, "NOT_FOUND input.id", missing.Get("code").String()+" "+missing.Get("field").String())
}

func TestFieldsAreChangedAndAddedByName(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	change := func(in vars) parleytest.Tree {
		in["id"] = id
		return p.As("ada").Do(update, vars{"i": in}).Get("updateObjectType")
	}
	got := change(vars{"fields": []vars{
		{"name": "Kind__c", "label": "Kind of visit", "type": "PICKLIST", "choices": []string{"Again"}, "isRetired": true},
		{"name": "Notes__c", "label": "Notes", "type": "TEXT", "isFilterable": true},
	}})
	require.Empty(t, got.Get("errors").List(), got.String())
	fields := got.Get("objectType", "fields")
	require.Equal(t, "Name Mobile__c Diagnosis__c Kind__c Notes__c", names(fields), "places stay")
	require.True(t, fields.Get(3, "isRetired").Bool())
	require.Equal(t, "Mobile__c", got.Get("objectType", "messaging", "phones", 0, "field").String(), "spelt as the field is")
	for in, want := range map[string]vars{
		"input.fields.0.name":            {"fields": []vars{{"name": "NAME", "label": "Name", "type": "TEXT"}}},
		"input.fields.0.type":            {"fields": []vars{{"name": "Name", "label": "Name", "type": "EMAIL"}}},
		"input.messaging.phones.0.field": {"fields": []vars{{"name": "Mobile__c", "label": "Mobile", "type": "PHONE", "isRetired": true}}},
		"input.messaging.owner":          {"messaging": vars{"owner": "Name"}},
		"input.fields.1.choices":         {"fields": []vars{{"name": "A", "label": "A", "type": "TEXT"}, {"name": "B", "label": "B", "type": "PICKLIST"}}},
		"input.fields.0.label":           {"fields": []vars{{"name": "A", "label": " ", "type": "TEXT"}}},
		"input.label":                    {"label": strings.Repeat("x", 201)},
		"input.description":              {"description": strings.Repeat("x", 1001)},
		"input.fields.0.choices.0":       {"fields": []vars{{"name": "A", "label": "A", "type": "PICKLIST", "choices": []string{""}}}},
		"input.messaging.phones.1.field": {"messaging": vars{"phones": []vars{{"field": "Mobile__c"}, {"field": "mobile__c"}}}},
		"input.fields.0.isFilterable":    {"fields": []vars{{"name": "A", "label": "A", "type": "GEOLOCATION", "isFilterable": true}}},
		"input.messaging.name":           {"messaging": vars{"name": "Diagnosis__c"}},
		"input.fields.0.targets":         {"fields": []vars{{"name": "A", "label": "A", "type": "REFERENCE"}}},
		"input.fields.0.currencyCode":    {"fields": []vars{{"name": "A", "label": "A", "type": "NUMBER", "currencyCode": "EUR"}}},
		"input.fields.1.currencyCode":    {"fields": []vars{{"name": "A", "label": "A", "type": "CURRENCY"}, {"name": "B", "label": "B", "type": "CURRENCY", "currencyCode": "EURO"}}},
		"input.fields.0.blankAsZero":     {"fields": []vars{{"name": "A", "label": "A", "type": "TEXT", "blankAsZero": true}}},
	} {
		require.Equal(t, in, change(want).Get("errors", 0, "field").String())
	}
	require.Empty(t, change(vars{"fields": []vars{
		{"name": "Fee__c", "label": "Fee", "type": "CURRENCY"}, {"name": "Weight__c", "label": "Weight", "type": "NUMBER", "blankAsZero": false},
	}}).Get("errors").List())
	require.Equal(t, `[false,false,false,false,false,true,false]`, blanks(p, id), "a number counts as zero unless its definition says otherwise")
	before, err := p.Store.Head(t.Context())
	require.NoError(t, err)
	require.Empty(t, change(vars{"label": "Visit", "fields": []vars{{"name": "Mobile__c", "label": "Mobile", "type": "PHONE", "choices": []string{}}}}).Get("errors").List())
	after, err := p.Store.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing happens when nothing changes")
}

// While there are records, what they are found by changes only with the work that reads
// them again.
func TestWhatRecordsAreFoundByChangesWithThem(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	in := vars{"i": vars{"id": id, "messaging": vars{"name": "Name"}}}
	filterable := vars{"i": vars{"id": id, "fields": []vars{{"name": "Kind__c", "label": "Kind", "type": "PICKLIST", "choices": []string{"First"}, "isFilterable": true}}}}
	var reindexed []string
	p.Schema.ObjectTypes.Reindex = func(_ context.Context, _ *store.Tx, name string) error {
		reindexed = append(reindexed, name)
		return nil
	}
	require.Empty(t, p.As("ada").Do(update, in).Get("updateObjectType", "errors").List())
	require.Empty(t, p.As("ada").Do(update, filterable).Get("updateObjectType", "errors").List())
	require.Equal(t, []string{"Visit__c", "Visit__c"}, reindexed)
	require.Empty(t, p.As("ada").Do(update, vars{"i": vars{"id": id, "label": "A visit"}}).Get("updateObjectType", "errors").List())
	require.Len(t, reindexed, 2, "a label moves nothing")
}

func TestAgentsSeeWhatTheyMayRead(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	const all = `{ objectTypes { name access fields { name access } messaging { name phones { field } } } }`
	const one = `query($id: ID!, $n: String!) { node(id: $id) { id } objectType(name: $n) { id } }`
	require.Empty(t, p.As("amy").Do(all, nil).Get("objectTypes").List())
	require.Equal(t, "NOT_FOUND", code(p, "amy", one, vars{"id": id, "n": "Visit__c"}))
	require.Equal(t, "NOT_FOUND", code(p, "ada", `{ objectType(name: "Missing") { id } }`, nil))
	give(p, "amy", "Visits", object.Right{Object: "visit__c", Access: object.Read, Fields: []object.FieldRight{{Field: "mobile__C", Access: object.None}}})
	require.JSONEq(t, `[{"name": "Visit__c", "access": "READ", "fields": [{"name": "Name", "access": "READ"}, {"name": "Kind__c", "access": "READ"}], "messaging": {"name": "Name", "phones": []}}]`,
		p.As("amy").Do(all, nil).Get("objectTypes").String())
	require.Equal(t, id, p.As("amy").Do(one, vars{"id": id, "n": "Visit__c"}).Get("node", "id").String())
	give(p, "amy", "Doctors", object.Right{Object: "Visit__c", Access: object.Write, Fields: []object.FieldRight{{Field: "Diagnosis__c", Access: object.Read}}})
	require.JSONEq(t, `[{"name": "Visit__c", "access": "WRITE", "fields": [{"name": "Name", "access": "WRITE"}, {"name": "Mobile__c", "access": "WRITE"},
		{"name": "Diagnosis__c", "access": "READ"}, {"name": "Kind__c", "access": "WRITE"}], "messaging": {"name": "Name", "phones": [{"field": "Mobile__c"}]}}]`,
		p.As("amy").Do(all, nil).Get("objectTypes").String(), "the sum of both")
	require.Same(t, object.Everything, p.Directory.RecordRights(p.Directory.AgentNamed("ada").Rights()))
}

// Records of a type are read by right, also those of no conversation.
func TestRecordsAreReadByType(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	record(p, "Visit__c", "v1", "Ann", "+12025550111")
	record(p, "Lead", "l1", "Lea", "+12025550112")
	count := func() int { return p.Store.Ent.Record.Query().CountX(p.Context("amy")) }
	before := count()
	set := give(p, "amy", "Visits", object.Right{Object: "Visit__c", Access: object.Read})
	require.Equal(t, before+1, count())
	require.Equal(t, "Ann", p.As("amy").Do(`{ record(objectType: "Visit__c", externalId: "v1") { name } }`, nil).Get("record", "name").String())
	require.Equal(t, "NOT_FOUND", code(p, "amy", `{ record(objectType: "Lead", externalId: "l1") { name } }`, nil))
	_, err := p.Schema.Staff.UpdatePermissionSet(p.System(), staff.UpdatePermissionSetInput{ID: set.ID(), RecordRights: []object.Right{}})
	require.NoError(t, err)
	require.Equal(t, before, count())
}

func TestNobodyOpensAFieldThatTheyMayNotRead(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	set, err := p.Schema.Staff.CreatePermissionSet(p.System(), staff.CreatePermissionSetInput{Name: "Configure", Permissions: administers, IdempotencyKey: "c"})
	require.NoError(t, err)
	_, err = p.Schema.Staff.Grant(p.System(), staff.GrantInput{ID: set.ID(), AgentIDs: []string{p.Directory.AgentNamed("sue").ID}})
	require.NoError(t, err)
	open := func() parleytest.Tree {
		in := vars{"id": id, "fields": []vars{{"name": "Diagnosis__c", "label": "Diagnosis", "type": "TEXT"}}}
		return p.As("sue").Do(update, vars{"i": in}).Get("updateObjectType", "errors")
	}
	require.Equal(t, "FORBIDDEN input.fields", open().Get(0, "code").String()+" "+open().Get(0, "field").String())
	give(p, "sue", "Doctors", object.Right{Object: "Visit__c", Access: object.Read, Fields: []object.FieldRight{{Field: "Diagnosis__c", Access: object.Read}}})
	require.Empty(t, open().List())
}

// Nobody gives rights on records that they lack, by whatever way.
func TestNobodyGivesRightsOnRecordsThatTheyLack(t *testing.T) {
	t.Parallel()
	p, _ := setup(t)
	configure, err := p.Schema.Staff.CreatePermissionSet(p.System(), staff.CreatePermissionSetInput{Name: "Configure", Permissions: administers, IdempotencyKey: "c"})
	require.NoError(t, err)
	sue, bo := p.Directory.AgentNamed("sue"), p.Directory.AgentNamed("bo")
	_, err = p.Schema.Staff.Grant(p.System(), staff.GrantInput{ID: configure.ID(), AgentIDs: []string{sue.ID}})
	require.NoError(t, err)
	give(p, "sue", "Some", object.Right{Object: "Visit__c", Access: object.Read})
	much := give(p, "bo", "Much", object.Right{Object: "Visit__c", Access: object.Read, Fields: []object.FieldRight{{Field: "Diagnosis__c", Access: object.Read}}})

	as := p.Context("sue")
	lacks := func(err error) { t.Helper(); require.ErrorIs(t, err, administration.ErrNotTheirRecords) }
	_, err = p.Schema.Staff.CreatePermissionSet(as, staff.CreatePermissionSetInput{Name: "W", RecordRights: []object.Right{{Object: "Visit__c", Access: object.Write}}, IdempotencyKey: "w"})
	lacks(err)
	_, err = p.Schema.Staff.Grant(as, staff.GrantInput{ID: much.ID(), AgentIDs: []string{sue.ID}})
	lacks(err)
	_, err = p.Schema.Staff.UpdatePermissionSet(as, staff.UpdatePermissionSetInput{ID: configure.ID(), RecordRights: []object.Right{{Object: "Lead", Access: object.Read}}})
	lacks(err)
	_, _, err = p.Schema.Staff.Deactivate(as, bo.ID)
	require.NoError(t, err)
	_, err = p.Schema.Staff.Activate(as, bo.ID)
	lacks(err)
	_, err = p.Schema.Staff.CreatePermissionSet(as, staff.CreatePermissionSetInput{Name: "R", RecordRights: []object.Right{{Object: "Visit__c", Access: object.Read}}, IdempotencyKey: "r"})
	require.NoError(t, err, "what she has herself")
	_, err = p.Schema.Staff.CreatePermissionSet(p.System(), staff.CreatePermissionSetInput{Name: "X", RecordRights: []object.Right{{Object: "Missing", Access: object.Read}}, IdempotencyKey: "x"})
	require.Equal(t, fault.BadInput, fault.CodeOf(err))
}

// A change of rights on records is one RESET of the agent's streams, in every process,
// and a change of a definition is seen by all.
func TestAnotherProcessFollows(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	running := parleytest.OpenAt(t, database).Run()
	command := parleytest.OpenAt(t, database)
	amy := running.As("amy").Subscribe(`subscription { conversationsChanged(view: {kind: ALL}) { kind } }`, nil)
	require.Equal(t, "OPEN", amy.Next().Get("conversationsChanged", "kind").String())
	give(command, "amy", "Leads", object.Right{Object: "Lead", Access: object.Read})
	require.Equal(t, "RESET", amy.Next().Get("conversationsChanged", "kind").String())
	require.Equal(t, []string{"Lead"}, running.Directory.AgentNamed("amy").Rights().Objects)
	label := "Prospect"
	_, err := command.Schema.ObjectTypes.Update(command.System(), objecttype.UpdateInput{ID: command.Directory.ObjectType("Lead").ID, Label: &label})
	require.NoError(t, err)
	running.Eventually(func() bool { return running.Directory.ObjectType("Lead").Label == label }, "the label is known")
}

func TestTheAuditSaysWhichFieldsChanged(t *testing.T) {
	t.Parallel()
	p, id := setup(t)
	p.As("ada").Do(update, vars{"i": vars{"id": id, "fields": []vars{{"name": "Mobile__c", "label": "Cell", "type": "PHONE"}}}})
	entry := p.As("ada").Do(`{ auditEntries(first: 1) { nodes { subjectType subjectId changes { field before after } } } }`, nil).Get("auditEntries", "nodes", 0)
	require.Equal(t, "ObjectType "+id, entry.Get("subjectType").String()+" "+entry.Get("subjectId").String())
	require.JSONEq(t, `[{"name": "Mobile__c", "label": "Cell", "type": "PHONE"}]`, entry.Get("changes", 0, "after").String())
	require.Len(t, entry.Get("changes").List(), 1)
}
