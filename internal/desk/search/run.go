package search

import (
	"context"
	"slices"

	"parley/internal/desk/conversation"
	"parley/internal/desk/textindex"
	"parley/internal/ground/word"
)

// run is one search under way.
type run struct {
	*Searcher
	in     Input
	words  word.Query
	tokens []word.Token
	number word.NumberQuery
	sought []Kind
	scope  *conversation.Scope
	from   place
	where  plan
	index  *textindex.Index // nil when the plan does not read it

	out *Page
}

// page looks for what is sought, kind after kind, until the page has one hit too
// many, the budget is out, or nothing is left.
func (r *run) page(ctx context.Context) (*Page, error) {
	r.out = &Page{desk: r.Searcher, end: bottom}
	done := true
	for _, kind := range r.sought {
		at := top(kind)
		switch {
		case slices.Index(kinds, kind) < slices.Index(kinds, r.from.kind):
			continue
		case kind == r.from.kind:
			at = r.from
		}
		if r.spent() { // with the kind before
			r.out.end, done = at, false
			break
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

// finish takes off the hit that only shows that there is more.
func (r *run) finish(done bool) *Page {
	p := r.out
	if n := r.in.Size; len(p.Nodes) > n {
		p.Nodes = p.Nodes[:n]
		p.HasNextPage, p.IsComplete, p.end = true, true, p.Nodes[n-1].at
		return p
	}
	p.HasNextPage, p.IsComplete = !done, done && (r.index == nil || r.index.Whole())
	return p
}

// look goes on from a place to the end of its kind. It reports whether it came
// there; if not, the page is full or its end is set.
func (r *run) look(ctx context.Context, at place) (done bool, err error) {
	if at.kind == Text {
		return r.texts(ctx, at)
	}
	return r.people(ctx, at)
}

func (r *run) full() bool { return len(r.out.Nodes) > r.in.Size }

// visit counts a row that the viewer sees against the budget, which may be the
// last: then the page ends there. Rows are visited in the order of hits.
func (r *run) visit(at place) (last bool) {
	r.out.Visited++
	if r.full() {
		return true
	}
	if r.spent() {
		r.out.end = at
		return true
	}
	return false
}

// left is how many rows the budget has left.
func (r *run) left() int {
	most := r.Rows
	if most == 0 {
		most = defaultRows
	}
	return most - r.out.Visited
}

func (r *run) spent() bool { return r.left() <= 0 }

func (r *run) add(h *Hit) {
	h.desk = r.Searcher
	r.out.Nodes = append(r.out.Nodes, h)
}
