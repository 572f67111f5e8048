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
// viewer's own rights; nil for key 0, and where they do not see it.
func eachSeen[P, O any](ctx context.Context, parents []P, key func(P) int64, batch func(context.Context, []int64) (map[int64]O, error)) ([]O, error) {
	out := make([]O, len(parents))
	var keys []int64
	for _, p := range parents {
		if k := key(p); k != 0 {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return out, nil
	}
	found, err := batch(ctx, keys)
	for i, p := range parents {
		out[i] = found[key(p)]
	}
	return out, err
}
