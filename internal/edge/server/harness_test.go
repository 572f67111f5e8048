package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

const patience = 10 * time.Second

// bench is a server that runs on a free port until the test ends.
type bench struct {
	*server.Server
	schema *schema
	log    *lockedBuffer
	clock  *clock.Fake
	expiry time.Time // of every token; zero: never
	stop   func() error
}

// start runs a server whose tokens are the names of their agents; "down" stands
// for an outage.
func start(t testing.TB, change func(*server.Options)) *bench {
	t.Helper()
	b := &bench{schema: newSchema(), log: &lockedBuffer{}, clock: clock.NewFake(time.Now())}
	o := server.Options{
		Mode: server.Development, Addr: "127.0.0.1:0", PrivateAddr: "127.0.0.1:0",
		Schema: b.schema, Authenticate: b.authenticate, Clock: b.clock,
		Logger: slog.New(slog.NewJSONHandler(b.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	var err error
	b.Server, err = server.New(o)
	require.NoError(t, err)
	require.NoError(t, b.Listen())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	b.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { require.NoError(t, b.stop()) })
	return b
}

func (b *bench) authenticate(_ context.Context, token string) (*viewer.Viewer, time.Time, error) {
	switch token {
	case "amy", "bo":
		return &viewer.Viewer{AgentID: int64(len(token)), Username: token}, b.expiry, nil
	case "down":
		return nil, time.Time{}, io.ErrUnexpectedEOF
	case "wait":
		return nil, time.Time{}, fail("busy")
	case "nobody":
		return nil, time.Time{}, nil
	}
	return nil, time.Time{}, fault.New(fault.Unauthenticated, "The token is not valid.")
}

func (b *bench) url(path string) string { return "http://" + b.Addr().String() + path }

// answer is a response with its body read.
type answer struct {
	*http.Response
	text string
	body struct {
		Data   map[string]any
		Errors []problem
	}
}

type problem struct {
	Message    string
	Path       []any
	Extensions struct {
		Code, Field, Cursor, RequestID string
		RetryAfter                     int
	}
}

// code returns the code of the first error.
func (a *answer) code() string {
	if len(a.body.Errors) == 0 {
		return ""
	}
	return a.body.Errors[0].Extensions.Code
}

// send sends a request; headers come in pairs, an empty value takes the header
// away.
func (b *bench) send(t *testing.T, method, path, body string, headers ...string) *answer {
	t.Helper()
	url := path
	if strings.HasPrefix(path, "/") {
		url = b.url(path)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer amy")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	a := &answer{Response: response, text: string(text)}
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(text, &a.body), a.text)
	}
	return a
}

// query posts a document.
func (b *bench) query(t *testing.T, document string, headers ...string) *answer {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	require.NoError(t, err)
	return b.send(t, http.MethodPost, "/graphql", string(body), headers...)
}

// eventually waits for a condition that needs no clock of ours.
func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, patience, 2*time.Millisecond, what)
}

// lockedBuffer is a log that many goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = bytes.Buffer{}
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
