package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/desk/bulk"
)

// SweepBulk is the job that wakes bulk operations whose own job was lost with a
// process.
type SweepBulk struct{}

// Kind implements river.JobArgs.
func (SweepBulk) Kind() string { return "sweep_bulk" }

type sweepBulk struct {
	river.WorkerDefaults[SweepBulk]
	foreman *bulk.Service
}

// Work implements river.Worker.
func (w *sweepBulk) Work(ctx context.Context, _ *river.Job[SweepBulk]) error {
	_, err := w.foreman.Sweep(ctx)
	return err
}
