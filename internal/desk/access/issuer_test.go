package access_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

const outside = "https://id.test"

// issuer is an identity provider of the test's own.
type issuer struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	keys *httptest.Server
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	jwk, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "k"}})
	require.NoError(t, err)
	set, err := json.Marshal(map[string]any{"keys": []any{jwk.Marshal()}})
	require.NoError(t, err)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(keys.Close)
	return &issuer{t, key, keys}
}

// configure has a Parley take its tokens, make agents by the claim groups, and take logouts.
func (i *issuer) configure(c *app.Config) {
	no := false
	c.Mode = server.Development
	c.Issuers = []token.Issuer{{
		Issuer: outside, Audience: "parley", JWKS: i.keys.URL, Algorithms: []string{"ES256"}, AgentClaim: "preferred_username",
		LogoutAudience: "desk", UnseenDays: 30,
		Agents: &token.Arrivals{Groups: "/realm_access/roles", Rules: []token.ArrivalRule{
			{Value: "desk-admins", Role: viewer.Admin},
			{Value: "desk-leads", Role: viewer.Supervisor, PermissionSets: []string{"Leads"}},
			{Value: "desk-readers", IsLicensed: &no},
			{Value: "desk"},
			{Value: "desk-lost", PermissionSets: []string{"Nothing"}},
			{Value: "desk-sneaky", PermissionSets: []string{"Configurers"}},
		}},
	}}
}

func (i *issuer) sign(typ string, claims jwt.MapClaims) string {
	unsigned := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	unsigned.Header["kid"], unsigned.Header["typ"] = "k", typ
	signed, err := unsigned.SignedString(i.key)
	require.NoError(i.t, err)
	return signed
}

// bearer is a token for somebody with groups; changes are to its claims.
func (i *issuer) bearer(username string, groups any, changes ...jwt.MapClaims) string {
	claims := jwt.MapClaims{
		"iss": outside, "aud": "parley", "sub": "subject of " + username, "preferred_username": username, "name": "Name of " + username,
		"zoneinfo": "Europe/Berlin", "locale": "de-at", "realm_access": map[string]any{"roles": groups},
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for _, change := range changes {
		for name, value := range change {
			claims[name] = value
		}
	}
	return i.sign("JWT", claims)
}

// logout is a logout token of somebody.
func (i *issuer) logout(subject, jti string) string {
	return i.sign("logout+jwt", jwt.MapClaims{
		"iss": outside, "aud": []string{"desk"}, "sub": subject, "sid": "s", "jti": jti, "iat": time.Now().Unix(), "exp": time.Now().Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	})
}

// post sends a logout token and returns the status.
func post(t *testing.T, p *parleytest.Parley, logoutToken string) (status int, body string) {
	t.Helper()
	form := strings.NewReader(url.Values{"logout_token": {logoutToken}}.Encode())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+"/oidc/backchannel-logout", form)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	return res.StatusCode, string(text)
}

// entries are the audit's entries about agents, as lines.
func entries(p *parleytest.Parley) []string {
	return parleytest.Rows(p.T, p.Store, "SELECT action, actor_name, subject_name FROM audit_entries WHERE subject_type = 'Agent' ORDER BY id")
}

const me = `{ viewer { agent { username name role isLicensed timeZone locale } permissions } }`

// set makes a permission set.
func set(p *parleytest.Parley, name string, permissions ...string) {
	p.T.Helper()
	made := p.As("ada").Do(`mutation($i: CreatePermissionSetInput!) { createPermissionSet(input: $i) { errors { message } } }`,
		vars{"i": vars{"name": name, "permissions": permissions, "idempotencyKey": name}}).Get("createPermissionSet")
	require.Empty(p.T, made.Get("errors").List())
}

