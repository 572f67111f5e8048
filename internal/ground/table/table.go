// Package table declares the columns of a stored thing once.
//
// A Column states how it is read, written and compared, which fields of the graph
// need it, and which fact of an event it feeds. Selections, inserts, updates and
// facts all come from that one list, so that none of them can forget a column.
//
//	var people = table.New("people", []table.Column[Person, Facts]{
//		{Name: "id", Value: table.Int(func(p *Person) *int64 { return &p.Key }), Fields: "id"},
//		{Name: "name", Value: table.Text(func(p *Person) *string { return &p.Name }), Fields: "name initials"},
//	})
//
// A test of each table compares its stored columns with ent's schema.
package table

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

// Column is one column of a T, whose events carry the facts F.
type Column[T, F any] struct {
	Name string
	// Of computes the column from those of the table named x; nil for a stored
	// column. A computed column is read only when it is asked for.
	Of func(x string) string
	Value[T]
	// Fields of the graph that need the column, separated by spaces.
	Fields string
	// Fact copies the column into the facts of an event; nil where no fact holds it.
	Fact func(into *F, from *T)
}

// Table is the columns of a T.
type Table[T, F any] struct {
	name    string
	columns []Column[T, F]
	stored  Columns
	needs   map[string]Columns // by field
}

// New declares a table. It panics if a name occurs twice, or if there are more
// columns than Columns can hold.
func New[T, F any](name string, columns []Column[T, F]) *Table[T, F] {
	if len(columns) > most {
		panic(fmt.Sprintf("table: %s has more than %d columns", name, most))
	}
	t := &Table[T, F]{name: name, columns: columns, needs: map[string]Columns{}}
	for i, c := range columns {
		if t.index(c.Name) != i {
			panic(fmt.Sprintf("table: %s has two columns %s", name, c.Name))
		}
		if c.Of == nil {
			t.stored.add(i)
		}
		for field := range strings.FieldsSeq(c.Fields) {
			need := t.needs[field]
			need.add(i)
			t.needs[field] = need
		}
	}
	return t
}

func (t *Table[T, F]) index(name string) int {
	return slices.IndexFunc(t.columns, func(c Column[T, F]) bool { return c.Name == name })
}

// Stored returns the columns that are not computed.
func (t *Table[T, F]) Stored() Columns { return t.stored }

// Only returns the columns with these names. It panics if there is no such column.
func (t *Table[T, F]) Only(names ...string) (c Columns) {
	for _, name := range names {
		i := t.index(name)
		if i < 0 {
			panic(fmt.Sprintf("table: %s has no column %s", t.name, name))
		}
		c.add(i)
	}
	return c
}

// Needed returns always and the columns that the fields need: zero, for all, if a
// field is unknown.
func (t *Table[T, F]) Needed(always Columns, fields iter.Seq[string]) Columns {
	known := true
	for field := range fields { // to the end: leaving it early would cost allocations
		need, ok := t.needs[field]
		always, known = always.And(need), known && ok
	}
	if !known {
		return Columns{}
	}
	return always
}

// Below, except in Set, zero Columns stand for all stored ones.

func (t *Table[T, F]) orStored(c Columns) Columns {
	if c.IsZero() {
		return t.stored
	}
	return c
}

// Names returns the names of the columns.
func (t *Table[T, F]) Names(c Columns) []string {
	out := make([]string, 0, len(t.columns))
	for i := range t.orStored(c).each {
		out = append(out, t.columns[i].Name)
	}
	return out
}

// Select returns the columns as a statement selects them from the table named x.
func (t *Table[T, F]) Select(x string, c Columns) []string {
	out := make([]string, 0, len(t.columns))
	for i := range t.orStored(c).each {
		if column := &t.columns[i]; column.Of != nil {
			out = append(out, column.Of(x))
		} else {
			out = append(out, x+"."+column.Name)
		}
	}
	return out
}

// Read fills a T from the columns that start at place i, and returns the place
// after them.
func (t *Table[T, F]) Read(into *T, from *store.Row, i int, c Columns) int {
	for n := range t.orStored(c).each {
		t.columns[n].Read(into, from, i)
		i++
	}
	return i
}

// Insert returns the SQL that inserts a row with the columns, up to its values.
func (t *Table[T, F]) Insert(c Columns) string {
	names := t.Names(c)
	return "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) + ")"
}

// Values returns what the columns store of a T, in plain Go types or nil for NULL.
func (t *Table[T, F]) Values(from *T, c Columns) []any {
	out := make([]any, 0, len(t.columns))
	for i := range t.orStored(c).each {
		out = append(out, t.columns[i].Write(from))
	}
	return out
}

// Differ returns those of the columns in which a and b differ; none for zero.
func (t *Table[T, F]) Differ(a, b *T, c Columns) (out Columns) {
	for i := range t.orStored(c).each {
		if !t.columns[i].Same(a, b) {
			out.add(i)
		}
	}
	return out
}

// Set adds the columns to an update. With no columns, it adds nothing.
func (t *Table[T, F]) Set(update *entsql.UpdateBuilder, from *T, c Columns) {
	for i := range c.each {
		update.Set(t.columns[i].Name, t.columns[i].Write(from))
	}
}

// Facts copies into an event's facts what they hold of a T.
func (t *Table[T, F]) Facts(into *F, from *T) {
	for i := range t.columns {
		if fact := t.columns[i].Fact; fact != nil {
			fact(into, from)
		}
	}
}
