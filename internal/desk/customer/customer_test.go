package customer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
)

type vars = parleytest.Vars

const fields = `{ messagingUser { id name nameSource address locale externalId country consentStatus consentHistory { status source reason recordedBy { username } } } errors { code field message } }`

// desk is the demo organisation with calls of the mutations.
type desk struct {
	*parleytest.Parley
	made int
}

func (d *desk) channel(address string) string {
	d.T.Helper()
	for _, c := range d.Directory.Channels() {
		if c.Address == address {
			return c.ID
		}
	}
	d.T.Fatalf("no channel %s", address)
	return ""
}

func (d *desk) create(by string, input vars) parleytest.Tree {
	d.T.Helper()
	if input["idempotencyKey"] == nil {
		d.made++
		input["idempotencyKey"] = fmt.Sprint("key-", d.made)
	}
	return d.As(by).Do(`mutation($i: CreateMessagingUserInput!) { createMessagingUser(input: $i) `+fields+` }`, vars{"i": input}).Get("createMessagingUser")
}

func (d *desk) update(by string, input vars) parleytest.Tree {
	d.T.Helper()
	return d.As(by).Do(`mutation($i: UpdateMessagingUserInput!) { updateMessagingUser(input: $i) `+fields+` }`, vars{"i": input}).Get("updateMessagingUser")
}

func (d *desk) consent(by string, input vars) parleytest.Tree {
	d.T.Helper()
	return d.As(by).Do(`mutation($i: SetConsentInput!) { setConsent(input: $i) `+fields+` }`, vars{"i": input}).Get("setConsent")
}

func (d *desk) list(by string, filter vars) []parleytest.Tree {
	d.T.Helper()
	return d.As(by).Do(`query($f: MessagingUserFilter) { messagingUsers(filterBy: $f, first: 100) { nodes { id address name } edges { cursor node { id } } } }`,
		vars{"f": filter}).Get("messagingUsers", "nodes").List()
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String() + " " + errs[0].Get("field").String()
	}
	return ""
}

const somebody = "+12025550161"

