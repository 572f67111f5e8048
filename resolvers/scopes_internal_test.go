package resolvers

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/graph"
)

func TestEveryMutationHasAScope(t *testing.T) {
	t.Parallel()
	var mutations []string
	for _, f := range graph.Published().Mutation.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			mutations = append(mutations, f.Name)
		}
	}
	require.ElementsMatch(t, mutations, slices.Collect(maps.Keys(mutationScopes)))
}
