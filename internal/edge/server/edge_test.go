package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
	"parley/internal/ground/fault"
)

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	good := func() server.Options {
		return server.Options{Schema: newSchema(), Authenticate: (&bench{}).authenticate}
	}
	for name, change := range map[string]func(*server.Options){
		"no schema":          func(o *server.Options) { o.Schema = nil },
		"no authentication":  func(o *server.Options) { o.Authenticate = nil },
		"another mode":       func(o *server.Options) { o.Mode = "test" },
		"any origin":         func(o *server.Options) { o.Origins = []string{"*"} },
		"a wildcard":         func(o *server.Options) { o.Origins = []string{"https://*.example.com"} },
		"the null origin":    func(o *server.Options) { o.Origins = []string{"null"} },
		"an origin's path":   func(o *server.Options) { o.Origins = []string{"https://example.com/"} },
		"no scheme":          func(o *server.Options) { o.Origins = []string{"example.com"} },
		"an upper-case host": func(o *server.Options) { o.Origins = []string{"https://Example.com"} },
	} {
		o := good()
		change(&o)
		_, err := server.New(o)
		require.Error(t, err, name)
	}
	_, err := server.New(good())
	require.NoError(t, err)
	o := good()
	o.Origins = []string{"http://localhost:5173/"}
	_, err = server.New(o)
	require.ErrorContains(t, err, "must not end with a slash; write http://localhost:5173 instead")
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for name, c := range map[string]struct {
		header    string
		status    int
		code      string
		challenge string
	}{
		"a token":           {"Bearer amy", 200, "", ""},
		"in any case":       {"bEARER amy", 200, "", ""},
		"no header":         {"", 401, "UNAUTHENTICATED", `Bearer realm="parley"`},
		"a bad token":       {"Bearer eve", 401, "UNAUTHENTICATED", `Bearer realm="parley", error="invalid_token"`},
		"no token":          {"Bearer ", 401, "UNAUTHENTICATED", `Bearer realm="parley"`},
		"no scheme":         {"amy", 401, "UNAUTHENTICATED", `Bearer realm="parley", error="invalid_token"`},
		"another scheme":    {"Basic amy", 401, "UNAUTHENTICATED", `Bearer realm="parley", error="invalid_token"`},
		"nobody's":          {"Bearer nobody", 401, "UNAUTHENTICATED", `Bearer realm="parley", error="invalid_token"`},
		"an outage of ours": {"Bearer down", 500, "INTERNAL", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := b.query(t, `{ me }`, "Authorization", c.header)
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, c.code, a.code())
			require.Equal(t, c.challenge, a.Header.Get("WWW-Authenticate"))
			require.NotContains(t, a.text, "EOF")
		})
	}
	a := b.send(t, http.MethodGet, "/graphql?query={me}&access_token=amy&token=amy", "", "Authorization", "")
	require.Equal(t, http.StatusUnauthorized, a.StatusCode, "a token in the URL is none")
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	const desk = "https://desk.example.com"
	b := start(t, func(o *server.Options) { o.Origins = []string{desk} })
	none := start(t, nil)
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type", "Authorization", ""}
	for name, c := range map[string]struct {
		bench   *bench
		origin  string
		allowed string
	}{
		"listed":           {b, desk, desk},
		"another":          {b, "https://evil.example.com", ""},
		"a longer one":     {b, desk + ".evil.com", ""},
		"another scheme":   {b, "http://desk.example.com", ""},
		"null":             {b, "null", ""},
		"no list":          {none, desk, ""},
		"no list and null": {none, "null", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := c.bench.send(t, http.MethodOptions, "/graphql", "", append([]string{"Origin", c.origin}, preflight...)...)
			require.Equal(t, c.allowed, a.Header.Get("Access-Control-Allow-Origin"))
			require.Empty(t, a.Header.Get("Access-Control-Allow-Credentials"))
			require.Contains(t, a.Header.Get("Vary"), "Origin")

			a = c.bench.query(t, `{ me }`, "Origin", c.origin)
			require.Equal(t, c.allowed, a.Header.Get("Access-Control-Allow-Origin"))
			require.Contains(t, a.Header.Get("Vary"), "Origin")

			a = c.bench.query(t, `{ me }`, "Origin", c.origin, "Authorization", "")
			require.Equal(t, c.allowed, a.Header.Get("Access-Control-Allow-Origin"), "a page may read its refusal")
		})
	}
}

