package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	entchannel "parley/ent/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/account"
	"parley/internal/desk/crm"
	"parley/internal/desk/crmsync"
	"parley/internal/desk/linking"
	"parley/internal/desk/match"
	objects "parley/internal/desk/object"
	"parley/internal/desk/objecttype"
	"parley/internal/ground/store"
)

// anchored is a Parley whose conversations have records: so many contacts, ten accounts with
// their contacts, and for each contact a customer whom a rule links to it.
type anchored struct {
	*parleytest.Parley
	statements statements
}

func newAnchored(t *testing.T, contacts int) *anchored {
	a := &anchored{}
	key := t.TempDir() + "/key"
	a.Parley = parleytest.New(t, a.statements.configure, func(c *app.Config) { c.KeyFile = key })
	a.rule(parleytest.Sales, match.Automatic)
	a.rule(parleytest.Support, match.Suggested)
	ada := a.Context("ada")
	require.NoError(t, a.Directory.Change(a.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Channel.Update().Where(entchannel.Address(parleytest.Sales)).AddMemberIDs(a.Directory.AgentNamed("ada").Key).Exec(ctx)
	}))
	_, err := a.Schema.ObjectTypes.Update(ada, objecttype.UpdateInput{ID: a.Directory.ObjectType("Account").ID, Related: []objects.Mapping{
		{Label: "Contacts", Path: []objects.Step{{Direction: objects.Down, Object: "Contact", Field: "AccountId"}}},
	}})
	require.NoError(t, err)
	var records []*crm.RecordInput
	for i := range 10 {
		records = append(records, filled("Account", fmt.Sprint("a", i), "Name", fmt.Sprint("Account ", i)))
	}
	for i := range contacts {
		records = append(records, filled("Contact", fmt.Sprint("c", i), "LastName", fmt.Sprint("Contact ", i),
			"AccountId", fmt.Sprint("Account/a", i%10), "MobilePhone", customer(i)))
	}
	_, err = a.Schema.Records.Upsert(ada, records)
	require.NoError(t, err)
	for i := range contacts {
		a.Say(customer(i), parleytest.Sales, "Hello")
		a.Say(customer(i), parleytest.Support, "Hello")
	}
	return a
}

func customer(i int) string { return fmt.Sprintf("+1202555%04d", 1000+i) }

func filled(objectType, id string, fields ...string) *crm.RecordInput {
	in := &crm.RecordInput{ObjectType: objectType, ExternalID: id}
	for i := 0; i < len(fields); i += 2 {
		in.Fields = append(in.Fields, &crm.FieldInput{Name: fields[i], Text: &fields[i+1]})
	}
	return in
}

func (a *anchored) rule(address string, mode match.Mode) {
	a.T.Helper()
	for _, c := range a.Directory.Channels() {
		if c.Address == address {
			_, err := a.Schema.Linking.Create(a.System(), linking.CreateInput{ChannelID: c.ID, Name: "Contacts", ObjectType: "Contact", Mode: mode, IdempotencyKey: address})
			require.NoError(a.T, err)
		}
	}
}

// connect makes a connection to a CRM.
func (a *anchored) connect(n int) {
	a.T.Helper()
	address := fmt.Sprintf("https://crm%d.example.com", n)
	_, _, err := a.Schema.Syncs.Create(a.System(), crmsync.CreateInput{
		Name: fmt.Sprint("CRM ", n), Kind: crmsync.Salesforce, Address: &address, ObjectTypes: []crmsync.TypeInput{{ObjectType: []string{"Lead", "Case", "Opportunity"}[n]}},
		Credentials:    []account.CredentialInput{{Name: "clientId", Value: "app"}, {Name: "clientSecret", Value: "secret"}},
		IdempotencyKey: fmt.Sprint(n),
	})
	require.NoError(a.T, err)
}

// act runs an action in conversations.
func (a *anchored) act(conversations int) {
	a.T.Helper()
	ada := a.As("ada")
	made := ada.Do(`mutation { createCrmAction(input: {name: "Open", developerName: "Open", type: MANUAL, performs: OPEN_URL, idempotencyKey: "open"
		parameters: [{label: "Url", key: "Url", type: URL, value: "https://crm.example.com/"}]}) { action { id } errors { code field message } } }`, nil)
	require.Empty(a.T, made.Get("createCrmAction", "errors").List(), made.String())
	action := made.Get("createCrmAction", "action", "id").String()
	for i, id := range idsOf(ada.Do(`query($n: Int!) { conversations(view: {kind: OBJECT_TYPE, subject: "Contact"}, first: $n) { nodes { id } } }`, parleytest.Vars{"n": conversations})) {
		run := ada.Do(`mutation($action: ID!, $id: ID!, $key: String!) { runCrmAction(input: {actionId: $action, conversationId: $id, idempotencyKey: $key}) { run { id } errors { code message } } }`,
			parleytest.Vars{"action": action, "id": id, "key": fmt.Sprint(i)})
		require.Empty(a.T, run.Get("runCrmAction", "errors").List(), run.String())
	}
}

// A list of records, of conversations with them, and of what is done with them, costs what
// its document selects, whatever the rows.
func TestTheStatementsOfRecordsAreFixedByTheDocument(t *testing.T) {
	t.Parallel()
	a := newAnchored(t, 30)
	a.act(20)
	for n := range 3 {
		a.connect(n)
	}
	ada := a.As("ada")
	const related = `relatedConversations { isTruncated counts { total } groups { objectType conversations(first: 2) { totalCount edges { node { id name } relatedBy { label } } } } }`
	for _, c := range []struct {
		name, query string
		most        int
	}{
		{"conversations with records", fmt.Sprintf(page, "", "record { id name mobileNumber }"), 2},
		{"records", `query($n: Int!) { records(objectType: "Contact", first: $n) { nodes { id name } } }`, 2},
		{"their conversations", `query($n: Int!) { records(objectType: "Contact", first: $n) { nodes { conversations(first: 2) { nodes { id name lastMessage { id } } feedCursor pageInfo { endCursor } } } } }`, 4},
		{"their conversations, counted", `query($n: Int!) { records(objectType: "Contact", first: $n) { nodes { conversations { totalCount nodes { id } } } } }`, 5},
		{"their related conversations", `query($n: Int!) { records(objectType: "Account", first: $n) { nodes { ` + related + ` } } }`, 6},
		{"related conversations of conversations", `query($n: Int!) { conversations(view: {kind: ALL}, first: $n) { nodes { ` + related + ` } } }`, 4}, // contacts have no mappings
		{"fields and what they reference", `query($n: Int!) { records(objectType: "Contact", first: $n) { nodes { fields { name text reference { id name } } } } }`, 4},
		{"suggestions", `query($n: Int!) { conversations(view: {kind: ALL}, first: $n) { nodes { linkSuggestions { reason record { id name } } } } }`, 4},
		{"runs of actions", `query($n: Int!) { crmActionRuns(first: $n) { nodes { id conversation { id } record { id } delivery { status } } } }`, 5},
		{"connections", `{ crmConnections { id name state pendingWriteCount failedWriteCount objectTypes { objectType } rejectedChanges { at } } }`, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, n := range []int{2, 10, 30} {
				got := a.statements.of(func() { ada.Do(c.query, parleytest.Vars{"n": n}) })
				require.LessOrEqual(t, len(got), c.most, "for %d rows:\n%s", n, strings.Join(got, "\n"))
			}
		})
	}
}
