package resume_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// query runs an operation over HTTP as an agent and decodes its data.
func (s *server) query(ctx context.Context, username, document string, variables, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens[username])
	req.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Data   any
		Errors []any
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("%v", answer.Errors)
	}
	return nil
}

// message is one of graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// errResync says that the stream must begin anew.
var errResync = errors.New("RESYNC_REQUIRED")

// subscribe opens a socket with one subscription.
func (s *server) subscribe(ctx context.Context, username, document string, variables any) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+s.url[len("http"):]+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		return nil, err
	}
	start, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err == nil {
		init := message{Type: "connection_init", Payload: json.RawMessage(`{"Authorization":"Bearer ` + s.tokens[username] + `"}`)}
		err = wsjson.Write(ctx, conn, init)
	}
	var ack message
	if err == nil {
		err = wsjson.Read(ctx, conn, &ack)
	}
	if err == nil {
		err = wsjson.Write(ctx, conn, message{ID: "1", Type: "subscribe", Payload: start})
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return conn, nil
}

// read reads the data of the next event.
func read(ctx context.Context, conn *websocket.Conn, into any) error {
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
				return errResync
			}
			return fmt.Errorf("the subscription failed: %s", m.Payload)
		case "complete":
			return errors.New("the subscription is complete")
		}
	}
}
