package search

import (
	"context"
	"slices"
	"time"

	"parley/internal/conversation"
	"parley/internal/search/index"
	"parley/internal/search/word"
)

// run is one search under way.
type run struct {
	*Desk
	in     Input
	words  word.Query
	tokens []word.Token
	number word.NumberQuery
	sought []Kind
	scope  *conversation.Scope
	from   place
	index  *index.Index

	out   *Page
	until time.Time
}

// page looks for what is sought, kind after kind, until the page has one hit too
// many, the budget is out, or nothing is left.
func (r *run) page(ctx context.Context) (*Page, error) {
	limit := r.Time
	if limit == 0 {
		limit = defaultTime
	}
	r.until = time.Now().Add(limit)
	r.out = &Page{desk: r.Desk, end: top(Text)}
	done := true
	for _, kind := range r.sought {
		at := top(kind)
		switch {
		case slices.Index(kinds, kind) < slices.Index(kinds, r.from.kind):
			continue
		case kind == r.from.kind:
			at = r.from
		}
		var err error
		if done, err = r.look(ctx, at); err != nil {
			return nil, err
		}
		if !done {
			break
		}
	}
	return r.finish(done), nil
}

// finish takes off the hit that only tells whether there is more.
func (r *run) finish(done bool) *Page {
	p := r.out
	if n := r.in.Size; len(p.Hits) > n {
		p.Hits = p.Hits[:n]
		p.HasNextPage, p.IsComplete, p.end = true, true, p.Hits[n-1].at
		return p
	}
	p.HasNextPage, p.IsComplete = !done, done && r.index.Whole()
	return p
}

// look goes on from a place to the end of its kind. It reports whether it came
// there.
func (r *run) look(ctx context.Context, at place) (done bool, err error) {
	r.out.end = at
	switch at.kind {
	case Number:
		return r.people(ctx, at, func(most int) ([]int64, error) { return r.index.Numbers(ctx, r.number, most) })
	case Name:
		return r.people(ctx, at, func(most int) ([]int64, error) { return r.index.Names(ctx, r.tokens, most) })
	}
	return r.texts(ctx, at)
}

func (r *run) full() bool { return len(r.out.Hits) > r.in.Size }

// spent reports whether the budget is out.
func (r *run) spent() bool {
	most := r.Rows
	if most == 0 {
		most = defaultRows
	}
	return r.out.Visited >= most || !time.Now().Before(r.until)
}

// reach says that everything up to a place has been looked at.
func (r *run) reach(at place) { r.out.end = at }

func (r *run) add(h *Hit) { r.out.Hits = append(r.out.Hits, h) }
