package store

import (
	"iter"
	"slices"
)

// Columns say which columns of a table are read: one bit for each, in the order
// of the Table. None stands for all.
type Columns uint32

// Column is a column and how it comes into a T.
type Column[T any] struct {
	Name string
	Read func(into *T, from *Row, i int)
}

// Table is the columns that a T is read from; at most 32.
type Table[T any] []Column[T]

// Has reports whether c reads the column at place i.
func (c Columns) Has(i int) bool { return c == 0 || c&(1<<i) != 0 }

// Names are those of the columns.
func (t Table[T]) Names(c Columns) []string {
	out := make([]string, 0, len(t))
	for i := range t {
		if c.Has(i) {
			out = append(out, t[i].Name)
		}
	}
	return out
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
func (t Table[T]) Read(into *T, from *Row, i int, c Columns) int {
	for n := range t {
		if c.Has(n) {
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
