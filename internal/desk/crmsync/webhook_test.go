package crmsync_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent/record"
	"parley/internal/check/parleytest"
	"parley/internal/ground/clock"
	"parley/internal/ground/webhook"
)

type vars = parleytest.Vars

// bundle is a desk with connections.
type bundle struct {
	*parleytest.Parley
	made int
}

func setup(t *testing.T, options ...func(*app.Config)) *bundle {
	file := t.TempDir() + "/key"
	keyed := func(c *app.Config) { c.KeyFile = file }
	return &bundle{Parley: parleytest.New(t, append([]func(*app.Config){keyed}, options...)...)}
}

const connectionFields = `connection { id connectionId name kind webhookUrl address apiVersion fingerprint previousSecretValidUntil isActive state lastError takenCount rejectedCount
	objectTypes { objectType object mappings { field from } cursorAt caughtUpAt lagSeconds readCount problem }
	rejectedChanges { objectType externalId operation problem { code field message } canRetry } } `

// do runs a mutation of connections and returns its payload.
func (b *bundle) do(username, mutation, input string, in vars) parleytest.Tree {
	b.T.Helper()
	fields := connectionFields
	switch mutation {
	case "createCrmConnection":
		b.made++
		in["idempotencyKey"] = fmt.Sprint("key-", b.made)
		fields += "webhookSecret "
	case "renewCrmConnectionSecret":
		fields += "webhookSecret "
	case "deleteCrmConnection":
		fields = "deletedId "
	case "testCrmConnection":
		fields = "test { isOk message whatToDo objectTypes { objectType mapped unmapped } } "
	case "retryRejectedChanges":
		fields += "takenCount rejectedCount "
	}
	return b.As(username).Do(fmt.Sprintf(`mutation($i: %s!) { %s(input: $i) { %serrors { code field message } } }`, input, mutation, fields), vars{"i": in}).Get(mutation)
}

// ok is what ada does without errors.
func (b *bundle) ok(mutation string, in vars) parleytest.Tree {
	b.T.Helper()
	payload := b.do("ada", mutation, strings.ToUpper(mutation[:1])+mutation[1:]+"Input", in)
	require.Empty(b.T, payload.Get("errors").List(), payload.Get("errors").String())
	return payload
}

// hook is a webhook's connection with its secret.
type hook struct {
	*bundle
	id, path, secret string
	sent             int
}

func (b *bundle) hook(in vars) *hook {
	b.T.Helper()
	full := vars{"name": fmt.Sprint("CRM ", b.made), "kind": "WEBHOOK"}
	for k, v := range in {
		full[k] = v
	}
	made := b.ok("createCrmConnection", full)
	h := &hook{bundle: b, id: made.Get("connection", "id").String(), secret: made.Get("webhookSecret").String()}
	h.path = made.Get("connection", "webhookUrl").String()
	h.path = h.path[strings.Index(h.path, "/webhooks/"):]
	b.ok("startCrmConnection", vars{"id": h.id})
	return h
}

// post posts a body, signed by a secret at a time.
func (h *hook) post(id, secret string, at clock.Time, body string) (int, map[string]any) {
	h.T.Helper()
	req := httptest.NewRequest(http.MethodPost, h.path, strings.NewReader(body))
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", webhook.Seconds(at))
	req.Header.Set("webhook-signature", webhook.Sign(secret, id, at, body))
	res := h.Answer(req)
	answer := map[string]any{}
	_ = json.Unmarshal(res.Body.Bytes(), &answer)
	return res.Code, answer
}

// send posts changes, and returns what became of each: its outcome, or the field of its
// error after a hyphen.
func (h *hook) send(changes ...vars) (said []string) {
	h.T.Helper()
	h.sent++
	body, err := json.Marshal(vars{"changes": changes})
	require.NoError(h.T, err)
	status, answer := h.post(fmt.Sprint("msg_", h.sent), h.secret, h.Store.Clock.Now(), string(body))
	require.Equal(h.T, http.StatusOK, status)
	for _, r := range answer["results"].([]any) {
		result := r.(map[string]any)
		if problem, is := result["error"].(map[string]any); is {
			said = append(said, fmt.Sprint("-", problem["field"]))
			continue
		}
		said = append(said, fmt.Sprint(result["outcome"]))
	}
	return said
}

// at is a time of change.
func at(minute int) string {
	return time.Date(2026, 11, 1, 12, minute, 0, 0, time.UTC).Format(time.RFC3339)
}

