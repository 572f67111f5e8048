// Package backup backs up a Parley that serves and restores it elsewhere.
package backup_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel/sandbox"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
	"parley/internal/ground/store/backup"
)

func number(t *testing.T, p *parleytest.Parley, statement string) (n int64) {
	t.Helper()
	require.NoError(t, p.Store.Read(t.Context(), store.System("a test looks"), store.SQL(statement), func(rows *sql.Rows) error { return rows.Scan(&n) }))
	return n
}

func run(t *testing.T, p *parleytest.Parley, statement string) {
	t.Helper()
	require.NoError(t, p.Store.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, store.SQL(statement))
		return err
	}))
}

func copyOf(t *testing.T, p *parleytest.Parley) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "backup")
	require.NoError(t, backup.Write(t.Context(), backup.Options{URL: p.Config.Database, File: file}))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds the keys")
	beside, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, beside, 1, "nothing is left beside it")
	return file
}

// restore restores into a database of its own and opens it.
func restore(t *testing.T, file string, change func(*backup.RestoreOptions), options ...func(*app.Config)) *parleytest.Parley {
	t.Helper()
	o := backup.RestoreOptions{File: file, URL: parleytest.Empty(t), Settle: app.Restored(false)}
	if change != nil {
		change(&o)
	}
	require.NoError(t, backup.Restore(t.Context(), o))
	return parleytest.OpenAt(t, o.URL, options...)
}

// While 32 customers write, a backup is taken again and again: each holds what was
// acknowledged before it began, and is whole.
func TestABackupUnderLoadIsWhole(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	var acknowledged [32]atomic.Int64
	var writers sync.WaitGroup
	stop := make(chan struct{})
	for w := range acknowledged {
		writers.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				p.Say(fmt.Sprintf("+1202555%04d", w), parleytest.Sales, fmt.Sprintf("%d", n))
				acknowledged[w].Store(n)
			}
		})
	}
	var files []string
	var before [][32]int64
	for range 3 {
		p.Eventually(func() bool { return acknowledged[0].Load() > int64(20*(len(files)+1)) }, "they write")
		var sure [32]int64
		for w := range acknowledged {
			sure[w] = acknowledged[w].Load()
		}
		before, files = append(before, sure), append(files, copyOf(t, p))
	}
	close(stop)
	writers.Wait()
	for i, file := range files {
		restored := restore(t, file, nil)
		for w, n := range before[i] {
			got := number(t, restored, fmt.Sprintf(`SELECT COUNT(*) FROM messages m JOIN conversations c ON c.id = m.conversation_id
				WHERE c.address = '+1202555%04d' AND m.direction = 'INBOUND'`, w))
			require.GreaterOrEqual(t, got, n, "writer %d in backup %d", w, i)
			found := restored.As("ada").Do(fmt.Sprintf(`{ search(query: "+1202555%04d", kinds: [NUMBER]) { nodes { kind } } }`, w), nil)
			require.Len(t, found.Get("search", "nodes").List(), 1, "search has come along")
		}
		found := restored.As("ada").Do(`{ search(query: "1", kinds: [TEXT], first: 100) { isComplete nodes { message { id } } } }`, nil).Get("search")
		require.True(t, found.Get("isComplete").Bool())
		require.GreaterOrEqual(t, len(found.Get("nodes").List()), len(acknowledged), "what each customer wrote first")
		requireWhole(t, restored)
	}
}

// requireWhole wants a dense log, exact counts and dense conversations.
func requireWhole(t *testing.T, p *parleytest.Parley) {
	t.Helper()
	require.Zero(t, number(t, p, `SELECT COUNT(*) - (SELECT position FROM log_heads) FROM events`))
	require.Zero(t, number(t, p, `SELECT MAX(id) - (SELECT position FROM log_heads) FROM events`))
	require.Zero(t, number(t, p, `SELECT COUNT(*) FROM conversations c WHERE last_seq <> (SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id)`))
	require.Zero(t, number(t, p, `SELECT COUNT(*) FROM (
		SELECT COALESCE(owner_id, 0), channel_id, COALESCE(queue_id, 0), object_type, COUNT(*), SUM(inbound_count - read_count)
			FROM conversations GROUP BY 1, 2, 3, 4
		EXCEPT SELECT owner_id, channel_id, queue_id, object_type, conversations, new FROM count_cells) AS d`))
	if !parleytest.OnPostgres() {
		require.Zero(t, number(t, p, `SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`))
		require.Zero(t, number(t, p, `SELECT COUNT(*) FROM pragma_foreign_key_check`))
	}
}