func TestACustomerIsAddedBeforeTheyWrite(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	sales := d.channel(parleytest.Sales)
	input := vars{"channelId": sales, "address": "(202) 555-0161", "name": " Nora\u202e Jones ", "locale": "en-us", "externalId": "C-17", "idempotencyKey": "once"}
	made := d.create("amy", input)
	require.Empty(t, code(made))
	user := made.Get("messagingUser")
	require.Equal(t, somebody, user.Get("address").String())
	require.Equal(t, "en-US", user.Get("locale").String())
	require.Equal(t, "US", user.Get("country").String())
	require.Equal(t, "C-17", user.Get("externalId").String())
	require.Equal(t, "IMPLICIT_OPT_IN", user.Get("consentStatus").String())
	require.Equal(t, user.Get("id").String(), d.create("amy", input).Get("messagingUser", "id").String(), "a repeat")
	again := d.create("bo", vars{"channelId": sales, "address": somebody, "name": "Another"})
	require.Equal(t, user.Get("id").String(), again.Get("messagingUser", "id").String(), "one who is there")
	require.Equal(t, user.Get("name").String(), again.Get("messagingUser", "name").String(), "stays as they are")

	conversations := d.As("ada").Do(`{ conversations(view: {kind: ALL}) { totalCount nodes { id } } }`, nil).Get("conversations")
	require.Empty(t, conversations.Get("nodes").List(), "there is no conversation yet")
	d.Say(somebody, parleytest.Sales, "Hello")
	found := d.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { name messagingUser { id } } } }`, nil).Get("conversations", "nodes").List()
	require.Len(t, found, 1)
	require.Equal(t, user.Get("id").String(), found[0].Get("messagingUser", "id").String())
	require.Equal(t, user.Get("name").String(), found[0].Get("name").String())
}

func TestWhatIsNoCustomerIsRefused(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	sales := d.channel(parleytest.Sales)
	for _, c := range []struct {
		by    string
		input vars
		want  string
	}{
		{"amy", vars{"channelId": sales, "address": "555"}, "BAD_INPUT input.address"},
		{"amy", vars{"channelId": sales, "address": "SUPPORT"}, "BAD_INPUT input.address"},
		{"amy", vars{"channelId": "chn_0000000000000", "address": somebody}, "NOT_FOUND input.channelId"},
		{"amy", vars{"channelId": sales, "address": somebody, "locale": "not a language"}, "BAD_INPUT input.locale"},
		{"amy", vars{"channelId": d.channel(parleytest.Support), "address": somebody}, "FORBIDDEN "},
		{"ada", vars{"channelId": sales, "address": somebody, "idempotencyKey": ""}, "BAD_INPUT input.idempotencyKey"},
	} {
		require.Equal(t, c.want, code(d.create(c.by, c.input)), "%v", c.input)
	}
}

// Who may not see a customer finds them nowhere, and changes nothing.
func TestCustomersAreSeenWithTheirConversationsAndSenderIDs(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	made := d.create("ada", vars{"channelId": d.channel(parleytest.Support), "address": somebody, "name": "Nora"})
	id := made.Get("messagingUser", "id").String()
	require.Len(t, d.list("ada", nil), 1, "who sees everything")
	require.Len(t, d.list("sue", nil), 1, "who shares the sender ID")
	for _, username := range []string{"amy", "bo"} {
		require.Empty(t, d.list(username, nil), username)
		require.Equal(t, "NOT_FOUND input.id", code(d.update(username, vars{"id": id, "name": "X"})), username)
		require.Equal(t, "NOT_FOUND input.id", code(d.consent(username, vars{"id": id, "status": "OPT_OUT", "reason": "by phone"})), username)
		require.Equal(t, []string{"NOT_FOUND"}, d.As(username).Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Codes())
	}
}

// An agent's name goes before a carrier's, which fills an empty one only; who gave it is kept.
func TestWhoNamedACustomerIsKept(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	n := 0
	says := func(profile string) {
		n++
		id := fmt.Sprint("m", n)
		d.Post(d.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: somebody, FromName: profile, To: parleytest.Sales, Text: "Hello"}))
	}
	named := func(want string) string {
		t.Helper()
		user := d.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { messagingUser { id name nameSource } } } }`, nil).Get("conversations", "nodes", 0, "messagingUser")
		require.Equal(t, want, user.Get("name").String()+" "+user.Get("nameSource").String())
		return user.Get("id").String()
	}
	says("")
	id := named(" ")
	says("nora99")
	named("nora99 CARRIER")
	says("nora100")
	named("nora99 CARRIER")
	require.Empty(t, code(d.update("amy", vars{"id": id, "name": "nora99", "locale": "en-US"})))
	named("nora99 CARRIER") // a form that sends all it shows gives no name
	require.Empty(t, code(d.update("amy", vars{"id": id, "name": "Nora Jones"})))
	named("Nora Jones AGENT")
	says("nora100")
	named("Nora Jones AGENT")
	require.Empty(t, code(d.update("amy", vars{"id": id, "name": ""})))
	named(" ")
	says("nora100")
	named("nora100 CARRIER")
	require.NoError(t, d.Store.Write(d.System(), func(ctx context.Context, tx *store.Tx) error { // as a server of 0.1.0 does
		return tx.Ent.MessagingUser.Update().SetName("").Exec(ctx)
	}))
	named(" ")
}

