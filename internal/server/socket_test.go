package server_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/server"
)

// client is a WebSocket client that speaks the protocol by hand.
type client struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
}

// dial opens a socket; headers come in pairs.
func (b *bench) dial(t *testing.T, protocol string, headers ...string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	o := &websocket.DialOptions{HTTPHeader: http.Header{}}
	if protocol != "" {
		o.Subprotocols = []string{protocol}
	}
	for i := 0; i < len(headers); i += 2 {
		o.HTTPHeader.Set(headers[i], headers[i+1])
	}
	conn, response, err := websocket.Dial(ctx, b.url("/graphql"), o)
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(4 << 20)
	return &client{t: t, ctx: ctx, conn: conn}
}

// connect opens a socket and has it acknowledged.
func (b *bench) connect(t *testing.T) *client {
	t.Helper()
	c := b.dial(t, "graphql-transport-ws")
	c.write(`{"type":"connection_init","payload":{"Authorization":"Bearer amy"}}`)
	c.expect(`{"type":"connection_ack"}`)
	return c
}

func (c *client) write(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		require.NoError(c.t, c.conn.Write(c.ctx, websocket.MessageText, []byte(m)))
	}
}

func (c *client) read() string {
	c.t.Helper()
	_, text, err := c.conn.Read(c.ctx)
	require.NoError(c.t, err)
	return string(text)
}

func (c *client) expect(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		require.JSONEq(c.t, m, c.read())
	}
}

// expectError reads an error message and returns its first error.
func (c *client) expectError(id string) problem {
	c.t.Helper()
	var m struct {
		Type, ID string
		Payload  []problem
	}
	text := c.read()
	require.NoError(c.t, json.Unmarshal([]byte(text), &m), text)
	require.Equal(c.t, "error", m.Type, text)
	require.Equal(c.t, id, m.ID)
	require.NotEmpty(c.t, m.Payload)
	return m.Payload[0]
}

// expectClose reads past whatever comes first.
func (c *client) expectClose(code int) {
	c.t.Helper()
	for {
		if _, _, err := c.conn.Read(c.ctx); err != nil {
			require.EqualValues(c.t, code, websocket.CloseStatus(err), "%v", err)
			return
		}
	}
}

func subscribe(id, document string) string {
	payload, _ := json.Marshal(map[string]string{"query": document})
	return `{"type":"subscribe","id":"` + id + `","payload":` + string(payload) + `}`
}

func TestASubscription(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	c := b.connect(t)
	c.write(subscribe("a", `subscription { n: count(to: 2) }`))
	c.expect(
		`{"type":"next","id":"a","payload":{"data":{"n":1}}}`,
		`{"type":"next","id":"a","payload":{"data":{"n":2}}}`,
		`{"type":"complete","id":"a"}`,
	)
	c.write(`{"type":"subscribe","id":"a","payload":{"query":"subscription($to: Int!) { count(to: $to) }","variables":{"to":1}}}`)
	c.expect(`{"type":"next","id":"a","payload":{"data":{"count":1}}}`, `{"type":"complete","id":"a"}`)
	c.write(subscribe("q", `{ me }`), subscribe("m", `mutation { touch }`))
	got := []string{c.read(), c.read(), c.read(), c.read()}
	require.ElementsMatch(t, []string{
		`{"type":"next","id":"q","payload":{"data":{"me":"amy"}}}`, `{"type":"complete","id":"q"}`,
		`{"type":"next","id":"m","payload":{"data":{"touch":"touched"}}}`, `{"type":"complete","id":"m"}`,
	}, got)
}

