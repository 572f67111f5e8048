package access_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/desk/access"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

type vars = parleytest.Vars

// bundle is the demo organisation with a service account, crm, which shares the sender ID
// Sales.
type bundle struct {
	*parleytest.Parley
	crm string
}

func setup(t *testing.T) *bundle { return around(parleytest.New(t)) }

func around(p *parleytest.Parley) *bundle {
	p.T.Helper()
	b := &bundle{Parley: p}
	made := b.call(b.As("ada"), "createServiceAccount", vars{"username": "crm", "name": "CRM", "channelIds": []string{b.channel(parleytest.Sales)}, "idempotencyKey": "crm"})
	require.Empty(p.T, code(made))
	b.crm = made.Get("agent", "id").String()
	return b
}

func (b *bundle) channel(address string) string {
	for _, c := range b.Directory.Channels() {
		if c.Address == address {
			return c.ID
		}
	}
	return ""
}

var selections = map[string]string{
	"createServiceAccount": `agent { id kind role }`,
	"createAccessToken":    `accessToken { id name scopes agent { username } createdBy { username } lastUsedAt } token`,
	"revokeAccessToken":    `revokedId`,
	"revokeTokens":         `agent { username }`,
}

func (b *bundle) call(by *parleytest.Client, mutation string, input vars) parleytest.Tree {
	b.T.Helper()
	typed := strings.ToUpper(mutation[:1]) + mutation[1:] + "Input!"
	return by.Do(`mutation($i: `+typed+`) { `+mutation+`(input: $i) { `+selections[mutation]+` errors { code field message } } }`, vars{"i": input}).Get(mutation)
}

func code(payload parleytest.Tree) string {
	if errs := payload.Get("errors").List(); len(errs) > 0 {
		return errs[0].Get("code").String()
	}
	return ""
}

func wanted(agent string, key string, scopes ...string) vars {
	return vars{"agentId": agent, "name": "For " + key, "scopes": scopes, "expiresAt": clock.Of(time.Now().Add(time.Hour)).String(), "idempotencyKey": key}
}

// token makes an access token of crm.
func (b *bundle) token(key string, scopes ...string) (id, bearer string) {
	b.T.Helper()
	made := b.call(b.As("ada"), "createAccessToken", wanted(b.crm, key, scopes...))
	require.Empty(b.T, code(made), "%s", made)
	return made.Get("accessToken", "id").String(), made.Get("token").String()
}

func (b *bundle) id(username string) string { return b.Directory.AgentNamed(username).ID }

const who = `{ viewer { agent { username } } }`

// Who may create a token for whom: oneself, and administrators for service accounts.
func TestWhoCreatesTokensForWhom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, administering := b.token("all", "READ", "SEND", "ADMINISTER")
	_, sending := b.token("sends", "READ", "SEND")
	for _, c := range []struct {
		by         *parleytest.Client
		agent, why string
		scopes     []string
	}{
		{b.As("amy"), b.id("amy"), "", []string{"READ"}},
		{b.As("ada"), b.id("ada"), "", []string{"ADMINISTER"}},
		{b.As("ada"), b.crm, "", []string{"READ"}},
		{b.With(administering), b.crm, "", []string{"READ"}},
		{b.As("amy"), b.crm, "FORBIDDEN", []string{"READ"}},
		{b.As("amy"), b.id("bo"), "FORBIDDEN", []string{"READ"}},
		{b.As("ada"), b.id("bo"), "FORBIDDEN", []string{"READ"}},
		{b.As("ada"), b.crm, "BAD_INPUT", []string{}},
		{b.As("ada"), b.crm, "BAD_INPUT", []string{"READ", "READ"}},
		{b.As("ada"), b.id("bo") + "x", "NOT_FOUND", []string{"READ"}},
	} {
		made := b.call(c.by, "createAccessToken", wanted(c.agent, c.agent+strings.Join(c.scopes, ""), c.scopes...))
		require.Equal(t, c.why, code(made), "%v: %s", c, made)
	}
	require.Equal(t, []string{"FORBIDDEN"}, b.With(sending).Raw(`mutation($i: RevokeTokensInput!) { revokeTokens(input: $i) { errors { code } } }`, vars{"i": vars{"agentId": b.crm}}).Codes())

	too := wanted(b.crm, "late", "READ")
	too["expiresAt"] = clock.Of(time.Now().Add(access.MaxLife + time.Hour)).String()
	require.Equal(t, "BAD_INPUT", code(b.call(b.As("ada"), "createAccessToken", too)))
}