func contact(id string, minute int, fields vars) vars {
	return vars{"operation": "UPSERT", "objectType": "Contact", "externalId": id, "modifiedAt": at(minute), "fields": fields}
}

// names are the contacts that are there, by external id.
func (b *bundle) names() map[string]string { return b.namesOf("Contact") }

func (b *bundle) namesOf(objectType string) map[string]string {
	b.T.Helper()
	found := map[string]string{}
	for _, r := range b.Store.Ent.Record.Query().Where(record.ObjectType(objectType), record.Stub(false), record.DeletedAt(0), record.MergedInto(0)).AllX(b.System()) {
		found[r.ExternalID] = r.Name
	}
	return found
}

func TestAWebhookBringsChangesInAnyOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	require.Equal(t, []string{"CREATED", "CREATED", "-LastName", "-Nose", "-modifiedAt"}, h.send(
		contact("C1", 5, vars{"LastName": "Curie", "Name": "Marie Curie", "HasOptedOutOfSMS": true}), contact("C2", 5, vars{"LastName": "Bohr", "Name": "Niels Bohr"}),
		contact("C3", 5, vars{"LastName": nil}), contact("C4", 5, vars{"LastName": "X", "Nose": "long"}),
		vars{"operation": "upsert", "objectType": "Contact", "externalId": "C5"},
	))
	require.Equal(t, map[string]string{"C1": "Marie Curie", "C2": "Niels Bohr"}, b.names())
	require.Equal(t, []string{"OLDER", "UNCHANGED", "UPDATED", "MERGED"}, h.send(
		contact("C1", 4, vars{"Name": "Older"}), contact("C1", 6, vars{"Name": "Marie Curie"}), contact("C1", 7, vars{"Name": "Maria"}),
		vars{"operation": "MERGE", "objectType": "Contact", "externalId": "C2", "into": vars{"externalId": "C1"}},
	), "the same record several times in a batch, in its order")
	require.Equal(t, map[string]string{"C1": "Maria"}, b.names())
	require.Equal(t, []string{"DELETED", "OLDER", "CREATED", "DELETED", "OLDER"}, h.send(
		vars{"operation": "DELETE", "objectType": "Contact", "externalId": "C1", "modifiedAt": at(8)}, contact("C1", 7, vars{"Name": "Late"}), contact("C1", 9, vars{"LastName": "Again"}),
		vars{"operation": "DELETE", "objectType": "Contact", "externalId": "C9", "modifiedAt": at(9)}, contact("C9", 8, vars{"LastName": "Never came, and is gone"}),
	))
	require.Equal(t, map[string]string{"C1": "Again"}, b.names())
	account := func(op string, minute int) vars {
		return vars{"operation": op, "objectType": "Account", "externalId": "A1", "modifiedAt": at(minute), "fields": vars{"Name": "Acme"}}
	}
	gone := account("DELETE", 9)
	delete(gone, "fields")
	require.Equal(t, []string{"CREATED", "DELETED", "OLDER", "CREATED"}, h.send(
		contact("C10", 1, vars{"LastName": "Of Acme", "AccountId": "A1"}), gone, account("UPSERT", 8), account("UPSERT", 10),
	), "a record that was only referenced so far")
	require.Equal(t, map[string]string{"A1": "Acme"}, b.namesOf("Account"))
}

func TestOnlySignedWebhooksAreTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	body := `{"changes":[{"operation":"UPSERT","objectType":"Contact","externalId":"C1","modifiedAt":"2026-11-01T12:00:00Z","fields":{"LastName":"Curie"}}]}`
	now := h.Store.Clock.Now()
	for name, send := range map[string]func() (int, map[string]any){
		"another secret": func() (int, map[string]any) { return h.post("m1", webhook.NewSecret(), now, body) },
		"too old":        func() (int, map[string]any) { return h.post("m1", h.secret, now.Add(-6*time.Minute), body) },
		"from later":     func() (int, map[string]any) { return h.post("m1", h.secret, now.Add(6*time.Minute), body) },
		"no id":          func() (int, map[string]any) { return h.post("", h.secret, now, body) },
		"a long id":      func() (int, map[string]any) { return h.post(strings.Repeat("m", 201), h.secret, now, body) },
	} {
		status, answer := send()
		require.Equal(t, http.StatusForbidden, status, name)
		require.Contains(t, fmt.Sprint(answer["errors"]), "The signature is missing or wrong", name)
	}
	require.Empty(t, b.names())
	for text, want := range map[string]int{"{": 400, `{"changes":[]}`: 400, `[]`: 400, `{"changes":[` + strings.Repeat("1,", 200) + `1]}`: 400} {
		status, answer := h.post("bad", h.secret, now, text)
		require.Equal(t, want, status, text)
		require.Contains(t, fmt.Sprint(answer["errors"]), "1 to 200 changes", text)
	}
	status, _ := h.post("m1", h.secret, now, body)
	require.Equal(t, http.StatusOK, status)
	status, answer := h.post("m1", h.secret, now.Add(time.Minute), strings.Replace(body, "Curie", "Repeated", 1))
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, true, answer["repeated"], "an id is taken once")

	old := h.secret
	h.secret = b.ok("renewCrmConnectionSecret", vars{"id": h.id}).Get("webhookSecret").String()
	for _, secret := range []string{old, h.secret} {
		status, _ = h.post("m2"+secret[:10], secret, now, body)
		require.Equal(t, http.StatusOK, status, "both are taken while they change")
	}
	h.Clock.Advance(25 * time.Hour)
	now = h.Store.Clock.Now()
	status, _ = h.post("m3", old, now, body)
	require.Equal(t, http.StatusForbidden, status, "the one before ends after a day")
	b.ok("pauseCrmConnection", vars{"id": h.id})
	status, answer = h.post("m4", h.secret, now, body)
	require.Equal(t, http.StatusServiceUnavailable, status, "to be posted again")
	require.Contains(t, fmt.Sprint(answer["errors"]), "is paused")
	b.ok("startCrmConnection", vars{"id": h.id})
	status, _ = h.post("m4", h.secret, now, body)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, id(b.ok("deleteCrmConnection", vars{"id": h.id}).Get("deletedId")), h.id)
	status, _ = h.post("m5", h.secret, now, body)
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, map[string]string{"C1": "Curie"}, b.names(), "records stay")
}

func id(t parleytest.Tree) string { return t.String() }

func TestRejectedChangesAreKeptAndTriedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(vars{"objectTypes": []vars{{"objectType": "Contact"}}})
	require.Equal(t, []string{"-LastName", "-objectType", "-<nil>", "-operation", "CREATED"}, h.send(
		contact("C1", 5, vars{"Name": "No last name"}), vars{"operation": "UPSERT", "objectType": "Account", "externalId": "A1", "modifiedAt": at(1)},
		vars{"operation": "UPSERT", "secret": "unknown"}, vars{"operation": "EXPLODE", "objectType": "Contact", "externalId": "C3"}, contact("C4", 1, vars{"LastName": "Fine"}),
	))
	kept := b.As("ada").Do(`{ crmConnections { rejectedCount takenCount lastChangeAt rejectedChanges(first: 10) { objectType externalId operation problem { code field message } canRetry at } } }`, nil).Get("crmConnections").List()[0]
	require.Equal(t, 4, kept.Get("rejectedCount").Int())
	require.Equal(t, 1, kept.Get("takenCount").Int())
	require.Len(t, kept.Get("rejectedChanges").List(), 4)
	oldest := kept.Get("rejectedChanges").List()[3]
	require.Equal(t, "C1", oldest.Get("externalId").String())
	require.Equal(t, "LastName", oldest.Get("problem", "field").String())

	b.ok("updateCrmConnection", vars{"id": h.id, "objectTypes": []vars{{"objectType": "Contact"}, {"objectType": "Account"}}})
	again := b.ok("retryRejectedChanges", vars{"id": h.id})
	require.Equal(t, 0, again.Get("takenCount").Int(), "an account needs a name, too")
	require.Equal(t, 4, again.Get("rejectedCount").Int())
	require.Equal(t, []string{"UPDATED", "CREATED"}, h.send(contact("C4", 2, vars{"LastName": "Good"}), contact("C1", 6, vars{"LastName": "Curie"})))
	again = b.ok("retryRejectedChanges", vars{"id": h.id})
	require.Equal(t, 3, again.Get("rejectedCount").Int(), "a later change of a record takes the place of what was rejected")

	for i := range 7 {
		var many []vars
		for j := range 200 {
			many = append(many, contact(fmt.Sprint("X", i, "-", j), 1, vars{"Name": "No last name"}))
		}
		h.send(many...)
	}
	n := b.Store.Ent.RejectedChange.Query().CountX(b.System())
	require.Equal(t, 1_000, n, "the last are kept")
}