const (
	added = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor message { id content { ... on TextContent { text } } } } }`
	send  = `mutation($id: ID!, $text: String!) { sendMessage(input: {conversationId: $id, text: $text, idempotencyKey: $text}) { errors { message } message { id status } } }`
	find  = `query($id: ID!) { conversation(id: $id) { messages(last: 10) { nodes { id status } } } }`
)

// waiting is a Parley in which a message is QUEUED and one is SENDING.
func waiting(t *testing.T) (p *parleytest.Parley, conversation string) {
	t.Helper()
	p = parleytest.New(t) // no jobs run
	p.Say("+12025550199", parleytest.Sales, "Hello")
	conversation = p.As("amy").Do(`{ conversations(view: {kind: ALL}, first: 1) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	for _, words := range []string{"first", "second"} {
		sent := p.As("amy").Do(send, parleytest.Vars{"id": conversation, "text": words}).Get("sendMessage")
		require.Equal(t, "QUEUED", sent.Get("message", "status").String(), sent.Get("errors").String())
	}
	first := "(SELECT MIN(message_id) FROM attempts WHERE status = 'QUEUED')"
	run(t, p, "UPDATE messages SET status = 'SENDING' WHERE id = "+first)
	run(t, p, "UPDATE attempts SET status = 'SENDING' WHERE message_id = "+first)
	return p, conversation
}

// What was on its way is not sent again: it may have gone out after the backup.
func TestWhatWasOnItsWayBecomesUnknown(t *testing.T) {
	t.Parallel()
	p, conversation := waiting(t)
	file := copyOf(t, p)
	ids := p.As("amy").Do(find, parleytest.Vars{"id": conversation}).Get("conversation", "messages", "nodes")
	highest := number(t, p, "SELECT MAX(id) FROM attempts")

	restored := restore(t, file, nil).Run()
	amy := restored.As("amy")
	got := amy.Do(find, parleytest.Vars{"id": conversation}).Get("conversation", "messages", "nodes")
	for i, status := range []string{"", "UNKNOWN", "UNKNOWN"} {
		require.Equal(t, ids.Get(i, "id").String(), got.Get(i, "id").String(), "ids stay")
		require.Equal(t, status, got.Get(i, "status").String())
	}
	require.Equal(t, got.Get(2, "id").String(),
		amy.Do(send, parleytest.Vars{"id": conversation, "text": "second"}).Get("sendMessage", "message", "id").String(), "keys are remembered")
	amy.Do(send, parleytest.Vars{"id": conversation, "text": "third"})
	restored.Eventually(func() bool {
		return number(t, restored, "SELECT COUNT(*) FROM messages WHERE status = 'DELIVERED'") == 1
	}, "life goes on")
	require.Equal(t, []string{"third"}, texts(restored.Carrier))
	require.Greater(t, number(t, restored, "SELECT MAX(id) FROM attempts"), highest+1_000_000_000, "no attempt takes a key of one made after the backup")
	requireWhole(t, restored)
}

func TestWhatWasQueuedIsSentWhenAskedFor(t *testing.T) {
	t.Parallel()
	p, conversation := waiting(t)
	restored := restore(t, copyOf(t, p), func(o *backup.RestoreOptions) { o.Settle = app.Restored(true) },
		func(c *app.Config) { c.Lease = 300 * time.Millisecond }).Run()
	restored.Clock.Advance(time.Hour)
	restored.Eventually(func() bool {
		return number(t, restored, "SELECT COUNT(*) FROM messages WHERE status = 'DELIVERED'") == 1
	}, "it is delivered")
	require.Equal(t, []string{"second"}, texts(restored.Carrier), "and what was SENDING is not")
	got := restored.As("amy").Do(find, parleytest.Vars{"id": conversation}).Get("conversation", "messages", "nodes")
	require.Equal(t, "UNKNOWN", got.Get(1, "status").String())
}

