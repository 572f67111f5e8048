package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/ground/idempotency"
	"parley/internal/ground/store"
)

// ForgetKeys is the job that removes idempotency keys that have had their time.
type ForgetKeys struct{}

// Kind implements river.JobArgs.
func (ForgetKeys) Kind() string { return "forget_keys" }

type forgetKeys struct {
	river.WorkerDefaults[ForgetKeys]
	store *store.Store
}

// Work implements river.Worker.
func (w *forgetKeys) Work(ctx context.Context, _ *river.Job[ForgetKeys]) error {
	for {
		if n, err := idempotency.Forget(ctx, w.store); err != nil || n == 0 {
			return err
		}
	}
}