// TestDevelopmentTakesTheOriginsOfThisMachine, where a frontend has a server of its
// own; production takes what is listed.
func TestDevelopmentTakesTheOriginsOfThisMachine(t *testing.T) {
	t.Parallel()
	development, production := start(t, nil), start(t, func(o *server.Options) { o.Mode = server.Production })
	for origin, allowed := range map[string]bool{
		"http://localhost:5173":      true,
		"http://localhost":           true,
		"https://localhost:8443":     true,
		"http://127.0.0.1:3000":      true,
		"http://[::1]:4200":          true,
		"http://localhost.evil.com":  false,
		"http://evil.localhost:5173": false,
		"http://192.0.2.7:5173":      false,
		"http://0.0.0.0:5173":        false,
		"file://localhost":           false,
		"null":                       false,
	} {
		shown, status := "", http.StatusForbidden
		if allowed {
			shown, status = origin, http.StatusSwitchingProtocols
		}
		headers := append([]string{"Origin", origin, "Authorization", ""}, upgrade...)
		require.Equal(t, shown, development.query(t, `{ me }`, "Origin", origin).Header.Get("Access-Control-Allow-Origin"), origin)
		require.Equal(t, status, development.sendUpgrade(t, headers...), origin)
		require.Empty(t, production.query(t, `{ me }`, "Origin", origin).Header.Get("Access-Control-Allow-Origin"), origin)
		require.Equal(t, http.StatusForbidden, production.sendUpgrade(t, headers...), origin)
	}
}

// TestTheLogNamesAnOriginThatIsNotListed, of a preflight too, whose status is 204.
func TestTheLogNamesAnOriginThatIsNotListed(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Origins = []string{"https://desk.example.com"} })
	ask := func(origin string) {
		t.Helper()
		b.send(t, http.MethodOptions, "/graphql", "", "Origin", origin, "Authorization", "", "Access-Control-Request-Method", "POST")
		b.query(t, `{ me }`, "Origin", origin)
		b.sendUpgrade(t, append([]string{"Origin", origin, "Authorization", ""}, upgrade...)...)
	}
	ask("https://desk.example.com")
	ask("http://" + b.Addr().String())
	ask("")
	require.NotContains(t, b.log.String(), "originNotListed")
	ask("https://other.example.com")
	named := func() bool {
		return strings.Count(b.log.String(), `"originNotListed":"https://other.example.com"`) == 3
	}
	eventually(t, named, "each line names it")
}

func TestErrorsArePresented(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	a := b.query(t, `{ fail(how: "input") }`)
	require.Equal(t, "At most 100.", a.body.Errors[0].Message)
	require.Equal(t, "input.first", a.body.Errors[0].Extensions.Field)
	require.Equal(t, []any{"fail"}, a.body.Errors[0].Path)

	a = b.query(t, `{ fail(how: "busy") }`)
	require.Equal(t, "UNAVAILABLE", a.code())
	require.Equal(t, 2, a.body.Errors[0].Extensions.RetryAfter)

	a = b.query(t, `{ me }`, "Authorization", "Bearer wait")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.Equal(t, "2", a.Header.Get("Retry-After"))

	a = b.query(t, `{ day(on: "x") }`)
	require.Equal(t, "BAD_INPUT", a.code())
	require.Contains(t, a.text, "2026-11-23")

	for how, cause := range map[string]string{"secret_table": "secret_table", "panic": "secret panic"} {
		a = b.query(t, `{ fail(how: "`+how+`") }`)
		require.Equal(t, http.StatusOK, a.StatusCode)
		require.Equal(t, "INTERNAL", a.code())
		require.NotContains(t, a.text, "secret")
		require.Contains(t, b.log.String(), cause, "the log has the cause")
		require.Contains(t, b.log.String(), a.body.Errors[0].Extensions.RequestID)
	}

	a = b.query(t, `{ a b c d e f g h }`)
	require.Len(t, a.body.Errors, 5)
}

