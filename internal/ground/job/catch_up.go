package job

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/desk/inbound"
)

// catchUp takes in what a carrier holds of an account and we never got.
type catchUp struct {
	river.WorkerDefaults[inbound.CatchUpJob]
	receiver *inbound.Receiver
	stopping context.Context //nolint:containedctx // ends when the process is told to stop; River does not tell jobs
}

// Timeout implements river.Worker: a long one is gone on with by the next try, which
// finds what is here already.
func (*catchUp) Timeout(*river.Job[inbound.CatchUpJob]) time.Duration { return 30 * time.Minute }

// NextRetry implements river.Worker.
func (*catchUp) NextRetry(*river.Job[inbound.CatchUpJob]) time.Time {
	return time.Now().Add(inbound.CatchUpPause)
}

// Work implements river.Worker. An account that is switched off has nothing to catch
// up with.
func (w *catchUp) Work(ctx context.Context, job *river.Job[inbound.CatchUpJob]) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.stopping, cancel)()
	if !slices.Contains(w.receiver.Listable(), job.Args.Account) {
		return nil
	}
	found, err := w.receiver.CatchUp(ctx, inbound.CatchUpOptions{Account: job.Args.Account, Since: job.Args.Since})
	slog.InfoContext(ctx, "caught up with a carrier", "account", job.Args.Account, "since", job.Args.Since.String(),
		"listed", found.Listed, "taken", found.Missing, "receipts", found.Receipts, "complete", err == nil)
	return err
}
