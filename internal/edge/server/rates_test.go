package server_test

import (
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

func TestWhatAViewerMayCause(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Rate = 11 }) // a query of one field each second, ten at once
	for range 10 {
		require.Contains(t, b.query(t, `{ me }`).text, "amy")
	}
	for _, accept := range []string{plain, response, events} {
		a := b.query(t, `{ me }`, "Accept", accept)
		require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
		require.Equal(t, "1", a.Header.Get("Retry-After"))
		require.Equal(t, "LIMIT_EXCEEDED", a.code())
		require.Equal(t, 1, a.body.Errors[0].Extensions.RetryAfter)
		require.NotContains(t, a.text, `"data"`)
	}
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`))
	problem := c.expectError("a")
	require.Equal(t, "LIMIT_EXCEEDED", problem.Extensions.Code)
	require.Equal(t, 1, problem.Extensions.RetryAfter)

	require.Contains(t, b.query(t, `{ me }`, "Authorization", "Bearer bo").text, `"bo"`, "others are not held up")
	b.clock.Advance(time.Second)
	require.Equal(t, "LIMIT_EXCEEDED", b.query(t, `{ me list(first: 50) { nodes { id } } }`).code(), "more costs more")
	b.clock.Advance(time.Second)
	require.Contains(t, b.query(t, `{ me }`).text, "amy")
	metrics := b.send(t, "GET", "http://"+b.PrivateAddr().String()+"/metrics", "").text
	require.Contains(t, metrics, `parley_rate_limited_total{what="operation"} 5`)
	require.Contains(t, metrics, `parley_graphql_operations_total{kind="none",outcome="LIMIT_EXCEEDED"} 4`)
}

// TestWhatEveryKindCosts says how many of a kind use up 1,110.
func TestWhatEveryKindCosts(t *testing.T) {
	t.Parallel()
	for document, times := range map[string]int{
		`{ me }`:                      100, // 10 + 1
		`{`:                           111, // 10
		`{ nothing }`:                 101, // 10 + 1 for its 11 bytes
		`mutation { touch }`:          10,  // 10 + 1 + 100
		`mutation { touch t: touch }`: 5,   // 10 + 2 + 200
		`mutation { ...F } fragment F on Mutation { touch ... { t: touch } }`:    5,
		`{ list(first: 50) { nodes { id } } }`:                                   10, // 10 + 1 + 50 * 2
		`{ list(first: 9999) { nodes { list(first: 9999) { nodes { id } } } } }`: 65, // refused for good, after 10 + 7 for its bytes
	} {
		b := start(t, func(o *server.Options) { o.Rate = 111 })
		for n := range times {
			require.NotEqual(t, http.StatusTooManyRequests, b.query(t, document).StatusCode, "%s %d", document, n)
		}
		require.Equal(t, http.StatusTooManyRequests, b.query(t, document).StatusCode, document)
	}
}

// from says where a request seems to come from, by a proxy on this machine.
func from(address string) []string { return []string{"X-Forwarded-For", address} }

// few bounds an address to five attempts, and believes proxies on this machine.
func few(o *server.Options) {
	o.Attempts, o.Proxies = 0.1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16")}
}

func TestAttemptsToSignIn(t *testing.T) {
	t.Parallel()
	b := start(t, few)
	try := func(token string, headers ...string) *answer {
		return b.query(t, `{ me }`, append([]string{"Authorization", token}, headers...)...)
	}
	for n := range 5 {
		token := []string{"Bearer eve", ""}[n%2]
		require.Equal(t, http.StatusUnauthorized, try(token, from("203.0.113.7")...).StatusCode)
	}
	for _, same := range []string{"203.0.113.7", "9.9.9.9, 203.0.113.7", "203.0.113.7, 10.1.2.3", "::ffff:203.0.113.7", "203.0.113.7:4711"} {
		a := try("Bearer eve", from(same)...)
		require.Equal(t, http.StatusTooManyRequests, a.StatusCode, same)
		require.Equal(t, "10", a.Header.Get("Retry-After"))
		require.Equal(t, "LIMIT_EXCEEDED", a.code())
	}
	require.Contains(t, try("Bearer amy", from("203.0.113.7")...).text, "amy", "a good token passes")
	for _, another := range []string{"203.0.113.8", "203.0.113.7, 203.0.113.9", "2001:db8::1"} {
		require.Equal(t, http.StatusUnauthorized, try("Bearer eve", from(another)...).StatusCode, another)
	}
	b.clock.Advance(10 * time.Second)
	require.Equal(t, http.StatusUnauthorized, try("Bearer eve", from("203.0.113.7")...).StatusCode)
	eventually(t, func() bool { return strings.Contains(b.log.String(), `"remote":"203.0.113.7"`) }, "the log says who")

	for n := range 6 { // any addresses of one network of IPv6
		a := try("Bearer eve", from([]string{"2001:db8:0:1::", "2001:db8:0:1:ffff::1"}[n%2])...)
		require.Equal(t, n == 5, a.StatusCode == http.StatusTooManyRequests, n)
	}
}

func TestWhoIsNotBoundedByAddress(t *testing.T) {
	t.Parallel()
	declared := start(t, few)
	undeclared := start(t, func(o *server.Options) { o.Attempts = 0.1 })
	unbounded := start(t, func(o *server.Options) { few(o); o.Attempts = -1 })
	for range 20 {
		for name, a := range map[string]*answer{
			"no header":           declared.query(t, `{ me }`, "Authorization", "Bearer eve"),
			"no address":          declared.query(t, `{ me }`, append(from("unknown"), "Authorization", "Bearer eve")...),
			"proxies alone":       declared.query(t, `{ me }`, append(from("10.1.0.1, 127.0.0.1"), "Authorization", "Bearer eve")...),
			"a proxy not told of": undeclared.query(t, `{ me }`, append(from("203.0.113.7"), "Authorization", "Bearer eve")...),
			"any":                 unbounded.query(t, `{ me }`, append(from("203.0.113.7"), "Authorization", "Bearer eve")...),
		} {
			require.Equal(t, http.StatusUnauthorized, a.StatusCode, name)
		}
	}
}

// Where proxies are declared, whoever comes past them is bounded, from a private
// network too, and whatever they say of others.
func TestPrivateCallersAreBoundedOnceProxiesAreDeclared(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Attempts, o.Proxies = 0.1, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	})
	try := func(token string, headers ...string) int {
		return b.query(t, `{ me }`, append([]string{"Authorization", token}, headers...)...).StatusCode
	}
	for range 5 {
		require.Equal(t, http.StatusUnauthorized, try("Bearer eve"))
	}
	require.Equal(t, http.StatusTooManyRequests, try("Bearer eve"))
	require.Equal(t, http.StatusTooManyRequests, try("Bearer eve", from("203.0.113.8")...))
	require.Equal(t, http.StatusOK, try("Bearer amy"), "a good token passes")
}

func TestSocketsThatDoNotSignIn(t *testing.T) {
	t.Parallel()
	b := start(t, few)
	for range 20 {
		c := b.dial(t, "graphql-transport-ws", from("203.0.113.7")...)
		c.write(`{"type":"connection_init","payload":{"Authorization":"Bearer amy"}}`)
		c.expect(`{"type":"connection_ack"}`) // and does not count
		require.NoError(t, c.conn.CloseNow())
	}
	for range 5 {
		c := b.dial(t, "graphql-transport-ws", from("203.0.113.7")...)
		c.write(`{"type":"connection_init","payload":{"Authorization":"Bearer eve"}}`)
		c.expectClose(4403)
	}
	a := b.send(t, "GET", "/graphql", "", append([]string{"Authorization", "", "X-Forwarded-For", "203.0.113.7"}, upgrade...)...)
	require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	require.Equal(t, "10", a.Header.Get("Retry-After"))
	require.Equal(t, http.StatusSwitchingProtocols, b.sendUpgrade(t, append([]string{"Authorization", "Bearer amy", "X-Forwarded-For", "203.0.113.7"}, upgrade...)...))
}

func TestWebhooksThatAreRefused(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	b := start(t, func(o *server.Options) {
		few(o)
		o.Webhooks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			switch r.PathValue("account") {
			case "forged":
				w.WriteHeader(http.StatusForbidden)
			case "down":
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
	})
	post := func(account string) *answer {
		return b.send(t, http.MethodPost, "/webhooks/twilio/"+account, "", from("203.0.113.7")...)
	}
	for range 20 {
		require.Equal(t, http.StatusOK, post("good").StatusCode)
		require.Equal(t, http.StatusServiceUnavailable, post("down").StatusCode, "a fault of ours does not count")
	}
	for range 5 {
		require.Equal(t, http.StatusForbidden, post("forged").StatusCode)
	}
	before := calls.Load()
	a := post("forged")
	require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	require.Equal(t, "10", a.Header.Get("Retry-After"))
	require.Equal(t, "LIMIT_EXCEEDED", a.code())
	require.Equal(t, before, calls.Load(), "nothing is read or checked")
	require.Equal(t, http.StatusOK, b.send(t, http.MethodPost, "/webhooks/twilio/good", "", from("198.51.100.1")...).StatusCode)
}
