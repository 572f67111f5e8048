//go:build browser

package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"

	"parley/web"
)

// introspection is the answer for a schema of one query and one subscription.
//
//go:embed testdata/introspection.json
var introspection []byte

// TestPlaygroundAlone walks through the playground against an endpoint that
// answers by rote, so that a failure here is the page's own.
func TestPlaygroundAlone(t *testing.T) {
	t.Parallel()
	rote := &endpoint{t: t, trigger: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/", web.Handler(web.Options{Mode: web.Development, Sessions: agents, Key: "key"}))
	mux.Handle("/graphql", rote)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	CheckPlayground(t, Check{
		BaseURL: server.URL, Address: web.Address(server.URL, "key"), Agent: "bo",
		QueryTab: "MyInbox", WantResponse: "Hello from Maria",
		SubscriptionTab: "WatchMyInbox", WantOpen: `"OPEN"`,
		Trigger:    func(testing.TB) { close(rote.trigger) },
		WantEvent:  "ENTER",
		Screenshot: os.Getenv("PARLEY_TEST_SCREENSHOT"),
	})
}

func agents(context.Context) ([]web.Session, error) {
	return []web.Session{
		{Agent: "amy", Label: "Amy (standard)", Token: "token-of-amy"},
		{Agent: "bo", Label: "Bo (standard)", Token: "token-of-bo"},
	}, nil
}

// endpoint is a /graphql that knows three answers. It fails the test when a
// request does not carry an agent's token.
type endpoint struct {
	t       *testing.T
	trigger chan struct{}
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		e.stream(w, r)
		return
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token-of-") {
		e.t.Errorf("a request came without a token: %v", r.Header)
	}
	var body struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		e.t.Errorf("a request is not JSON: %v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer(body.Query))
}

func answer(query string) []byte {
	switch {
	case strings.Contains(query, "__schema"):
		return introspection
	case strings.Contains(query, "Placeholders"):
		return []byte(`{"data":{"viewer":{"agent":{"id":"a1"}},"agents":[{"id":"a1"},{"id":"a2"}],"conversations":{"nodes":[{"id":"c1"}]}}}`)
	}
	return []byte(`{"data":{"conversations":{"totalCount":1,"edges":[{"node":{"id":"c1","name":"Maria","preview":"Hello from Maria"}}]}}}`)
}

type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// stream speaks just enough graphql-transport-ws for one subscription.
func (e *endpoint) stream(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		e.t.Errorf("the socket was not accepted: %v", err)
		return
	}
	defer socket.CloseNow() //nolint:errcheck // the test is over with it
	var first, subscribe frame
	if wsjson.Read(r.Context(), socket, &first) != nil || wsjson.Write(r.Context(), socket, frame{Type: "connection_ack"}) != nil {
		e.t.Errorf("the connection was not opened")
		return
	}
	if !strings.Contains(string(first.Payload), "Bearer token-of-bo") {
		e.t.Errorf("connection_init carries no token: %s", first.Payload)
	}
	if wsjson.Read(r.Context(), socket, &subscribe) != nil {
		e.t.Errorf("nothing was subscribed to")
		return
	}
	e.events(socket.CloseRead(r.Context()), socket, subscribe.ID)
}

// events sends the opening frame, the event when it is triggered, and then
// waits for the client to leave.
func (e *endpoint) events(ctx context.Context, socket *websocket.Conn, id string) {
	send := func(kind string) {
		payload := json.RawMessage(`{"data":{"conversationsChanged":{"kind":"` + kind + `"}}}`)
		_ = wsjson.Write(ctx, socket, frame{ID: id, Type: "next", Payload: payload})
	}
	send("OPEN")
	select {
	case <-e.trigger:
		send("ENTER")
	case <-ctx.Done():
	}
	<-ctx.Done()
}

func TestAddressesOutsideAreFaults(t *testing.T) {
	t.Parallel()
	l := newLog("127.0.0.1:8080")
	l.checkAddress("http://127.0.0.1:8080/assets/a.js")
	l.checkAddress("data:font/woff2;base64,AA")
	require.Empty(t, l.faults())
	l.checkAddress("https://cdn.example/react.js")
	require.Len(t, l.faults(), 1)
}
