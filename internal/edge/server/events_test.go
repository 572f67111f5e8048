package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

const events = "text/event-stream"

// feed is a stream of events that is read line by line.
type feed struct {
	t        *testing.T
	response *http.Response
	lines    *bufio.Scanner
	leave    context.CancelFunc
}

// follow posts a document and reads its stream; headers come in pairs.
func (b *bench) follow(t *testing.T, document string, headers ...string) *feed {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	require.NoError(t, err)
	return followAt(t, http.MethodPost, b.url("/graphql"), string(body), headers...)
}

func followAt(t *testing.T, method, address, body string, headers ...string) *feed {
	t.Helper()
	ctx, leave := context.WithTimeout(t.Context(), patience)
	t.Cleanup(leave)
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	require.NoError(t, err)
	for i, all := 0, append([]string{"Authorization", "Bearer amy", "Accept", events, "Content-Type", plain}, headers...); i < len(all); i += 2 {
		r.Header.Set(all[i], all[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 4<<20)
	return &feed{t, response, lines, leave}
}

// line reads past heartbeats, which are a comment and an empty line.
func (f *feed) line() string {
	f.t.Helper()
	for f.lines.Scan() {
		if f.lines.Text() != ":" {
			return f.lines.Text()
		}
		require.True(f.t, f.lines.Scan())
	}
	require.NoError(f.t, f.lines.Err())
	return "the end"
}

func (f *feed) expect(lines ...string) {
	f.t.Helper()
	for _, line := range lines {
		require.Equal(f.t, line, f.line())
	}
}

// expectEnd reads the last event and the end.
func (f *feed) expectEnd() {
	f.t.Helper()
	f.expect("event: complete", "data:", "", "the end")
}

// expectError reads an event of errors, and the end.
func (f *feed) expectError() problem {
	f.t.Helper()
	f.expect("event: next")
	var body struct {
		Data   json.RawMessage
		Errors []problem
	}
	line := f.line()
	require.NoError(f.t, json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &body), line)
	require.Nil(f.t, body.Data, "data is absent from a request error")
	require.NotEmpty(f.t, body.Errors)
	require.NotEmpty(f.t, body.Errors[0].Extensions.RequestID)
	f.expect("")
	f.expectEnd()
	return body.Errors[0]
}

func TestAStreamOfEvents(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	f := b.follow(t, `subscription { n: count(to: 2) }`)
	require.Equal(t, http.StatusOK, f.response.StatusCode)
	for name, value := range map[string]string{
		"Content-Type": events + "; charset=utf-8", "X-Accel-Buffering": "no", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		require.Equal(t, value, f.response.Header.Get(name))
	}
	f.expect("event: next", `data: {"data":{"n":1}}`, "", "event: next", `data: {"data":{"n":2}}`, "")
	f.expectEnd()

	query := url.Values{"query": {`subscription($to: Int!) { count(to: $to) }`}, "variables": {`{"to":1}`}}
	f = followAt(t, http.MethodGet, b.url("/graphql?"+query.Encode()), "")
	f.expect("event: next", `data: {"data":{"count":1}}`, "")
	f.expectEnd()

	f = b.follow(t, `{ me }`)
	f.expect("event: next", `data: {"data":{"me":"amy"}}`, "")
	f.expectEnd()
	f = b.follow(t, `mutation { touch }`)
	f.expect("event: next", `data: {"data":{"touch":"touched"}}`, "")
	f.expectEnd()
}

func TestWhatIsRefusedBeforeAStream(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.GraphQLBytes = 1000 })
	get := func(document string) string { return "/graphql?" + url.Values{"query": {document}}.Encode() }
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
	}{
		"no token":           {"POST", "/graphql", `{"query":"{ me }"}`, []string{"Authorization", ""}, 401, "UNAUTHENTICATED"},
		"a bad token":        {"POST", "/graphql", `{"query":"{ me }"}`, []string{"Authorization", "Bearer eve"}, 401, "UNAUTHENTICATED"},
		"a token in the URL": {"GET", get("{ me }") + "&token=amy", "", []string{"Authorization", ""}, 401, "UNAUTHENTICATED"},
		"a mutation by GET":  {"GET", get("mutation { touch }"), "", nil, 405, "BAD_INPUT"},
		"no query":           {"GET", "/graphql", "", nil, 400, "BAD_INPUT"},
		"no JSON":            {"POST", "/graphql", "{", nil, 400, "BAD_INPUT"},
		"a form":             {"POST", "/graphql", "query={me}", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "BAD_INPUT"},
		"too large":          {"POST", "/graphql", strings.Repeat(" ", 1001), nil, 413, "LIMIT_EXCEEDED"},
		"a reservation":      {"PUT", "/graphql", "", nil, 405, "BAD_INPUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := b.send(t, c.method, c.path, c.body, append([]string{"Accept", events}, c.headers...)...)
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, plain+"; charset=utf-8", a.Header.Get("Content-Type"))
			require.Equal(t, c.code, a.code())
		})
	}
}