func TestTheOpeningOfASocket(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.InitTimeout = time.Hour })
	hasty := start(t, func(o *server.Options) { o.Socket.InitTimeout = 20 * time.Millisecond })
	const ack, amy = `{"type":"connection_ack"}`, `{"type":"connection_init","payload":{"authorization":"amy"}}`
	for name, c := range map[string]struct {
		bench    *bench
		protocol string
		headers  []string
		send     []string
		expect   []string
		close    int
	}{
		"no subprotocol":        {protocol: "", close: 4406},
		"the older subprotocol": {protocol: "graphql-ws", close: 4406},
		"no init":               {bench: hasty, close: 4408},
		"no init, but pings":    {bench: hasty, send: []string{`{"type":"ping"}`}, expect: []string{`{"type":"pong"}`}, close: 4408},
		"a bare token":          {send: []string{amy}, expect: []string{ack}},
		"a token in the header": {headers: []string{"Authorization", "Bearer amy"}, send: []string{`{"type":"connection_init"}`}, expect: []string{ack}},
		"header, null payload":  {headers: []string{"Authorization", "Bearer amy"}, send: []string{`{"type":"connection_init","payload":null}`}, expect: []string{ack}},
		"the payload decides":   {headers: []string{"Authorization", "Bearer amy"}, send: []string{`{"type":"connection_init","payload":{"Authorization":"Bearer eve"}}`}, close: 4403},
		"no token":              {send: []string{`{"type":"connection_init","payload":{}}`}, close: 4403},
		"no payload":            {send: []string{`{"type":"connection_init"}`}, close: 4403},
		"a bad token":           {send: []string{`{"type":"connection_init","payload":{"Authorization":"Bearer eve"}}`}, close: 4403},
		"an outage":             {send: []string{`{"type":"connection_init","payload":{"Authorization":"Bearer down"}}`}, close: 1011},
		"a payload of text":     {send: []string{`{"type":"connection_init","payload":"x"}`}, close: 4400},
		"a payload of list":     {send: []string{`{"type":"connection_init","payload":[]}`}, close: 4400},
		"a number as token":     {send: []string{`{"type":"connection_init","payload":{"Authorization":1}}`}, close: 4400},
		"ping before the ack":   {send: []string{`{"type":"ping","payload":{"a":1}}`, `{"type":"pong"}`, amy}, expect: []string{`{"type":"pong","payload":{"a":1}}`, ack}},
		"subscribe first":       {send: []string{subscribe("a", "{ me }")}, close: 4401},
		"complete first":        {send: []string{`{"type":"complete","id":"a"}`}, close: 4401},
		"a second init":         {send: []string{amy, amy}, expect: []string{ack}, close: 4429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, protocol := b, "graphql-transport-ws"
			if c.bench != nil {
				server = c.bench
			}
			if c.close == 4406 {
				protocol = c.protocol
			}
			s := server.dial(t, protocol, c.headers...)
			s.write(c.send...)
			s.expect(c.expect...)
			if c.close != 0 {
				s.expectClose(c.close)
			}
		})
	}
}

func TestWhatBreaksTheProtocolClosesTheSocket(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	never := subscribe("a", `subscription { never }`)
	for name, c := range map[string]struct {
		send  []string
		close int
	}{
		"no JSON":              {[]string{`{`}, 4400},
		"two values":           {[]string{`{"type":"ping"}{}`}, 4400},
		"a list":               {[]string{`[]`}, 4400},
		"no type":              {[]string{`{"id":"a"}`}, 4400},
		"an unknown type":      {[]string{`{"type":"start","id":"a"}`}, 4400},
		"a server's type":      {[]string{`{"type":"next","id":"a"}`}, 4400},
		"a number as id":       {[]string{`{"type":"complete","id":1}`}, 4400},
		"no id":                {[]string{`{"type":"subscribe","payload":{"query":"{ me }"}}`}, 4400},
		"a long id":            {[]string{subscribe(strings.Repeat("a", 129), `{ me }`)}, 4400},
		"no payload":           {[]string{`{"type":"subscribe","id":"a"}`}, 4400},
		"a payload of null":    {[]string{`{"type":"subscribe","id":"a","payload":null}`}, 4400},
		"no query":             {[]string{`{"type":"subscribe","id":"a","payload":{}}`}, 4400},
		"a number as query":    {[]string{`{"type":"subscribe","id":"a","payload":{"query":1}}`}, 4400},
		"variables a text":     {[]string{`{"type":"subscribe","id":"a","payload":{"query":"{ me }","variables":"x"}}`}, 4400},
		"a ping with a number": {[]string{`{"type":"ping","payload":1}`}, 4400},
		"a live id":            {[]string{never, never}, 4409},
		"too large":            {[]string{`{"type":"ping","payload":{"x":"` + strings.Repeat("x", 256<<10) + `"}}`}, 1009},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := b.connect(t)
			s.write(c.send...)
			s.expectClose(c.close)
		})
	}
	s := b.connect(t)
	require.NoError(t, s.conn.Write(s.ctx, websocket.MessageBinary, []byte(`{"type":"ping"}`)))
	s.expectClose(4400)
}

