package resolvers

import (
	"context"

	"parley/graph"
	"parley/internal/desk/bulk"
)

func begun(b bulk.Begun, err error) (*graph.BulkConversationsPayload, error) {
	errs, err := userErrors(err)
	return &graph.BulkConversationsPayload{Operation: b.Operation, Preview: b.Preview, Errors: errs}, err
}

func controlled(op *bulk.Row, err error) (*graph.BulkOperationPayload, error) {
	op, errs, err := answered(op, err)
	return &graph.BulkOperationPayload{Operation: op, Errors: errs}, err
}

// eachSeen gives every parent its object from one batch that is read under the
// viewer's own rights; nil where they do not see it.
func eachSeen[P, O any](ctx context.Context, parents []P, key func(P) int64, batch func(context.Context, []int64) (map[int64]O, error)) ([]O, error) {
	keys, out := make([]int64, len(parents)), make([]O, len(parents))
	for i, p := range parents {
		keys[i] = key(p)
	}
	found, err := batch(ctx, keys)
	for i, k := range keys {
		out[i] = found[k]
	}
	return out, err
}
