package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/desk/inbound"
)

// ForgetRaw is the job that removes raw webhook entries that have had their time.
type ForgetRaw struct{}

// Kind implements river.JobArgs.
func (ForgetRaw) Kind() string { return "forget_raw" }

type forgetRaw struct {
	river.WorkerDefaults[ForgetRaw]
	receiver *inbound.Receiver
}

// Work implements river.Worker.
func (w *forgetRaw) Work(ctx context.Context, _ *river.Job[ForgetRaw]) error {
	_, err := w.receiver.Forget(ctx)
	return err
}