func TestHowAnOperationEnds(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 50 * time.Millisecond })
	c := b.connect(t)
	for _, x := range []struct{ document, next, code string }{
		{document: `{`, code: "GRAPHQL_PARSE_FAILED"},
		{document: `{ nothing }`, code: "GRAPHQL_VALIDATION_FAILED"},
		{document: strings.Repeat("{ a ", 16) + strings.Repeat("}", 16), code: "LIMIT_EXCEEDED"},
		{document: `subscription { refused }`, code: "FORBIDDEN"},
		{document: `subscription { broken }`, code: "INTERNAL"},
		{document: `subscription { lost }`, next: `{"data":{"lost":1}}`, code: "RESYNC_REQUIRED"},
	} {
		c.write(subscribe("a", x.document))
		if x.next != "" {
			c.expect(`{"type":"next","id":"a","payload":` + x.next + `}`)
		}
		problem := c.expectError("a")
		require.Equal(t, x.code, problem.Extensions.Code)
		require.NotEmpty(t, problem.Extensions.RequestID)
		if x.code == "RESYNC_REQUIRED" {
			require.Equal(t, "c1", problem.Extensions.Cursor)
		}
		c.write(`{"type":"ping"}`)
		c.expect(`{"type":"pong"}`) // and no complete before it
	}
	c.write(subscribe("a", `{ deadline }`))
	require.Contains(t, c.read(), "TIMEOUT", "a query has its deadline here too")
}

func TestACallersCompleteGetsNoAnswerAndFreesTheID(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	c := b.connect(t)
	for range 20 {
		c.write(subscribe("a", `subscription { never }`), `{"type":"complete","id":"a"}`)
	}
	c.write(subscribe("a", `subscription { count(to: 1) }`), `{"type":"complete","id":"unknown"}`)
	c.expect(`{"type":"next","id":"a","payload":{"data":{"count":1}}}`, `{"type":"complete","id":"a"}`)
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "all streams cancelled")
}

func TestAStreamOutlivesTheRequestTimeout(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 10 * time.Millisecond })
	c := b.connect(t)
	c.write(subscribe("s", `subscription { never }`), subscribe("q", `{ deadline }`))
	require.Contains(t, c.read(), `"id":"q"`)
	require.EqualValues(t, 1, b.schema.live.Load(), "the query is over its deadline, the stream lives")
}

func TestACallerWhoLeavesEndsTheStreams(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`), subscribe("b", `subscription { never }`))
	eventually(t, func() bool { return b.schema.live.Load() == 2 }, "two streams")
	metrics := func() string {
		return b.send(t, "GET", "http://"+b.PrivateAddr().String()+"/metrics", "").text
	}
	require.Contains(t, metrics(), "parley_graphql_subscriptions 2")
	require.Contains(t, metrics(), "parley_websocket_connections 1")
	require.NoError(t, c.conn.CloseNow())
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "no streams")
	eventually(t, func() bool { return strings.Contains(metrics(), "parley_websocket_connections 0") }, "no sockets")
	require.Contains(t, metrics(), "parley_graphql_subscriptions 0")
}

func TestBoundsOfSockets(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Socket.Operations, o.Socket.PerViewer, o.Socket.Total = 2, 2, 3
	})
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`), subscribe("b", `subscription { never }`), subscribe("c", `{ me }`))
	problem := c.expectError("c")
	require.Equal(t, "LIMIT_EXCEEDED", problem.Extensions.Code)
	require.Contains(t, problem.Message, "2 live operations")
	c.write(`{"type":"complete","id":"a"}`, subscribe("c", `{ me }`))
	c.expect(`{"type":"next","id":"c","payload":{"data":{"me":"amy"}}}`, `{"type":"complete","id":"c"}`)

	second := b.connect(t)
	third := b.dial(t, "graphql-transport-ws")
	full := b.send(t, "GET", "/graphql", "", upgrade...)
	require.Equal(t, http.StatusServiceUnavailable, full.StatusCode, full.text)
	third.write(`{"type":"connection_init","payload":{"authorization":"amy"}}`)
	third.expectClose(1013)
	require.NoError(t, second.conn.Close(websocket.StatusNormalClosure, ""))
	eventually(t, func() bool {
		fourth := b.dial(t, "graphql-transport-ws")
		fourth.write(`{"type":"connection_init","payload":{"authorization":"amy"}}`)
		_, text, err := fourth.conn.Read(fourth.ctx)
		return err == nil && strings.Contains(string(text), "ack")
	}, "a place that was freed can be taken")
}

