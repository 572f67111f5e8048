package table

import "math/bits"

// Columns is a set of a table's columns. Zero stands for all stored ones, wherever
// columns are read.
type Columns [2]uint64

// most is how many columns a table can have.
const most = len(Columns{}) * 64

func (c *Columns) add(i int) { c[i/64] |= 1 << (i % 64) }

// IsZero reports whether the set is empty.
func (c Columns) IsZero() bool { return c == Columns{} }

// Has reports whether c holds all of d.
func (c Columns) Has(d Columns) bool { return d.Without(c).IsZero() }

// And returns the columns of c and those of d.
func (c Columns) And(d Columns) Columns {
	for i := range c {
		c[i] |= d[i]
	}
	return c
}

// Without returns the columns of c that are not in d.
func (c Columns) Without(d Columns) Columns {
	for i := range c {
		c[i] &^= d[i]
	}
	return c
}

// each calls yield with the place of every column, in their order.
func (c Columns) each(yield func(i int) bool) {
	for word, left := range c {
		for ; left != 0; left &= left - 1 {
			if !yield(word*64 + bits.TrailingZeros64(left)) {
				return
			}
		}
	}
}
