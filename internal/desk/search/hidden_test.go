package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/check/parleytest/hidden"
	"parley/internal/desk/conversation"
	"parley/internal/desk/search"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// agents are those of the demo, and cy, who shares no sender ID and works no queue:
// they see what they own.
var agents = []string{"amy", "bo", "cy", "sue", "ada"}

func (w *world) hire(username string) {
	require.NoError(w.T, w.Directory.Change(w.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.Agent.Create().SetUsername(username).SetName("Cy Cole").SetRole(viewer.Standard).SetCreatedAt(tx.Now).Exec(ctx)
	}))
}

// Whoever searches for whatever, in whatever view, page, budget and way of looking:
// the whole response is that of a database without what they may not see. Hits,
// highlights, flags and where the cursors stand are equal.
func TestWhatIsHiddenIsNotThere(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.hire("cy")
		w.fill(11, 260)
		w.Stop()
		without := map[string]*parleytest.Parley{}
		for _, agent := range agents {
			p, gone := hidden.Without(t, w.Config.Database, agent)
			require.Equal(t, agent == "ada", gone == 0, agent)
			without[agent] = p
		}
		with := parleytest.OpenAt(t, w.Config.Database)
		for seed, agent := range agents {
			same(t, with, without[agent], agent, uint64(seed))
		}
	}
}

// same asks both worlds at random.
func same(t *testing.T, with, without *parleytest.Parley, agent string, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	hits, short := 0, 0
	for range 120 {
		text, view := question(r)
		in := search.Input{Query: text, View: view, Size: 1 + r.IntN(8), Kinds: [][]search.Kind{nil, {search.Text}, {search.Name, search.Text}, {search.Name}}[r.IntN(4)]}
		rows, ways := []int{0, 1, 2, 7}[r.IntN(4)], func(d *search.Searcher) *search.Searcher { return d }
		if r.IntN(3) > 0 {
			candidates, few, messages, step := r.IntN(12), []int{0, 3, 9, 200}[r.IntN(4)], []int{30, 10_000}[r.IntN(2)], 1+r.IntN(10)
			ways = func(d *search.Searcher) *search.Searcher { return d.Ways(candidates, few, messages, step) }
		}
		a, b := with.Schema.Searcher.Budget(rows), without.Schema.Searcher.Budget(rows)
		want, got := in, in
		for more := true; more; {
			expected, err := ways(b).Find(without.Context(agent), want)
			require.NoError(t, err)
			page, err := ways(a).Find(with.Context(agent), got)
			require.NoError(t, err)
			require.Equal(t, expected.Opened(), page.Opened(), "%s asks for %q", agent, text)
			hits += len(page.Nodes)
			if more = page.HasNextPage; !page.IsComplete {
				short++
			}
			want.Cursor, got.Cursor = *expected.PageInfo().EndCursor, *page.PageInfo().EndCursor
		}
	}
	require.Greater(t, hits, 50, agent)
	require.Greater(t, short, 20, agent)
}

// The smallest case: one hidden message, older than everything, and an agent who
// spells its words. Nothing in the response changes when they guess right.
func TestAHiddenWordCannotBeGuessed(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(12, 60)
		w.Clock.Advance(-400 * 24 * 3600e9)
		w.Post(w.Inbound(channel.Inbound{
			EventID: "Z1", ProviderID: "Z1", From: "+12025558123", To: parleytest.Support, FromName: "Zed", Text: "merger with zebulon approved",
		}))
		ada, err := w.find.Find(w.Context("ada"), search.Input{Query: "zebulon", Size: 20})
		require.NoError(t, err)
		require.Len(t, ada.Nodes, 1)
		for _, d := range []*search.Searcher{w.find, w.indexed()} {
			nowhere, err := d.Find(w.Context("amy"), search.Input{Query: "zebulom", Size: 20})
			require.NoError(t, err)
			for _, guess := range []string{"zebulon", "zeb", "z", "zed", "merger zebulon", "+12025558123", "8123"} {
				page, err := d.Find(w.Context("amy"), search.Input{Query: guess, Size: 20})
				require.NoError(t, err)
				require.Equal(t, nowhere.Opened(), page.Opened(), guess)
			}
		}
	}
}

// Hidden messages use no budget, however many match.
func TestHiddenMessagesUseNoBudget(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		for i := range 40 {
			id := fmt.Sprint("K", i)
			to := parleytest.Support
			if i%20 == 0 {
				to = parleytest.Direct
			}
			w.Post(w.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: fmt.Sprintf("+1202555%04d", 1000+i), To: to, Text: "krakatoa"}))
		}
		for _, ways := range []func(*search.Searcher) *search.Searcher{
			func(d *search.Searcher) *search.Searcher { return d },
			func(d *search.Searcher) *search.Searcher { return d.Ways(3, 0, 0, 2) },
		} {
			page, err := ways(w.find.Budget(3)).Find(w.Context("amy"), search.Input{Query: "krakatoa", Size: 20, Kinds: []search.Kind{search.Text}})
			require.NoError(t, err)
			require.Len(t, page.Nodes, 2)
			require.True(t, page.IsComplete)
			require.False(t, page.HasNextPage)
		}
	}
}

// A search that came to its end has one end, and nothing is behind it.
func TestNothingIsBehindTheEnd(t *testing.T) {
	t.Parallel()
	w := worlds(t)[0]
	w.fill(13, 60)
	for _, d := range []*search.Searcher{w.find, w.indexed()} {
		for _, query := range []string{"o", "nowhere"} {
			for _, kinds := range [][]search.Kind{nil, {search.Name}, {search.Text}} {
				in := search.Input{Query: query, Kinds: kinds, Size: 100}
				for more := true; more; {
					page, err := d.Find(w.Context("ada"), in)
					require.NoError(t, err)
					in.Cursor, more = *page.PageInfo().EndCursor, page.HasNextPage
					require.Equal(t, !more, page.AtEnd(), query)
				}
				page, err := d.Find(w.Context("ada"), search.Input{Query: "o", Size: 100, Cursor: in.Cursor})
				require.NoError(t, err)
				require.Empty(t, page.Nodes)
				require.False(t, page.HasNextPage)
				require.True(t, page.IsComplete)
				again, err := d.Find(w.Context("amy"), search.Input{Query: "nowhere", Size: 1})
				require.NoError(t, err)
				require.Equal(t, again.Opened(), page.Opened())
			}
		}
	}
}

// question is something to look for, and where.
func question(r *rand.Rand) (text string, view *conversation.View) {
	text = vocabulary[r.IntN(len(vocabulary))]
	switch r.IntN(6) {
	case 0:
		text += " " + vocabulary[r.IntN(len(vocabulary))]
	case 1:
		text = string([]rune(text)[:1])
	case 2:
		text = []string{"1037", "(202) 555", "+1202555", "001 202 555-1", "5551", "12025551", "1 202", "2025551148"}[r.IntN(8)]
	case 3:
		text = names[r.IntN(len(names)-4)]
	}
	if r.IntN(3) == 0 {
		view = &conversation.View{Kind: []conversation.ViewKind{conversation.MyInbox, conversation.Unassigned, conversation.Sent}[r.IntN(3)]}
	}
	return text, view
}
