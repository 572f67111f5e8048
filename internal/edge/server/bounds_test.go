package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

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
	third.write(`{"type":"connection_init","payload":{"authorization":"amy"}}`)
	third.expectClose(1013)
	bo := b.dial(t, "graphql-transport-ws")
	bo.write(`{"type":"connection_init","payload":{"authorization":"bo"}}`)
	bo.expect(`{"type":"connection_ack"}`)
	full := b.send(t, "GET", "/graphql", "", upgrade...)
	require.Equal(t, http.StatusServiceUnavailable, full.StatusCode, full.text)
	require.NoError(t, bo.conn.Close(websocket.StatusNormalClosure, ""))
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
