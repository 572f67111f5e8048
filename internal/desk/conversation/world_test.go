package conversation_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/require"

	"parley/ent"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// world is a Parley whose organisation is larger than the demo's, with rows that
// a test writes without sending a message for each:
//
//   - cy (standard) shares three of the numbers and works the queue "Second"
//   - dee (standard) shares none
//   - six numbers, of which cy has the first three; the queue "Second" takes
//     what comes to the fourth
type world struct {
	*parleytest.Parley
	agent   map[string]int64 // by username
	numbers []int64          // keys of the six numbers
	second  int64            // the queue
	records []int64
	rows    map[int64]*conversation.Row // what was written by insert
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Parley: parleytest.New(t), agent: map[string]int64{}, rows: map[int64]*conversation.Row{}}
	w.follow(t)
	require.NoError(t, w.Directory.Change(context.Background(), w.enlarge))
	for _, a := range w.Directory.Agents() {
		w.agent[a.Username] = a.Key
	}
	return w
}

// follow has the hub follow the log until the test ends.
func (w *world) follow(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Hub.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-done })
}

func (w *world) enlarge(ctx context.Context, tx *store.Tx) error {
	w.numbers, w.records = nil, nil
	agents := map[string]*ent.Agent{}
	for _, name := range []string{"cy", "dee"} {
		a, err := tx.Ent.Agent.Create().SetUsername(name).SetName(name).SetRole(viewer.Standard).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return err
		}
		agents[name] = a
	}
	queue, err := tx.Ent.Queue.Create().SetName("Second").AddMembers(agents["cy"]).Save(ctx)
	if err != nil {
		return err
	}
	w.second = queue.ID
	account, err := tx.Ent.ProviderAccount.Query().Where(provideraccount.Provider("sandbox")).First(ctx)
	if err != nil {
		return err
	}
	for i := range 6 {
		create := tx.Ent.Channel.Create().SetAccount(account).SetType(channel.SMSLongCode).SetName(fmt.Sprintf("Number %d", i)).
			SetAddress(number(i)).SetCountry("US").SetCreatedAt(tx.Now)
		if i < 3 {
			create.AddMembers(agents["cy"])
		}
		if i == 3 {
			create.SetQueue(queue)
		}
		ch, err := create.Save(ctx)
		if err != nil {
			return err
		}
		w.numbers = append(w.numbers, ch.ID)
	}
	for i, kind := range []string{"Contact", "Contact", "Lead"} {
		r, err := tx.Ent.Record.Create().SetObjectType(kind).SetExternalID(fmt.Sprint(i)).SetName(kind).Save(ctx)
		if err != nil {
			return err
		}
		w.records = append(w.records, r.ID)
	}
	return nil
}

func number(i int) string { return fmt.Sprintf("+1202555020%d", i) }

// system acts as the system, and act as an agent.
func system() context.Context { return viewer.AsSystem(context.Background(), "test") }

// viewer is who the agent is now.
func (w *world) viewer(username string) *viewer.Viewer {
	v, err := w.Directory.Viewer(username)
	require.NoError(w.T, err)
	return v
}

// insert writes conversations with the keys, and with an event each; their
// messages only in number.
func (w *world) insert(rows ...*conversation.Row) {
	w.T.Helper()
	const batch = 500
	for chunk := range slices.Chunk(rows, batch) {
		require.NoError(w.T, w.Store.Write(system(), func(ctx context.Context, tx *store.Tx) error { return write(ctx, tx, chunk) }))
	}
	for _, r := range rows {
		w.rows[r.Key] = r
	}
}

func write(ctx context.Context, tx *store.Tx, rows []*conversation.Row) error {
	users := tx.Builder().Insert("messaging_users").Columns("id", "channel_id", "address", "consent_status", "created_at")
	convs := tx.Builder().Insert("conversations").Columns("id", "channel_id", "messaging_user_id", "record_id", "owner_id", "queue_id",
		"object_type", "assigned", "address", "last_message_at", "last_direction", "is_unread", "inbound_count", "read_count", "last_seq", "sent_by", "created_at")
	parts := tx.Builder().Insert("participants").Columns("conversation_id", "agent_id", "last_message_at")
	sent := false
	for _, r := range rows {
		address := fmt.Sprintf("+1303%07d", r.Key)
		sentBy, err := json.Marshal(r.SentBy)
		if err != nil {
			return err
		}
		users.Values(r.Key, r.ChannelID, address, string(channel.ImplicitOptIn), 1)
		convs.Values(r.Key, r.ChannelID, r.Key, orNull(r.RecordID), orNull(r.OwnerID), orNull(r.QueueID), r.Type, r.Assigned, address,
			int64(r.LastMessageAt), string(r.LastDirection), r.IsUnread, r.InboundCount, r.ReadCount, r.LastSeq, string(sentBy), 1)
		for _, agent := range r.SentBy {
			parts.Values(r.Key, agent, int64(r.LastMessageAt))
			sent = true
		}
		if err := feed.Record(tx, &feed.Event{Cause: feed.MessageAdded, ConversationID: r.Key, After: r.Facts()}); err != nil {
			return err
		}
	}
	statements := []store.Query{users, convs}
	if sent {
		statements = append(statements, parts)
	}
	for _, q := range statements {
		if _, err := tx.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func orNull(key int64) any {
	if key == 0 {
		return nil
	}
	return key
}

// base keeps keys of written rows apart from those the database gives.
const base = 1_000_000

// row is a conversation on one of the numbers, owned by nobody, that was written
// to at the time.
func (w *world) row(n int64, numberIndex int, at clock.Time, change ...func(*conversation.Row)) *conversation.Row {
	r := &conversation.Row{Key: base + n, ChannelID: w.numbers[numberIndex], LastMessageAt: at, LastDirection: content.Inbound, InboundCount: 1, IsUnread: true, FirstSeq: 1, LastSeq: 1}
	if numberIndex == 3 {
		r.QueueID = w.second
	}
	for _, f := range change {
		f(r)
	}
	return r
}

func ownedBy(agent int64) func(*conversation.Row) {
	return func(r *conversation.Row) { r.OwnerID = agent }
}

// sqlText is a statement with its arguments.
type sqlText struct {
	text string
	args []any
}

func (q sqlText) Query() (string, []any) { return q.text, q.args }

// read runs a statement and scans each row into the destinations.
func (w *world) read(q store.Query, each func(), into ...any) {
	w.T.Helper()
	require.NoError(w.T, w.Store.Read(system(), store.System("a test looks"), q, func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		each()
		return nil
	}))
}

// facts are the facts of every conversation in the database that is not merged into
// another.
func (w *world) facts() map[int64]*feed.Facts {
	keys := []int64{}
	var key int64
	w.read(w.Store.Builder().Select("id").From(entsql.Table("conversations")), func() { keys = append(keys, key) }, &key)
	out := map[int64]*feed.Facts{}
	for chunk := range slices.Chunk(keys, 500) {
		rows, err := w.Conversations.ByKey(system(), chunk)
		require.NoError(w.T, err)
		for k, r := range rows {
			if r.MergedInto == 0 {
				out[k] = r.Facts()
			}
		}
	}
	return out
}

func ptr[T any](v T) *T { return &v }