func TestAnIssuerMakesAgentsByItsRules(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure).Run()
	set(p, "Leads", "SEND_ONE_TO_MANY", "VIEW_ALL_DATA")
	set(p, "Configurers", "CONFIGURE_MESSAGING")
	before := len(p.Directory.Agents())

	is := p.With(i.bearer("lea", []string{"other", "desk", "desk-leads"})).Do(me, nil).Get("viewer")
	require.Equal(t, "SUPERVISOR", is.Get("agent", "role").String())
	require.Equal(t, "Name of lea", is.Get("agent", "name").String())
	require.Equal(t, "Europe/Berlin", is.Get("agent", "timeZone").String())
	require.Equal(t, "de-AT", is.Get("agent", "locale").String())
	require.Contains(t, is.Get("permissions").String(), "VIEW_ALL_DATA")
	require.NotContains(t, is.Get("permissions").String(), "CONFIGURE_MESSAGING")
	is = p.With(i.bearer("rob", "desk-readers", jwt.MapClaims{"name": "\u202e", "zoneinfo": "Nowhere/At all", "locale": 7})).Do(me, nil).Get("viewer")
	require.Equal(t, "rob", is.Get("agent", "name").String(), "a name without a visible character is none")
	require.Equal(t, "UTC", is.Get("agent", "timeZone").String(), "the organisation's")
	require.False(t, is.Get("agent", "isLicensed").Bool())
	is = p.With(i.bearer("nan", "desk", jwt.MapClaims{"name": strings.Repeat("ä", 500)})).Do(me, nil).Get("viewer")
	require.Equal(t, strings.Repeat("ä", 200), is.Get("agent", "name").String())
	require.Equal(t, "ADMIN", p.With(i.bearer("adi", "desk-admins")).Do(me, nil).Get("viewer", "agent", "role").String())
	require.Len(t, p.Directory.Agents(), before+4)
	for _, line := range entries(p)[len(entries(p))-4:] {
		require.Contains(t, line, "CREATED")
		require.Contains(t, line, "issuer "+outside)
	}

	for name, bearer := range map[string]string{
		"no group":                       i.bearer("zoe", []string{"other"}),
		"no claim":                       i.bearer("zoe", nil),
		"a group in another case":        i.bearer("zoe", "DESK"),
		"a set that is not there":        i.bearer("zoe", "desk-lost"),
		"an administrator by a set":      i.bearer("zoe", "desk-sneaky"),
		"a username with a space":        i.bearer("zoe zimmer", "desk"),
		"a username in another case":     i.bearer("LEA", "desk"),
		"another name for whom it knows": i.bearer("lea-married", "desk", jwt.MapClaims{"sub": "subject of lea"}),
		"a logout token":                 i.bearer("zoe", "desk", jwt.MapClaims{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}),
	} {
		require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(bearer).Raw(me, nil).Codes(), name)
	}
	require.Len(t, p.Directory.Agents(), before+4, "nobody else was made one")
}

func TestNobodyIsMadeAnAgentUnlessTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure, func(c *app.Config) { c.Issuers[0].Agents = nil }).Run()
	require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(i.bearer("lea", "desk")).Raw(me, nil).Codes())
	require.Empty(t, p.With(i.bearer("amy", nil)).Raw(me, nil).Codes())
}

func TestEverySignInIsHeldToTheRulesIfTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure).Run()
	require.Empty(t, p.With(i.bearer("amy", "other")).Raw(me, nil).Codes(), "amy exists")
	strict := parleytest.New(t, i.configure, func(c *app.Config) { c.Issuers[0].Agents.EverySignIn = true }).Run()
	require.Equal(t, []string{"UNAUTHENTICATED"}, strict.With(i.bearer("amy", "other")).Raw(me, nil).Codes())
	require.Empty(t, strict.With(i.bearer("amy", "desk")).Raw(me, nil).Codes())
}

// Two processes and many requests at once make one agent, whom both know.
func TestConcurrentFirstSignInsMakeOneAgent(t *testing.T) {
	t.Parallel()
	i, database := newIssuer(t), parleytest.Database(t)
	here, there := parleytest.OpenAt(t, database, i.configure).Run(), parleytest.OpenAt(t, database, i.configure).Run()
	bearer := i.bearer("lea", "desk")
	var all sync.WaitGroup
	codes := make([][]string, 20)
	for n := range codes {
		all.Go(func() { codes[n] = []*parleytest.Parley{here, there}[n%2].With(bearer).Raw(me, nil).Codes() })
	}
	all.Wait()
	for _, c := range codes {
		require.Empty(t, c)
	}
	require.Len(t, parleytest.Rows(t, here.Store, "SELECT id FROM agents WHERE username = 'lea'"), 1)
	require.Len(t, parleytest.Rows(t, here.Store, "SELECT id FROM audit_entries WHERE subject_name = 'lea'"), 1)
	here.Eventually(func() bool { return there.Directory.AgentNamed("lea") != nil }, "the other process knows the agent")
}

func TestATokenRevivesNobody(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure).Run()
	bearer := i.bearer("lea", "desk")
	require.Empty(t, p.With(bearer).Raw(me, nil).Codes())
	_, _, err := p.Schema.Staff.Deactivate(p.System(), p.Directory.AgentNamed("lea").ID)
	require.NoError(t, err)
	require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(i.bearer("lea", "desk-admins")).Raw(me, nil).Codes())
	require.False(t, p.Directory.AgentNamed("lea").IsActive)
}

func TestAnIssuersLogoutEndsTheSessions(t *testing.T) {
	t.Parallel()
	i, database := newIssuer(t), parleytest.Database(t)
	p, there := parleytest.OpenAt(t, database, i.configure).Run(), parleytest.OpenAt(t, database, i.configure).Run()
	old := jwt.MapClaims{"iat": time.Now().Add(-5 * time.Second).Unix(), "sub": "0815"}
	bearer := i.bearer("amy", nil, old) // an agent who was not made by the issuer, by another sub
	stays := i.bearer("bo", nil, jwt.MapClaims{"sub": "0816"})
	socket, stream := there.With(bearer).Dial(), follow(t, there, bearer)
	require.Empty(t, p.With(bearer).Raw(me, nil).Codes())
	require.Empty(t, p.With(stays).Raw(me, nil).Codes())

	status, body := post(t, p, i.logout("0815", "one"))
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(bearer).Raw(me, nil).Codes())
	for {
		if _, err := socket.Read(5 * time.Second); err != nil {
			require.ErrorContains(t, err, "4403")
			break
		}
	}
	require.Contains(t, <-stream, "UNAUTHENTICATED")
	require.Empty(t, p.With(stays).Raw(me, nil).Codes())
	require.Contains(t, entries(p)[len(entries(p))-1], "issuer "+outside)
	later := i.bearer("amy", nil, jwt.MapClaims{"iat": time.Now().Add(2 * time.Second).Unix(), "sub": "0815"})
	require.Empty(t, p.With(later).Raw(me, nil).Codes(), "who signs in again at the issuer is back at once")

	count := len(entries(p))
	status, body = post(t, p, i.logout("0815", "one"))
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "used already")
	status, _ = post(t, p, i.logout("nobody", "two"))
	require.Equal(t, http.StatusOK, status, "nobody is signed out already")
	require.Len(t, entries(p), count)
}

