package hostile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// What comes before, beside and after an operation is as bounded as the operation.
func TestAnAgentGetsNothingByBreakingTheRulesOfTheEdge(t *testing.T) {
	w := newWorld(t, 40)
	w.attack(t, []attack{
		{"mute sockets keep nobody out", muteSocketsKeepNobodyOut},
		{"mute sockets are gone in time", muteSocketsAreGone},
		{"a message that is too long is told so", longMessagesAreToldSo},
		{"an agent has so many sockets and streams", connectionsAreBounded},
		{"two aliases of a subscription are no document", subscriptionsHaveOneRoot},
		{"nothing is deferred", nothingIsDeferred},
		{"production tells nothing of its schema", introspectionIsClosed},
		{"a token ends everywhere at its second", tokensEnd},
	})
}

const upgrade = "GET /graphql HTTP/1.1\r\nHost: parley.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"

// mute opens a socket by hand that says nothing, not even farewell.
func (w *world) mute(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.Address)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte(upgrade)); err != nil {
		return conn, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	head := make([]byte, 512)
	_, err = conn.Read(head)
	return conn, err
}

// muteSocketsKeepNobodyOut knocks with thousands, each held for as long as it may
// be, while agents come and go.
func muteSocketsKeepNobodyOut(w *world) {
	ctx, cancel := context.WithCancel(w.t.Context())
	var knocking sync.WaitGroup
	var mu sync.Mutex
	var held []net.Conn
	for range 8 {
		knocking.Go(func() {
			for range 375 {
				conn, err := w.mute(ctx)
				mu.Lock()
				if conn != nil {
					held = append(held, conn)
				}
				mu.Unlock()
				if err != nil && ctx.Err() != nil {
					return
				}
			}
		})
	}
	over := make(chan struct{})
	go func() { knocking.Wait(); close(over) }()
	visits, slowest := 0, time.Duration(0)
	for knocked := false; !knocked; {
		select {
		case <-over:
			knocked = true
		default:
		}
		for _, name := range []string{"amy", "bo"} {
			began := time.Now()
			s, err := w.as(name).tryDial(ctx)
			require.NoError(w.t, err, "%s signs in, after %d visits", name, visits)
			_ = s.CloseNow()
			visits, slowest = visits+1, max(slowest, time.Since(began))
		}
	}
	cancel()
	w.t.Logf("%d mute sockets, %d visits, the slowest %s", len(held), visits, slowest)
	require.Greater(w.t, len(held), 2_000)
	for _, conn := range held {
		_ = conn.Close()
	}
}

// muteSocketsAreGone: the server waits three seconds for them to sign in, and for
// no farewell.
func muteSocketsAreGone(w *world) {
	var held []net.Conn
	began := time.Now()
	for range 50 {
		conn, err := w.mute(w.t.Context())
		require.NoError(w.t, err)
		held = append(held, conn)
		defer func() { _ = conn.Close() }()
	}
	rest := make([]byte, 512)
	for _, conn := range held {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		for err := error(nil); err == nil; {
			_, err = conn.Read(rest)
		}
	}
	require.Less(w.t, time.Since(began), 6*time.Second)
	require.Greater(w.t, time.Since(began), 2*time.Second, "they have their time to sign in")
}

// longMessagesAreToldSo, however they come: the peer reads 1009 and is not cut off
// before it.
func longMessagesAreToldSo(w *world) {
	amy := w.as("amy")
	for n, size := range []int{256<<10 + 1, 300 << 10, 1 << 20, 12 << 20, 300 << 10, 1 << 20, 12 << 20, 12 << 20} {
		s := amy.dial()
		require.NotNil(w.t, s)
		ctx, cancel := context.WithTimeout(w.t.Context(), patience)
		text := []byte(`{"id":"1","type":"subscribe","payload":{"query":"` + strings.Repeat("x", size) + `"}}`)
		out, err := s.Writer(ctx, websocket.MessageText)
		require.NoError(w.t, err)
		for len(text) > 0 && err == nil { // in fragments
			part := text[:min(len(text), 64<<10)]
			_, err = out.Write(part)
			text = text[len(part):]
		}
		if err == nil {
			_ = out.Close()
		}
		_, _, err = s.Read(ctx)
		require.EqualValues(w.t, websocket.StatusMessageTooBig, websocket.CloseStatus(err), "%d bytes, try %d: %v", size, n, err)
		_ = s.CloseNow()
		cancel()
	}
}

// connectionsAreBounded counts sockets and streams together; another agent has
// their own.
func connectionsAreBounded(w *world) {
	amy := w.as("amy")
	var open []*socket
	for len(open) < 60 {
		s, err := amy.tryDial(w.t.Context())
		if err != nil {
			require.EqualValues(w.t, websocket.StatusTryAgainLater, websocket.CloseStatus(err), "%v", err)
			break
		}
		open = append(open, s)
		defer func() { _ = s.CloseNow() }()
	}
	require.Len(w.t, open, 20)
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.URL()+"/graphql?query="+url.QueryEscape(stream+" { messageAdded { kind } }"), nil)
	require.NoError(w.t, err)
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+amy.bearer)
	response, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = response.Body.Close() }()
	require.Contains(w.t, []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, response.StatusCode)
	other := w.as("bo").dial()
	require.NotNil(w.t, other)
	_ = other.CloseNow()
	open[0].subscribeMany(60)
}

