package search_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/ground/cursor"
)

const guess = `query($query: String!, $kinds: [SearchKind!], $after: String) { search(query: $query, kinds: $kinds, after: $after, first: 5) {
	edges { cursor node { kind conversation { id } message { id } highlights { start end } } }
	pageInfo { hasNextPage hasPreviousPage startCursor endCursor } isComplete } }`

// ask is a whole answer over the API, with its seals opened.
func (w *world) ask(agent string, vars parleytest.Vars) string {
	answer := w.As(agent).Raw(guess, vars)
	require.Empty(w.T, answer.Errors)
	return sealed.ReplaceAllStringFunc(string(answer.Data), func(found string) string { return fmt.Sprint(w.opened(sealed.FindStringSubmatch(found)[1])) })
}

var sealed = regexp.MustCompile(`[cC]ursor":"([^"]+)"`)

func (w *world) opened(text string) (place [3]int64) {
	require.True(w.T, w.Conversations.Cursors.Open(cursor.Search, text, &place[0], &place[1], &place[2]), text)
	return place
}

// A message that amy may not see, older than everything and than nothing, cannot be
// guessed: whatever she asks, the answer is that for a word that is nowhere. Nor do
// many of them use a budget that shows.
func TestAHiddenTextIsNotGivenAway(t *testing.T) {
	t.Parallel()
	for _, w := range worlds(t) {
		w.fill(21, 60)
		for i, days := range []int{0, -2000, 4000} {
			w.Clock.Advance(time.Duration(days) * 24 * time.Hour)
			for n := range 30 {
				id := fmt.Sprint("Z", i, "-", n)
				w.Post(w.Inbound(channel.Inbound{
					EventID: id, ProviderID: id, From: "+12025568123", To: parleytest.Support, FromName: "Zoltan", Text: "merger with zebulon approved",
				}))
			}
		}
		require.Contains(t, w.ask("ada", parleytest.Vars{"query": "zebulon"}), "TEXT")
		for _, kinds := range [][]string{nil, {"TEXT"}, {"NAME"}, {"NUMBER"}} {
			nowhere := w.ask("amy", parleytest.Vars{"query": "zebulom", "kinds": kinds})
			for _, query := range []string{"zebulon", "zeb", "ze", "merger zebulon", "zebulon approved", "merger denied", "zoltan", "+12025568123", "8123"} {
				require.Equal(t, nowhere, w.ask("amy", parleytest.Vars{"query": query, "kinds": kinds}), query)
			}
		}
		end := w.As("amy").Do(guess, parleytest.Vars{"query": "zebulon"}).Get("search", "pageInfo", "endCursor").String()
		require.Equal(t, w.ask("amy", parleytest.Vars{"query": "zebulom"}), w.ask("amy", parleytest.Vars{"query": "hello", "after": end}), "nothing is behind the end")
	}
}
