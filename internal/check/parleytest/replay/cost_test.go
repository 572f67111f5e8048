package replay_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"parley/graph"
	"parley/internal/edge/admission"
	"parley/internal/edge/limit"
	"parley/resolvers"
)

// TestStoredDocumentsAreAffordable asks for pages of 50 wherever a document lets its
// caller say: each costs half of what an operation may at most, so that an agent may
// send any of them four times a second for ever.
func TestStoredDocumentsAreAffordable(t *testing.T) {
	t.Parallel()
	const most = 5_000
	schema := graph.NewExecutableSchema(graph.Config{Resolvers: &resolvers.Resolver{}}).Schema()
	limits := limit.Options{Prices: resolvers.Prices}
	for name, text := range stored(t) {
		document, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
		require.Empty(t, errs, name)
		for _, operation := range document.Operations {
			cost := admission.Charged(limits, document, operation, pages(operation, 50))
			require.LessOrEqual(t, cost, most, name)
		}
	}
}

// pages gives all whole numbers of an operation the same value.
func pages(operation *ast.OperationDefinition, size int64) map[string]any {
	variables := map[string]any{}
	for _, d := range operation.VariableDefinitions {
		if d.Type.Name() == "Int" {
			variables[d.Variable] = size
		}
	}
	return variables
}
