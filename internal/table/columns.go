// Package table declares which columns a stored thing has, and how they are read.
package table

import (
	"iter"
	"slices"

	"parley/internal/store"
)

// Columns say which columns of a table are read: one bit for each, in the order
// of the Table. None stands for all.
type Columns uint32

// Column is a column and how it comes into a T.
type Column[T any] struct {
	Name string
	// Of gives the expression that makes it of the columns of the table named x; nil
	// for a stored one. A column that is made is read only when it is asked for.
	Of   func(x string) string
	Read func(into *T, from *store.Row, i int)
}

// Table is the columns that a T is read from; at most 32.
type Table[T any] []Column[T]

func (t Table[T]) has(i int, c Columns) bool { return c&(1<<i) != 0 || c == 0 && t[i].Of == nil }

// Names are those of the columns.
func (t Table[T]) Names(c Columns) []string {
	out := make([]string, 0, len(t))
	for i := range t {
		if t.has(i, c) {
			out = append(out, t[i].Name)
		}
	}
	return out
}

// Select are the columns as a statement selects them from the table named x.
func (t Table[T]) Select(x string, c Columns) []string {
	out := make([]string, 0, len(t))
	for i := range t {
		switch {
		case !t.has(i, c):
		case t[i].Of != nil:
			out = append(out, t[i].Of(x))
		default:
			out = append(out, x+"."+t[i].Name)
		}
	}
	return out
}

// Stored are the columns that are not made.
func (t Table[T]) Stored() (c Columns) {
	for i := range t {
		if t[i].Of == nil {
			c |= 1 << i
		}
	}
	return c
}

// Only are the columns with these names.
func (t Table[T]) Only(names ...string) Columns {
	var c Columns
	for i := range t {
		if slices.Contains(names, t[i].Name) {
			c |= 1 << i
		}
	}
	return c
}

// Read fills a T from the columns that stand from place i on, and returns the
// place behind them.
func (t Table[T]) Read(into *T, from *store.Row, i int, c Columns) int {
	for n := range t {
		if t.has(n, c) {
			t[n].Read(into, from, i)
			i++
		}
	}
	return i
}

// ColumnsOf joins what each of the fields needs to the columns that are always
// read. A field that is not known needs all.
func ColumnsOf(always Columns, needs map[string]Columns, fields iter.Seq[string]) Columns {
	for field := range fields {
		need, known := needs[field]
		if !known {
			return 0
		}
		always |= need
	}
	return always
}