func TestANewNameNamesTheConversation(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	d.Say(somebody, parleytest.Sales, "Hello")
	user := d.list("amy", vars{"address": "+1202555016"})[0].Get("id").String()
	changed := d.update("amy", vars{"id": user, "name": "Nora Jones", "externalId": "C-17"})
	require.Empty(t, code(changed))
	require.Equal(t, "Nora Jones", d.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { name } } }`, nil).Get("conversations", "nodes", 0, "name").String())
	require.Len(t, d.As("amy").Do(`{ search(query: "nora jon") { nodes { conversation { id } } } }`, nil).Get("search", "nodes").List(), 1)
	for _, filter := range []vars{{"name": "nora"}, {"externalId": "C-17"}, {"consentStatus": "IMPLICIT_OPT_IN"}, {"channelId": d.channel(parleytest.Sales)}} {
		require.Len(t, d.list("amy", filter), 1, "%v", filter)
	}
	for _, filter := range []vars{{"name": "ora"}, {"externalId": "C"}, {"consentStatus": "OPT_OUT"}, {"channelId": d.channel(parleytest.Support)}, {"channelId": "x"}} {
		require.Empty(t, d.list("amy", filter), "%v", filter)
	}
	entry := d.As("ada").Do(`query($id: ID!) { auditEntries(filterBy: {subjectId: $id}) { nodes { actorName changes { field after } } } }`, vars{"id": user}).Get("auditEntries", "nodes", 0)
	require.Equal(t, "amy", entry.Get("actorName").String())
	require.Equal(t, "Nora Jones", entry.Get("changes", 0, "after").String())
}

// An agent records an opt-out, and an administrator anything else; both leave a proof.
func TestConsentIsRecordedByHandWithItsProof(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	d.Say(somebody, parleytest.Sales, "Hello")
	user := d.list("amy", nil)[0].Get("id").String()
	require.Equal(t, "FORBIDDEN ", code(d.consent("amy", vars{"id": user, "status": "EXPLICIT_OPT_IN", "reason": "on the phone"})))
	require.Equal(t, "BAD_INPUT input.reason", code(d.consent("amy", vars{"id": user, "status": "OPT_OUT", "reason": "  "})))
	require.Equal(t, "BAD_INPUT input.status", code(d.consent("ada", vars{"id": user, "status": "PENDING", "reason": "asked"})))
	require.Empty(t, code(d.consent("amy", vars{"id": user, "status": "OPT_OUT", "reason": "asked us on the phone"})))
	refusal := d.As("amy").Do(`{ conversations(view: {kind: ALL}) { nodes { sendability { refusals { code } } lastMessage { id } messages { nodes { content { ... on EventContent { text } } } } } } }`, nil).Get("conversations", "nodes", 0)
	require.Contains(t, fmt.Sprint(refusal.Get("sendability", "refusals").List()), "OPTED_OUT")
	lines := refusal.Get("messages", "nodes").List()
	require.Contains(t, lines[len(lines)-1].Get("content", "text").String(), "opted out")
	in := d.consent("ada", vars{"id": user, "status": "DOUBLE_OPT_IN", "reason": "form of 27 November"})
	require.Empty(t, code(in))
	history := in.Get("messagingUser", "consentHistory").List()
	require.Len(t, history, 2)
	require.Equal(t, "DOUBLE_OPT_IN AGENT form of 27 November ada", fmt.Sprint(
		history[0].Get("status").String(), " ", history[0].Get("source").String(), " ", history[0].Get("reason").String(), " ", history[0].Get("recordedBy", "username").String()))
	require.Equal(t, "OPT_OUT", history[1].Get("status").String())
	require.Len(t, d.consent("ada", vars{"id": user, "status": "DOUBLE_OPT_IN", "reason": "again"}).Get("messagingUser", "consentHistory").List(), 2, "no change, no entry")
}

// An agent creates so many customers an hour; a repeat of a request costs nothing.
func TestHowManyCustomersAnAgentCreates(t *testing.T) {
	t.Parallel()
	d := &desk{Parley: parleytest.New(t)}
	d.Schema.Customers.Creates = quota.New("create", "customers", 12, d.Clock)
	on := d.channel(parleytest.Direct)
	for i := range 2 {
		for range 2 {
			require.Empty(t, code(d.create("amy", vars{"channelId": on, "address": fmt.Sprintf("+120255501%02d", 80+i), "idempotencyKey": fmt.Sprint(i)})))
		}
	}
	require.Equal(t, "LIMIT_EXCEEDED ", code(d.create("amy", vars{"channelId": on, "address": "+12025550190"})))
	require.Empty(t, code(d.create("ada", vars{"channelId": on, "address": "+12025550190"})), "another has their own")
	d.Clock.Advance(5 * time.Minute)
	require.Empty(t, code(d.create("amy", vars{"channelId": on, "address": "+12025550191"})))
}
