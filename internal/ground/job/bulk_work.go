package job

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/desk/bulk"
)

// bulkWork works a bulk operation off.
type bulkWork struct {
	river.WorkerDefaults[bulk.Work]
	foreman  *bulk.Service
	stopping context.Context //nolint:containedctx // ends when the process is told to stop; River does not tell jobs
}

// untilNewer is how long a job waits for a worker of a newer version to find it.
const untilNewer = 5 * time.Second

// Timeout implements river.Worker: a long operation is gone on with by another
// run of the job.
func (*bulkWork) Timeout(*river.Job[bulk.Work]) time.Duration { return 5 * time.Minute }

// Work implements river.Worker. When the process stops, the batch under way is
// the last, and another process goes on.
func (w *bulkWork) Work(ctx context.Context, job *river.Job[bulk.Work]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.stopping, cancel)()
	again, err := w.foreman.Run(ctx, job.Args.OperationID)
	switch {
	case errors.Is(err, bulk.ErrNewer):
		return river.JobSnooze(untilNewer)
	case err == nil && again:
		return river.JobSnooze(0)
	}
	return err
}