func TestHowAStreamOfEventsEnds(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 50 * time.Millisecond })
	for _, x := range []struct{ document, next, code string }{
		{document: `{`, code: "GRAPHQL_PARSE_FAILED"},
		{document: `{ nothing }`, code: "GRAPHQL_VALIDATION_FAILED"},
		{document: strings.Repeat("{ a ", 16) + strings.Repeat("}", 16), code: "LIMIT_EXCEEDED"},
		{document: `{ deadline }`, code: "TIMEOUT"},
		{document: `subscription { refused }`, code: "FORBIDDEN"},
		{document: `subscription { broken }`, code: "INTERNAL"},
		{document: `subscription { lost }`, next: `{"data":{"lost":1}}`, code: "RESYNC_REQUIRED"},
	} {
		f := b.follow(t, x.document)
		require.Equal(t, http.StatusOK, f.response.StatusCode)
		if x.next != "" {
			f.expect("event: next", "data: "+x.next, "")
		}
		if x.code == "TIMEOUT" {
			f.expect("event: next")
			require.Contains(t, f.line(), x.code)
			continue
		}
		problem := f.expectError()
		require.Equal(t, x.code, problem.Extensions.Code)
		if x.code == "RESYNC_REQUIRED" {
			require.Equal(t, "c1", problem.Extensions.Cursor)
		}
	}
}

func TestAStreamGoesOnFromTheLastEvent(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	const document = `subscription($after: String) { resumable(after: $after) { cursor n } }`
	f := b.follow(t, document, "Last-Event-ID", "c7")
	f.expect("event: next", "id: c7+1", `data: {"data":{"resumable":{"cursor":"c7+1","n":1}}}`, "")
	f.expect("event: next", "id: c7+2", `data: {"data":{"resumable":{"cursor":"c7+2","n":2}}}`, "")
	f.expectEnd()
	f = followAt(t, http.MethodPost, b.url("/graphql"), `{"query":"`+document+`","variables":{"after":"c1"}}`)
	f.expect("event: next", "id: c1+1")
}

func TestTheTransportOfASubscription(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for accept, c := range map[string]struct{ query, subscription string }{
		"":                                       {plain, plain},
		"*/*":                                    {plain, plain},
		"text/*":                                 {"406", "406"},
		events:                                   {events, events},
		events + "; charset=utf-8":               {events, events},
		events + ", */*":                         {events, events},
		events + ", */*;q=0.1":                   {events, events},
		plain + ", " + events:                    {plain, events},
		response + ", " + plain + ", " + events:  {response, events},
		response + ";q=0.9, " + events:           {events, events},
		events + ";q=0.5, " + plain:              {plain, events},
		events + ";q=0":                          {"406", "406"},
		events + ";q=0, " + plain:                {plain, plain},
		events + "; charset=latin1, " + response: {response, response},
	} {
		for document, want := range map[string]string{`{ me }`: c.query, `subscription { count(to: 1) }`: c.subscription} {
			a := b.query(t, document, "Accept", accept)
			if want == "406" {
				require.Equal(t, http.StatusNotAcceptable, a.StatusCode, accept)
				continue
			}
			require.Equal(t, want+"; charset=utf-8", a.Header.Get("Content-Type"), accept+" "+document)
		}
	}
}