func TestAnExpiredTokenClosesTheSocket(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	b.expiry = b.clock.Now().Std().Add(100 * time.Millisecond)
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`))
	c.expectClose(4401)
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "its streams end")
}

var upgrade = []string{
	"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
	"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "graphql-transport-ws",
}

func TestTheOriginOfASocket(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Origins = []string{"https://desk.example.com"} })
	for origin, allowed := range map[string]bool{
		"https://desk.example.com":          true,
		"http://" + b.Addr().String():       true,
		"https://desk.example.com.evil.com": false,
		"https://evil.example.com":          false,
		"http://desk.example.com":           false,
		"null":                              false,
		"":                                  true,
	} {
		headers := append([]string{"Origin", origin, "Authorization", ""}, upgrade...)
		a := b.sendUpgrade(t, headers...)
		want := http.StatusForbidden
		if allowed {
			want = http.StatusSwitchingProtocols
		}
		require.Equal(t, want, a, origin)
	}
}

// sendUpgrade asks for a WebSocket, returns the status and hangs up.
func (b *bench) sendUpgrade(t *testing.T, headers ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url("/graphql"), nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestAHandshakeThatFailsIsAnsweredInJSON(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	a := b.send(t, "GET", "/graphql", "", "Connection", "Upgrade", "Upgrade", "websocket")
	require.Equal(t, http.StatusBadRequest, a.StatusCode)
	require.Equal(t, "BAD_INPUT", a.code())
	a = b.send(t, "GET", "/graphql", "", append([]string{"Authorization", "Bearer eve"}, upgrade...)...)
	require.Equal(t, http.StatusUnauthorized, a.StatusCode)
	require.Equal(t, "UNAUTHENTICATED", a.code())
}

// TestASocketThatCannotBeWrittenIsCut: the client asks for more than the
// network's buffers hold and never reads.
func TestASocketThatCannotBeWrittenIsCut(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.WriteTimeout = 100 * time.Millisecond })
	c := b.connect(t)
	c.write(subscribe("a", `subscription { flood }`))
	eventually(t, func() bool { return b.schema.live.Load() == 1 }, "the stream has begun")
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "the stream was ended")
	_, text, err := c.conn.Read(c.ctx)
	for err == nil {
		require.NotEmpty(t, text)
		_, text, err = c.conn.Read(c.ctx)
	}
	require.EqualValues(t, -1, websocket.CloseStatus(err), "no closing frame can follow half a message")
}

// TestASilentPeerIsFound: a client that answers no ping is cut.
func TestASilentPeerIsFound(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Socket.PingInterval, o.Socket.WriteTimeout = 20*time.Millisecond, 50*time.Millisecond
	})
	c := b.connect(t) // reads no more, and so answers no ping
	c.write(subscribe("a", `subscription { never }`))
	eventually(t, func() bool { return b.schema.live.Load() == 1 }, "the stream has begun")
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "the stream was ended")
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = time.Hour; o.DrainTimeout = 300 * time.Millisecond })
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`))
	eventually(t, func() bool { return b.schema.live.Load() == 1 }, "the stream has begun")
	inFlight := make(chan *answer, 1)
	go func() { inFlight <- b.query(t, `{ deadline }`) }()
	<-b.schema.waiting

	private := "http://" + b.PrivateAddr().String()
	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	eventually(t, func() bool {
		r, err := http.Get(private + "/readyz") //nolint:noctx // loopback
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusServiceUnavailable
	}, "not ready while it drains")
	eventually(t, func() bool {
		conn, err := net.Dial("tcp", b.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, "no connection is accepted")
	c.expectClose(1001)
	require.Equal(t, "UNAVAILABLE", (<-inFlight).code(), "what outlives the drain is cancelled, and told so")
	require.NoError(t, <-stopped)
	require.Zero(t, b.schema.live.Load())
}

func TestShutdownWaitsForWorkInFlight(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 200 * time.Millisecond })
	inFlight := make(chan *answer, 1)
	go func() { inFlight <- b.query(t, `{ deadline }`) }()
	<-b.schema.waiting
	require.NoError(t, b.stop())
	require.Equal(t, "TIMEOUT", (<-inFlight).code(), "its own deadline ended it, not the stop")
}

func TestServeFailsWhereItCannotListen(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	_, port, err := net.SplitHostPort(b.Addr().String())
	require.NoError(t, err)
	_, err = strconv.Atoi(port)
	require.NoError(t, err)
	other, err := server.New(server.Options{
		Addr: b.Addr().String(), Schema: newSchema(), Authenticate: b.authenticate,
	})
	require.NoError(t, err)
	require.Nil(t, other.Addr())
	require.Error(t, other.Serve(t.Context()))
}
