//go:build rolling

package rolling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"parley/internal/check/blackbox"
)

// The last version makes the database and serves it, this one starts beside it,
// migrates, and in the end serves alone.
func TestTheLastVersionServesBesideThisOne(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.migrate()
	w.findTheSame()
	w.workTogether()
	w.presence()
	w.killTheLast()
	w.goOn()
	w.serveAlone()
}

// migrate starts this version while the last one serves: no call fails.
func (w *world) migrate() {
	w.t.Helper()
	stop := w.press(w.last)
	w.start(w.this)
	calls, failed := stop()
	require.NoError(w.t, failed)
	w.t.Logf("%d writes during the migration", calls)
	w.writeOnce(w.this, w.this)
}

// findTheSame wants this version to find what the last one has found: it fills an
// index of its own in the background.
func (w *world) findTheSame() {
	w.t.Helper()
	for _, word := range w.seeded() {
		want, whole := w.search(w.last, word)
		require.True(w.t, whole, "the last version goes on with the index that it had")
		require.NotEqual(w.t, `[]`, want, word)
		require.EventuallyWithT(w.t, func(c *assert.CollectT) {
			got, complete := w.search(w.this, word)
			assert.True(c, complete)
			assert.Equal(c, want, got)
		}, patience, 50*time.Millisecond, "this version finds %q as the last one does", word)
	}
}

// workTogether has customers and agents write through both versions, with streams
// open on both, and wants both to show the same.
func (w *world) workTogether() {
	w.t.Helper()
	open := w.cursorOf(w.last)
	for _, s := range w.both() {
		s.follow(w, open)
	}
	w.cursors(open)
	for round := range 6 {
		one, other := w.last, w.this
		if round%2 == 1 {
			one, other = other, one
		}
		w.writeOnce(one, other)
		w.together(func(c *customer) error { return w.desk(c, one, other) })
	}
	w.quickTexts()
	w.bulk(w.last, w.this, "bulkMarkConversationsUnread", "BulkMarkConversationsUnreadInput")
	w.bulk(w.this, w.last, "bulkMarkConversationsRead", "BulkMarkConversationsReadInput")
	w.settle()
	w.sameStreams()
	w.agree()
}

// cursors wants a cursor of the last version to be good for this one, which follow
// relies on, and one of this version to have a client of the last one begin anew.
func (w *world) cursors(ofLast string) {
	w.t.Helper()
	ofThis := w.cursorOf(w.this)
	require.NotEqual(w.t, ofLast, ofThis)
	conn, err := w.last.client.Subscribe(w.t.Context(), "ada", streams["messageAdded"], map[string]any{"after": ofThis})
	require.NoError(w.t, err)
	defer func() { _ = conn.CloseNow() }()
	require.ErrorIs(w.t, blackbox.Read(w.t.Context(), conn, &struct{}{}), blackbox.ErrResync)
}

// quickTexts are new in this version: the last one passes over their events.
func (w *world) quickTexts() {
	w.t.Helper()
	const create = `mutation($input: CreateQuickTextInput!) { r: createQuickText(input: $input) { quickText { id } errors { code message } } }`
	const list = `{ quickTexts(first: 10) { nodes { title } } }`
	err := w.this.mutate(w.t.Context(), "ada", create, map[string]any{"title": "Hours", "text": "From nine to five.", "scope": "ALL", "idempotencyKey": "hours"}, nil)
	require.NoError(w.t, err)
	require.Equal(w.t, `{"quickTexts":{"nodes":[{"title":"Hours"}]}}`, w.this.ask("bo", list, nil))
	require.Error(w.t, w.last.client.Query(w.t.Context(), "bo", list, nil, nil), "the last version has none")
	w.writeOnce(w.this, w.last)
}

