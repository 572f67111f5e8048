package parleytest

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

// Client speaks GraphQL as one agent.
type Client struct {
	p     *Parley
	token string
}

// As returns a client with a token of the agent.
func (p *Parley) As(username string) *Client {
	p.T.Helper()
	token, err := p.Tokens.Mint(username, time.Hour)
	require.NoError(p.T, err)
	return &Client{p, token}
}

// With returns a client with a bearer token.
func (p *Parley) With(bearer string) *Client { return &Client{p, bearer} }

// Vars are the variables of an operation.
type Vars map[string]any

// Response is an answer: its data, and the codes of its top-level errors.
type Response struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct {
			Code, Field, Cursor string
			RetryAfter          int
		}
	}
}

// Codes are the codes of the top-level errors.
func (r *Response) Codes() []string {
	var codes []string
	for _, e := range r.Errors {
		codes = append(codes, e.Extensions.Code)
	}
	return codes
}

// Raw runs an operation over HTTP, in-process, and returns the whole answer.
func (c *Client) Raw(query string, vars Vars) *Response {
	c.p.T.Helper()
	return c.RawOf(query, "", vars)
}

// RawOf is Raw for one of several operations of a document.
func (c *Client) RawOf(document, operation string, vars Vars) *Response {
	c.p.T.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "operationName": operation, "variables": vars})
	require.NoError(c.p.T, err)
	req, err := http.NewRequest(http.MethodPost, "http://parley.test/graphql", bytes.NewReader(body))
	require.NoError(c.p.T, err)
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	rec := c.p.Answer(req)
	var r Response
	require.NoError(c.p.T, json.Unmarshal(rec.Body.Bytes(), &r), rec.Body.String())
	return &r
}

// Do runs an operation that must have no errors and decodes its data into a
// generic tree, to be read with Get.
func (c *Client) Do(query string, vars Vars) Tree {
	c.p.T.Helper()
	r := c.Raw(query, vars)
	require.Empty(c.p.T, r.Errors, "%+v", r.Errors)
	return decode(c.p.T, r.Data)
}

// Into runs an operation that must have no errors and decodes its data.
func (c *Client) Into(out any, query string, vars Vars) {
	c.p.T.Helper()
	r := c.Raw(query, vars)
	require.Empty(c.p.T, r.Errors, "%+v", r.Errors)
	require.NoError(c.p.T, json.Unmarshal(r.Data, out))
}

// Tree is decoded JSON.
type Tree struct {
	t testing.TB
	v any
}

func decode(t testing.TB, data []byte) Tree {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return Tree{t, v}
}

// Get walks down by field names and list indexes.
func (n Tree) Get(path ...any) Tree {
	n.t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, ok := n.v.(map[string]any)
			require.True(n.t, ok, "no object above %q: %v", step, n.v)
			n.v = m[step]
		case int:
			l, ok := n.v.([]any)
			require.True(n.t, ok && step < len(l), "no element %d: %v", step, n.v)
			n.v = l[step]
		}
	}
	return n
}

// String is the text of a leaf; empty for null.
func (n Tree) String() string {
	switch v := n.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case nil:
		return ""
	}
	b, _ := json.Marshal(n.v)
	return string(b)
}

// Int is a number.
func (n Tree) Int() int {
	n.t.Helper()
	v, ok := n.v.(json.Number)
	require.True(n.t, ok, "no number: %v", n.v)
	i, err := v.Int64()
	require.NoError(n.t, err)
	return int(i)
}

// Bool is a boolean.
func (n Tree) Bool() bool {
	n.t.Helper()
	b, ok := n.v.(bool)
	require.True(n.t, ok, "no boolean: %v", n.v)
	return b
}

// IsNull reports null.
func (n Tree) IsNull() bool { return n.v == nil }

// List is the elements of a list.
func (n Tree) List() []Tree {
	n.t.Helper()
	l, ok := n.v.([]any)
	require.True(n.t, ok, "no list: %v", n.v)
	out := make([]Tree, len(l))
	for i, v := range l {
		out[i] = Tree{n.t, v}
	}
	return out
}

// Socket is a graphql-transport-ws connection.
type Socket struct {
	t    testing.TB
	conn *websocket.Conn
}

// Frame is one message of graphql-transport-ws.
type Frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// Dial opens a socket as the agent, to the running server.
func (c *Client) Dial() *Socket {
	c.p.T.Helper()
	s, err := c.TryDial()
	require.NoError(c.p.T, err)
	c.p.T.Cleanup(s.Close)
	return s
}

// TryDial is Dial for when the server may be down.
func (c *Client) TryDial() (*Socket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+c.p.URL()[len("http"):]+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		return nil, err
	}
	conn.SetReadLimit(4 << 20)
	s := &Socket{c.p.T, conn}
	payload, _ := json.Marshal(map[string]string{"Authorization": "Bearer " + c.token})
	if err := wsjson.Write(ctx, conn, Frame{Type: "connection_init", Payload: payload}); err != nil {
		return nil, err
	}
	var ack Frame
	if err := wsjson.Read(ctx, conn, &ack); err != nil {
		return nil, err
	}
	return s, nil
}

// Close drops the connection at once, as a lost network does.
func (s *Socket) Close() { _ = s.conn.CloseNow() }

// Start subscribes under the id.
func (s *Socket) Start(id, query string, vars Vars) {
	s.t.Helper()
	s.StartOf(id, query, "", vars)
}

// StartOf is Start for one of several operations of a document.
func (s *Socket) StartOf(id, document, operation string, vars Vars) {
	s.t.Helper()
	payload, err := json.Marshal(map[string]any{"query": document, "operationName": operation, "variables": vars})
	require.NoError(s.t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(s.t, wsjson.Write(ctx, s.conn, Frame{ID: id, Type: "subscribe", Payload: payload}))
}

// Read returns the next frame, or an error when the socket ended or nothing came
// in time.
func (s *Socket) Read(timeout time.Duration) (Frame, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var f Frame
	err := wsjson.Read(ctx, s.conn, &f)
	return f, err
}

// Next returns the data of the next event, which must come within ten seconds.
func (s *Socket) Next() Tree {
	s.t.Helper()
	f, err := s.Read(10 * time.Second)
	require.NoError(s.t, err)
	require.Equal(s.t, "next", f.Type, string(f.Payload))
	var r Response
	require.NoError(s.t, json.Unmarshal(f.Payload, &r))
	require.Empty(s.t, r.Errors, "%+v", r.Errors)
	return decode(s.t, r.Data)
}

// Subscribe opens a socket with one subscription.
func (c *Client) Subscribe(query string, vars Vars) *Socket {
	c.p.T.Helper()
	s := c.Dial()
	s.Start("1", query, vars)
	return s
}

// Tree is the answer's data, to be read with Get.
func (r *Response) Tree(t testing.TB) Tree {
	t.Helper()
	if len(r.Data) == 0 {
		return Tree{t, nil}
	}
	return decode(t, r.Data)
}
