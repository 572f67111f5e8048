package hostile_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
)

const searched = `query($q: String!, $kinds: [SearchKind!], $view: ConversationView, $first: Int, $after: String) {
	search(query: $q, kinds: $kinds, view: $view, first: $first, after: $after) {
		edges { cursor node { kind conversation { id } message { id } highlights { start end } } }
		pageInfo { hasNextPage hasPreviousPage startCursor endCursor } isComplete } }`

type found struct {
	Search struct {
		Edges []struct {
			Node struct {
				Message *struct{ ID string }
			}
		}
		PageInfo struct {
			HasNextPage bool
			EndCursor   string
		}
		IsComplete bool
	}
}

// look searches, and gives the answer as it was and with its cursors opened.
func (a *agent) look(query string, v vars) (got found, opened string) {
	a.t.Helper()
	all := vars{"q": query}
	for name, value := range v {
		all[name] = value
	}
	answer := a.ask(searched, all)
	require.Empty(a.t, answer.Errors, answer.body)
	require.NoError(a.t, json.Unmarshal(answer.Data, &got))
	return got, a.opened(answer.body)
}

func hiddenWordsAreNowhere(w *world) {
	amy := w.as("amy")
	require.NotEmpty(w.t, first(w.as("ada").look(hiddenWord, nil)).Search.Edges, "it is there")
	for _, v := range []vars{
		nil,
		{"kinds": []string{"TEXT"}},
		{"kinds": []string{"NAME"}},
		{"first": 1},
		{"view": vars{"kind": "ALL"}},
		{"view": vars{"kind": "MY_INBOX"}},
		{"view": vars{"kind": "UNASSIGNED"}},
		{"view": vars{"kind": "SENT"}},
	} {
		none, nothing := amy.look(nowhere, v)
		for _, word := range []string{hiddenWord, "zebu", "merger " + hiddenWord, frequentWord, "krak", frequentWord + " 17"} {
			_, answer := amy.look(word, v)
			require.Equal(w.t, nothing, answer, "%s %v", word, v)
		}
		_, nothing = amy.look(nowhere, with(v, "after", none.Search.PageInfo.EndCursor))
		for _, word := range []string{hiddenWord, frequentWord} {
			page, _ := amy.look(word, v)
			_, answer := amy.look(word, with(v, "after", page.Search.PageInfo.EndCursor))
			require.Equal(w.t, nothing, answer, "%s, from its end", word)
		}
	}
	_, nothing := amy.look("+12025560001", nil)
	for _, number := range []string{hiddenNumber, "2025568123", "5568123", "+1 202 556 81"} {
		_, answer := amy.look(number, nil)
		require.Equal(w.t, nothing, answer, number)
	}
}

// noWordIsWalked tries every letter behind every beginning of the hidden word: if
// one differs from the others, the next letter is known.
func noWordIsWalked(w *world) {
	amy := w.as("amy")
	v := vars{"kinds": []string{"TEXT"}, "first": 1}
	_, nothing := amy.look(nowhere, v)
	silent := 0
	for n := range hiddenWord {
		for _, letter := range "abcdefghijklmnopqrstuvwxyz0123456789" {
			page, answer := amy.look(hiddenWord[:n]+string(letter), v)
			if len(page.Search.Edges) > 0 {
				continue // of her own
			}
			silent++
			require.Equal(w.t, nothing, answer, "%s%c", hiddenWord[:n], letter)
		}
	}
	require.Greater(w.t, silent, 150)
}

// manyHiddenMessagesAreNone adds one message of her own to many hidden ones with
// its word: it is found at once, and then nothing is left.
func manyHiddenMessagesAreNone(w *world) {
	amy := w.as("amy")
	own := amy.conversations()[0].ID
	for _, word := range []string{frequentWord, "solitary"} {
		amy.note(own, "a "+word+" of my own")
		page, _ := amy.look(word, vars{"kinds": []string{"TEXT"}, "first": 5})
		require.Len(w.t, page.Search.Edges, 1, word)
		require.True(w.t, page.Search.IsComplete, word)
		require.False(w.t, page.Search.PageInfo.HasNextPage, word)
		_, rest := amy.look(word, vars{"kinds": []string{"TEXT"}, "after": page.Search.PageInfo.EndCursor})
		_, nothing := amy.look(nowhere, vars{"kinds": []string{"TEXT"}})
		require.Equal(w.t, nothing, rest, word)
	}
}

// manyHiddenMessagesTakeNoTime leaves room for a busy machine: without the bound
// they take thirty times as long.
func manyHiddenMessagesTakeNoTime(w *world) {
	amy := w.as("amy")
	for _, v := range []vars{nil, {"view": vars{"kind": "MY_INBOX"}}} {
		took := map[string][]time.Duration{}
		for range 31 {
			for _, word := range []string{nowhere, frequentWord} {
				began := time.Now()
				amy.look(word, v)
				took[word] = append(took[word], time.Since(began))
			}
		}
		require.Less(w.t, median(took[frequentWord]), 3*median(took[nowhere])+3*time.Millisecond, "against %s", median(took[nowhere]))
	}
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func first[A, B any](a A, _ B) A { return a }

func with(v vars, name string, value any) vars {
	out := vars{name: value}
	for n, x := range v {
		out[n] = x
	}
	return out
}
