package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/riverqueue/river"
)

// Stage says when a closing step runs among those of its group. Steps of one stage
// run in the order in which the group first deferred to them.
type Stage int

// The stages, in order.
const (
	// Indexing writes what rows are looked up by.
	Indexing Stage = iota
	// Counting writes standing counts.
	Counting
	// Logging writes the log. Each item that is deferred to such a step takes the
	// log's next position, and readers hear of it after the commit.
	Logging
)

// Deferred is a closing step. It runs once per group, just before commit, with all
// that the group's writes deferred to it, in their order: under the tail lock, in
// their transaction, and again whenever that is run again. What a write deferred is
// undone with it.
//
//	var visits = &store.Deferred[visit]{Name: "count visits", Stage: store.Counting, Do: addVisits}
//
//	visits.Defer(tx, visit{page, 1})
type Deferred[T any] struct {
	Name  string // for errors
	Stage Stage
	// Do defers nothing itself and adds no jobs. In a step of Logging, tx.First is
	// the position of the first item.
	Do func(ctx context.Context, tx *Tx, items []T) error
}

// Defer hands items to the step when the transaction commits.
func (d *Deferred[T]) Defer(tx *Tx, items ...T) {
	for _, s := range tx.tail.steps {
		if s, ok := s.(*step[T]); ok && s.to == d {
			s.items = append(s.items, items...)
			return
		}
	}
	tx.tail.steps = append(tx.tail.steps, &step[T]{d, slices.Clone(items)})
}

// step is what was deferred to one Deferred.
type step[T any] struct {
	to    *Deferred[T]
	items []T
}

// closing is a step of any type.
type closing interface {
	stage() Stage
	size() int
	// take adds the items of another, and reports whether that is the same step.
	take(other closing) bool
	do(ctx context.Context, tx *Tx) error
}

func (s *step[T]) stage() Stage { return s.to.Stage }

func (s *step[T]) size() int { return len(s.items) }

func (s *step[T]) take(other closing) bool {
	o, ok := other.(*step[T])
	if !ok || o.to != s.to {
		return false
	}
	s.items = append(s.items, o.items...)
	return true
}

func (s *step[T]) do(ctx context.Context, tx *Tx) error {
	if err := s.to.Do(ctx, tx, s.items); err != nil {
		return fmt.Errorf("%s: %w", s.to.Name, err)
	}
	return nil
}

// tail is what a group's writes leave for its end, in the order of the items.
type tail struct {
	steps []closing
	jobs  []river.InsertManyParams
	wrote bool // rows were changed already
}

func (t *tail) add(u tail) {
	for _, s := range u.steps {
		if !slices.ContainsFunc(t.steps, func(mine closing) bool { return mine.take(s) }) {
			t.steps = append(t.steps, s)
		}
	}
	t.jobs = append(t.jobs, u.jobs...)
}

// logged is how many positions of the log the tail takes.
func (t *tail) logged() (n int) {
	for _, s := range t.steps {
		if s.stage() == Logging {
			n += s.size()
		}
	}
	return n
}

// write is the end of every writing transaction: its jobs, then its closing steps.
// It returns the log's last position, 0 when the group took none.
func (t *tail) write(ctx context.Context, g *group) (last int64, err error) {
	if len(t.jobs) > 0 {
		if err := g.enqueue(ctx, t.jobs); err != nil {
			return 0, fmt.Errorf("enqueue jobs: %w", err)
		}
	}
	if len(t.steps) == 0 {
		return 0, nil
	}
	taken := t.logged()
	if last, err = lockTail(ctx, g, taken); err != nil {
		return 0, err
	}
	slices.SortStableFunc(t.steps, func(a, b closing) int { return cmp.Compare(a.stage(), b.stage()) })
	first := last - int64(taken) + 1
	for _, s := range t.steps {
		tx := &Tx{Ent: g.ent, Now: g.now, group: g}
		if s.stage() == Logging {
			tx.First = first
			first += int64(s.size())
		}
		if err := s.do(ctx, tx); err != nil {
			return 0, err
		}
	}
	if taken == 0 {
		return 0, nil
	}
	return last, nil
}

var takePositions = Fixed("UPDATE log_heads SET position = position + ? WHERE id = 1 RETURNING position")

// lockTail takes n positions of the log. The update of the head row is the tail lock:
// whoever holds it is the only one to run closing steps until its commit, so positions
// are commit order and have no holes.
func lockTail(ctx context.Context, g *group, n int) (last int64, err error) {
	err = g.store.each(ctx, g.tx, takePositions.With(n), func(rows *sql.Rows) error { return rows.Scan(&last) })
	if err == nil && last == 0 && n > 0 {
		err = errors.New("the log head is missing: the database was not prepared")
	}
	return last, err
}