func texts(c *sandbox.Carrier) (out []string) {
	for _, m := range c.Got() {
		out = append(out, m.Text)
	}
	return out
}

// A cursor of before the restore is refused; a token is good, and so is a cursor
// made since.
func TestTheRestoredLogIsAnother(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	s := p.As("ada").Subscribe(added, nil)
	cursor := s.Next().Get("messageAdded", "cursor").String()
	p.Say("+12025550199", parleytest.Sales, "one")
	cursors := []string{cursor, s.Next().Get("messageAdded", "cursor").String()}
	token, err := p.Tokens.Mint("ada", time.Hour)
	require.NoError(t, err)
	restored := restore(t, copyOf(t, p), nil).Run()
	require.NotEqual(t, p.Store.Epoch, restored.Store.Epoch)
	claims, err := restored.Tokens.Verify(token)
	require.NoError(t, err)
	require.Equal(t, "ada", claims.Username)
	for _, old := range cursors {
		frame, err := restored.As("ada").Subscribe(added, parleytest.Vars{"after": old}).Read(10 * time.Second)
		require.NoError(t, err)
		require.Contains(t, string(frame.Payload), "RESYNC_REQUIRED")
	}
	fresh := restored.As("ada").Subscribe(added, nil)
	require.Equal(t, "OPEN", fresh.Next().Get("messageAdded", "kind").String())
	restored.Say("+12025550199", parleytest.Sales, "two")
	require.Equal(t, "two", fresh.Next().Get("messageAdded", "message", "content", "text").String())
}

// Restoring never touches what is there, and a backup does not take its place.
func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	file := copyOf(t, p)
	ctx, database := t.Context(), p.Config.Database
	require.Error(t, backup.Restore(ctx, backup.RestoreOptions{File: file, URL: database, Settle: app.Restored(false)}))
	require.ErrorContains(t, backup.Write(ctx, backup.Options{URL: database, File: file}), "already exists")
	require.NoError(t, backup.Write(ctx, backup.Options{URL: database, File: file, Overwrite: true}))
	require.Error(t, backup.Write(ctx, backup.Options{URL: database, File: filepath.Dir(file), Overwrite: true}))
	if !parleytest.OnPostgres() {
		require.ErrorContains(t, backup.Write(ctx, backup.Options{URL: database, File: database, Overwrite: true}), "separate file")
		require.ErrorContains(t, backup.Restore(ctx, backup.RestoreOptions{File: file, URL: "postgres://localhost/x", Settle: app.Restored(false)}), "give --database a file path")
	}
	p.Say("+12025550199", parleytest.Sales, "it still works")
}

// A backup that is cut short or damaged is refused, and leaves nothing that could
// be served.
func TestABrokenBackupIsRefused(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t)
	good := copyOf(t, p)
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	for name, content := range map[string][]byte{"cut": whole[:len(whole)/2], "empty": {}, "other": []byte("hello"), "zeros": zeroed(whole)} {
		file, url := filepath.Join(t.TempDir(), "broken"), parleytest.Empty(t)
		require.NoError(t, os.WriteFile(file, content, 0o600))
		require.Error(t, backup.Restore(t.Context(), backup.RestoreOptions{File: file, URL: url, Settle: app.Restored(false)}), name)
		require.NoError(t, backup.Restore(t.Context(), backup.RestoreOptions{File: good, URL: url, Settle: app.Restored(false)}), "the same database takes a whole one")
	}
}

// zeroed has its middle wiped.
func zeroed(b []byte) []byte {
	out := append([]byte(nil), b...)
	clear(out[len(b)/4 : len(b)*3/4])
	return out
}