// TestAStreamOutlivesTheDeadlinesOfRequests reads heartbeats until well after
// them.
func TestAStreamOutlivesTheDeadlinesOfRequests(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.RequestTimeout, o.Socket.PingInterval = 20*time.Millisecond, 20*time.Millisecond
	})
	hasty := httptest.NewUnstartedServer(b.Handler())
	hasty.Config.ReadTimeout, hasty.Config.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	hasty.Start()
	t.Cleanup(hasty.Close)
	f := followAt(t, http.MethodPost, hasty.URL+"/graphql", `{"query":"subscription { never }"}`)
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		require.True(t, f.lines.Scan())
		require.Equal(t, ":", f.lines.Text())
		require.True(t, f.lines.Scan())
	}
	require.EqualValues(t, 1, b.schema.live.Load())
	f.leave()
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "the stream ends with its caller")
}

func TestBoundsOfStreams(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.PerViewer, o.Socket.Total = 2, 3 })
	first := b.follow(t, `subscription { never }`)
	b.connect(t) // counts with them
	a := b.query(t, `subscription { never }`, "Accept", events)
	require.Equal(t, http.StatusTooManyRequests, a.StatusCode)
	require.Equal(t, "LIMIT_EXCEEDED", a.code())
	b.follow(t, `subscription { never }`, "Authorization", "Bearer bo")
	a = b.query(t, `subscription { never }`, "Accept", events, "Authorization", "Bearer bo")
	require.Equal(t, http.StatusServiceUnavailable, a.StatusCode)
	require.NotEmpty(t, a.Header.Get("Retry-After"))

	metrics := func() string { return b.send(t, "GET", "http://"+b.PrivateAddr().String()+"/metrics", "").text }
	require.Contains(t, metrics(), "parley_event_streams 2")
	require.Contains(t, metrics(), "parley_websocket_connections 1")
	require.Contains(t, metrics(), "parley_graphql_subscriptions 2")
	first.leave()
	eventually(t, func() bool { return strings.Contains(metrics(), "parley_event_streams 1") }, "one has gone")
	b.follow(t, `{ me }`).expect("event: next")
}

func TestAnExpiredTokenEndsTheStream(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.expiry = b.clock.Now().Std().Add(100 * time.Millisecond)
	f := b.follow(t, `subscription { never }`)
	require.Equal(t, "UNAUTHENTICATED", f.expectError().Extensions.Code)
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "its work ends")
}

func TestTheStopEndsStreamsAndWaitsForQueries(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.DrainTimeout, o.RequestTimeout = time.Hour, 300*time.Millisecond })
	f, query := b.follow(t, `subscription { never }`), b.follow(t, `{ deadline }`)
	<-b.schema.waiting
	eventually(t, func() bool { return b.schema.live.Load() == 1 }, "the stream has begun")
	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	problem := f.expectError()
	require.Equal(t, "UNAVAILABLE", problem.Extensions.Code)
	require.Equal(t, 1, problem.Extensions.RetryAfter)
	query.expect("event: next")
	require.Contains(t, query.line(), "TIMEOUT", "its own deadline ended it, not the stop")
	require.NoError(t, <-stopped)
	require.Contains(t, b.log.String(), `"kind":"subscription"`)
}

// TestAStreamThatCannotBeWrittenIsCut: the caller never reads.
func TestAStreamThatCannotBeWrittenIsCut(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.WriteTimeout = 100 * time.Millisecond })
	f := b.follow(t, `subscription { flood }`)
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "the stream was ended")
	text, err := io.ReadAll(f.response.Body)
	require.Error(t, err, "no orderly end can follow half an event")
	require.NotContains(t, string(text), "complete")
}

func TestStreamsAreNoSlowRequests(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	f := b.follow(t, `subscription { count(to: 1) }`)
	f.expect("event: next", `data: {"data":{"count":1}}`, "")
	f.expectEnd()
	metrics := func() string { return b.send(t, "GET", "http://"+b.PrivateAddr().String()+"/metrics", "").text }
	eventually(t, func() bool {
		return strings.Contains(metrics(), `parley_http_requests_total{route="/graphql",status="200"} 1`)
	}, "it is counted")
	require.NotContains(t, metrics(), `parley_http_request_seconds_count{route="/graphql"}`)
	require.Contains(t, metrics(), `parley_graphql_operations_total{kind="subscription",outcome="ok"} 1`)
}
