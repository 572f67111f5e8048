package inbound

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/job"
)

// Jobs remove raw entries that have had their time, and catch up with carriers. A long
// catch-up continues with the next try, which finds what is here already.
func (r *Receiver) Jobs() []job.Job {
	return []job.Job{
		job.Periodic{Name: "forget_raw", Every: time.Hour, Run: func(ctx context.Context) error {
			_, err := r.Forget(ctx)
			return err
		}},
		job.Work[CatchUpJob]{Run: r.catchUp, Timeout: 30 * time.Minute, Pause: CatchUpPause},
	}
}

// CatchUpJob is the job that catches up with one account.
type CatchUpJob struct {
	Account string     `json:"account"`
	Since   clock.Time `json:"since"`
	At      clock.Time `json:"at"` // when it is meant to run
}

// Kind implements river.JobArgs.
func (CatchUpJob) Kind() string { return "catch_up" }

// catchUp passes over an account that was switched off since.
func (r *Receiver) catchUp(ctx context.Context, args CatchUpJob) error {
	if !slices.Contains(r.Listable(), args.Account) {
		return nil
	}
	found, err := r.CatchUp(ctx, CatchUpOptions{Account: args.Account, Since: args.Since})
	slog.InfoContext(ctx, "caught up with a carrier", "account", args.Account, "since", args.Since.String(),
		"listed", found.Listed, "taken", found.Missing, "receipts", found.Receipts, "complete", err == nil)
	return err
}