// A late older change takes nothing from a newer one that is kept, and is not kept beside it.
func TestANewerRejectedChangeIsKeptThroughOlderOnes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(vars{"objectTypes": []vars{{"objectType": "Contact"}}})
	kept := func() (all []string) {
		for _, r := range b.Store.Ent.RejectedChange.Query().AllX(b.System()) {
			all = append(all, fmt.Sprint(r.ExternalID, " ", r.ChangedAt.Std().Minute()))
		}
		return all
	}
	require.Equal(t, []string{"-LastName"}, h.send(contact("C1", 10, vars{"Name": "No last name"})))
	require.Equal(t, []string{"CREATED"}, h.send(contact("C1", 5, vars{"LastName": "Late"})))
	require.Equal(t, []string{"C1 10"}, kept(), "an older change that is taken")
	require.Equal(t, []string{"OLDER"}, h.send(contact("C1", 4, vars{"LastName": "Later"})))
	require.Equal(t, []string{"-LastName"}, h.send(contact("C1", 6, vars{"LastName": ""})))
	require.Equal(t, []string{"C1 10"}, kept(), "an older change that is rejected")
	require.Equal(t, []string{"-LastName"}, h.send(contact("C1", 11, vars{"LastName": ""})))
	require.Equal(t, []string{"C1 11"}, kept(), "a newer change that is rejected")
	require.Equal(t, []string{"UPDATED"}, h.send(contact("C1", 11, vars{"LastName": "Curie"})))
	require.Empty(t, kept(), "the same change, which can be taken now")
}

// A change that is rejected each time it comes is one rejected change.
func TestARejectedChangeCountsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(vars{"objectTypes": []vars{{"objectType": "Contact"}}})
	rejected := func() int {
		return b.As("ada").Do(`{ crmConnections { rejectedCount } }`, nil).Get("crmConnections", 0, "rejectedCount").Int()
	}
	for range 3 {
		h.send(contact("C1", 5, vars{"Name": "No last name"}))
	}
	require.Equal(t, 1, rejected())
	require.Equal(t, 1, b.ok("retryRejectedChanges", vars{"id": h.id}).Get("rejectedCount").Int())
	require.Equal(t, 1, rejected(), "to try it again is no other change")
	h.send(contact("C1", 6, vars{"Name": "No last name"}))
	require.Equal(t, 2, rejected())
}

func TestOnlyAdministratorsManageConnections(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	for _, username := range []string{"amy", "sue"} {
		require.Empty(t, b.As(username).Do(`{ crmConnections { id } }`, nil).Get("crmConnections").List())
		require.Equal(t, []string{"NOT_FOUND"}, b.As(username).Raw(`query($id: ID!) { crmConnection(id: $id) { id } }`, vars{"id": h.id}).Codes())
		require.Equal(t, []string{"NOT_FOUND"}, b.As(username).Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": h.id}).Codes())
		for mutation, in := range map[string]vars{
			"createCrmConnection": {"name": "Mine", "kind": "WEBHOOK"}, "updateCrmConnection": {"id": h.id, "name": "Mine"}, "deleteCrmConnection": {"id": h.id},
			"startCrmConnection": {"id": h.id}, "pauseCrmConnection": {"id": h.id}, "renewCrmConnectionSecret": {"id": h.id}, "testCrmConnection": {"id": h.id},
			"retryRejectedChanges": {"id": h.id},
		} {
			got := b.do(username, mutation, strings.ToUpper(mutation[:1])+mutation[1:]+"Input", in)
			require.Equal(t, "FORBIDDEN", got.Get("errors").List()[0].Get("code").String(), mutation)
		}
	}
	require.Equal(t, h.id, b.As("ada").Do(`query($id: ID!) { node(id: $id) { id ... on CrmConnection { name state } } crmConnection(id: $id) { id } }`, vars{"id": h.id}).Get("node", "id").String())
	entries := b.As("ada").Do(`{ auditEntries(first: 5) { nodes { action subjectType changes { field isSecret after } } } }`, nil).Get("auditEntries", "nodes")
	require.Contains(t, entries.String(), "CrmConnection")
	require.NotContains(t, entries.String(), "whsec_")
}

func TestWhatCannotWorkIsNoConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := []vars{{"name": "clientId", "value": "app"}, {"name": "clientSecret", "value": "secret"}}
	types := []vars{{"objectType": "Contact"}}
	for want, in := range map[string]vars{
		"input.name":                           {"name": " ", "kind": "WEBHOOK"},
		"input.kind":                           {"kind": "OTHER"},
		"input.connectionId":                   {"kind": "WEBHOOK", "connectionId": "No Spaces"},
		"input.address":                        {"kind": "WEBHOOK", "address": "https://crm.example.com"},
		"input.objectTypes":                    {"kind": "SALESFORCE", "address": "https://crm.example.com", "credentials": secret},
		"input.objectTypes.0.objectType":       {"kind": "WEBHOOK", "objectTypes": []vars{{"objectType": "Nothing"}}},
		"input.objectTypes.0.object":           {"kind": "WEBHOOK", "objectTypes": []vars{{"objectType": "Contact", "object": "x; drop"}}},
		"input.objectTypes.0.mappings.0.field": {"kind": "WEBHOOK", "objectTypes": []vars{{"objectType": "Contact", "mappings": []vars{{"field": "Nose", "from": "Nose"}}}}},
		"input.objectTypes.0.mappings.0.from":  {"kind": "WEBHOOK", "objectTypes": []vars{{"objectType": "Contact", "mappings": []vars{{"field": "Name", "from": "A FROM B"}}}}},
		"input.apiVersion":                     {"kind": "SALESFORCE", "address": "https://crm.example.com", "apiVersion": "latest", "credentials": secret, "objectTypes": types},
		"input.credentials":                    {"kind": "SALESFORCE", "address": "https://crm.example.com", "credentials": secret[:1], "objectTypes": types},
	} {
		full := vars{"name": "A CRM"}
		for k, v := range in {
			full[k] = v
		}
		got := b.do("ada", "createCrmConnection", "CreateCrmConnectionInput", full)
		require.Len(t, got.Get("errors").List(), 1, want)
		require.Equal(t, want, got.Get("errors").List()[0].Get("field").String())
	}
}

