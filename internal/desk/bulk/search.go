package bulk

import (
	"context"
	"errors"
	"time"

	"parley/internal/desk/conversation"
	"parley/internal/desk/search"
	"parley/internal/ground/fault"
	"parley/internal/ground/price"
)

// Bounds of a search whose finds are to be worked at.
const (
	// MostFound is how many conversations it may find.
	MostFound = 10_000
	// searchTime is how long it may take.
	searchTime = 10 * time.Second
	// pageUnits is what each page costs that it takes.
	pageUnits = 2_000
)

// found are the conversations that a search finds in a view, each once. An agent has
// few such searches under way, and each page of one is read in turn with others that
// walk through many rows: one after the other would keep the processors from those
// who look at a page.
func (f *Service) found(ctx context.Context, view conversation.View, query string) (keys []int64, err error) {
	err = f.Store.Walk(ctx, func(ctx context.Context) error {
		keys, err = f.find(ctx, view, query)
		return err
	})
	return keys, err
}

// find goes on from page to page to the end, for a part of what was asked for is not
// what was asked for.
func (f *Service) find(ctx context.Context, view conversation.View, query string) (keys []int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	in := search.Input{Query: query, View: &view, Size: 500}
	seen := map[int64]bool{}
	for more := true; more; {
		price.Charge(ctx, pageUnits)
		var page *search.Page
		err := f.Store.Scan(ctx, func(ctx context.Context) (err error) {
			page, err = f.Search.Find(ctx, in)
			return err
		})
		if err != nil {
			return nil, searchFault(ctx, err)
		}
		for _, hit := range page.Nodes {
			if !seen[hit.Conversation] {
				seen[hit.Conversation] = true
				keys = append(keys, hit.Conversation)
			}
		}
		if len(keys) > MostFound {
			return nil, tooWide("The search matches more than %d conversations. Add a word, or narrow the view.", MostFound)
		}
		if more = page.HasNextPage; !more && !page.IsComplete {
			return nil, &fault.Error{Code: fault.Conflict, Field: "search", Message: "The search index is being built and would miss older messages. Try again when `search` returns isComplete: true."}
		}
		in.Cursor = *page.PageInfo().EndCursor
	}
	return keys, nil
}

func tooWide(format string, args ...any) error {
	err := fault.New(fault.LimitExceeded, format, args...)
	err.Field = "search"
	return err
}

// searchFault names the field of the selection that a query's fault is of.
func searchFault(ctx context.Context, err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f) && f.Field == "query":
		moved := *f
		moved.Field = "search"
		return &moved
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return tooWide("The search takes longer than %d s. Add a word, or narrow the view.", int(searchTime.Seconds()))
	}
	return err
}