// presence wants an agent in one version to be seen by one in the other.
func (w *world) presence() {
	w.t.Helper()
	const watch = `subscription($id: ID!) { conversationPresence(id: $id) { agents { agent { username } } } }`
	id := map[string]any{"id": w.customers[0].id}
	for username, s := range map[string]*side{"amy": w.last, "ada": w.this} {
		there, err := s.client.Subscribe(w.t.Context(), username, watch, id)
		require.NoError(w.t, err)
		defer func() { _ = there.CloseNow() }()
		here, err := w.otherThan(s).client.Subscribe(w.t.Context(), "bo", watch, id)
		require.NoError(w.t, err)
		defer func() { _ = here.CloseNow() }()
		ctx, cancel := deadline(w.t)
		defer cancel()
		for seen := false; !seen; {
			var frame struct {
				ConversationPresence struct {
					Agents []struct{ Agent struct{ Username string } }
				}
			}
			require.NoError(w.t, blackbox.Read(ctx, here, &frame), "%s is seen beside %s", username, s.name)
			for _, a := range frame.ConversationPresence.Agents {
				seen = seen || a.Agent.Username == username
			}
		}
	}
}

// killTheLast kills the last version while the carrier has not answered its sends;
// this one takes its lanes over.
func (w *world) killTheLast() {
	w.t.Helper()
	underWay, release := w.hang()
	w.together(func(c *customer) error {
		for range 3 {
			if err := w.send(c, w.last, w.last); err != nil {
				return err
			}
		}
		return nil
	})
	w.eventually(func() bool { return underWay() > 0 }, "sends are under way")
	for _, s := range w.last.streams {
		s.end()
	}
	w.last.process.Kill()
	release()
	w.writeOnce(w.this, w.this)
	w.delivered()
	w.t.Logf("killed with %d sends at the carrier", underWay())
}

// goOn starts the last version again, on the database that this one has migrated.
func (w *world) goOn() {
	w.t.Helper()
	w.start(w.last)
	for _, s := range w.last.streams {
		s.run(w)
	}
	w.writeOnce(w.last, w.last)
	w.writeOnce(w.this, w.last)
	w.settle()
	w.sameStreams()
	w.agree()
}

// serveAlone stops the last version for good: everything is there, and is found
// once the index is rebuilt, as docs/operations.md says.
func (w *world) serveAlone() {
	w.t.Helper()
	for _, s := range w.last.streams {
		s.end()
	}
	w.last.process.Stop()
	w.writeOnce(w.this, w.this)
	w.delivered()
	require.Equal(w.t, http.StatusOK, w.this.client.Get(w.t.Context(), "/readyz"))
	w.command(w.this, "search", "rebuild")
	for word, texts := range w.texts() {
		require.Equal(w.t, len(texts), w.hits(w.this, word), "messages that hold %q", word)
	}
	require.Equal(w.t, []string{"0"}, w.column(`SELECT COUNT(*) FROM search_buckets WHERE generation < 2`), "the last version's index is emptied")
	w.everythingIsThere()
	w.healthy()
}

// healthy wants the doctor to find nothing wrong.
func (w *world) healthy() {
	w.t.Helper()
	out := w.command(w.this, append([]string{"doctor", "--deep", "--json", "--addr", w.this.process.Address, "--public-url", w.public}, w.this.process.Args...)...)
	var findings []struct{ Check, Level, Means string }
	require.NoError(w.t, json.Unmarshal(out, &findings), "%s", out)
	var wrong []string
	for _, f := range findings {
		if f.Level != "OK" && !expected[f.Check] {
			wrong = append(wrong, fmt.Sprint(f.Level, " ", f.Check, ": ", f.Means))
		}
	}
	require.Empty(w.t, wrong)
}

// expected are the checks that warn of what the test does on purpose, or of what the
// last version did and this one reports: it left its files to be read by others, and
// credentials in plain text, which stay so until an operator encrypts them; and a channel
// of an account that was deactivated.
var expected = map[string]bool{"account sandbox/demo": true, "file rights": true, "key of credentials": true, "channels": true}
