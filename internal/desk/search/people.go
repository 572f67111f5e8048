package search

import (
	"cmp"
	"context"
	"slices"
	"unicode/utf16"

	"parley/internal/desk/conversation"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/word"
)

// people finds conversations by their customers: those in the index and those that
// are few, sorted, or the list if the index brings up too many.
func (r *run) people(ctx context.Context, at place) (done bool, err error) {
	found, err := r.lookup(ctx, at.kind)
	if err != nil {
		return false, err
	}
	if len(found) > r.ways.candidates {
		return r.walk(ctx, at)
	}
	r.out.Visited += len(found)
	for _, row := range r.where.few {
		found = append(found, customers(at.kind, row, r.where.earlier[row.Key])...)
	}
	slices.SortFunc(found, func(a, b customer) int {
		return cmp.Or(cmp.Compare(b.at.at, a.at.at), cmp.Compare(b.at.key, a.at.key), a.rank()-b.rank())
	})
	for _, c := range found {
		if c.at.older(at) {
			if r.offer(c); r.full() {
				return false, nil
			}
		}
	}
	return true, nil
}

// lookup asks the index for customers whom the viewer sees, and returns those in
// the view: or more than the candidates if there are more of the former.
func (r *run) lookup(ctx context.Context, kind Kind) (out []customer, err error) {
	if !r.where.indexed {
		return nil, nil
	}
	l := textindex.CustomerLookup{Channels: r.where.channels, Seen: r.scope.Seen, View: r.scope.InView, Most: r.ways.candidates + 1}
	if kind == Number {
		l.Number = &r.number
	} else {
		l.Name = r.tokens
	}
	found, err := r.index.Customers(ctx, l)
	for _, c := range found {
		if c.InView || len(found) > r.ways.candidates {
			out = append(out, customer{place{kind, int64(c.LastMessageAt), c.Conversation}, c.Merged, c.Name, c.Topic, c.Address})
		}
	}
	return out, err
}

// customer is who a conversation is with, or was merged into them.
type customer struct {
	at     place
	merged bool

	name, topic, address string
}

// customers are those of a conversation, whom it is with first.
func customers(kind Kind, row *conversation.Row, earlier []*conversation.Row) []customer {
	at := place{kind, int64(row.LastMessageAt), row.Key}
	out := []customer{{at, false, row.Title, row.About, row.Address}}
	for _, e := range earlier {
		out = append(out, customer{at, true, e.Title, e.About, e.Address})
	}
	return out
}

// rank puts whom a conversation is with before the others.
func (c customer) rank() int {
	if c.merged {
		return 1
	}
	return 0
}

// older reports whether p comes after q in the order of hits.
func (p place) older(q place) bool { return p.at < q.at || p.at == q.at && p.key < q.key }

// offer takes a conversation in if it matches and was not taken in just before, by
// another of its customers. Of a name that does not show, nothing is highlighted.
func (r *run) offer(c customer) {
	if n := len(r.out.Nodes); n > 0 && r.out.Nodes[n-1].at == c.at {
		return
	}
	if where, ok := r.matches(c); ok {
		if c.merged {
			where = nil
		}
		r.add(&Hit{Kind: c.at.kind, Conversation: c.at.key, Highlights: where, at: c.at})
	}
}

func (r *run) matches(c customer) ([]Highlight, bool) {
	if c.at.kind == Name {
		where, ok := r.words.Match(textindex.Named(c.name, c.topic, c.address))
		return within(where, word.NameOf(c.name, c.address)), ok
	}
	where, ok := r.number.Match(c.address)
	return []Highlight{where}, ok
}

// within are the highlights as far as they lie in the name: the topic behind it has none.
func within(where []Highlight, name string) []Highlight {
	end := len(utf16.Encode([]rune(name)))
	for i := range where {
		where[i].End = min(where[i].End, end)
	}
	return slices.DeleteFunc(where, func(h Highlight) bool { return h.Start >= end })
}

// walk searches the list from a place on.
func (r *run) walk(ctx context.Context, at place) (done bool, err error) {
	for {
		w := conversation.Window{Size: min(r.ways.step, r.left())}
		if at != top(at.kind) {
			w.Cursor = r.Conversations.CursorAt(clock.Time(at.at), at.key)
		}
		page, err := r.Conversations.List(ctx, *r.in.View, nil, nil, w, conversation.Selected{})
		if err != nil {
			return false, err
		}
		earlier, err := r.Conversations.Earlier(ctx, page.Nodes)
		if err != nil {
			return false, err
		}
		for _, row := range page.Nodes {
			at.at, at.key = int64(row.LastMessageAt), row.Key
			for _, c := range customers(at.kind, row, earlier[row.Key]) {
				r.offer(c)
			}
			if r.visit(at) {
				return false, nil
			}
		}
		if !page.HasNextPage {
			return true, nil
		}
	}
}
