package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
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

// expectClose reads past whatever comes first, and returns the reason.
func (c *client) expectClose(code int) (reason string) {
	c.t.Helper()
	for {
		if _, _, err := c.conn.Read(c.ctx); err != nil {
			require.EqualValues(c.t, code, websocket.CloseStatus(err), "%v", err)
			var closed websocket.CloseError
			errors.As(err, &closed)
			return closed.Reason
		}
	}
}

func subscribe(id, document string) string {
	payload, _ := json.Marshal(map[string]string{"query": document})
	return `{"type":"subscribe","id":"` + id + `","payload":` + string(payload) + `}`
}
