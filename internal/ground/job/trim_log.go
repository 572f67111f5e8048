package job

import (
	"context"

	"github.com/riverqueue/river"

	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// TrimLog is the job that removes events that the log keeps no longer.
type TrimLog struct{}

// Kind implements river.JobArgs.
func (TrimLog) Kind() string { return "trim_log" }

type trimLog struct {
	river.WorkerDefaults[TrimLog]
	store *store.Store
	keep  feed.Retention
}

// Work implements river.Worker.
func (w *trimLog) Work(ctx context.Context, _ *river.Job[TrimLog]) error {
	_, err := feed.Trim(ctx, w.store, w.keep)
	return err
}