// Whatever leeway an issuer has, its logout ends exactly the sessions of tokens that were
// issued until then, those of other issuers too.
func TestALogoutIsExactForOtherIssuers(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure, func(c *app.Config) { c.Issuers[0].Leeway = token.Duration(time.Second) }).Run()
	key := make([]byte, token.KeyBytes)
	use := func() { require.NoError(t, p.Tokens.Use(token.Keys{ByID: map[string][]byte{"": key}})) }
	minted := func(after time.Duration) string {
		own, err := token.New(key, clock.NewFake(time.Now().Add(after)))
		require.NoError(t, err)
		text, err := own.Mint("amy", time.Hour)
		require.NoError(t, err)
		return text
	}
	use()
	before := minted(-2 * time.Second)
	require.Empty(t, p.With(before).Raw(me, nil).Codes())
	require.Empty(t, p.With(i.bearer("amy", nil, jwt.MapClaims{"iat": time.Now().Add(-time.Minute).Unix(), "sub": "0815"})).Raw(me, nil).Codes())

	status, body := post(t, p, i.logout("0815", "one"))
	require.Equal(t, http.StatusOK, status, body)
	after := minted(2 * time.Second)
	p.Eventually(func() bool {
		use() // what changed has the process take up its own keys again
		return len(p.With(after).Raw(me, nil).Codes()) == 0
	}, "nobody waits for another issuer's leeway")
	require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(before).Raw(me, nil).Codes())
}

// Sign-ins are written once a day for each agent, however many there are.
func TestASignInIsWrittenOnceADay(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var mu sync.Mutex
	writes := 0
	p := parleytest.New(t, i.configure, func(c *app.Config) {
		c.Trace = func(_ context.Context, statement string) func(error) {
			mu.Lock()
			defer mu.Unlock()
			if strings.Contains(statement, "identities") && strings.HasPrefix(statement, "INSERT") {
				writes++
			}
			return nil
		}
	}).Run()
	bearers := []string{i.bearer("amy", nil), i.bearer("bo", nil), i.bearer("ada", nil)}
	for n := range 30 {
		require.Empty(t, p.With(bearers[n%3]).Raw(me, nil).Codes())
	}
	rows := func() int {
		return len(parleytest.Rows(t, p.Store, "SELECT id FROM identities WHERE last_seen_at > 0"))
	}
	p.Eventually(func() bool { return rows() == 3 }, "the sign-ins are recorded")
	for n := range 30 {
		require.Empty(t, p.With(bearers[n%3]).Raw(me, nil).Codes())
	}
	require.Empty(t, p.With(i.bearer("sue", nil)).Raw(me, nil).Codes())
	p.Eventually(func() bool { return rows() == 4 }, "whatever else was due is written with it")
	mu.Lock()
	defer mu.Unlock()
	require.LessOrEqual(t, writes, 4)
	require.Positive(t, writes)
}

// An issuer whose clock is ahead states a time to come; its tokens are revoked like others.
func TestATokenFromAClockAheadIsRevokedToo(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := parleytest.New(t, i.configure).Run()
	ahead := i.bearer("amy", nil, jwt.MapClaims{"iat": time.Now().Add(25 * time.Second).Unix()})
	own, err := token.New(make([]byte, token.KeyBytes), clock.NewFake(time.Now().Add(25*time.Second)))
	require.NoError(t, err)
	minted, err := own.Mint("amy", time.Hour)
	require.NoError(t, err)
	require.NoError(t, p.Tokens.Use(token.Keys{ByID: map[string][]byte{"": make([]byte, token.KeyBytes)}}))
	for _, bearer := range []string{ahead, minted} {
		require.Empty(t, p.With(bearer).Raw(me, nil).Codes())
	}
	_, err = p.Schema.Access.RevokeAll(p.System(), p.Directory.AgentNamed("amy").ID, nil)
	require.NoError(t, err)
	require.NoError(t, p.Tokens.Use(token.Keys{ByID: map[string][]byte{"": make([]byte, token.KeyBytes)}}))
	for _, bearer := range []string{ahead, minted} {
		require.Equal(t, []string{"UNAUTHENTICATED"}, p.With(bearer).Raw(me, nil).Codes())
	}
}
