package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
	"parley/internal/ground/viewer"
)

// logged returns the log's lines with a message.
func (b *bench) logged(t *testing.T, message string) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(b.log.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		if line["msg"] == message {
			lines = append(lines, line)
		}
	}
	return lines
}

// sockets returns the access log's lines of WebSockets.
func (b *bench) sockets(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for _, line := range b.logged(t, "request") {
		if line["status"] == float64(http.StatusSwitchingProtocols) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestTheStopClosesSocketsWhoseRequestsAreOver(t *testing.T) {
	t.Parallel()
	const n = 15
	b := start(t, nil)
	var clients []*client
	for range n {
		c := b.connect(t)
		c.write(subscribe("a", `subscription { never }`))
		clients = append(clients, c)
	}
	eventually(t, func() bool { return b.schema.live.Load() == n }, "all streams have begun")
	require.Empty(t, b.sockets(t), "a socket is logged at its end")
	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	for _, c := range clients {
		c.expectClose(1001)
	}
	require.NoError(t, <-stopped)
	eventually(t, func() bool { return b.schema.live.Load() == 0 }, "all streams have ended")
	lines := b.sockets(t)
	require.Len(t, lines, n, "all were over when the server was")
	for _, line := range lines {
		require.Equal(t, "/graphql", line["route"])
		require.Equal(t, "GET", line["method"])
		require.Equal(t, "amy", line["viewer"])
		require.NotEmpty(t, line["remote"])
		require.NotEmpty(t, line["requestId"])
		require.Positive(t, line["duration"])
	}
}

func TestAPanicEndsOneSocket(t *testing.T) {
	t.Parallel()
	var b *bench
	b = start(t, func(o *server.Options) {
		o.Authenticate = func(ctx context.Context, token string) (*viewer.Viewer, time.Time, error) {
			if token == "panic" {
				panic("secret panic")
			}
			return b.authenticate(ctx, token)
		}
	})
	other := b.connect(t)
	c := b.dial(t, "graphql-transport-ws", "X-Request-Id", "request-that-panics")
	c.write(`{"type":"connection_init","payload":{"authorization":"panic"}}`)
	c.expectClose(1011)
	eventually(t, func() bool { return len(b.sockets(t)) == 1 }, "the socket is over")
	require.Equal(t, "request-that-panics", b.sockets(t)[0]["requestId"])
	problems := b.logged(t, "internal error")
	require.Len(t, problems, 1)
	require.Equal(t, "request-that-panics", problems[0]["requestId"])
	require.Contains(t, problems[0]["error"], "secret panic")
	require.Contains(t, problems[0]["error"], "detached_test.go", "where it was")
	other.write(`{"type":"ping"}`)
	other.expect(`{"type":"pong"}`)
}

// TestSocketsThatComeAndGoLeaveNothing counts the goroutines of the process, and
// so runs alone.
func TestSocketsThatComeAndGoLeaveNothing(t *testing.T) {
	const visits = 200
	b := start(t, func(o *server.Options) { o.Socket.PerViewer = 1 + visits }) // the next may come before the last has gone
	visit := func(i int) {
		c := b.connect(t)
		c.write(subscribe("a", `subscription { never }`), subscribe("b", `subscription { count(to: 1) }`))
		c.expect(`{"type":"next","id":"b","payload":{"data":{"count":1}}}`)
		switch i % 3 {
		case 0:
			require.NoError(t, c.conn.CloseNow())
		case 1:
			require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
		case 2:
			c.write(`{`)
			c.expectClose(4400)
		}
	}
	gone := func(n int) {
		t.Helper()
		eventually(t, func() bool { return b.schema.live.Load() == 0 && len(b.sockets(t)) == n }, "all have gone")
	}
	visit(0)
	gone(1)
	before := runtime.NumGoroutine()
	for i := range visits {
		visit(i)
	}
	gone(1 + visits)
	const own = 2 // of eventually
	eventually(t, func() bool { return runtime.NumGoroutine() <= before+own }, "all goroutines have ended")
}

// TestWhatComesWithTheHandshakeIsRead: net/http has it in its buffer.
func TestWhatComesWithTheHandshakeIsRead(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	conn, err := net.Dial("tcp", b.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	long := strings.Repeat("x", 1000) // more than the socket's own buffer holds
	handshake := "GET /graphql HTTP/1.1\r\nHost: parley.test\r\n"
	for i := 0; i < len(upgrade); i += 2 {
		handshake += upgrade[i] + ": " + upgrade[i+1] + "\r\n"
	}
	_, err = conn.Write([]byte(handshake + "\r\n" + maskedFrame(`{"type":"ping","payload":{"x":"`+long+`"}}`) + maskedFrame(`{"type":"ping"}`)))
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	for _, want := range []string{`{"type":"pong","payload":{"x":"` + long + `"}}`, `{"type":"pong"}`} {
		require.Equal(t, want, readFrame(t, reader))
	}
}

// maskedFrame is a text frame of a client, by RFC 6455, 5.2; its mask is zero.
func maskedFrame(text string) string {
	length := string([]byte{0x80 | byte(len(text))})
	if len(text) > 125 {
		length = string([]byte{0x80 | 126, byte(len(text) >> 8), byte(len(text))})
	}
	return "\x81" + length + "\x00\x00\x00\x00" + text
}

// readFrame reads a text frame of the server.
func readFrame(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	read := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			var err error
			b[i], err = r.ReadByte()
			require.NoError(t, err)
		}
		return b
	}
	header := read(2)
	require.EqualValues(t, 0x81, header[0])
	length := int(header[1])
	if length == 126 {
		long := read(2)
		length = int(long[0])<<8 | int(long[1])
	}
	return string(read(length))
}

func TestAPeerWhoAnswersPingsStays(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.PingInterval = time.Millisecond })
	var pings atomic.Int32
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, b.url("/graphql"), &websocket.DialOptions{
		Subprotocols:   []string{"graphql-transport-ws"},
		OnPingReceived: func(context.Context, []byte) bool { pings.Add(1); return true },
	})
	require.NoError(t, err)
	if response.Body != nil {
		_ = response.Body.Close()
	}
	c := &client{t: t, ctx: ctx, conn: conn}
	t.Cleanup(func() { _ = conn.CloseNow() })
	c.write(`{"type":"connection_init","payload":{"authorization":"amy"}}`)
	c.expect(`{"type":"connection_ack"}`)
	for n := 0; pings.Load() < 5; n++ { // reading answers pings
		c.write(fmt.Sprintf(`{"type":"ping","payload":{"n":%d}}`, n))
		c.expect(fmt.Sprintf(`{"type":"pong","payload":{"n":%d}}`, n))
	}
}
