package search

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/conversation"
)

// people finds conversations by their customers.
func (r *run) people(ctx context.Context, at place, lookup func(most int) ([]int64, error)) (bool, error) {
	keys, err := lookup(r.ways.candidates + 1)
	if err != nil {
		return false, err
	}
	r.out.Visited += len(keys)
	if len(keys) > r.ways.candidates {
		return r.walk(ctx, at)
	}
	found, err := r.read(ctx, keys)
	if err != nil {
		return false, err
	}
	for _, c := range found {
		if !c.at.older(at) {
			continue
		}
		if r.offer(c); r.full() {
			return false, nil
		}
	}
	return true, nil
}

// customer is who a conversation is with.
type customer struct {
	at            place
	name, address string
}

// older reports whether p comes after q in the order of hits.
func (p place) older(q place) bool { return p.at < q.at || p.at == q.at && p.key < q.key }

// offer takes a conversation in if it matches.
func (r *run) offer(c customer) {
	if where, ok := r.matches(c); ok {
		r.add(&Hit{Kind: c.at.kind, Conversation: c.at.key, Highlights: where, at: c.at})
	}
}

func (r *run) matches(c customer) ([]Highlight, bool) {
	if c.at.kind == Name {
		return r.words.Match(c.name)
	}
	where, ok := r.number.Match(c.address)
	return []Highlight{where}, ok
}

// read reads conversations of the scope, the newest first.
func (r *run) read(ctx context.Context, keys []int64) ([]customer, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	s := r.Desk.Desk.Store
	b := &entsql.Builder{}
	b.SetDialect(s.Dialect())
	b.WriteString("SELECT c.id, c.name, c.address, c.last_message_at FROM ")
	if s.Dialect() == dialect.Postgres {
		b.WriteString("json_array_elements_text(").Arg(string(list)).WriteString("::json) AS k(value) JOIN conversations AS c ON c.id = k.value::bigint")
	} else {
		b.WriteString("json_each(").Arg(string(list)).WriteString(") AS k CROSS JOIN conversations AS c ON c.id = k.value")
	}
	if holds := r.scope.Holds("c"); holds != nil {
		b.WriteString(" WHERE ").Join(holds)
	}
	var out []customer
	err = s.Read(ctx, b, func(rows *sql.Rows) error {
		c := customer{at: place{kind: r.out.end.kind}}
		err := rows.Scan(&c.at.key, &c.name, &c.address, &c.at.at)
		out = append(out, c)
		return err
	})
	slices.SortFunc(out, func(a, b customer) int { return cmp.Or(cmp.Compare(b.at.at, a.at.at), cmp.Compare(b.at.key, a.at.key)) })
	r.out.Visited += len(out)
	return out, err
}

// walk searches the list from a place on.
func (r *run) walk(ctx context.Context, at place) (done bool, err error) {
	for {
		w := conversation.Window{Size: r.ways.step}
		if at != top(at.kind) {
			w.Cursor = r.Desk.Desk.CursorAt(timeOf(at), at.key)
		}
		page, err := r.Desk.Desk.List(ctx, *r.in.View, nil, nil, w)
		if err != nil {
			return false, err
		}
		for _, row := range page.Rows {
			at.at, at.key = int64(row.LastMessageAt), row.Key
			r.out.Visited++
			if r.offer(customer{at, row.Title, row.Address}); r.full() {
				return false, nil
			}
		}
		r.reach(at)
		if !page.HasNextPage || r.spent() {
			return !page.HasNextPage, nil
		}
	}
}
