//go:build rolling

package rolling

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"parley/internal/check/blackbox"
)

// streams are the subscriptions of each version: what is asked stays as it was when
// the event happened.
var streams = map[string]string{
	"messageAdded": `subscription($after: Cursor) { s: messageAdded(after: $after) { kind cursor idempotencyKey
		message { id number kind direction createdAt content { ... on TextContent { text } ... on NoteContent { text } } } } }`,
	"conversationsChanged": `subscription($after: Cursor) { s: conversationsChanged(view: {kind: ALL}, after: $after) { kind cursor idempotencyKey cause conversationId } }`,
	"conversationChanged": `subscription($id: ID!, $after: Cursor) { s: conversationChanged(id: $id, after: $after) { __typename
		... on MessageAdded { kind cursor idempotencyKey message { id } } ... on MessageStatusChanged { cursor idempotencyKey status message { id } }
		... on ConversationUpdated { cursor idempotencyKey cause } ... on Reset { kind cursor } } }`,
}

// stream is an agent's subscription at one version, which goes on from its last
// cursor.
type stream struct {
	at       *side
	document string
	id       string // of a conversation
	end      func()

	mu      sync.Mutex
	cursor  string
	seen    []string // frames without their cursors, but for those that open a stream
	stopped error
}

// follow subscribes to everything from a cursor.
func (s *side) follow(w *world, after string) {
	for name, document := range streams {
		s.streams[name] = &stream{at: s, document: document, id: w.customers[0].id, cursor: after}
		s.streams[name].run(w)
	}
}

// run subscribes until end.
func (s *stream) run(w *world) {
	w.t.Helper()
	variables := map[string]any{"after": s.cursor}
	if strings.Contains(s.document, "$id") {
		variables["id"] = s.id
	}
	conn, err := s.at.client.Subscribe(w.t.Context(), "ada", s.document, variables)
	require.NoError(w.t, err, s.at.name)
	ctx, cancel := context.WithCancel(w.t.Context())
	var reading sync.WaitGroup
	reading.Go(func() { s.read(ctx, conn) })
	s.end = func() { cancel(); reading.Wait() }
	w.t.Cleanup(s.end)
}

func (s *stream) read(ctx context.Context, conn *websocket.Conn) {
	defer func() { _ = conn.CloseNow() }()
	for {
		var frame struct{ S map[string]any }
		err := blackbox.Read(ctx, conn, &frame)
		s.mu.Lock()
		if err != nil {
			if ctx.Err() == nil {
				s.stopped = errors.Join(s.stopped, err)
			}
			s.mu.Unlock()
			return
		}
		s.cursor, _ = frame.S["cursor"].(string)
		delete(frame.S, "cursor")
		line, _ := json.Marshal(frame.S) // it was JSON
		if frame.S["kind"] != "OPEN" {
			s.seen = append(s.seen, string(line))
		}
		s.mu.Unlock()
	}
}

// upTo are the frames up to the first that holds a word, and whether it came.
func (s *stream) upTo(word string) ([]string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.seen, func(line string) bool { return strings.Contains(line, word) })
	return slices.Clone(s.seen[:at+1]), at >= 0
}

// sameStreams wants the streams of both versions to have brought the same events in
// the same order, none of them twice, up to one that is written now.
func (w *world) sameStreams() {
	w.t.Helper()
	c := w.customers[0]
	require.NoError(w.t, w.send(c, w.this, w.last))
	w.mu.Lock()
	texts := w.written[c.number]
	key := strings.ReplaceAll(texts[len(texts)-1], " ", "-")
	w.mu.Unlock()
	for name := range streams {
		var seen [2][]string
		for i, s := range w.both() {
			w.eventually(func() (came bool) {
				seen[i], came = s.streams[name].upTo(key)
				return came
			}, "%s at %s brings %s", name, s.name, key)
			require.NoError(w.t, s.streams[name].stopped)
		}
		require.Equal(w.t, seen[0], seen[1], name)
	}
	w.everyMessageOnce(key)
}

// everyMessageOnce wants messageAdded to have brought each message once, with no
// number of a conversation left out.
func (w *world) everyMessageOnce(key string) {
	w.t.Helper()
	seen, _ := w.this.streams["messageAdded"].upTo(key)
	require.Len(w.t, slices.Compact(slices.Sorted(slices.Values(seen))), len(seen), "none comes twice")
	heard := map[string]bool{}
	for _, line := range seen {
		var frame struct {
			Message struct{ Content struct{ Text string } }
		}
		require.NoError(w.t, json.Unmarshal([]byte(line), &frame))
		heard[frame.Message.Content.Text] = true
	}
	since := w.column(`SELECT text FROM messages WHERE id > (SELECT MIN(id) FROM messages WHERE text LIKE 'Note +%') AND kind IN ('TEXT', 'NOTE')
		AND (text LIKE 'heron %' OR text LIKE 'falcon %' OR text LIKE 'Note +%')`)
	for _, text := range since {
		require.True(w.t, heard[text], "%q was heard", text)
	}
}
