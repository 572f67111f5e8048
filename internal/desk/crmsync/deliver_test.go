package crmsync_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/connector/salesforce/salesforcetest"
	"parley/internal/desk/crmsync"
)

// writing is a desk that reads a Salesforce and writes to it, with a conversation.
type writing struct {
	*synced
	update, create, conversation string
}

const (
	defining = `mutation($i: CreateCrmActionInput!) { createCrmAction(input: $i) { action { id } errors { code field message } } }`
	running  = `mutation($i: RunCrmActionInput!) { runCrmAction(input: $i) { run { id } record { externalId confirmedExternalId name } reasons { message } errors { code field message } } }`
	rerun    = `mutation($i: RerunCrmActionInput!) { rerunCrmAction(input: $i) { run { id } errors { code field message } } }`
)

func asked(key string) vars {
	return vars{"label": key, "key": key, "type": "VALUE", "value": "", "isAsked": true}
}

func fixed(key, value string) vars {
	return vars{"label": key, "key": key, "type": "VALUE", "value": value}
}

// keyed is the object type Contact, whose creations can be tried again.
var keyed = vars{"objectType": "Contact", "writesBack": true, "externalIdField": "Parley_Id__c"}

func (b *bundle) writing(types ...vars) *writing {
	b.T.Helper()
	w := &writing{synced: b.sync(0, types...)}
	w.update = w.action(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Contact"}, "parameters": []vars{asked("LastName")}})
	w.create = w.action(vars{"performs": "CREATE_RECORD", "parameters": []vars{fixed("ObjectName", "Contact"), fixed("LinkConversation", "true"), asked("LastName"), fixed("HasOptedOutOfSMS", "true")}})
	b.Say("+12025550190", parleytest.Sales, "Hello")
	w.conversation = b.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	return w
}

func (b *bundle) mutate(document, field string, in vars) parleytest.Tree {
	b.T.Helper()
	b.made++
	in["idempotencyKey"] = fmt.Sprint("key-", b.made)
	payload := b.As("ada").Do(document, vars{"i": in}).Get(field)
	require.Empty(b.T, payload.Get("errors").List(), payload.Get("errors").String())
	return payload
}

func (b *bundle) action(in vars) string {
	b.T.Helper()
	full := vars{"name": fmt.Sprint("Action ", b.made), "developerName": fmt.Sprint("Action", b.made), "type": "MANUAL"}
	for k, v := range in {
		full[k] = v
	}
	return b.mutate(defining, "createCrmAction", full).Get("action", "id").String()
}

// run runs an action with a last name, and returns what it made.
func (w *writing) run(action, name string) parleytest.Tree {
	w.T.Helper()
	made := w.mutate(running, "runCrmAction", vars{"actionId": action, "conversationId": w.conversation, "values": []vars{{"key": "LastName", "value": name}}})
	require.Empty(w.T, made.Get("reasons").List(), made.Get("reasons").String())
	return made
}

// contact makes a contact in the CRM that the conversation is of.
func (w *writing) contact() string {
	w.T.Helper()
	id := w.org.Create("Contact", salesforcetest.Values{"FirstName": "Marie", "LastName": "Curie"})
	w.settle()
	link := w.action(vars{"performs": "LINK_RECORD", "parameters": []vars{fixed("RecordId", "Contact/"+id)}})
	w.mutate(running, "runCrmAction", vars{"actionId": link, "conversationId": w.conversation})
	return id
}

// write writes what is due.
func (w *writing) write() {
	w.T.Helper()
	require.NoError(w.T, w.Schema.Syncs.WriteBack(w.T.Context()))
}

// delivery is the delivery of the last run.
func (w *writing) delivery() parleytest.Tree {
	w.T.Helper()
	return w.As("ada").Do(`{ crmActionRuns(first: 1) { nodes { id delivery { url status nextTryAt attempts { status problem } } } } }`, nil).Get("crmActionRuns", "nodes", 0, "delivery")
}

func (w *writing) requireDelivery(status, problem string) {
	w.T.Helper()
	d := w.delivery()
	require.Equal(w.T, status, d.Get("status").String(), d.String())
	attempts := d.Get("attempts").List()
	if problem != "" {
		require.Contains(w.T, attempts[len(attempts)-1].Get("problem").String(), problem)
	}
}

// name is what a record is called here.
func (w *writing) name(id string) string { return w.record(id).Get("name").String() }

func (w *writing) record(id string) parleytest.Tree {
	w.T.Helper()
	return w.As("ada").Do(`query($id: String!) { record(objectType: "Contact", externalId: $id) { id externalId confirmedExternalId name conversations { nodes { id } } } }`, vars{"id": id}).Get("record")
}

// last is the last name that a record has here.
func (w *writing) last(id string) string {
	w.T.Helper()
	return w.As("ada").Do(`query($id: String!) { record(objectType: "Contact", externalId: $id) { fields(names: ["LastName"]) { text } } }`, vars{"id": id}).Get("record", "fields", 0, "text").String()
}

func (w *writing) counts() [2]int {
	w.T.Helper()
	c := w.As("ada").Do(`query($id: ID!) { crmConnection(id: $id) { pendingWriteCount failedWriteCount } }`, vars{"id": w.id}).Get("crmConnection")
	return [2]int{c.Get("pendingWriteCount").Int(), c.Get("failedWriteCount").Int()}
}

func (w *writing) writes() (calls []string) {
	for _, c := range w.org.Calls() {
		if strings.HasPrefix(c, "PATCH") || strings.HasPrefix(c, "POST") {
			calls = append(calls, c)
		}
	}
	return calls
}

func TestAChangeIsWrittenToTheCRM(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	id := w.contact()
	w.Clock.Advance(time.Minute)
	w.run(w.update, "Sklodowska")
	require.Equal(t, "Sklodowska", w.last(id))
	require.Equal(t, "Curie", w.org.Values(id)["LastName"], "it is not there yet")
	w.requireDelivery("PENDING", "")
	require.Equal(t, [2]int{1, 0}, w.counts())
	refused := w.do("ada", "deleteCrmConnection", "DeleteCrmConnectionInput", vars{"id": w.id})
	require.Equal(t, "CONFLICT", refused.Get("errors", 0, "code").String(), "a change would be lost")
	w.pull()
	require.Equal(t, "Sklodowska", w.last(id), "what the CRM held before does not undo it")
	w.org.Update(id, salesforcetest.Values{"Title": "Professor"})
	w.Clock.Advance(time.Minute)
	w.pull()
	require.Equal(t, "Sklodowska", w.last(id), "nor does what it holds since, in other fields")
	w.write()
	w.requireDelivery("FAILED", "changed in the CRM meanwhile")
	require.Equal(t, "Curie", w.last(id))
	w.run(w.update, "Sklodowska")
	w.write()
	require.Equal(t, "Sklodowska", w.org.Values(id)["LastName"])
	w.requireDelivery("DELIVERED", "")
	require.Equal(t, w.server.URL, w.delivery().Get("url").String())
	require.Equal(t, [2]int{0, 1}, w.counts())
	require.Equal(t, "Marie Sklodowska", w.name(id), "and what the CRM makes of it is here too")
	w.Clock.Advance(time.Minute)
	w.settle()
	w.write()
	require.Len(t, w.writes(), 2)
	agent := w.As("amy").Do(`{ crmActionRuns(first: 1) { nodes { id } } crmConnections { id } }`, nil)
	require.Empty(t, agent.Get("crmActionRuns", "nodes").List(), "an agent learns nothing of it")
}

// A dry run shows what would be written to the CRM, by the CRM's names, and writes nothing.
func TestADryRunShowsWhatIsWrittenToTheCRM(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(vars{"objectType": "Contact", "writesBack": true, "mappings": []vars{{"field": "LastName", "from": "Title"}}})
	const dry = `mutation($i: RunCrmActionInput!) { runCrmAction(input: $i) { requests { method url body } reasons { message } errors { code field message } } }`
	in := func(action string) vars {
		return vars{"actionId": action, "conversationId": w.conversation, "values": []vars{{"key": "LastName", "value": "Curie"}}, "dryRun": true}
	}
	got := w.mutate(dry, "runCrmAction", in(w.create)).Get("requests")
	require.Len(t, got.List(), 1)
	require.Equal(t, []string{"WRITE", w.server.URL}, []string{got.Get(0, "method").String(), got.Get(0, "url").String()})
	require.JSONEq(t, `{"Title": "Curie", "HasOptedOutOfSMS": true}`, got.Get(0, "body").String())
	require.Empty(t, parleytest.Rows(t, w.Store, "SELECT id FROM record_writes"), "nothing is on its way")

	id := w.org.Create("Contact", salesforcetest.Values{"Title": "Curie"})
	w.settle()
	link := w.action(vars{"performs": "LINK_RECORD", "parameters": []vars{fixed("RecordId", "Contact/"+id)}})
	w.mutate(running, "runCrmAction", vars{"actionId": link, "conversationId": w.conversation})
	require.Empty(t, w.mutate(dry, "runCrmAction", in(w.update)).Get("requests").List(), "nothing changes")
}

// A place goes to the CRM as two fields, in which alone it takes one.
func TestAPlaceIsWrittenToTheCRM(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	require.Empty(t, w.As("ada").Do(`mutation($i: UpdateObjectTypeInput!) { updateObjectType(input: $i) { errors { message } } }`, vars{"i": vars{
		"id": w.Directory.ObjectType("Contact").ID, "fields": []vars{{"name": "Home__c", "label": "Home", "type": "GEOLOCATION"}},
	}}).Get("updateObjectType", "errors").List())
	id := w.contact()
	move := w.action(vars{"performs": "UPDATE_RECORD", "objectTypes": []string{"Contact"}, "parameters": []vars{asked("Home__c")}})
	for _, home := range []string{"48.137,-11.575", ""} {
		w.Clock.Advance(time.Minute)
		made := w.mutate(running, "runCrmAction", vars{"actionId": move, "conversationId": w.conversation, "values": []vars{{"key": "Home__c", "value": home}}})
		require.Empty(t, made.Get("reasons").List(), made.String())
		w.write()
		w.requireDelivery("DELIVERED", "")
		place, _ := w.org.Values(id)["Home__c"].(salesforcetest.Values)
		want := salesforcetest.Values{"latitude": 48.137, "longitude": -11.575}
		if home == "" {
			want = nil
		}
		require.Equal(t, want, place)
		w.settle()
		require.Equal(t, home, w.As("ada").Do(`query($id: String!) { record(objectType: "Contact", externalId: $id) { fields(names: ["Home__c"]) { text } } }`, vars{"id": id}).Get("record", "fields", 0, "text").String())
	}
}

func TestNothingIsWrittenUnlessAskedFor(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(vars{"objectType": "Contact"})
	id := w.contact()
	w.run(w.update, "Sklodowska")
	require.True(t, w.delivery().IsNull())
	require.Empty(t, parleytest.Rows(t, w.Store, "SELECT id FROM record_writes"))
	w.write()
	require.Empty(t, w.writes())
	require.Equal(t, "Curie", w.org.Values(id)["LastName"])
	refused := w.do("ada", "createCrmConnection", "CreateCrmConnectionInput", vars{"name": "Hook", "kind": "WEBHOOK", "objectTypes": []vars{{"objectType": "Lead", "writesBack": true}}})
	require.Equal(t, "input.objectTypes", refused.Get("errors", 0, "field").String())
	refused = w.do("ada", "updateCrmConnection", "UpdateCrmConnectionInput", vars{"id": w.id, "objectTypes": []vars{{"objectType": "Contact", "externalIdField": "a b"}}})
	require.Equal(t, "input.objectTypes.0.externalIdField", refused.Get("errors", 0, "field").String())

	reads := len(w.org.Calls())
	w.ok("updateCrmConnection", vars{"id": w.id, "objectTypes": []vars{keyed}})
	w.pull()
	require.LessOrEqual(t, len(w.org.Calls())-reads, 2, "nothing is read from the start")
	w.ok("pauseCrmConnection", vars{"id": w.id})
	w.run(w.update, "Joliot")
	w.write()
	w.requireDelivery("PENDING", "")
	require.Empty(t, w.writes(), "a connection that is paused waits")
	w.ok("startCrmConnection", vars{"id": w.id})
	w.write()
	w.requireDelivery("DELIVERED", "")
	require.Equal(t, "Joliot", w.org.Values(id)["LastName"])
}

func TestACreatedRecordTakesTheCRMsID(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	made := w.run(w.create, "Meitner").Get("record")
	own := made.Get("externalId").String()
	require.True(t, strings.HasPrefix(own, "parley:"))
	require.True(t, made.Get("confirmedExternalId").IsNull())
	before := w.record(own)
	w.run(w.update, "Noether") // of the record that was created, before the CRM has it
	w.write()
	w.requireDelivery("DELIVERED", "")
	ids := w.org.Names("Contact")
	require.Len(t, ids, 1)
	for id, name := range ids {
		require.Equal(t, "Noether", name)
		require.Equal(t, own, w.org.Values(id)["Parley_Id__c"])
		require.Equal(t, true, w.org.Values(id)["HasOptedOutOfSMS"])
		for _, by := range []string{own, id} {
			found := w.record(by)
			require.Equal(t, id, found.Get("externalId").String())
			require.Equal(t, id, found.Get("confirmedExternalId").String())
			require.Equal(t, before.Get("id").String(), found.Get("id").String(), "it is the same record")
			require.Len(t, found.Get("conversations", "nodes").List(), 1)
		}
	}
	w.Clock.Advance(time.Minute)
	w.settle()
	w.requireSame("Contact")
	require.Empty(t, w.state().Get("rejectedChanges").List())
	w.Clock.Advance(25 * time.Hour)
	w.settle()
	w.requireSame("Contact")
}

func TestTheCRMDecidesWhatChangedThereMeanwhile(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	id := w.contact()
	w.Clock.Advance(time.Minute)
	w.org.Update(id, salesforcetest.Values{"LastName": "Theirs"})
	run := w.run(w.update, "Ours").Get("run", "id").String()
	w.run(w.update, "Later")
	w.write()
	w.requireDelivery("FAILED", "changed in the CRM meanwhile")
	require.Equal(t, 412, w.delivery().Get("attempts", 0, "status").Int())
	require.Equal(t, "Theirs", w.org.Values(id)["LastName"])
	require.Equal(t, "Marie Theirs", w.name(id))
	require.Equal(t, [2]int{0, 2}, w.counts())
	healths, err := crmsync.Healths(t.Context(), w.Store, w.Clock.Now())
	require.NoError(t, err)
	require.Equal(t, int64(2), healths[0].FailedWrites)
	w.mutate(rerun, "rerunCrmAction", vars{"runId": run})
	w.write()
	require.Equal(t, "Ours", w.org.Values(id)["LastName"], "whoever has looked may deliver it all the same")
	require.Equal(t, "Marie Ours", w.name(id))
	require.Equal(t, [2]int{0, 1}, w.counts())
	again := w.As("ada").Do(rerun, vars{"i": vars{"runId": run, "idempotencyKey": "again"}}).Get("rerunCrmAction")
	require.Equal(t, "CONFLICT", again.Get("errors", 0, "code").String(), "it is delivered")
}

func TestWhatTheCRMRefusesIsUndone(t *testing.T) {
	t.Parallel()
	w := setup(t).writing(keyed)
	id := w.contact()
	w.run(w.update, "First")
	w.write()
	w.requireDelivery("DELIVERED", "")
	w.run(w.update, "Second")
	w.org.Fail(salesforcetest.Failure{Status: http.StatusBadRequest, Code: "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
	w.write()
	w.requireDelivery("FAILED", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
	require.Equal(t, "Marie First", w.name(id), "Parley shows what the CRM has")

	w.run(w.update, "Third")
	w.org.Delete(id)
	w.write()
	w.requireDelivery("FAILED", "NOT_FOUND")
	require.NotContains(t, w.names(), id)

	lost := w.action(vars{"performs": "CREATE_RECORD", "parameters": []vars{
		fixed("ObjectName", "Contact"), fixed("LastName", "Lise"), fixed("AccountId", "nobody"), fixed("LinkConversation", "true"),
	}})
	w.mutate(running, "runCrmAction", vars{"actionId": lost, "conversationId": w.conversation})
	w.write()
	w.requireDelivery("FAILED", "MALFORMED_ID: AccountId: id value of incorrect type: nobody (fields: AccountId)")
	w.run(w.update, "Meitner")
	w.write()
	w.requireDelivery("FAILED", "it was not created there")
	require.Equal(t, [2]int{0, 4}, w.counts())
}
