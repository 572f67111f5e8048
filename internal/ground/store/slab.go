package store

import "sync"

// slabSize is room for the largest page, and the row that tells of more.
const slabSize = 101

// Slabs are where rows of a page come from. A page takes and drops tens of
// kilobytes: to make them anew costs more than to read into them.
type Slabs[T any] struct{ pool sync.Pool }

// Slab is room for rows.
type Slab[T any] struct{ rows []T }

// Slab gives room for rows. Where until is not nil, it is told what to call when
// nobody looks at the rows any more, and the room is used again.
func (s *Slabs[T]) Slab(until func(done func())) *Slab[T] {
	if until == nil {
		return &Slab[T]{}
	}
	slab, _ := s.pool.Get().(*Slab[T])
	if slab == nil {
		slab = &Slab[T]{make([]T, 0, slabSize)}
	}
	until(func() {
		clear(slab.rows)
		slab.rows = slab.rows[:0]
		s.pool.Put(slab)
	})
	return slab
}

// Next gives the next row, zero. Rows stay where they are.
func (s *Slab[T]) Next() *T {
	n := len(s.rows)
	if n == cap(s.rows) {
		n, s.rows = 0, make([]T, 0, max(8, cap(s.rows)))
	}
	s.rows = s.rows[:n+1]
	return &s.rows[n]
}
