package hostile_test

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

const patience = 20 * time.Second

type vars map[string]any

// agent is somebody with a good token.
type agent struct {
	*world
	bearer string
}

func (w *world) as(username string) *agent { return w.asFor(username, time.Hour) }

func (w *world) asFor(username string, life time.Duration) *agent {
	w.t.Helper()
	bearer, err := w.tokens.Mint(username, life)
	require.NoError(w.t, err)
	return &agent{w, bearer}
}

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Extensions struct {
			Code, Field string
			RetryAfter  float64
		}
	}
}

// code is that of the first error, of the payload's where there is none above it.
func (a *answer) code() string {
	if len(a.Errors) > 0 {
		return a.Errors[0].Extensions.Code
	}
	return ""
}

// wait is how long the answer says to wait, by its header and its error.
func (a *answer) wait() time.Duration {
	seconds, _ := strconv.Atoi(a.header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second
}

// try posts a document once; nil when the server did not answer.
func (a *agent) try(ctx context.Context, document string, v vars) *answer {
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	if err != nil {
		panic(err)
	}
	return a.send(ctx, string(body))
}

// send posts a body as it stands.
func (a *agent) send(ctx context.Context, body string) *answer {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL()+"/graphql", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.bearer)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil
	}
	got := &answer{status: response.StatusCode, header: response.Header, body: string(text)}
	_ = json.Unmarshal(text, got) // what is no JSON has no data
	return got
}

// ask posts a document, as often as the server says to come back later.
func (a *agent) ask(document string, v vars) *answer {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	require.NoError(a.t, err)
	return a.insist(string(body))
}

func (a *agent) insist(body string) *answer {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 2*patience)
	defer cancel()
	for {
		got := a.send(ctx, body)
		require.NotNil(a.t, got, "the server answers")
		if got.status != http.StatusTooManyRequests {
			return got
		}
		require.NoError(a.t, ctx.Err(), "refused for too long: %s", got.body)
		pause(ctx, max(got.wait(), 100*time.Millisecond))
	}
}

// do asks for what must be answered without errors.
func (a *agent) do(into any, document string, v vars) {
	a.t.Helper()
	got := a.ask(document, v)
	require.Empty(a.t, got.Errors, got.body)
	require.NoError(a.t, json.Unmarshal(got.Data, into), got.body)
}

// event is the first event of an event stream.
func (a *agent) event(document string, v vars) (status int, first string) {
	a.t.Helper()
	return a.stream(document, v, func(string) bool { return true })
}

// events are those of an event stream up to one that has a text in it.
func (a *agent) events(document string, v vars, last string) (all string) {
	a.t.Helper()
	_, end := a.stream(document, v, func(event string) bool {
		all += event + "\n"
		return strings.Contains(event, last)
	})
	require.Contains(a.t, end, last)
	return all
}

// stream opens an event stream and reads until an event is the last that is
// looked for, or the stream ends.
func (a *agent) stream(document string, v vars, isLast func(event string) bool) (status int, last string) {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": v})
	require.NoError(a.t, err)
	return a.streamOf(string(body), isLast)
}

func (a *agent) streamOf(body string, isLast func(event string) bool) (status int, last string) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL()+"/graphql", strings.NewReader(body))
		require.NoError(a.t, err)
		r.Header.Set("Authorization", "Bearer "+a.bearer)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(r)
		require.NoError(a.t, err)
		if response.StatusCode != http.StatusTooManyRequests {
			last = readEvents(response.Body, isLast)
			_ = response.Body.Close()
			return response.StatusCode, last
		}
		_ = response.Body.Close()
		pause(ctx, 200*time.Millisecond)
	}
}

func readEvents(body io.Reader, isLast func(event string) bool) (last string) {
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if data, is := strings.CutPrefix(line, "data:"); is {
			if last = strings.TrimSpace(data); isLast(last) {
				return last
			}
		}
		if err != nil {
			return cmp.Or(last, line)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// note adds a note and gives its id.
func (a *agent) note(conversation, text string) (id string) {
	a.t.Helper()
	var added struct {
		AddNote struct{ Message *struct{ ID string } }
	}
	a.do(&added, `mutation($in: AddNoteInput!) { addNote(input: $in) { message { id } errors { code } } }`,
		vars{"in": vars{"conversationId": conversation, "text": text, "idempotencyKey": key()}})
	require.NotNil(a.t, added.AddNote.Message)
	return added.AddNote.Message.ID
}

// key is a fresh idempotency key.
func key() string { return rand.Text() }

// message is one of graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket is a WebSocket of an agent.
type socket struct {
	*websocket.Conn
	t *testing.T
}

// dial opens a socket and signs in; nil when the server lets nobody in.
func (a *agent) dial() *socket {
	s, _ := a.tryDial(a.t.Context())
	return s
}

func (a *agent) tryDial(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, "ws"+a.URL()[len("http"):]+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(64 << 20)
	s := &socket{conn, a.t}
	err = s.write(ctx, message{Type: "connection_init", Payload: json.RawMessage(`{"Authorization":"Bearer ` + a.bearer + `"}`)})
	if err == nil {
		_, err = s.read(ctx)
	}
	if err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return s, nil
}

func (s *socket) write(ctx context.Context, m message) error { return wsjson.Write(ctx, s.Conn, m) }

func (s *socket) read(ctx context.Context) (m message, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = wsjson.Read(ctx, s.Conn, &m)
	return m, err
}

// subscribe begins an operation and leaves its answers to read.
func (s *socket) subscribe(id, document string, v vars) {
	s.t.Helper()
	payload, err := json.Marshal(map[string]any{"query": document, "variables": v})
	require.NoError(s.t, err)
	require.NoError(s.t, s.write(s.t.Context(), message{ID: id, Type: "subscribe", Payload: payload}))
}

// frame is the first answer to an operation over a socket of its own.
func (a *agent) frame(document string, v vars) string {
	a.t.Helper()
	s := a.dial()
	require.NotNil(a.t, s, "a socket is let in")
	defer func() { _ = s.CloseNow() }()
	s.subscribe("1", document, v)
	m, err := s.read(a.t.Context())
	require.NoError(a.t, err)
	return string(m.Payload)
}
