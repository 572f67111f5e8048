package server_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

// BenchmarkTransports compares them: one query over each, and one event of a
// stream. What runs costs next to nothing.
func BenchmarkTransports(b *testing.B) {
	s := start(b, func(o *server.Options) { o.Rate = -1 })
	b.Run("query/POST", func(b *testing.B) { queries(b, s, http.MethodPost, plain) })
	b.Run("query/GET", func(b *testing.B) { queries(b, s, http.MethodGet, plain) })
	b.Run("query/SSE", func(b *testing.B) { queries(b, s, http.MethodPost, events) })
	b.Run("query/WebSocket", func(b *testing.B) {
		write, read := dialBench(b, s)
		b.ReportAllocs()
		for b.Loop() {
			write(subscribe("a", `{ me }`))
			read() // next
			read() // complete
		}
	})
	b.Run("event/SSE", func(b *testing.B) {
		response := ask(b, s, http.MethodPost, events, `subscription { ticks }`)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		b.ReportAllocs()
		for b.Loop() {
			for lines.Scan() && !strings.HasPrefix(lines.Text(), "data") {
			}
		}
	})
	b.Run("event/WebSocket", func(b *testing.B) {
		write, read := dialBench(b, s)
		write(subscribe("a", `subscription { ticks }`))
		b.ReportAllocs()
		for b.Loop() {
			read()
		}
	})
}

func queries(b *testing.B, s *bench, method, accept string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		response := ask(b, s, method, accept, `{ me }`)
		_, err := io.Copy(io.Discard, response.Body)
		require.NoError(b, err)
		require.NoError(b, response.Body.Close())
	}
}

func ask(b *testing.B, s *bench, method, accept, document string) *http.Response {
	b.Helper()
	address, body := s.url("/graphql"), `{"query":"`+document+`"}`
	if method == http.MethodGet {
		address, body = address+"?"+url.Values{"query": {document}}.Encode(), ""
	}
	r, err := http.NewRequestWithContext(b.Context(), method, address, strings.NewReader(body))
	require.NoError(b, err)
	r.Header.Set("Authorization", "Bearer amy")
	r.Header.Set("Content-Type", plain)
	r.Header.Set("Accept", accept)
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b, err)
	require.Equal(b, http.StatusOK, response.StatusCode)
	return response
}

func dialBench(b *testing.B, s *bench) (write func(string), read func()) {
	b.Helper()
	ctx := context.Background()
	conn, response, err := websocket.Dial(ctx, s.url("/graphql"), &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	require.NoError(b, err)
	if response.Body != nil {
		_ = response.Body.Close()
	}
	b.Cleanup(func() { _ = conn.CloseNow() })
	write = func(message string) { require.NoError(b, conn.Write(ctx, websocket.MessageText, []byte(message))) }
	read = func() {
		_, _, err := conn.Read(ctx)
		require.NoError(b, err)
	}
	write(`{"type":"connection_init","payload":{"authorization":"amy"}}`)
	read()
	return write, read
}
