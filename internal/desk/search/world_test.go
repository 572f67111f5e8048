package search_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/admin/seed"
	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/merge"
	"parley/internal/desk/search"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/word"
)

// world is a Parley in which much was said.
type world struct {
	*parleytest.Parley
	find *search.Searcher
}

func newWorld(t *testing.T, database string) *world {
	p := parleytest.OpenAt(t, database, func(c *app.Config) { c.Create = true })
	require.NoError(t, seed.Organisation(t.Context(), p.Directory, p.Store))
	return &world{p, p.Schema.Searcher}
}

// worlds are one on each database that the run has: SQLite always.
func worlds(t *testing.T) []*world {
	out := []*world{newWorld(t, filepath.Join(t.TempDir(), "search.db"))}
	if parleytest.OnPostgres() {
		out = append(out, newWorld(t, parleytest.Database(t)))
	}
	return out
}

// indexed is a desk that looks into the index wherever it can.
func (w *world) indexed() *search.Searcher { return w.find.Ways(3_000, 0, 0, 500) }

// vocabulary is what people say and are called, so that much of it meets.
var vocabulary = []string{
	"hello", "help", "hell", "Hello,", "order", "ordered", "ORDER", "O'Neil", "O’Neil", "o", "neil", "Łukasz", "lukasz", "Nguyễn", "nguyen",
	"Ёлка", "елка", "мой", "السلام", "سَلام", "東京", "東京都", "京都", "都", "テレビ", "안녕하세요", "안녕", "👍", "👍🏽", "👨‍👩‍👧", "straße", "strasse",
	"2025550101", "202", "555", "example.com", "com", "ｆｕｌｌ", "full", "x", "a", "ab", "abc",
}

var names = []string{"Amy O'Neil", "Łukasz Nowak", "Nguyễn Văn An", "田中さくら", "Анна Ёлкина", "Hello Kitty", "", "محمد", "Bo 👍", "Neil Order"}

// fill has the same happen in every world: customers write to all lines at times
// of their own, some of it long ago, as bulk loaders add it, and some conversations
// are assigned to agents who do not share the line.
func (w *world) fill(seed uint64, n int) {
	r := rand.New(rand.NewPCG(seed, 1))
	start := clock.Of(parleytest.Start)
	var sample []clock.Time
	for i := range 64 {
		sample = append(sample, start.Add(time.Duration(i)*time.Minute))
	}
	require.NoError(w.T, textindex.Expect(w.T.Context(), w.Store, 12*textindex.BucketSize, sample))
	lines := []string{parleytest.Sales, parleytest.Direct, parleytest.Support}
	for i := range n {
		text := ""
		for range 1 + r.IntN(6) {
			text += vocabulary[r.IntN(len(vocabulary))] + []string{" ", "", ", "}[r.IntN(3)]
		}
		k := r.IntN(25)
		id := fmt.Sprintf("SM%d-%d", seed, i)
		w.Clock.Advance(start.Add(time.Duration(r.IntN(64*60_000)) * time.Millisecond).Sub(w.Clock.Now()))
		w.Post(w.Inbound(channel.Inbound{
			EventID: id, ProviderID: id, From: fmt.Sprintf("+1202555%04d", 1000+k*37), To: lines[k%3], FromName: names[k%len(names)], Text: text,
		}))
	}
	w.assign()
	w.merge()
}

