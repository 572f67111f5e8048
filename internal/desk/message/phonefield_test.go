package message_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
)

// A conversation is started with the number of a phone field that serves the channel and
// that the agent may read.
func TestAPhoneFieldIsChosenByWhatItServesAndWhoMayReadIt(t *testing.T) {
	t.Parallel()
	type vars = parleytest.Vars
	p := parleytest.New(t)
	ok := func(document, field string, input vars) parleytest.Tree {
		payload := p.As("ada").Do(document, vars{"i": input}).Get(field)
		require.Empty(t, payload.Get("errors").List(), payload.String())
		return payload
	}
	ok(`mutation($i: CreateObjectTypeInput!) { createObjectType(input: $i) { errors { message } } }`, "createObjectType", vars{
		"name": "Visit__c", "label": "Visit", "idempotencyKey": rand.Text(),
		"messaging": vars{"name": "Name", "country": "Country", "phones": []vars{{"field": "Chat", "channelTypes": []string{"WHATSAPP"}}, {"field": "Secret"}, {"field": "Mobile"}, {"field": "Office"}}},
		"fields": []vars{
			{"name": "Name", "label": "Name", "type": "TEXT"},
			{"name": "Country", "label": "Country", "type": "TEXT"},
			{"name": "Chat", "label": "Chat", "type": "PHONE"},
			{"name": "Secret", "label": "Secret", "type": "PHONE", "isSensitive": true},
			{"name": "Mobile", "label": "Mobile", "type": "PHONE"},
			{"name": "Office", "label": "Office", "type": "PHONE"},
		},
	})
	set := ok(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, "createPermissionSet",
		vars{"name": "Visits", "permissions": []string{}, "recordRights": []vars{{"objectType": "Visit__c", "access": "READ"}}, "idempotencyKey": rand.Text()})
	ok(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { message } } }`, "grantPermissionSet",
		vars{"id": set.Get("permissionSet", "id").String(), "agentIds": []string{p.Directory.AgentNamed("amy").ID}})
	upsert := func(id string, fields ...string) string {
		var list []vars
		for i := 0; i < len(fields); i += 2 {
			list = append(list, vars{"name": fields[i], "text": fields[i+1]})
		}
		made := ok(`mutation($i: UpsertRecordsInput!) { upsertRecords(input: $i) { results { record { id } error { message } } errors { message } } }`, "upsertRecords",
			vars{"records": []vars{{"objectType": "Visit__c", "externalId": id, "fields": list}}})
		return made.Get("results", 0, "record", "id").String()
	}
	const starting = `mutation($i: StartConversationInput!) { startConversation(input: $i) { conversation { address name } refusals { code } errors { code field } } }`
	start := func(username string, more vars) string {
		in := vars{"channelId": p.As("amy").Do(`{ viewer { channels { id address } } }`, nil).Get("viewer", "channels", 0, "id").String(), "text": "Hello", "idempotencyKey": rand.Text()}
		for k, v := range more {
			in[k] = v
		}
		payload := p.As(username).Do(starting, vars{"i": in}).Get("startConversation")
		for _, r := range payload.Get("refusals").List() {
			return r.Get("code").String()
		}
		for _, e := range payload.Get("errors").List() {
			return e.Get("code").String() + " " + e.Get("field").String()
		}
		return payload.Get("conversation", "address").String() + " " + payload.Get("conversation", "name").String()
	}

	whole := upsert("V1", "Name", "Ann", "Chat", "+12025550180", "Secret", "+12025550181", "Mobile", "+12025550182", "Office", "(202) 555-0183")
	require.Equal(t, "+12025550182 Ann", start("amy", vars{"recordId": whole}), "the first that serves SMS and that she may read")
	require.Equal(t, "+12025550183 Ann", start("amy", vars{"recordId": whole, "phoneField": "office"}))
	require.Equal(t, "FIELD_NOT_FOR_CHANNEL", start("amy", vars{"recordId": whole, "phoneField": "Chat"}))
	require.Equal(t, "BAD_INPUT input.phoneField", start("amy", vars{"recordId": whole, "phoneField": "Secret"}), "for her there is no such field")
	require.Equal(t, "BAD_INPUT input.phoneField", start("amy", vars{"recordId": whole, "phoneField": "Fax"}))
	require.Equal(t, "FIELD_NOT_READABLE", start("amy", vars{"recordId": upsert("V2", "Name", "Bob", "Secret", "+12025550184")}))
	require.Equal(t, "FIELD_NOT_READABLE", start("amy", vars{"recordId": upsert("V3", "Name", "Bob")}), "it says nothing of what she may not read")
	require.Equal(t, "OUTSIDE_COUNTRY", start("amy", vars{"recordId": upsert("V4", "Name", "Eva", "Country", "Germany", "Mobile", "030 901820")}), "it is read as in Berlin")

	require.Equal(t, "+12025550185 Cleo", start("amy", vars{"number": "202 555 0185", "country": "US", "name": "Cleo"}))
	require.Equal(t, "OUTSIDE_COUNTRY", start("amy", vars{"number": "030 901820", "country": "de"}))
	require.Equal(t, "BAD_INPUT input.country", start("amy", vars{"number": "202 555 0185", "country": "United States"}))
	require.Equal(t, "BAD_INPUT input.country", start("amy", vars{"recordId": whole, "country": "US"}))
	require.Equal(t, "BAD_INPUT input.name", start("amy", vars{"recordId": whole, "name": "Ann"}))
	require.Equal(t, "BAD_INPUT input.phoneField", start("amy", vars{"number": "202 555 0185", "phoneField": "Mobile"}))
}

// Whether a record has opted out is told only to those who may read the field that says so.
// Others are refused whatever it says, and agents who know the record by its conversation
// alone if it has.
func TestAnOptOutIsToldToThoseWhoMayReadIt(t *testing.T) {
	t.Parallel()
	type vars = parleytest.Vars
	p := parleytest.New(t)
	ada := p.As("ada")
	ok := func(document string, in vars) parleytest.Tree {
		t.Helper()
		payload := ada.Do(document, vars{"i": in}).Get("payload")
		require.Empty(t, payload.Get("errors").List(), payload.String())
		return payload
	}
	ok(`mutation($i: CreateObjectTypeInput!) { payload: createObjectType(input: $i) { errors { message } } }`, vars{
		"name": "Visit__c", "label": "Visit", "idempotencyKey": rand.Text(),
		"messaging": vars{"name": "Name", "optedOut": "Quiet", "phones": []vars{{"field": "Mobile"}}},
		"fields": []vars{
			{"name": "Name", "label": "Name", "type": "TEXT"},
			{"name": "Mobile", "label": "Mobile", "type": "PHONE"},
			{"name": "Quiet", "label": "Quiet", "type": "BOOLEAN", "isSensitive": true},
		},
	})
	amy := []string{p.Directory.AgentNamed("amy").ID}
	may := func(name string, fields ...vars) string {
		id := ok(`mutation($i: CreatePermissionSetInput!) { payload: createPermissionSet(input: $i) { permissionSet { id } errors { message } } }`, vars{
			"name": name, "permissions": []string{}, "recordRights": []vars{{"objectType": "Visit__c", "access": "READ", "fields": fields}}, "idempotencyKey": rand.Text(),
		}).Get("permissionSet", "id").String()
		ok(`mutation($i: GrantPermissionSetInput!) { payload: grantPermissionSet(input: $i) { errors { message } } }`, vars{"id": id, "agentIds": amy})
		return id
	}
	upsert := func(quiet string) string {
		return ok(`mutation($i: UpsertRecordsInput!) { payload: upsertRecords(input: $i) { results { record { id } } errors { message } } }`, vars{
			"records": []vars{{"objectType": "Visit__c", "externalId": quiet[:1], "fields": []vars{
				{"name": "Name", "text": "Ann"}, {"name": "Mobile", "text": "+1202555018" + quiet[:1]}, {"name": "Quiet", "text": quiet[1:]},
			}}},
		}).Get("results", 0, "record", "id").String()
	}
	loud, quiet := upsert("1false"), upsert("2true")
	channel := p.As("amy").Do(`{ viewer { channels { id } } }`, nil).Get("viewer", "channels", 0, "id").String()
	start := func(record string) []string {
		return refusalsOf(p.As("amy").Do(`mutation($i: StartConversationInput!) { payload: startConversation(input: $i) { conversation { id } refusals { code message } errors { code } } }`,
			vars{"i": vars{"channelId": channel, "recordId": record, "text": "Hello", "idempotencyKey": rand.Text()}}).Get("payload"))
	}

	visits := may("Visits")
	for _, to := range []string{parleytest.Sales, parleytest.Direct} {
		p.Say("+12025550182", to, "Hello") // a conversation that no record is of, with the number of the quiet one
	}
	require.Equal(t, []string{"FIELD_NOT_READABLE"}, start(quiet))
	require.Equal(t, []string{"FIELD_NOT_READABLE"}, start(loud), "it says nothing of what she may not read")
	consent := may("Consent", vars{"field": "Quiet", "access": "READ"})
	require.Equal(t, []string{"OPTED_OUT"}, start(quiet))
	require.Empty(t, start(loud))

	for _, id := range []string{visits, consent} {
		ok(`mutation($i: RevokePermissionSetInput!) { payload: revokePermissionSet(input: $i) { errors { message } } }`, vars{"id": id, "agentIds": amy})
	}
	look := func() []string {
		return refusalsOf(p.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { sendability { refusals { code } } } } }`, nil).
			Get("conversations", "nodes", 0, "sendability"))
	}
	require.Empty(t, look(), "she knows the record by its conversation alone")
	upsert("1true")
	require.Equal(t, []string{"FIELD_NOT_READABLE"}, look())
}
