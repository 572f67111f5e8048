package crm

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/predicate"
	"parley/ent/record"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/number"
)

// Bounds of a filter.
const (
	mostConditions = 5
	mostOneOf      = 50
	leastSearch    = 2 // characters
)

// Filter chooses records of an object type; a nil field asks for nothing.
type Filter struct {
	// Search is what the name begins with, whatever its case, or the digits of a number
	// with or without its country code.
	Search *string
	Fields []*FieldFilter // all must match
}

// FieldFilter chooses by a filterable field: one of its conditions, or AtLeast and AtMost
// together.
type FieldFilter struct {
	Name       string
	Equals     *string
	OneOf      []string
	AtLeast    *string
	AtMost     *string
	StartsWith *string
	IsBlank    *bool
}

// asked is an object type that a viewer asks for.
type asked struct {
	def    *directory.ObjectType
	rights *object.Rights
}

func (a asked) wanted(f *Filter) (wanted []predicate.Record, err error) {
	if f == nil {
		return nil, nil
	}
	if f.Search != nil {
		found, err := a.search(strings.TrimSpace(*f.Search))
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, found)
	}
	if len(f.Fields) > mostConditions {
		return nil, fault.Input("filterBy.fields", "Pass at most %d fields, not %d.", mostConditions, len(f.Fields))
	}
	for i, c := range f.Fields {
		p, err := a.condition(fmt.Sprintf("filterBy.fields.%d", i), c)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, p)
	}
	return wanted, nil
}

// mayRead reports whether the viewer may read the field with the number.
func (a asked) mayRead(i int) bool {
	return i >= 0 && !a.def.Fields[i].Retired && a.rights.Field(&a.def.Definition, &a.def.Fields[i]).Includes(object.Read)
}

// search finds names and numbers by what they begin with, in fields that the viewer may
// read.
func (a asked) search(text string) (predicate.Record, error) {
	if len([]rune(text)) < leastSearch {
		return nil, fault.Input("filterBy.search", "Search for at least %d characters.", leastSearch)
	}
	digits := digitsOf(number.Bare(text))
	slots := a.phones()
	return func(q *entsql.Selector) {
		named := between(q.C(record.FieldNameKey), object.Prefix(text))
		if len(digits) < leastSearch || len(slots) == 0 || strings.ContainsFunc(text, unicode.IsLetter) {
			q.Where(named)
			return
		}
		b := entsql.Dialect(q.Dialect())
		has := func(column string) *entsql.Predicate {
			return entsql.And(entsql.GTE(column, digits), entsql.LTE(column, digits+strings.Repeat("9", 20)))
		}
		phones := b.Select("record_id").From(b.Table("record_phones")).Where(entsql.And(entsql.In("slot", slots...), entsql.Or(has("number"), has("own"))))
		q.Where(entsql.Or(named, entsql.In(q.C(record.FieldID), phones)))
	}, nil
}

// phones are the slots of the phone fields that the viewer may read.
func (a asked) phones() (slots []any) {
	for _, p := range a.def.Messaging.Phones {
		if i := a.def.Number(p.Field); a.mayRead(i) {
			slots = append(slots, slot(a.def.Key, i))
		}
	}
	return slots
}

// condition is what a filter asks of a field.
func (a asked) condition(at string, c *FieldFilter) (predicate.Record, error) {
	i := a.def.Number(c.Name)
	if !a.mayRead(i) {
		return nil, fault.Input(at+".name", "%s has no such field, or you may not read it. objectType lists its fields.", a.def.Name)
	}
	f := &a.def.Fields[i]
	if !f.Filterable {
		return nil, fault.Input(at+".name", "Records are not filtered by %s. Ask an administrator to make it filterable.", f.Name)
	}
	p, without, err := asking{c, f, at}.values()
	if err != nil {
		return nil, err
	}
	if without {
		return a.blank(i), nil
	}
	return func(q *entsql.Selector) {
		b := entsql.Dialect(q.Dialect())
		t := b.Table("record_values")
		values := b.Select(t.C("record_id")).From(t).Where(entsql.And(append([]*entsql.Predicate{entsql.EQ(t.C("slot"), slot(a.def.Key, i))}, p...)...))
		q.Where(entsql.In(q.C(record.FieldID), values))
	}, nil
}

