package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/desk/message"
)

// drainLane sends what waits in one conversation.
type drainLane struct {
	river.WorkerDefaults[message.DrainLane]
	messenger *message.Messenger
	stopping  context.Context //nolint:containedctx // ends when the process is told to stop; River does not tell jobs
}

// Timeout implements river.Worker: a long queue is gone on with by another job.
func (*drainLane) Timeout(*river.Job[message.DrainLane]) time.Duration { return 5 * time.Minute }

// Work implements river.Worker. When the process stops, the call under way is the
// last, and another job goes on.
func (w *drainLane) Work(ctx context.Context, job *river.Job[message.DrainLane]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.stopping, cancel)()
	again, err := w.messenger.Drain(ctx, job.Args.ConversationID)
	if err == nil && again > 0 {
		return river.JobSnooze(again)
	}
	return err
}
