package search_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/search"
	"parley/internal/desk/textindex"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// agrees holds what search finds against the oracle.
func (w *world) agrees(t *testing.T) {
	t.Helper()
	everything, find := w.everything(), w.indexed()
	for _, text := range []string{"o", "hel", "東京", "neil", "order", "2025551"} {
		want := w.expected(w.Context("ada"), everything, text, nil)
		got, _ := found(w.Context("ada"), t, find, search.Input{Query: text, Size: 100})
		require.Equal(t, want, got, text)
	}
}

func (w *world) exec(texts ...string) {
	for _, text := range texts {
		require.NoError(w.T, w.Store.Write(w.System(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, store.SQL(text))
			return err
		}))
	}
}

// forget leaves the database as one from before there was an index.
func (w *world) forget() {
	w.exec("DELETE FROM search_states", "DELETE FROM search_buckets")
	if parleytest.OnPostgres() && w.Store.Pool() != nil {
		w.exec("TRUNCATE search_texts_2, search_people_2")
		return
	}
	w.exec("DELETE FROM search_places_2", "INSERT INTO search_texts_2 (search_texts_2) VALUES ('delete-all')",
		"INSERT INTO search_people_2 (search_people_2) VALUES ('delete-all')")
}

// A database that had messages before it had an index is served from the start,
// and says that older messages may be missing until all are in.
func TestAnOlderDatabaseIsTakenIn(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(5, 60)
		w.forget()
		require.NoError(t, textindex.Prepare(w.System(), w.Store))
		page, err := w.indexed().Find(w.Context("ada"), search.Input{Query: "o", Size: 100})
		require.NoError(t, err)
		require.Empty(t, page.Nodes)
		require.False(t, page.HasNextPage)
		require.False(t, page.IsComplete, "not all is in yet")
		w.fill(6, 10) // indexed by itself
		w.finish(t)
		w.agrees(t)
		page, err = w.indexed().Find(w.Context("ada"), search.Input{Query: "o", Size: 100})
		require.NoError(t, err)
		require.True(t, page.IsComplete)
	}
}

func (w *world) finish(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		_, more, err = textindex.Step(w.System(), w.Store)
		require.NoError(t, err)
	}
}

// A server builds its index from the start, although another one adds the periodic runs and
// takes them all, as a server of the last version may.
func TestAServerBuildsItsIndexWhoeverLeads(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(7, 60)
		w.forget()
		led := make(chan struct{}, 1)
		last, err := job.Start(w.System(), w.Store, []job.Job{job.Periodic{Name: "build_search", Every: time.Hour, Run: func(context.Context) error {
			led <- struct{}{}
			return nil
		}}}, job.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, last.Stop(context.Background())) })
		<-led
		require.NoError(t, textindex.Prepare(w.System(), w.Store))
		w.Run()
		w.Eventually(func() bool {
			state, err := textindex.ReadState(w.System(), textindex.From(w.Store))
			require.NoError(t, err)
			return state.Whole()
		}, "the index is whole")
		w.agrees(t)
	}
}

// While the index is built anew, writes go on and search finds everything; what
// was there before is emptied afterwards. It may be done again and again.
func TestTheIndexIsBuiltAnewWhileItServes(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(8, 60)
		for round := range 3 {
			require.NoError(t, textindex.Rebuild(w.System(), w.Store))
			for step, more := 0, true; more; step++ {
				w.fill(uint64(100+10*round+step), 5)
				w.agrees(t)
				require.NoError(t, textindex.Rebuild(w.System(), w.Store), "one that is under way goes on")
				var err error
				_, more, err = textindex.Step(w.System(), w.Store)
				require.NoError(t, err)
			}
			require.NoError(t, textindex.Tidy(w.System(), w.Store))
			w.agrees(t)
			x, err := textindex.Open(w.System(), w.Store)
			require.NoError(t, err)
			require.EqualValues(t, 3-round%2, x.Serving)
			require.True(t, x.Whole())
		}
	}
}

// The index of the last version is emptied, and its state has a server of that
// version build it anew; this one's is left alone.
func TestTheIndexOfTheLastLayoutIsEmptied(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(5, 60)
		w.exec("INSERT INTO search_states (id, serving, building, version, done_messages, done_conversations, last_message, last_conversation) VALUES (1, 1, -1, 1, 9, 9, 9, 9)",
			"INSERT INTO search_buckets (generation, from_spot, id, first_message) VALUES (0, 0, 1, 1), (1, 0, 1, 1)")
		require.NoError(t, textindex.Retire(w.System(), w.Store))
		require.Equal(t, []string{"0"}, parleytest.Rows(t, w.Store, "SELECT COUNT(*) FROM search_buckets WHERE generation < 2"))
		want := parleytest.Rows(t, w.Store, "SELECT 1, 1, 0, 0, (SELECT MAX(id) FROM messages), (SELECT MAX(id) FROM conversations)")
		require.Equal(t, want, parleytest.Rows(t, w.Store,
			"SELECT serving, building, done_messages, done_conversations, last_message, last_conversation FROM search_states WHERE id = 1"))
		w.agrees(t)
	}
}

// What is undone leaves nothing in the index, and costs its neighbours nothing.
func TestTheIndexFollowsTheTransaction(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		undone := errors.New("undone")
		err := w.Store.Write(w.System(), func(_ context.Context, tx *store.Tx) error {
			textindex.AddMessages(tx, textindex.Message{ID: 99, ConversationID: 1, ChannelID: 1, At: tx.Now, Text: "vanished"})
			textindex.SetCustomers(tx, textindex.Customer{ConversationID: 1, ChannelID: 1, Name: "Vanished"})
			return undone
		})
		require.ErrorIs(t, err, undone)
		w.Post(w.Inbound(channel.Inbound{EventID: "E1", ProviderID: "E1", From: "+12025551037", To: parleytest.Sales, Text: "vanishing cream"}))
		x, err := textindex.Open(w.System(), w.Store)
		require.NoError(t, err)
		stretches, err := x.Stretches(w.System(), nil)
		require.NoError(t, err)
		for token, want := range map[string]int{"vanished": 0, "vanishing": 1} {
			found, _, err := x.Texts(w.System(), textindex.Lookup{
				Tokens: tokensOf(token), Stretches: stretches, Before: textindex.Place{Spot: textindex.Last}, Most: 10,
			})
			require.NoError(t, err)
			require.Len(t, found, want, token)
		}
		names, err := x.Customers(w.System(), textindex.CustomerLookup{Name: tokensOf("vanished"), Most: 10})
		require.NoError(t, err)
		require.Empty(t, names)
	}
}

// A customer whose name becomes known is found by it from then on.
func TestANameThatBecomesKnownIsFound(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		for i, name := range []string{"", "Zoë Quinn", "Another"} {
			id := fmt.Sprint("E", i)
			w.Post(w.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: "+12025551037", To: parleytest.Sales, FromName: name, Text: "-"}))
			got, _ := found(w.Context("ada"), t, w.indexed(), search.Input{Query: "zoe q", Size: 5})
			require.Len(t, got, min(i, 1))
		}
	}
}