// merge has some customers be one, who were assigned to different agents.
func (w *world) merge() {
	users := map[string][]string{}
	for _, c := range w.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100, orderBy: {field: LAST_MESSAGE_AT, direction: ASC}) {
		nodes { channel { id } messagingUser { id } } } }`, nil).Get("conversations", "nodes").List() {
		channel := c.Get("channel", "id").String()
		users[channel] = append(users[channel], c.Get("messagingUser", "id").String())
	}
	for _, of := range users {
		for _, pair := range [][2]int{{0, 1}, {1, 2}, {3, 4}} {
			if pair[1] < len(of) {
				_, err := w.Schema.Merger.Merge(w.Context("ada"), merge.Input{IDs: []string{of[pair[0]], of[pair[1]]}, IdempotencyKey: of[pair[0]] + of[pair[1]]})
				require.NoError(w.T, err)
			}
		}
	}
}

// assign gives every other conversation to one agent after the other.
func (w *world) assign() {
	agents := w.As("ada").Do(`{ agents { id } }`, nil).Get("agents").List()
	ids := w.As("ada").Do(`{ conversations(view: {kind: ALL}, first: 100, orderBy: {field: LAST_MESSAGE_AT, direction: ASC}) { nodes { id } } }`, nil).
		Get("conversations", "nodes").List()
	for i, c := range ids {
		if i%2 > 0 {
			continue
		}
		agent := agents[i/2%len(agents)].Get("id").String()
		_, err := w.Conversations.Assign(w.Context("ada"), []string{c.Get("id").String()}, &agent)
		require.NoError(w.T, err)
	}
}

// said is a message or a conversation as the oracle knows it.
type said struct {
	kind         search.Kind
	conversation *conversation.Row
	message      int64
	text         string
	at           clock.Time
}

// everything reads all that could be found, past the index.
func (w *world) everything() (all []said) {
	var keys []int64
	read := func(text string, scan func(*sql.Rows) error) {
		require.NoError(w.T, w.Store.Read(w.T.Context(), store.System("a test looks"), store.SQL(text), scan))
	}
	read("SELECT id FROM conversations", func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	rows, err := w.Conversations.ByKey(w.System(), keys)
	require.NoError(w.T, err)
	whole := func(key int64) *conversation.Row {
		if into := rows[key].MergedInto; into != 0 {
			return rows[into]
		}
		return rows[key]
	}
	for key, row := range rows {
		c := whole(key)
		all = append(all, said{search.Number, c, 0, row.Address, c.LastMessageAt}, said{search.Name, c, 0, row.Title, c.LastMessageAt})
	}
	read("SELECT id, conversation_id, text, created_at FROM messages", func(r *sql.Rows) error {
		s, key := said{kind: search.Text}, int64(0)
		err := r.Scan(&s.message, &key, &s.text, &s.at)
		s.at -= s.at % 1000 // texts are in order of milliseconds, and then of keys
		s.conversation = whole(key)
		all = append(all, s)
		return err
	})
	return all
}

// expected is what the oracle finds: it looks at everything, one by one.
func (w *world) expected(ctx context.Context, all []said, text string, view *conversation.View) (out []string) {
	if view == nil {
		view = &conversation.View{Kind: conversation.All}
	}
	scope, err := w.Conversations.Scope(ctx, viewer.FromContext(ctx), *view, nil)
	require.NoError(w.T, err)
	words := word.Ask(text)
	number, isNumber := word.AskNumber(text, []string{"US"})
	var found []said
	for _, s := range all {
		_, ok := words.Match(s.text)
		if s.kind == search.Number {
			_, ok = number.Match(s.text)
			ok = ok && isNumber
		}
		if ok && scope.Matches(s.conversation.Facts()) {
			found = append(found, s)
		}
	}
	order := []search.Kind{search.Number, search.Name, search.Text}
	slices.SortFunc(found, func(a, b said) int {
		for _, d := range []int64{
			int64(slices.Index(order, a.kind) - slices.Index(order, b.kind)), int64(b.at - a.at),
			b.message - a.message, b.conversation.Key - a.conversation.Key,
		} {
			if d != 0 {
				return int(d>>63*2 + 1)
			}
		}
		return 0
	})
	for _, s := range found {
		out = append(out, fmt.Sprint(s.kind, s.conversation.Key, s.message))
	}
	return slices.Compact(out) // however many of its customers match
}

// found is what a desk finds, page by page, and how many of the pages were cut
// short by the budget.
func found(ctx context.Context, t testing.TB, d *search.Searcher, in search.Input) (out []string, short int) {
	for range 10_000 {
		page, err := d.Find(ctx, in)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Nodes), in.Size)
		for _, h := range page.Nodes {
			out = append(out, fmt.Sprint(h.Kind, h.Conversation, h.Message))
		}
		require.True(t, page.HasNextPage || page.IsComplete)
		if !page.IsComplete {
			short++
		} else if page.HasNextPage {
			require.Len(t, page.Nodes, in.Size)
		}
		if !page.HasNextPage {
			return out, short
		}
		in.Cursor = *page.PageInfo().EndCursor
	}
	require.Fail(t, "the pages do not end")
	return nil, 0
}
