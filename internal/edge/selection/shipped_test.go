package selection_test

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/web"
)

// Documents that Parley ships: those of the guide and of the benchmarks.
var (
	inGuide = regexp.MustCompile("(?s)```graphql\n(.*?)```")
	inBench = regexp.MustCompile("(?s)`((?:query|subscription)\\b[^`]*)`")
)

// shipped are the documents that a caller is shown, and those that are measured.
func shipped(t *testing.T) []string {
	var all []string
	for _, e := range web.Examples() {
		all = append(all, e.Query)
	}
	find := func(file string, in *regexp.Regexp) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		found := in.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, found, file)
		for _, f := range found {
			all = append(all, f[1])
		}
	}
	find("../../../docs/guide.md", inGuide)
	find("../../../bench/reads.go", inBench)
	return all
}

// Nothing that is shipped falls back in silence.
func TestShippedDocumentsAreCompiled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	compiled := 0
	for _, document := range shipped(t) {
		ctx := graphql.StartOperationTrace(context.Background())
		name := ""
		if _, rest, found := strings.Cut(document, "subscription WhoElseIsHere"); found && rest != "" {
			name = "WhoElseIsHere" // the example has a mutation beside it
		}
		// Variables are missing: what the operation is, is known by then.
		op, _ := w.compiled.CreateOperationContext(ctx, &graphql.RawParams{Query: document, OperationName: name})
		require.NotNil(t, op.Operation, document)
		if op.Operation.Operation != ast.Mutation {
			require.True(t, w.schema.Compiles(op), document)
			compiled++
		}
	}
	require.GreaterOrEqual(t, compiled, 12)
}

// The counter tells how operations were answered.
func TestOperationsAreCountedByTheirPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, document := range []string{
		`{ agents { name } }`,                       // compiled
		`{ conversation(id: "nonsense") { name } }`, // begun, and NOT_FOUND is the executor's to tell
		`{ __type(name: "Agent") { name } }`,        // not begun
	} {
		w.ask(t, w.compiled, "amy", document, nil)
	}
	counted := map[string]float64{}
	registry := prometheus.NewRegistry()
	registry.MustRegister(w.schema.Collectors()...)
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	require.Equal(t, "parley_selection_operations_total", families[0].GetName())
	for _, m := range families[0].GetMetric() {
		counted[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	require.Equal(t, map[string]float64{"compiled": 1, "executor": 2}, counted)
}