// An administrator who lacks a permission, or sees less, has no token that brings it.
func TestATokenGivesNobodyWhatTheyLack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	set := b.As("ada").Do(`mutation { createPermissionSet(input: {name: "Only", permissions: [CONFIGURE_MESSAGING], idempotencyKey: "s"}) { permissionSet { id } } }`, nil)
	b.As("ada").Do(`mutation($id: ID!, $to: [ID!]!) { grantPermissionSet(input: {id: $id, agentIds: $to}) { errors { code } } }`,
		vars{"id": set.Get("createPermissionSet", "permissionSet", "id").String(), "to": []string{b.id("sue")}})
	require.Equal(t, "FORBIDDEN", code(b.call(b.As("sue"), "createAccessToken", wanted(b.crm, "k", "READ"))), "crm shares a sender ID that sue does not")
	require.Equal(t, "FORBIDDEN", code(b.call(b.As("sue"), "createServiceAccount", vars{
		"username": "bot", "name": "Bot", "channelIds": []string{b.channel(parleytest.Sales)}, "idempotencyKey": "b",
	})))
	own := b.call(b.As("sue"), "createServiceAccount", vars{"username": "bot", "name": "Bot", "channelIds": []string{b.channel(parleytest.Support)}, "idempotencyKey": "c"})
	require.Empty(t, code(own), "%s", own)
	require.Empty(t, code(b.call(b.As("sue"), "createAccessToken", wanted(own.Get("agent", "id").String(), "k", "READ"))))
}

func TestOnlyItsAgentAndAdministratorsSeeATokenOrRevokeIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.token("k", "READ")
	mine := b.call(b.As("amy"), "createAccessToken", wanted(b.id("amy"), "mine", "READ")).Get("accessToken", "id").String()
	list := func(c *parleytest.Client) (ids []string) {
		for _, one := range c.Do(`{ accessTokens { id agent { username } createdBy { username } scopes lastUsedAt } }`, nil).Get("accessTokens").List() {
			ids = append(ids, one.Get("id").String())
		}
		return ids
	}
	require.Equal(t, []string{mine, id}, list(b.As("ada")))
	require.Equal(t, []string{mine}, list(b.As("amy")))
	require.Empty(t, list(b.As("bo")))
	require.Equal(t, []string{"NOT_FOUND"}, b.As("bo").Raw(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Codes())
	require.Empty(t, b.As("amy").Do(`{ serviceAccounts { id } }`, nil).Get("serviceAccounts").List())
	require.Len(t, b.As("ada").Do(`{ serviceAccounts { id } }`, nil).Get("serviceAccounts").List(), 1)
	for _, agent := range b.As("ada").Do(`{ agents { kind } }`, nil).Get("agents").List() {
		require.Equal(t, "PERSON", agent.Get("kind").String())
	}
	require.Equal(t, "NOT_FOUND", code(b.call(b.As("bo"), "revokeAccessToken", vars{"id": id})))
	require.Equal(t, "NOT_FOUND", code(b.call(b.As("amy"), "revokeAccessToken", vars{"id": id})))
	require.Equal(t, "FORBIDDEN", code(b.call(b.As("amy"), "revokeTokens", vars{"agentId": b.crm})))
	require.Equal(t, mine, b.call(b.As("amy"), "revokeAccessToken", vars{"id": mine}).Get("revokedId").String())
	require.Equal(t, id, b.call(b.As("ada"), "revokeAccessToken", vars{"id": id}).Get("revokedId").String())
	require.Empty(t, list(b.As("ada")))
}

func TestScopesNarrowATokenToItsRootFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const note = `mutation { addNote(input: {conversationId: "x", text: "n", idempotencyKey: "n"}) { errors { code } } }`
	const administer = `mutation { revokeAccessToken(input: {id: "x"}) { errors { code } } }`
	documents := map[string]string{"READ": who, "SEND": note, "ADMINISTER": administer}
	for scope := range documents {
		_, bearer := b.token(scope, scope)
		for needs, document := range documents {
			r := b.With(bearer).Raw(document, nil)
			if needs == scope {
				require.Empty(t, r.Codes(), "%s under %s", needs, scope)
				continue
			}
			require.Equal(t, []string{"FORBIDDEN"}, r.Codes(), "%s under %s", needs, scope)
			require.Contains(t, r.Errors[0].Message, needs)
		}
		hidden := b.With(bearer).Raw(`mutation { ...Hidden } fragment Hidden on Mutation { ... on Mutation { late: revokeAccessToken(input: {id: "x"}) { errors { code } } } }`, nil)
		require.Equal(t, scope != "ADMINISTER", len(hidden.Codes()) == 1, "in a fragment, under %s", scope)
	}
}

// A repeat does not show the token again, and only its hash is stored.
func TestATokenIsShownOnce(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b := around(parleytest.OpenAt(t, database))
	id, bearer := b.token("k", "READ")
	require.Regexp(t, `^pat_[a-z2-7]{58}$`, bearer)
	again := b.call(b.As("ada"), "createAccessToken", wanted(b.crm, "k", "READ"))
	require.Equal(t, "IDEMPOTENCY_CONFLICT", code(again), "it expires at another instant")
	in := access.CreateInput{AgentID: b.crm, Name: "n", Scopes: []viewer.Scope{viewer.Read}, ExpiresAt: clock.Of(time.Now().Add(time.Hour)), IdempotencyKey: "twice"}
	first, secret, err := b.Schema.Access.Create(b.Context("ada"), in)
	require.NoError(t, err)
	require.NotEmpty(t, secret)
	second, secret, err := b.Schema.Access.Create(b.Context("ada"), in)
	require.NoError(t, err)
	require.Empty(t, secret)
	require.Equal(t, first.Key, second.Key)

	require.Equal(t, "crm", b.With(bearer).Do(who, nil).Get("viewer", "agent", "username").String())
	for _, bad := range []string{bearer[:len(bearer)-1], bearer[:20] + "a" + bearer[21:] + "", "pat_", strings.ToUpper(bearer)} {
		if bad != bearer {
			require.Equal(t, []string{"UNAUTHENTICATED"}, b.With(bad).Raw(who, nil).Codes(), bad)
		}
	}
	row := b.Store.Ent.AccessToken.Query().AllX(b.System())
	written, err := json.Marshal(row)
	require.NoError(t, err)
	audit, err := json.Marshal(b.Store.Ent.AuditEntry.Query().AllX(b.System()))
	require.NoError(t, err)
	require.Contains(t, string(audit), "AccessToken")
	for _, text := range []string{string(written), string(audit)} {
		require.NotContains(t, text, bearer[4:])
	}
	require.NotEmpty(t, id)
	b.Stop()
	if !parleytest.OnPostgres() {
		for _, file := range []string{database, database + "-wal"} {
			content, _ := os.ReadFile(file) // the second may be gone
			require.False(t, bytes.Contains(content, []byte(bearer[4:])))
		}
	}
}

// Verifying an access token asks the database nothing.
func TestSigningInByTokenCostsNoStatement(t *testing.T) {
	t.Parallel()
	var statements atomic.Int64
	b := around(parleytest.New(t, func(c *app.Config) {
		c.Trace = func(context.Context, string) func(error) { statements.Add(1); return func(error) {} }
	}))
	_, bearer := b.token("k", "READ")
	b.With(bearer).Do(who, nil)
	before := statements.Load()
	for range 100 {
		_, _, err := b.Schema.Access.SignIn(bearer)
		require.NoError(t, err)
	}
	require.Equal(t, before, statements.Load())
}

func TestAServiceAccountOwnsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, bearer := b.token("k", "READ", "SEND")
	b.Say("+12025550199", parleytest.Sales, "Hello")
	crm := b.With(bearer)
	conversation := crm.Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id isUnread } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	sent := crm.Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: "s"}) {
		message { source author { id } actor { kind name agent { username } } } conversation { isUnread owner { id } } errors { code } } }`, vars{"id": conversation}).Get("sendMessage")
	require.Equal(t, `{"actor":{"agent":{"username":"crm"},"kind":"SERVICE","name":"CRM"},"author":null,"source":"API"}`, sent.Get("message").String())
	require.Equal(t, `{"isUnread":true,"owner":null}`, sent.Get("conversation").String())
	read := crm.Do(`mutation($id: ID!) { markConversationsRead(input: {conversations: [{id: $id}]}) { results { error { code } } } }`, vars{"id": conversation})
	require.Equal(t, "FORBIDDEN", read.Get("markConversationsRead", "results", 0, "error", "code").String())
	assigned := b.As("ada").Do(`mutation($id: ID!, $to: ID) { assignConversations(input: {ids: [$id], agentId: $to}) { errors { code message } } }`, vars{"id": conversation, "to": b.crm})
	require.Equal(t, "BAD_INPUT", assigned.Get("assignConversations", "errors", 0, "code").String())
	b.As("amy").Do(`mutation($id: ID!) { addNote(input: {conversationId: $id, text: "Note", idempotencyKey: "n"}) { message { id } } }`, vars{"id": conversation})
	kinds := b.As("amy").Do(`query($id: ID!) { conversation(id: $id) { messages(last: 3) { nodes { actor { kind } author { username } } } } }`, vars{"id": conversation})
	require.Equal(t, `[{"actor":null,"author":null},{"actor":{"kind":"SERVICE"},"author":null},{"actor":{"kind":"PERSON"},"author":{"username":"amy"}}]`,
		kinds.Get("conversation", "messages", "nodes").String())

	direct := b.Directory.ChannelAt(b.Directory.Channels()[0].Account.ID, parleytest.Direct)
	require.Equal(t, b.Directory.AgentNamed("amy").Key, direct.SoleOwner())
	joined := b.call(b.As("ada"), "createServiceAccount", vars{"username": "bot", "name": "Bot", "channelIds": []string{direct.ID}, "idempotencyKey": "bot"})
	require.Empty(t, code(joined))
	direct = b.Directory.Channel(direct.Key)
	require.Len(t, direct.Members(), 2)
	require.Equal(t, b.Directory.AgentNamed("amy").Key, direct.SoleOwner(), "a service account is no owner")
}

// The last use is written by the minute, and when the server stops.
func TestTheLastUseIsWrittenTogether(t *testing.T) {
	t.Parallel()
	database := parleytest.Database(t)
	b := around(parleytest.OpenAt(t, database).Run())
	_, bearer := b.token("k", "READ")
	b.With(bearer).Do(who, nil)
	b.Stop()
	later := parleytest.OpenAt(t, database)
	used := later.As("ada").Do(`{ accessTokens { lastUsedAt } }`, nil).Get("accessTokens", 0, "lastUsedAt").String()
	at, err := time.Parse(time.RFC3339, used)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
}

// BenchmarkSignIn compares what it takes to verify a token of each kind: an access token,
// and one of Parley's own, seen before and not.
func BenchmarkSignIn(b *testing.B) {
	p := parleytest.New(b)
	made, bearer, err := p.Schema.Access.Create(p.Context("amy"), access.CreateInput{
		AgentID: p.Directory.AgentNamed("amy").ID, Name: "n", Scopes: []viewer.Scope{viewer.Read}, ExpiresAt: clock.Of(time.Now().Add(time.Hour)), IdempotencyKey: "k",
	})
	require.NoError(b, err)
	require.NotZero(b, made.Key)
	b.Run("access", func(b *testing.B) {
		for b.Loop() {
			_, _, err = p.Schema.Access.SignIn(bearer)
		}
	})
	require.NoError(b, err)
	own, err := p.Tokens.Mint("amy", time.Hour)
	require.NoError(b, err)
	b.Run("own-seen", func(b *testing.B) {
		for b.Loop() {
			_, err = p.Tokens.Verify(own)
		}
	})
	require.NoError(b, err)
	many := make([]string, 1_500) // more than are remembered
	for i := range many {
		many[i], err = p.Tokens.Mint("amy", time.Hour)
		require.NoError(b, err)
	}
	b.Run("own-new", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, err = p.Tokens.Verify(many[i%len(many)])
		}
	})
	require.NoError(b, err)
}
