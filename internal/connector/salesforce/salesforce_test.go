package salesforce_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel/wire"
	"parley/internal/connector"
	"parley/internal/connector/salesforce"
	"parley/internal/connector/salesforce/salesforcetest"
	"parley/internal/ground/clock"
)

// open serves an org and returns a session with credentials.
func open(t *testing.T, org *salesforcetest.Org, credentials map[string]string) connector.Session {
	t.Helper()
	server := httptest.NewServer(org)
	t.Cleanup(server.Close)
	document, err := json.Marshal(credentials)
	require.NoError(t, err)
	x, err := salesforce.New(wire.NewTransport()).Open(connector.Settings{Address: server.URL}, document)
	require.NoError(t, err)
	return x
}

func secret(org *salesforcetest.Org) map[string]string {
	return map[string]string{"clientId": org.ClientID, "clientSecret": org.ClientSecret}
}

func TestTheJWTBearerFlowSignsInWhateverOurClockSays(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	private := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	for _, off := range []time.Duration{0, time.Hour, -time.Hour} {
		org := salesforcetest.New()
		org.PublicKey = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
		org.Now = func() time.Time { return time.Now().Add(off) }
		x := open(t, org, map[string]string{"clientId": org.ClientID, "username": org.Username, "privateKey": private})
		o, err := x.Describe(t.Context(), "contact")
		require.NoError(t, err, off)
		require.Equal(t, "003", o.Prefix)
		require.Equal(t, 1, org.SignedIns())
		x = open(t, org, map[string]string{"clientId": org.ClientID, "username": "somebody@example.com", "privateKey": private})
		_, err = x.Describe(t.Context(), "Contact")
		require.ErrorIs(t, err, connector.ErrRefused)
		require.NotContains(t, err.Error(), "PRIVATE")
	}
}

func TestWhatIsNoCredentialIsRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	c := salesforce.New(wire.NewTransport())
	for _, document := range []string{
		`{`, `{"clientId":"a"}`, `{"clientId":"a","clientSecret":"b","username":"c"}`, `{"clientId":"a","username":"c"}`, `{"clientId":"a","username":"c","privateKey":"hush"}`,
	} {
		err := c.Check(connector.Settings{}, json.RawMessage(document))
		require.Error(t, err, document)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestATokenThatEndedIsAskedForOnce(t *testing.T) {
	t.Parallel()
	org := salesforcetest.New()
	x := open(t, org, secret(org))
	for range 3 {
		org.EndTokens()
		_, err := x.Describe(t.Context(), "Contact")
		require.NoError(t, err)
	}
	require.Equal(t, 3, org.SignedIns())
	org.EndTokens()
	org.ClientSecret = "changed"
	_, err := x.Describe(t.Context(), "Contact")
	require.ErrorIs(t, err, connector.ErrRefused)
	require.NotContains(t, err.Error(), "org-secret")
}

func TestLimitsSayHowLongToWait(t *testing.T) {
	t.Parallel()
	org := salesforcetest.New()
	x := open(t, org, secret(org))
	for want, f := range map[time.Duration]salesforcetest.Failure{
		9 * time.Second: {Status: http.StatusServiceUnavailable, Code: "SERVER_UNAVAILABLE", RetryAfter: "9"},
		time.Minute:     {Status: http.StatusServiceUnavailable, Code: "SERVER_UNAVAILABLE", RetryAfter: time.Now().Add(time.Minute).UTC().Format(http.TimeFormat)},
		0:               {Status: http.StatusForbidden, Code: "REQUEST_LIMIT_EXCEEDED"},
	} {
		org.Fail(f)
		_, err := x.Describe(t.Context(), "Contact")
		var limited *connector.LimitedError
		require.ErrorAs(t, err, &limited)
		require.InDelta(t, want.Seconds(), limited.After.Seconds(), 2)
	}
	org.Leave(1)
	_, err := x.Describe(t.Context(), "Contact")
	require.NoError(t, err)
	_, err = x.Describe(t.Context(), "Contact")
	require.ErrorAs(t, err, new(*connector.LimitedError))
}

func TestRecordsOfOneTimeComeOnceOverPages(t *testing.T) {
	t.Parallel()
	org := salesforcetest.New()
	stamp := time.Now()
	org.Now = func() time.Time { return stamp }
	for i := range 11 {
		org.Create("Contact", salesforcetest.Values{"LastName": fmt.Sprint("O'", i, `\`)})
	}
	org.PageSize(2)
	x := open(t, org, secret(org))
	_, err := x.Describe(t.Context(), "Contact")
	require.NoError(t, err)
	q := connector.Query{Object: "Contact", Fields: []string{"LastName"}, Most: 5}
	seen := map[string]int{}
	for more := true; more; {
		page, err := x.Changes(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Rows), 5)
		for _, row := range page.Rows {
			seen[row.ID]++
			require.Equal(t, clock.Of(stamp.Truncate(time.Second)), row.At)
			q.At, q.ID = row.At, row.ID
		}
		more = page.More
	}
	require.Len(t, seen, 11)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
	var ids []string
	for id := range seen {
		ids = append(ids, id)
	}
	org.Delete(ids[0])
	org.Purge(ids[1])
	gone, _, err := x.Gone(t.Context(), "Contact", ids)
	require.NoError(t, err)
	require.Equal(t, []string{ids[1]}, gone, "what is in the recycle bin is not gone")
	_, err = x.Changes(t.Context(), connector.Query{Object: "Contact", Fields: []string{"Nose"}, Most: 5})
	require.ErrorIs(t, err, connector.ErrRefused)
	_, err = x.Describe(t.Context(), "Nothing")
	require.ErrorIs(t, err, connector.ErrRefused)
}
