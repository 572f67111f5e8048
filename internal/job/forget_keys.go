package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/message"
)

// ForgetKeys is the job that removes idempotency keys that have had their time.
type ForgetKeys struct{}

// Kind implements river.JobArgs.
func (ForgetKeys) Kind() string { return "forget_keys" }

type forgetKeys struct {
	river.WorkerDefaults[ForgetKeys]
	messenger *message.Messenger
}

// Work implements river.Worker.
func (w *forgetKeys) Work(ctx context.Context, _ *river.Job[ForgetKeys]) error {
	for {
		if n, err := w.messenger.ForgetKeys(ctx); err != nil || n == 0 {
			return err
		}
	}
}
