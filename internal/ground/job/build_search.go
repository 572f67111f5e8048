package job

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/desk/textindex"
	"parley/internal/ground/store"
)

// BuildSearch is the job that goes on with building the search index: of a
// database that was there before its index, one whose words have become others,
// and one for which somebody asked.
type BuildSearch struct{}

// Kind implements river.JobArgs.
func (BuildSearch) Kind() string { return "build_search" }

type buildSearch struct {
	river.WorkerDefaults[BuildSearch]
	store    *store.Store
	stopping context.Context //nolint:containedctx // ends when the process is told to stop; River does not tell jobs
}

// buildTime is how long one job builds. The next goes on.
const buildTime = 30 * time.Second

// Work implements river.Worker.
func (w *buildSearch) Work(ctx context.Context, _ *river.Job[BuildSearch]) error {
	state, err := textindex.ReadState(ctx, textindex.From(w.store))
	if err != nil {
		return err
	}
	if state.Old() {
		err = textindex.Rebuild(ctx, w.store)
	}
	more := true
	for until := time.Now().Add(buildTime); err == nil && more && time.Now().Before(until) && w.stopping.Err() == nil; {
		_, more, err = textindex.Step(ctx, w.store)
	}
	if err == nil && !more {
		err = textindex.Tidy(ctx, w.store)
	}
	return err
}
