package crmsync_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/connector/salesforce/salesforcetest"
	"parley/internal/desk/account"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/edge/server"
)

// synced is a desk that reads a Salesforce, whose clock is off by a time.
type synced struct {
	*bundle
	org    *salesforcetest.Org
	server *httptest.Server
	id     string
	off    time.Duration
}

func (b *bundle) sync(off time.Duration, types ...vars) *synced {
	b.T.Helper()
	s := &synced{bundle: b, org: salesforcetest.New(), off: off}
	s.org.Now = func() time.Time { return s.Clock.Now().Std().Add(s.off) }
	s.server = httptest.NewServer(s.org)
	b.T.Cleanup(s.server.Close)
	s.id = b.ok("createCrmConnection", vars{
		"name": "Salesforce", "kind": "SALESFORCE", "address": s.server.URL, "objectTypes": types,
		"credentials": []vars{{"name": "clientId", "value": s.org.ClientID}, {"name": "clientSecret", "value": s.org.ClientSecret}},
	}).Get("connection", "id").String()
	b.ok("startCrmConnection", vars{"id": s.id})
	return s
}

// pull reads what is due now.
func (s *synced) pull() {
	s.T.Helper()
	require.NoError(s.T, s.Schema.Syncs.Pull(s.T.Context()))
}

// settle reads until everything has been read, whatever failed before.
func (s *synced) settle() {
	s.T.Helper()
	for range 50 {
		s.pull()
		if s.state().Get("state").String() == "UP_TO_DATE" {
			return
		}
		s.Clock.Advance(time.Hour + time.Minute)
	}
	require.Fail(s.T, "it does not come to an end", s.state().String())
}

func (s *synced) state() parleytest.Tree {
	s.T.Helper()
	return s.As("ada").Do(`query($id: ID!) { crmConnection(id: $id) { `+strings.TrimPrefix(connectionFields, "connection { ")+"}", vars{"id": s.id}).Get("crmConnection")
}

// clear deletes all records of an object type.
func (b *bundle) clear(objectType string) {
	b.T.Helper()
	for ids := range slices.Chunk(slices.Collect(maps.Keys(b.namesOf(objectType))), 200) {
		in := make([]*crm.DeletionInput, len(ids))
		for i, id := range ids {
			in[i] = &crm.DeletionInput{ObjectType: objectType, ExternalID: id}
		}
		_, err := b.Schema.Records.Delete(b.System(), in)
		require.NoError(b.T, err)
	}
}

func (s *synced) requireSame(name string) {
	s.T.Helper()
	require.Equal(s.T, s.org.Names(name), s.namesOf(name))
}

func TestSalesforceIsReadFromTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.sync(0, vars{"objectType": "Account"}, vars{"objectType": "Contact", "mappings": []vars{{"field": "Phone", "from": "MobilePhone"}}}, vars{"objectType": "Lead"})
	s.org.PageSize(7)
	account := s.org.Create("Account", salesforcetest.Values{"Name": "Acme"})
	var contacts []string
	for i := range 40 {
		contacts = append(contacts, s.org.Create("Contact", salesforcetest.Values{"FirstName": "C", "LastName": fmt.Sprint(i), "AccountId": account, "MobilePhone": "+12025550000"}))
	}
	lead := s.org.Create("Lead", salesforcetest.Values{"LastName": "Newman", "Company": "New"})
	s.settle()
	for _, name := range []string{"Account", "Contact", "Lead"} {
		s.requireSame(name)
	}
	record := b.As("ada").Do(`query($id: String!) { record(objectType: "Contact", externalId: $id) { name fields(names: ["AccountId", "Phone", "HasOptedOutOfSMS"]) { name text boolean reference { externalId objectType } } } }`, vars{"id": contacts[3]}).Get("record")
	require.Equal(t, "C 3", record.Get("name").String())
	require.Contains(t, record.String(), account)
	require.Contains(t, record.String(), "+12025550000")

	s.Clock.Advance(time.Minute)
	s.org.Update(contacts[0], salesforcetest.Values{"LastName": "Changed", "HasOptedOutOfSMS": true})
	s.org.Delete(contacts[1])
	s.org.Merge(contacts[2], contacts[3])
	s.org.Convert(lead, contacts[4], account, "")
	s.pull()
	s.requireSame("Contact")
	merged := b.As("ada").Do(`query($id: String!, $lead: String!) { a: record(objectType: "Contact", externalId: $id) { externalId } b: record(objectType: "Lead", externalId: $lead) { externalId } }`,
		vars{"id": contacts[2], "lead": lead})
	require.Equal(t, contacts[3], merged.Get("a", "externalId").String())
	require.Equal(t, contacts[4], merged.Get("b", "externalId").String())

	s.org.Purge(contacts[5])
	s.Clock.Advance(25 * time.Hour)
	s.settle()
	s.requireSame("Contact")
	state := s.state()
	require.Equal(t, "UP_TO_DATE", state.Get("state").String())
	require.Empty(t, state.Get("rejectedChanges").List(), state.String())
	require.Equal(t, 0, state.Get("objectTypes").List()[0].Get("lagSeconds").Int())
}