func TestSuggestionsAndIntrospectionBelongToDevelopment(t *testing.T) {
	t.Parallel()
	development := start(t, nil)
	production := start(t, func(o *server.Options) { o.Mode = server.Production })

	for _, document := range []string{`{ ech(text: "") }`, `{ echo(txt: "") }`, `{ list { nodes { id } ... on Itm { id } } }`} {
		require.NotContains(t, production.query(t, document).text, "Did you mean", document)
	}
	require.Contains(t, development.query(t, `{ ech(text: "") }`).text, "Did you mean")

	require.Empty(t, development.query(t, `{ __schema { types { name } } }`).code())
	require.Equal(t, "FORBIDDEN", production.query(t, `{ __schema { types { name } } }`).code())
	require.Equal(t, "FORBIDDEN", production.query(t, `{ ... { __type(name: "Item") { name } } }`).code())
	open := start(t, func(o *server.Options) { o.Mode, o.Introspection = server.Production, true })
	require.Empty(t, open.query(t, `{ __schema { types { name } } }`).code())
	a := development.query(t, `{ __schema { types { name } } }`, "Authorization", "")
	require.Equal(t, http.StatusUnauthorized, a.StatusCode)
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for given, kept := range map[string]bool{
		"trace-0123.abc":        true,
		"":                      false,
		"short":                 false,
		"with a space":          false,
		strings.Repeat("a", 65): false,
		`quote"quote`:           false,
	} {
		a := b.query(t, `{`, "X-Request-Id", given)
		id := a.Header.Get("X-Request-Id")
		require.Equal(t, kept, id == given, given)
		require.GreaterOrEqual(t, len(id), 8)
		require.Equal(t, id, a.body.Errors[0].Extensions.RequestID)
	}
}

func TestEveryAnswerHasSafeHeadersAndEveryErrorIsJSON(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Webhooks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.PathValue("provider") {
			case "panic":
				panic("secret")
			case "late":
				_, _ = io.WriteString(w, "begun")
				panic("secret")
			case "refuse":
				http.Error(w, "secret", http.StatusForbidden)
			default:
				_, _ = io.Copy(w, r.Body)
			}
		})
		o.Playground = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, "<html>")
		})
		o.BodyBytes, o.WebhookBytes = 10, 20
	})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/", "", 200, ""},
		{"GET", "/none.js", "", 404, "NOT_FOUND"},
		{"POST", "/", "", 405, "BAD_INPUT"},
		{"POST", "/", strings.Repeat("x", 11), 413, "LIMIT_EXCEEDED"},
		{"POST", "/healthz", "", 405, "BAD_INPUT"},
		{"GET", "/healthz", "", 200, ""},
		{"GET", "/readyz", "", 200, ""},
		{"GET", "/metrics", "", 404, "NOT_FOUND"},
		{"GET", "/debug/pprof/", "", 404, "NOT_FOUND"},
		{"POST", "/webhooks/twilio/acc", "hello", 200, ""},
		{"POST", "/webhooks/twilio/acc", strings.Repeat("x", 21), 413, "LIMIT_EXCEEDED"},
		{"POST", "/webhooks/refuse/acc", "", 403, "FORBIDDEN"},
		{"POST", "/webhooks/panic/acc", "", 500, "INTERNAL"},
		{"POST", "/webhooks/late/acc", "", 200, ""},
		{"POST", "/webhooks/twilio", "", 404, "NOT_FOUND"},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			a := b.send(t, c.method, c.path, c.body, "Content-Type", "text/plain")
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
			require.NotContains(t, a.text, "secret")
			if c.status >= 400 {
				require.Equal(t, plain+"; charset=utf-8", a.Header.Get("Content-Type"))
				require.Equal(t, c.code, a.code())
				require.Equal(t, a.Header.Get("X-Request-Id"), a.body.Errors[0].Extensions.RequestID)
			}
		})
	}
	t.Cleanup(func() { require.Equal(t, 2, strings.Count(b.log.String(), "panic: secret")) })
}

func TestTheAccessLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.query(t, `query Inbox { echo(text: "private words") }`)
	b.send(t, http.MethodPost, "/webhooks/twilio/account-key?attempt=42", "Body=private words")
	b.query(t, `{ me }`, "Authorization", "Bearer eve-token")
	b.send(t, http.MethodPost, "/graphql", `{"query": "private words`)
	eventually(t, func() bool { return strings.Count(b.log.String(), `"msg":"request"`) == 4 }, "four lines")
	log := b.log.String()
	for _, word := range []string{"private", "account-key", "attempt", "eve-token", "Bearer"} {
		require.NotContains(t, log, word)
	}
	for _, word := range []string{
		`"route":"/graphql"`, `"route":"/webhooks/{provider}/{account}"`, `"status":401`, `"viewer":"amy"`,
		`"kind":"query"`, `"operation":"Inbox"`, `"outcome":"ok"`, `"requestId"`, `"duration"`,
	} {
		require.Contains(t, log, word)
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	b := start(t, func(o *server.Options) {
		o.Ready = func(context.Context) error {
			if broken.Load() {
				return errors.New("secret host is away")
			}
			return nil
		}
	})
	require.Equal(t, 200, b.send(t, "GET", "/readyz", "").StatusCode)
	broken.Store(true)
	a := b.send(t, "GET", "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.NotContains(t, a.text, "secret")
	require.Equal(t, 200, b.send(t, "GET", "/healthz", "").StatusCode)

	b.send(t, "GET", "/readyz", "")
	require.Equal(t, 1, strings.Count(b.log.String(), "not ready"), "said once")
	broken.Store(false)
	require.Equal(t, 200, b.send(t, "GET", "/readyz", "").StatusCode)
	require.Contains(t, b.log.String(), "ready again")
}

func TestTheReasonOfUnreadinessIsToldWhenItIsMeantForCallers(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Ready = func(context.Context) error { return fault.New(fault.Unavailable, "The disk is full.") }
	})
	a := b.send(t, "GET", "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.Contains(t, a.text, "The disk is full.")
}

func TestMetricsAreOnThePrivateListener(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	private := "http://" + b.PrivateAddr().String()
	b.query(t, `{ me }`)
	b.query(t, `mutation { touch }`)
	b.query(t, `{ fail(how: "input") }`)
	b.query(t, `{`)
	text := b.send(t, "GET", private+"/metrics", "").text
	for _, line := range []string{
		`parley_graphql_operations_total{kind="query",outcome="ok"} 1`,
		`parley_graphql_operations_total{kind="mutation",outcome="ok"} 1`,
		`parley_graphql_operations_total{kind="query",outcome="BAD_INPUT"} 1`,
		`parley_graphql_operations_total{kind="none",outcome="GRAPHQL_PARSE_FAILED"} 1`,
		`parley_graphql_operation_seconds_count{kind="query",outcome="ok"} 1`,
		`parley_websocket_connections 0`,
		`parley_graphql_subscriptions 0`,
		`go_goroutines`,
	} {
		require.Contains(t, text, line)
	}
	require.Equal(t, 200, b.send(t, "GET", private+"/debug/pprof/cmdline", "").StatusCode)
	require.NotNil(t, b.Registry())
}
