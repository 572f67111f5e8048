package conversation

import (
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/clock"
	"parley/internal/feed"
	"parley/internal/rule"
	"parley/internal/store"
	"parley/internal/viewer"
)

// Matches reports whether a conversation with these facts is in the scope and
// seen: the Go form. No facts match nothing.
func (s *Scope) Matches(f *feed.Facts) bool {
	return f != nil && s.sight.Sees(f.Subject()) && s.conds.match(f)
}

// Under returns the scope with the sight that v has now.
func (s *Scope) Under(v *viewer.Viewer) *Scope {
	return &Scope{sight: rule.Visible(v), conds: s.conds}
}

func (c *conditions) match(f *feed.Facts) bool {
	return !c.nothing &&
		is(c.owner, f.Owner) && is(c.channel, f.Channel) && is(c.record, f.Record) && is(c.objectType, f.ObjectType) &&
		is(c.unread, f.Unread) && is(c.assigned, f.Owner != 0) && is(c.direction, f.Direction) &&
		(!c.withInbound || f.Inbound > 0) && outside(c.elsewhere, f.Channel) &&
		(c.sentBy == nil || slices.Contains(f.SentBy, *c.sentBy)) && c.within(f.LastMessageAt)
}

// within reports whether an instant lies between the times asked for.
func (c *conditions) within(at clock.Time) bool {
	return (c.from == nil || at >= *c.from) && (c.before == nil || at < *c.before)
}

func is[T comparable](want *T, have T) bool { return want == nil || *want == have }

// where is the SQL form of the conditions over conversations, without the sight
// and without sentBy, which chooses another table to start from. An equality
// that a partial index asks for is spelled out, since a planner cannot see it in
// a parameter.
func (c *conditions) where(col func(string) string) []*entsql.Predicate {
	var p []*entsql.Predicate
	add := func(on bool, make func() *entsql.Predicate) {
		if on {
			p = append(p, make())
		}
	}
	add(c.nothing, entsql.False)
	add(c.owner != nil, func() *entsql.Predicate { return orNull(col("owner_id"), *c.owner) })
	add(c.channel != nil, func() *entsql.Predicate { return entsql.EQ(col("channel_id"), *c.channel) })
	add(len(c.elsewhere) > 0, func() *entsql.Predicate { return notIn(col("channel_id"), c.elsewhere) })
	add(c.record != nil, func() *entsql.Predicate { return entsql.EQ(col("record_id"), *c.record) })
	add(c.objectType != nil, func() *entsql.Predicate {
		return entsql.And(entsql.EQ(col("object_type"), *c.objectType), notEmpty(col("object_type")))
	})
	add(c.withInbound, func() *entsql.Predicate { return entsql.GT(col("inbound_count"), 0) })
	add(c.unread != nil, func() *entsql.Predicate { return entsql.EQ(col("is_unread"), *c.unread) })
	add(c.assigned != nil, func() *entsql.Predicate {
		if *c.assigned {
			return entsql.NotNull(col("owner_id"))
		}
		return entsql.IsNull(col("owner_id"))
	})
	add(c.direction != nil, func() *entsql.Predicate { return entsql.EQ(col("last_direction"), string(*c.direction)) })
	add(c.from != nil, func() *entsql.Predicate { return entsql.GTE(col("last_message_at"), int64(*c.from)) })
	add(c.before != nil, func() *entsql.Predicate { return entsql.LT(col("last_message_at"), int64(*c.before)) })
	return p
}

func orNull(column string, key int64) *entsql.Predicate {
	if key == 0 {
		return entsql.IsNull(column)
	}
	return entsql.EQ(column, key)
}

func notIn(column string, keys []int64) *entsql.Predicate {
	all := make([]any, len(keys))
	for i, key := range keys {
		all[i] = key
	}
	return entsql.NotIn(column, all...)
}

func notEmpty(column string) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.Ident(column).WriteString(" <> ''") })
}

// inCells reports whether the standing counts can answer for the conditions.
func (c *conditions) inCells() bool {
	return c.record == nil && c.sentBy == nil && c.direction == nil && c.from == nil && c.before == nil && c.elsewhere == nil && !c.nothing
}

// walks reports whether a page may pass over many rows that the conditions keep
// out: they are more than the index serves that the page is read by. A record has
// few.
func (c *conditions) walks() bool {
	if c.record != nil || c.nothing {
		return false
	}
	n := 0
	for _, asked := range []bool{c.owner != nil, c.channel != nil, c.objectType != nil, c.sentBy != nil, c.assigned != nil} {
		if asked {
			n++
		}
	}
	return n > 1 || c.direction != nil
}

// whereCells is the SQL form of the conditions over count_cells.
func (c *conditions) whereCells(col func(string) string) []*entsql.Predicate {
	var p []*entsql.Predicate
	if c.owner != nil {
		p = append(p, entsql.EQ(col("owner_id"), *c.owner))
	}
	if c.channel != nil {
		p = append(p, entsql.EQ(col("channel_id"), *c.channel))
	}
	if c.objectType != nil {
		p = append(p, entsql.EQ(col("object_type"), *c.objectType))
	}
	if c.assigned != nil && *c.assigned {
		p = append(p, entsql.GT(col("owner_id"), 0))
	}
	if c.assigned != nil && !*c.assigned {
		p = append(p, entsql.EQ(col("owner_id"), 0))
	}
	return p
}

// Counts are the counts of a view.
type Counts struct{ Total, Unread, New int64 }

// counts reads from a tally what the conditions ask of it.
func (c *conditions) counts(t store.Tally) Counts {
	out := Counts{Total: t.Conversations, Unread: t.Unread, New: t.New}
	if c.withInbound {
		out.Total, out.Unread = t.WithInbound, t.UnreadInbound
	}
	switch {
	case c.unread == nil:
	case *c.unread:
		out.Total = out.Unread
	default:
		out = Counts{Total: out.Total - out.Unread}
	}
	return out
}

// Fold returns the counts after an event: what matched before goes, what matches
// after comes.
func (s *Scope) Fold(c Counts, e *feed.Event) Counts {
	if s.Matches(e.Before) {
		c = c.add(e.Before, -1)
	}
	if s.Matches(e.After) {
		c = c.add(e.After, 1)
	}
	return c
}

func (c Counts) add(f *feed.Facts, sign int64) Counts {
	c.Total += sign
	c.New += sign * f.New()
	if f.Unread {
		c.Unread += sign
	}
	return c
}
