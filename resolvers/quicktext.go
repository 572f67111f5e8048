package resolvers

import (
	"parley/graph"
	"parley/internal/quicktext"
)

func readied(q *quicktext.QuickText, err error) (*graph.QuickTextPayload, error) {
	errs, err := userErrors(err)
	return &graph.QuickTextPayload{QuickText: q, Errors: errs}, err
}