// Whatever happens there, and whatever fails between, in the end here is what is there.
func TestSyncEndsWithWhatTheCRMHas(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rapid.Check(t, func(r *rapid.T) {
		off := time.Duration(rapid.SampledFrom([]int{0, -7200, 7200, -300, 31}).Draw(r, "clock is off by")) * time.Second
		s := b.sync(off, vars{"objectType": "Contact"}, vars{"objectType": "Lead"})
		defer b.ok("deleteCrmConnection", vars{"id": s.id})
		defer b.clear("Contact")
		defer b.clear("Lead")
		leads := &leads{synced: s, became: map[string]string{}}
		s.Schema.Syncs.Page = rapid.IntRange(1, 5).Draw(r, "page")
		s.org.PageSize(rapid.IntRange(1, 4).Draw(r, "pages of the CRM"))
		var all, there []string
		pick := func(what string) string {
			if len(there) == 0 {
				return ""
			}
			return rapid.SampledFrom(there).Draw(r, what)
		}
		gone := func(id string) { there = slices.DeleteFunc(there, func(x string) bool { return x == id }) }
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"create", "create", "update", "late", "delete", "purge", "merge", "lead", "convert", "time", "pull", "pull", "fail"}).Draw(r, "step") {
			case "create":
				for range rapid.IntRange(1, 6).Draw(r, "at once") { // with equal stamps
					id := s.org.Create("Contact", salesforcetest.Values{"LastName": fmt.Sprint("N", len(all))})
					all, there = append(all, id), append(there, id)
				}
			case "update":
				if id := pick("changed"); id != "" {
					s.org.Update(id, salesforcetest.Values{"LastName": rapid.StringMatching("[A-Z][a-z]{1,6}").Draw(r, "name")})
				}
			case "late":
				if id := pick("late"); id != "" {
					s.org.Late(id, salesforcetest.Values{"LastName": "Late"}, time.Duration(rapid.IntRange(0, 200).Draw(r, "seconds"))*time.Second)
				}
			case "delete":
				if id := pick("deleted"); id != "" {
					s.org.Delete(id)
					gone(id)
				}
			case "purge":
				if id := pick("purged"); id != "" {
					s.org.Purge(id)
					gone(id)
				}
			case "merge":
				if loser, winner := pick("loser"), pick("winner"); loser != winner {
					s.org.Merge(loser, winner)
					gone(loser)
					leads.merge(loser, winner)
				}
			case "lead":
				leads.create()
			case "convert":
				leads.convert(r, pick("became"))
			case "time":
				s.Clock.Advance(time.Duration(rapid.IntRange(1, 400).Draw(r, "seconds")) * time.Second)
			case "pull":
				s.Clock.Advance(31 * time.Second)
				s.pull()
			case "fail":
				switch rapid.SampledFrom([]string{"token", "pages", "busy", "limit", "broken"}).Draw(r, "failure") {
				case "token":
					s.org.EndTokens()
				case "pages":
					s.org.EndPages()
				case "busy":
					s.org.Fail(salesforcetest.Failure{Status: http.StatusServiceUnavailable, Code: "SERVER_UNAVAILABLE", RetryAfter: "7"})
				case "limit":
					s.org.Fail(salesforcetest.Failure{Status: http.StatusForbidden, Code: "REQUEST_LIMIT_EXCEEDED"})
				case "broken":
					s.org.Fail(salesforcetest.Failure{Status: http.StatusInternalServerError, Code: "UNKNOWN_EXCEPTION"})
				}
			}
		}
		s.settle()
		s.Clock.Advance(25 * time.Hour) // then it looks for what is gone
		s.settle()
		want, have := s.org.Names("Contact"), b.names()
		maps.DeleteFunc(have, func(id, _ string) bool { return !slices.Contains(all, id) })
		require.Equal(r, want, have)
		leads.requireSame(there)
	})
}

