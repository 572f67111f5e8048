package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

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
		"an outage elsewhere":   {send: []string{`{"type":"connection_init","payload":{"Authorization":"Bearer wait"}}`}, close: 1013},
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

// TestAClosingFrameSaysWhatToDo as an answer over HTTP does.
func TestAClosingFrameSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.PerViewer = 1 })
	const amy, eve = `{"type":"connection_init","payload":{"authorization":"amy"}}`, `{"type":"connection_init","payload":{"authorization":"eve"}}`
	signedIn := b.dial(t, "graphql-transport-ws")
	signedIn.write(amy)
	signedIn.expect(`{"type":"connection_ack"}`)
	for _, c := range []struct {
		send   string
		code   int
		reason string
	}{
		{eve, 4403, "Forbidden: The token is not valid."},
		{`{"type":"connection_init"}`, 4403, "Forbidden: A token is required. Send it as Authorization: Bearer TOKEN."},
		{subscribe("a", "{ me }"), 4401, "Unauthorized: Send connection_init with a token first."},
		{amy, 1013, "An agent may have at most 1 sockets and streams open. Close one first."},
	} {
		s := b.dial(t, "graphql-transport-ws")
		s.write(c.send)
		require.Equal(t, c.reason, s.expectClose(c.code))
	}
	signedIn.write(amy)
	require.Equal(t, "Too many initialisation requests. Send connection_init once.", signedIn.expectClose(4429))
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
