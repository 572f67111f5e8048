package selection_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A compiled answer is the executor's byte for byte, errors and all, whatever is
// asked, by whomever.
func TestCompiledAnswersEqualTheExecutors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	failed := 0
	const documents = 500
	for seed := range uint64(documents) {
		if w.compare(t, seed) {
			failed++
		}
	}
	require.Less(t, failed, documents*2/3, "most documents must show data")
	require.Greater(t, failed, documents/50, "and some must show errors")
}

func FuzzCompiledAnswersEqualTheExecutors(f *testing.F) {
	w := newWorld(f)
	for seed := range uint64(20) {
		f.Add(seed << 32)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { w.compare(t, seed) })
}

// compare asks the document of a seed both ways, and reports whether its answer
// has errors.
func (w *world) compare(t *testing.T, seed uint64) (failed bool) {
	t.Helper()
	a := &author{random: rand.New(rand.NewPCG(seed, 1)), schema: w.schema.Schema(), world: w}
	document, variables := a.query()
	agent := draw(a, []string{"amy", "bo", "sue", "ada"})
	want := w.ask(t, w.executor, agent, document, variables)
	for range 2 { // compiled, and found again
		got := w.ask(t, w.compiled, agent, document, variables)
		require.Equal(t, want.errors, got.errors, "%d: %s\n%v", seed, document, variables)
		require.Equal(t, want.data, got.data, "%d: %s\n%v", seed, document, variables)
		require.True(t, got.compiles, "%d: %s", seed, document)
	}
	return len(want.errors) > 0
}