func TestInProductionOnlyThePublicInternetIsCalled(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *app.Config) { c.Mode = server.Production })
	_, err := b.Schema.Accounts.CreateKey(b.System(), false)
	require.NoError(t, err)
	called := false
	near := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer near.Close()
	in := vars{
		"name": "Near", "kind": "SALESFORCE", "address": near.URL, "objectTypes": []vars{{"objectType": "Contact"}},
		"credentials": []vars{{"name": "clientId", "value": "app"}, {"name": "clientSecret", "value": "secret"}},
	}
	for _, address := range []string{near.URL, "http://example.com", "https://127.0.0.1", "https://[::1]", "https://[::ffff:10.0.0.1]", "https://169.254.169.254", "https://localhost"} {
		in["address"] = address
		require.Equal(t, "input.address", b.do("ada", "createCrmConnection", "CreateCrmConnectionInput", in).Get("errors").List()[0].Get("field").String(), address)
	}
	address := near.URL
	made, _, err := b.Schema.Syncs.Create(b.System(), crmsync.CreateInput{ // an operator may say so, and still it is not called
		Name: "Near", Kind: crmsync.Salesforce, Address: &address, ObjectTypes: []crmsync.TypeInput{{ObjectType: "Contact"}}, IdempotencyKey: "k",
		Credentials: []account.CredentialInput{{Name: "clientId", Value: "app"}, {Name: "clientSecret", Value: "secret"}},
	})
	require.NoError(t, err)
	test := b.ok("testCrmConnection", vars{"id": made.ID()}).Get("test")
	require.False(t, test.Get("isOk").Bool())
	require.Contains(t, test.Get("message").String(), "cannot be reached")
	_, err = b.Schema.Syncs.Start(b.System(), made.ID())
	require.NoError(t, err)
	require.NoError(t, b.Schema.Syncs.Pull(t.Context()))
	require.False(t, called)
}

func TestTestingSaysWhatComesFromTheCRM(t *testing.T) {
	t.Parallel()
	s := setup(t).sync(0, vars{"objectType": "Contact"})
	test := s.ok("testCrmConnection", vars{"id": s.id}).Get("test")
	require.True(t, test.Get("isOk").Bool())
	require.Contains(t, test.Get("objectTypes").List()[0].Get("mapped").String(), "HasOptedOutOfSMS")
	require.Contains(t, test.Get("objectTypes").List()[0].Get("unmapped").String(), "MailingCity")
	require.Equal(t, "input.objectTypes.0.objectType", s.do("ada", "createCrmConnection", "CreateCrmConnectionInput", vars{
		"name": "Another", "kind": "SALESFORCE", "address": s.server.URL, "objectTypes": []vars{{"objectType": "Contact"}},
		"credentials": []vars{{"name": "clientId", "value": "app"}, {"name": "clientSecret", "value": "secret"}},
	}).Get("errors").List()[0].Get("field").String(), "two CRMs would delete each other's records")

	for field, isOK := range map[string]bool{"parley_id__C": true, "Title": false, "Nothing__c": false} {
		s.ok("updateCrmConnection", vars{"id": s.id, "objectTypes": []vars{{"objectType": "Contact", "externalIdField": field}}})
		test = s.ok("testCrmConnection", vars{"id": s.id}).Get("test")
		require.Equal(t, isOK, test.Get("isOk").Bool(), test.String())
		require.Equal(t, isOK, !strings.Contains(test.Get("message").String(), "has no external-id field "+field))
	}
	s.org.ClientSecret = "changed"
	test = s.ok("testCrmConnection", vars{"id": s.id}).Get("test")
	require.False(t, test.Get("isOk").Bool())
	require.Contains(t, test.Get("message").String(), "does not accept the credentials")
	require.NotContains(t, test.String(), "org-secret")
	s.pull()
	require.Equal(t, "FAILING", s.state().Get("state").String())
	require.Contains(t, s.state().Get("lastError").String(), "does not accept the credentials")
	s.ok("updateCrmConnection", vars{"id": s.id, "credentials": []vars{{"name": "clientId", "value": s.org.ClientID}, {"name": "clientSecret", "value": "changed"}}})
	s.pull()
	require.Equal(t, "UP_TO_DATE", s.state().Get("state").String(), "it goes on at once")
	s.ok("pauseCrmConnection", vars{"id": s.id})
	s.org.Create("Contact", salesforcetest.Values{"LastName": "Later"})
	s.Clock.Advance(time.Hour)
	s.pull()
	require.Empty(t, s.names())
	s.ok("startCrmConnection", vars{"id": s.id})
	s.pull()
	s.requireSame("Contact")
}

// Once the CRM's user gets the right to a field, the connection goes on with its next round.
func TestAFieldThatWasMissingIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := setup(t).sync(0, vars{"objectType": "Account", "mappings": []vars{{"field": "Phone", "from": "Hotline__c"}}})
	s.pull()
	require.Contains(t, s.state().Get("lastError").String(), "Hotline__c")
	s.org.Define("Account", "001", salesforcetest.Field{Name: "Name", Type: "string"}, salesforcetest.Field{Name: "Hotline__c", Type: "string"})
	s.Clock.Advance(time.Minute)
	s.pull()
	require.Equal(t, "UP_TO_DATE", s.state().Get("state").String())
}
