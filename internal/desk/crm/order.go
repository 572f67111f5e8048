package crm

import (
	"context"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/predicate"
	"parley/ent/record"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
)

// Order sorts records by a filterable field. Those without a value come last.
type Order struct {
	Field      string // empty for the name
	Descending bool
}

// First are the first records of an object type in an order, as far as the viewer of ctx may
// read them: one statement beside the records themselves, and one more when fewer than most
// have a value. Without a filter it walks along the order; what a filter finds is sorted.
func (s *Service) First(ctx context.Context, objectType string, filter *Filter, order Order, most int) ([]*conversation.Record, error) {
	a, wanted, err := s.asked(ctx, objectType, filter)
	if err != nil {
		return nil, err
	}
	o, err := a.ordered(order, len(wanted) > 0)
	if err != nil {
		return nil, err
	}
	var keys []int64
	err = s.Store.Scan(ctx, func(ctx context.Context) (err error) {
		query := s.Store.Ent.Record.Query().Where(append(wanted, there())...)
		if keys, err = query.Clone().Where(o.with).Order(o.by).Limit(most).IDs(ctx); err != nil || len(keys) == most {
			return err
		}
		blank, err := query.Where(o.without).Order(byName(order.Descending)).Limit(most - len(keys)).IDs(ctx)
		keys = append(keys, blank...)
		return err
	})
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	records, err := s.Conversations.Records(ctx, keys)
	found := make([]*conversation.Record, len(keys))
	for i, key := range keys {
		found[i] = records[key]
	}
	return slices.DeleteFunc(found, func(r *conversation.Record) bool { return r == nil }), err // lost from sight in between
}

// ordered are the records of an object type with a value and those without, and the order of
// the former.
type ordered struct {
	with, without predicate.Record
	by            record.OrderOption
}

// ordered tells an order. Where records are filtered, no index of the order is used.
func (a asked) ordered(order Order, filtered bool) (o ordered, err error) {
	ofType := record.ObjectType(a.def.Name)
	if filtered {
		ofType = func(q *entsql.Selector) {
			q.Where(entsql.P(func(b *entsql.Builder) { b.Ident(q.C(record.FieldObjectType)).WriteString(" || '' = ").Arg(a.def.Name) }))
		}
	}
	if order.Field == "" {
		return ordered{record.And(ofType, record.NameKeyGT([]byte{})), record.And(ofType, record.NameKey([]byte{})), byName(order.Descending)}, nil
	}
	i := a.def.Number(order.Field)
	if !a.mayRead(i) || !a.def.Fields[i].Filterable {
		return o, fault.Input("order.field", "%s has no filterable field %q, or you may not read it. objectType lists its fields.", a.def.Name, order.Field)
	}
	return ordered{a.valued(i, filtered), record.And(ofType, record.NameKeyNotNil(), a.blank(i)), byValue(order.Descending)}, nil
}

// valued joins the values of the field with the number, which are of this object type alone,
// for byValue.
func (a asked) valued(i int, filtered bool) predicate.Record {
	return func(q *entsql.Selector) {
		v := entsql.Dialect(q.Dialect()).Table("record_values").As("v")
		q.Join(v).On(v.C("record_id"), q.C(record.FieldID))
		if filtered {
			q.Where(unindexed(v.C("slot"), slot(a.def.Key, i)))
			return
		}
		q.Where(entsql.EQ(v.C("slot"), slot(a.def.Key, i)))
	}
}

// byValue sorts by the value of a field, and records of one value by their age.
func byValue(descending bool) record.OrderOption {
	order := entsql.Asc
	if descending {
		order = entsql.Desc
	}
	return func(q *entsql.Selector) {
		v := entsql.Table("record_values").As("v")
		q.OrderBy(order(v.C("value")), order(v.C("record_id")))
	}
}

// unindexed asks for a number in a column, and leaves the indexes that begin with it alone.
func unindexed(column string, number int64) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.Ident(column).WriteString(" + 0 = ").Arg(number) })
}
