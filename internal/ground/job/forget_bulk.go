package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/desk/bulk"
)

// ForgetBulk is the job that removes bulk operations that have had their time.
type ForgetBulk struct{}

// Kind implements river.JobArgs.
func (ForgetBulk) Kind() string { return "forget_bulk" }

type forgetBulk struct {
	river.WorkerDefaults[ForgetBulk]
	foreman *bulk.Service
}

// Work implements river.Worker.
func (w *forgetBulk) Work(ctx context.Context, _ *river.Job[ForgetBulk]) error {
	_, err := w.foreman.Forget(ctx)
	return err
}