// An id with blanks around it is the record's all the same: in a batch, and among what was
// rejected.
func TestBlanksAroundAnIDAreNoneOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	require.Equal(t, []string{"-Email"}, h.send(contact("C1 ", 1, vars{"LastName": "Ann", "Email": "none"})))
	require.Equal(t, []string{"CREATED", "UPDATED", "MERGED"}, h.send(
		contact(" C1", 2, vars{"LastName": "Ann"}), contact("C1", 3, vars{"LastName": "Anna"}),
		vars{"operation": "MERGE", "objectType": "Contact", "externalId": "C2\t", "into": vars{"externalId": " C1"}},
	))
	require.Equal(t, map[string]string{"C1": "Anna"}, b.names())
	shown := b.As("ada").Do(`query($id: ID!) { node(id: $id) { ... on CrmConnection { rejectedChanges { externalId } } } }`, vars{"id": h.id})
	require.Empty(t, shown.Get("node", "rejectedChanges").List(), "it came right")
}

// A change that was rejected tells its value to whoever may read the field, and to nobody else.
func TestARejectedValueIsToldToWhoMayReadItsField(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.hook(nil)
	set := b.As("ada").Do(`mutation { createPermissionSet(input: {name: "Setup", permissions: [CONFIGURE_MESSAGING], idempotencyKey: "set"}) { permissionSet { id } errors { message } } }`, nil)
	b.As("ada").Do(`mutation($i: GrantPermissionSetInput!) { grantPermissionSet(input: $i) { errors { message } } }`, vars{"i": vars{
		"id": set.Get("createPermissionSet", "permissionSet", "id").String(), "agentIds": []string{b.Directory.AgentNamed("bo").ID},
	}})
	require.Equal(t, []string{"-Email", "-Nonsense"}, h.send(
		contact("C1", 1, vars{"LastName": "Ann", "Email": "a secret"}), contact("C2", 1, vars{"LastName": "Ben", "Nonsense": "x"})))
	problems := func(username string) string {
		return b.As(username).Do(`query($id: ID!) { node(id: $id) { ... on CrmConnection { rejectedChanges { problem { field message } } } } }`, vars{"id": h.id}).Get("node", "rejectedChanges").String()
	}
	require.Contains(t, problems("ada"), "a secret")
	require.NotContains(t, problems("bo"), "a secret")
	require.Contains(t, problems("bo"), `"Email"`)
	require.Contains(t, problems("bo"), "has no field")
}