// subscribeMany begins so many operations on one socket, of which fifty may live.
func (s *socket) subscribeMany(n int) {
	s.t.Helper()
	for i := range n {
		s.subscribe(fmt.Sprint(i), stream+" { messageAdded { kind } }", nil)
	}
	refused := 0
	for range n {
		m, err := s.read(s.t.Context())
		require.NoError(s.t, err)
		if m.Type == "error" && strings.Contains(string(m.Payload), "LIMIT_EXCEEDED") {
			refused++
		}
	}
	require.Equal(s.t, n-50, refused)
}

func subscriptionsHaveOneRoot(w *world) {
	amy := w.as("amy")
	for _, document := range []string{
		stream + ` { a: messageAdded { kind } b: messageAdded { kind } }`,
		stream + ` { messageAdded { kind } ...F } fragment F on Subscription { again: messageAdded { kind } }`,
		stream + ` { messageAdded { kind } inboxCountsChanged { kind } }`,
		stream + ` { messageAdded { kind } t: __typename }`,
		stream + `($x: Boolean = true) { messageAdded @skip(if: $x) { kind } }`,
	} {
		_, event := amy.event(document, nil)
		for _, got := range []string{amy.frame(document, nil), event} {
			require.Contains(w.t, got, "GRAPHQL_VALIDATION_FAILED", document)
			require.NotContains(w.t, got, "INTERNAL", document)
		}
	}
}

func nothingIsDeferred(w *world) {
	amy := w.as("amy")
	for _, document := range []string{
		`{ viewer { ... @defer { agent { name } } } }`,
		`{ viewer { ...F @defer(label: "x") } } fragment F on Viewer { agent { name } }`,
	} {
		got := amy.ask(document, nil)
		require.Equal(w.t, "GRAPHQL_VALIDATION_FAILED", got.code(), got.body)
		require.NotContains(w.t, got.body, "hasNext")
		require.Contains(w.t, amy.frame(document, nil), "GRAPHQL_VALIDATION_FAILED")
	}
}

func introspectionIsClosed(w *world) {
	amy := w.as("amy")
	for _, document := range []string{
		`{ __schema { types { name } } }`, `{ s: __schema { directives { name } } }`,
		`{ ...F } fragment F on Query { t: __type(name: "Agent") { name } }`,
		`{ viewer { agent { name } } __schema { queryType { name } } }`,
		`query($y: Boolean = true) { __schema @include(if: $y) { types { name } } }`,
	} {
		_, event := amy.event(document, nil)
		r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.URL()+"/graphql?query="+url.QueryEscape(document), nil)
		require.NoError(w.t, err)
		r.Header.Set("Authorization", "Bearer "+amy.bearer)
		for where, got := range map[string]string{"post": amy.ask(document, nil).body, "event": event, "socket": amy.frame(document, nil)} {
			require.Contains(w.t, got, "FORBIDDEN", "%s of %s", where, document)
			require.NotContains(w.t, got, `"name"`, "%s of %s", where, document)
		}
		response, err := http.DefaultClient.Do(r)
		require.NoError(w.t, err)
		var got answer
		require.NoError(w.t, json.NewDecoder(response.Body).Decode(&got))
		require.NoError(w.t, response.Body.Close())
		require.Equal(w.t, "FORBIDDEN", got.code(), "by GET: %s", document)
	}
	for _, typo := range []string{`{ vewer { agent { name } } }`, `{ conversations(view: {kind: MY_INBOXX}) { nodes { id } } }`} {
		got := amy.ask(typo, nil)
		require.Equal(w.t, "GRAPHQL_VALIDATION_FAILED", got.code())
		require.NotContains(w.t, got.body, "Did you mean")
	}
}

// tokensEnd opens everything with a token that lives for two seconds, and tries
// everything after them.
func tokensEnd(w *world) {
	short := w.asFor("amy", 2*time.Second)
	s := short.dial()
	require.NotNil(w.t, s, "before")
	defer func() { _ = s.CloseNow() }()
	require.Equal(w.t, 200, short.ask(page, nil).status)
	ended := make(chan string, 1)
	go func() {
		_, last := short.stream(stream+" { messageAdded { kind } }", nil, func(event string) bool { return strings.Contains(event, "UNAUTHENTICATED") })
		ended <- last
	}()
	began := time.Now()
	_, err := s.read(w.t.Context())
	require.EqualValues(w.t, 4401, websocket.CloseStatus(err), "an open socket: %v", err)
	require.Less(w.t, time.Since(began), 4*time.Second)
	require.Contains(w.t, <-ended, "UNAUTHENTICATED", "an open stream")
	pause(w.t.Context(), 50*time.Millisecond)
	require.Equal(w.t, 401, short.ask(page, nil).status)
	status, _ := short.event(stream+" { messageAdded { kind } }", nil)
	require.Equal(w.t, 401, status)
	_, err = short.tryDial(w.t.Context())
	require.EqualValues(w.t, 4403, websocket.CloseStatus(err), "%v", err)
}
