package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/operation"
)

// bulkWork works a bulk operation off.
type bulkWork struct {
	river.WorkerDefaults[operation.Work]
	foreman  *operation.Foreman
	stopping context.Context //nolint:containedctx // ends when the process is told to stop; River does not tell jobs
}

// Timeout implements river.Worker: a long operation is gone on with by another
// run of the job.
func (*bulkWork) Timeout(*river.Job[operation.Work]) time.Duration { return 5 * time.Minute }

// Work implements river.Worker. When the process stops, the batch under way is
// the last, and another process goes on.
func (w *bulkWork) Work(ctx context.Context, job *river.Job[operation.Work]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.stopping, cancel)()
	again, err := w.foreman.Run(ctx, job.Args.OperationID)
	if err == nil && again {
		return river.JobSnooze(0)
	}
	return err
}
