package search_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/check/parleytest"
	"parley/internal/desk/conversation"
	"parley/internal/desk/search"
	"parley/internal/ground/fault"
	"parley/internal/ground/word"
)

// Whatever is asked, by whomever, in whatever pages, with whatever budget and by
// whichever way of looking: what is found is what the oracle finds, in its order,
// and the same on both databases.
func TestEveryWayOfLookingFindsTheSameInTheSameOrder(t *testing.T) {
	t.Parallel()
	const seed = 7
	all := worlds(t)
	answers := make([][]string, len(all))
	for i, w := range all {
		w.fill(seed, 220)
		answers[i] = w.check(t, seed)
	}
	for _, other := range answers[1:] {
		require.Equal(t, answers[0], other)
	}
}

// check asks at random and returns what was found.
func (w *world) check(t *testing.T, seed uint64) (answers []string) {
	r := rand.New(rand.NewPCG(seed, 2))
	everything := w.everything()
	hits, short := 0, 0
	for i := range 150 {
		agent := []string{"amy", "bo", "sue", "ada"}[r.IntN(4)]
		text, view := question(r)
		desk := *w.find
		desk.Rows = []int{0, 1, 10}[r.IntN(3)]
		d := &desk
		if r.IntN(2) == 0 {
			d = d.Ways(r.IntN(12), []int{0, 5, 12, 200}[r.IntN(4)], []int{30, 10_000}[r.IntN(2)], 1+r.IntN(10))
		}
		ctx := w.Context(agent)
		want := w.expected(ctx, everything, text, view)
		got, cut := found(ctx, t, d, search.Input{Query: text, View: view, Size: 1 + r.IntN(20)})
		require.Equal(t, want, got, "%d: %s asks for %q", i, agent, text)
		hits, short = hits+len(got), short+cut
		answers = append(answers, fmt.Sprint(text, got))
	}
	require.Greater(t, hits, 500)
	require.Greater(t, short, 100)
	return answers
}

func TestWhatIsAskedIsBounded(t *testing.T) {
	t.Parallel()
	w := worlds(t)[0]
	for text, field := range map[string]string{
		"": "query", " .,' ": "query", fmt.Sprintf("%0201d", 1): "query", "a b c d e f g h i j k": "query",
		"東京都東京都東京都東京都東京都東京都東京都東京都東京都東京都東京都東京都東京都東京都東": "query",
	} {
		_, err := w.find.Find(w.Context("amy"), search.Input{Query: text, Size: 5})
		require.Equal(t, field, fieldOf(err), text)
	}
	for _, cursor := range []string{"x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		_, err := w.find.Find(w.Context("amy"), search.Input{Query: "a", Size: 5, Cursor: cursor})
		require.Equal(t, "after", fieldOf(err), cursor)
	}
}

func TestNobodyFindsNothing(t *testing.T) {
	t.Parallel()
	w := worlds(t)[0]
	w.fill(4, 20)
	got, _ := found(context.Background(), t, w.find, search.Input{Query: "o", Size: 100, View: &conversation.View{Kind: conversation.All}})
	require.Empty(t, got)
}

func fieldOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Field
	}
	return fmt.Sprint(err)
}

func tokensOf(text string) []word.Token { return word.Ask(text).Tokens() }

// A sender of whom nothing but a name is known is found by it, as lists show it.
func TestASendersNameIsFound(t *testing.T) {
	t.Parallel()
	p := parleytest.New(t).Run()
	p.Say("My Bank", parleytest.Sales, "Your code is 4711")
	p.Say("+12025550163", parleytest.Sales, "Hello")
	for _, query := range []string{"my bank", "bank", "ban"} {
		found := p.As("ada").Do(`query($q: String!) { search(query: $q, kinds: [NAME]) { nodes { conversation { name } highlights { start end } } } }`,
			parleytest.Vars{"q": query}).Get("search", "nodes")
		require.Len(t, found.List(), 1, query)
		require.Equal(t, "My Bank", found.Get(0, "conversation", "name").String())
		require.NotEmpty(t, found.Get(0, "highlights").List())
	}
	require.Empty(t, p.As("ada").Do(`{ search(query: "2025550163", kinds: [NAME]) { nodes { kind } } }`, nil).Get("search", "nodes").List(), "a number is no name")
}