// blank chooses records without a value in the field with the number, by the values of each.
func (a asked) blank(i int) predicate.Record {
	return func(q *entsql.Selector) {
		b := entsql.Dialect(q.Dialect())
		t := b.Table("record_values")
		values := b.Select(t.C("record_id")).From(t).Where(entsql.And(unindexed(t.C("slot"), slot(a.def.Key, i)), entsql.ColumnsEQ(t.C("record_id"), q.C(record.FieldID))))
		q.Where(entsql.Not(entsql.Exists(values)))
	}
}

// asking is a condition of a filter, at its place in the input.
type asking struct {
	*FieldFilter
	f  *object.Field
	at string
}

// values are predicates on the column value, and whether records without such a value are
// wanted.
func (a asking) values() (p []*entsql.Predicate, without bool, err error) {
	if n := a.given(); n != 1 {
		return nil, false, fault.Input(a.at, "Pass equals, oneOf, startsWith, isBlank, or atLeast and atMost: one of them, not %d.", n)
	}
	switch {
	case a.IsBlank != nil:
		return nil, *a.IsBlank, nil
	case a.StartsWith != nil && !a.f.IsText():
		return nil, false, fault.Input(a.at+".startsWith", "%s is no text. Use equals, or atLeast and atMost.", a.f.Name)
	case a.StartsWith != nil:
		return []*entsql.Predicate{between("value", object.Prefix(*a.StartsWith))}, false, nil
	case a.Equals != nil:
		k, err := a.key("equals", *a.Equals)
		return []*entsql.Predicate{entsql.EQ("value", k)}, false, err
	case a.OneOf != nil:
		p, err = a.oneOf()
		return p, false, err
	}
	p, err = a.bounds()
	return p, false, err
}

// given is how many conditions there are.
func (a asking) given() (n int) {
	for _, given := range []bool{a.Equals != nil, a.OneOf != nil, a.AtLeast != nil || a.AtMost != nil, a.StartsWith != nil, a.IsBlank != nil} {
		if given {
			n++
		}
	}
	return n
}

// key is what the index holds of a value. Records may still hold a choice that the field no
// longer offers.
func (a asking) key(condition, text string) (any, error) {
	f := *a.f
	f.Choices = nil
	v, err := f.Parse(text, nil)
	if err != nil {
		return nil, faultAt(a.at+"."+condition, err)
	}
	if v.IsBlank() {
		return nil, fault.Input(a.at+"."+condition, "Pass a value, or isBlank for records without one.")
	}
	return f.Keys(v)[0], nil
}

func (a asking) oneOf() ([]*entsql.Predicate, error) {
	if n := len(a.OneOf); n == 0 || n > mostOneOf {
		return nil, fault.Input(a.at+".oneOf", "Pass 1 to %d values, not %d.", mostOneOf, n)
	}
	keys := make([]any, len(a.OneOf))
	for i, text := range a.OneOf {
		k, err := a.key(fmt.Sprintf("oneOf.%d", i), text)
		if err != nil {
			return nil, err
		}
		keys[i] = k
	}
	return []*entsql.Predicate{entsql.In("value", keys...)}, nil
}

func (a asking) bounds() (p []*entsql.Predicate, err error) {
	for _, bound := range []struct {
		name    string
		text    *string
		compare func(string, any) *entsql.Predicate
	}{{"atLeast", a.AtLeast, entsql.GTE}, {"atMost", a.AtMost, entsql.LTE}} {
		if bound.text == nil {
			continue
		}
		k, err := a.key(bound.name, *bound.text)
		if err != nil {
			return nil, err
		}
		p = append(p, bound.compare("value", k))
	}
	return p, nil
}

// between asks that a column of bytes begins with some.
func between(column string, prefix []byte) *entsql.Predicate {
	end := bytes.TrimRight(slices.Clone(prefix), "\xff")
	if len(end) == 0 {
		return entsql.GTE(column, prefix)
	}
	end[len(end)-1]++
	return entsql.And(entsql.GTE(column, prefix), entsql.LT(column, end))
}
