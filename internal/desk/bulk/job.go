package bulk

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// Jobs work operations off, wake those whose own job was lost with a process, and
// remove those that have had their time.
func (f *Service) Jobs() []job.Job {
	return []job.Job{
		job.Work[Work]{Run: f.work, Timeout: 5 * time.Minute, Queue: queue}, // another run continues a long operation
		job.Periodic{Name: "sweep_bulk", Run: func(ctx context.Context) error {
			_, err := f.Sweep(ctx)
			return err
		}},
		job.Periodic{Name: "forget_bulk", Every: time.Hour, Run: func(ctx context.Context) error {
			_, err := f.Forget(ctx)
			return err
		}},
	}
}

// Work is the job that works an operation off.
type Work struct {
	OperationID int64 `json:"operation_id"`
}

// Kind implements river.JobArgs.
func (Work) Kind() string { return "bulk_work" }

// queue leaves the workers of the lanes alone: an operation takes half of a worker's
// time at most.
var queue = job.Queue{Name: "bulk", Workers: 2, Poll: 500 * time.Millisecond}

func enqueue(tx *store.Tx, operation int64) {
	tx.Enqueue(Work{operation}, &river.InsertOpts{Queue: queue.Name})
}

// untilNewer is how long a job waits for a worker of a newer version to find it.
const untilNewer = 5 * time.Second

// work makes the batch under way the last when the process stops; another continues.
func (f *Service) work(ctx context.Context, args Work) error {
	again, err := f.Run(ctx, args.OperationID)
	switch {
	case errors.Is(err, ErrNewer):
		return river.JobSnooze(untilNewer)
	case err == nil && again:
		return river.JobSnooze(0)
	}
	return err
}
