package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/desk/conversation"
)

// SweepDue is the job that records what time alone has changed.
type SweepDue struct{}

// Kind implements river.JobArgs.
func (SweepDue) Kind() string { return "sweep_due" }

type sweepDue struct {
	river.WorkerDefaults[SweepDue]
	desk *conversation.Service
}

// Work implements river.Worker.
func (w *sweepDue) Work(ctx context.Context, _ *river.Job[SweepDue]) error {
	_, err := w.desk.SweepDue(ctx)
	return err
}
