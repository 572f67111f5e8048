// Package blackbox drives a Parley that runs as a process of its own, the way
// frontends and carriers do: over HTTP, WebSocket and webhooks, through broken
// connections and restarts. Tests and the chaos program use it.
package blackbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// Client calls one server.
type Client struct {
	URL    string            // without a final slash
	Tokens map[string]string // by username
	// Timeout bounds one call; 10 s by default.
	Timeout time.Duration
	// HTTP makes the calls; http.DefaultClient by default.
	HTTP *http.Client
}

func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout > 0 {
		return context.WithTimeout(ctx, c.Timeout)
	}
	return context.WithTimeout(ctx, 10*time.Second)
}

// Do sends a request and returns the status and the body of the answer.
func (c *Client) Do(ctx context.Context, req *http.Request) (status int, body []byte, err error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// Get returns the status that a path is answered with, 0 for no answer.
func (c *Client) Get(ctx context.Context, path string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, http.NoBody)
	if err != nil {
		return 0
	}
	status, _, _ := c.Do(ctx, req) // no answer has the status 0
	return status
}

// Failure is the first error of an answer.
type Failure struct {
	Message    string
	Extensions struct{ Code string }
}

// Error implements error.
func (f *Failure) Error() string { return f.Extensions.Code + ": " + f.Message }

// Query runs an operation as an agent and decodes its data. What the server
// answers with errors is a *Failure.
func (c *Client) Query(ctx context.Context, username, document string, variables, into any) error {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.Tokens[username])
	req.Header.Set("Content-Type", "application/json")
	_, body, err = c.Do(ctx, req)
	if err != nil {
		return err
	}
	answer := struct {
		Data   any
		Errors []*Failure
	}{Data: into}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return answer.Errors[0]
	}
	return nil
}

// message is one of graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// ErrResync says that a stream must begin anew.
var ErrResync = errors.New("RESYNC_REQUIRED")

// Subscribe opens a socket with one subscription.
func (c *Client) Subscribe(ctx context.Context, username, document string, variables any) (*websocket.Conn, error) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+c.URL[len("http"):]+"/graphql",
		&websocket.DialOptions{HTTPClient: c.HTTP, Subprotocols: []string{"graphql-transport-ws"}})
	if response != nil && response.Body != nil {
		defer func() { _ = response.Body.Close() }()
	}
	if err != nil {
		return nil, err
	}
	if err := c.begin(ctx, conn, username, document, variables); err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

func (c *Client) begin(ctx context.Context, conn *websocket.Conn, username, document string, variables any) error {
	conn.SetReadLimit(1 << 20)
	start, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	init := message{Type: "connection_init", Payload: json.RawMessage(`{"Authorization":"Bearer ` + c.Tokens[username] + `"}`)}
	if err := wsjson.Write(ctx, conn, init); err != nil {
		return err
	}
	var ack message
	if err := wsjson.Read(ctx, conn, &ack); err != nil {
		return err
	}
	return wsjson.Write(ctx, conn, message{ID: "1", Type: "subscribe", Payload: start})
}

// Read reads the data of the next event of a stream; ErrResync when the server
// says that it cannot go on.
func Read(ctx context.Context, conn *websocket.Conn, into any) error {
	for {
		var m message
		if err := wsjson.Read(ctx, conn, &m); err != nil {
			return err
		}
		switch m.Type {
		case "next":
			return json.Unmarshal(m.Payload, &struct{ Data any }{into})
		case "error":
			if bytes.Contains(m.Payload, []byte("RESYNC_REQUIRED")) {
				return ErrResync
			}
			return fmt.Errorf("the subscription failed: %s", m.Payload)
		case "complete":
			return errors.New("the subscription is complete")
		}
	}
}

// pause keeps a client that is refused from asking in a tight loop.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Millisecond):
	}
}
