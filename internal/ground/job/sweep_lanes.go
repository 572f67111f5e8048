package job

import (
	"context"
	"errors"

	"github.com/riverqueue/river"

	"parley/internal/desk/message"
)

// SweepLanes is the job that wakes lanes whose own job was lost with a process,
// and applies receipts that missed their message.
type SweepLanes struct{}

// Kind implements river.JobArgs.
func (SweepLanes) Kind() string { return "sweep_lanes" }

type sweepLanes struct {
	river.WorkerDefaults[SweepLanes]
	messenger *message.Messenger
}

// Work implements river.Worker.
func (w *sweepLanes) Work(ctx context.Context, _ *river.Job[SweepLanes]) error {
	_, lanes := w.messenger.SweepLanes(ctx)
	_, receipts := w.messenger.SweepReceipts(ctx)
	return errors.Join(lanes, receipts)
}
