package bulk

import (
	"context"

	"parley/internal/ground/lease"
)

// Hold begins to work an operation off, one batch a call, as a worker does that
// may vanish at any time.
func (f *Service) Hold(r *Row) (step func(context.Context) (more bool, err error)) {
	return (&worker{f: f, operation: r.Key, token: lease.Token()}).step
}

// SetMost sets how many conversations an operation is for at most.
func (f *Service) SetMost(n int) { f.largest = n }

// SetKept sets how many conversations ended operations may hold: those of an
// agent, and all.
func (f *Service) SetKept(own, all int64) { f.kept.own, f.kept.all = own, all }

// Again reads the operation again.
func (r *Row) Again(ctx context.Context) (*Row, error) { return r.service.get(ctx, r.Key) }
