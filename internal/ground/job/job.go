// Package job runs what may wait or must be tried again, on River: the jobs are
// rows that the group writer adds in the transaction of the write that wants
// them.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"parley/internal/desk/bulk"
	"parley/internal/desk/feed"
	"parley/internal/desk/inbound"
	"parley/internal/ground/store"
	"parley/internal/ground/trace"
)

// Options are the settings of the workers.
type Options struct {
	// Workers is how many jobs run at a time; 100 by default.
	Workers int
	// Sweep is how often lanes that nobody drains, bulk operations that nobody
	// works at, and conversations that are due are looked for; 15 s by default.
	Sweep time.Duration
	// Log says how much of the event log is kept.
	Log feed.Retention
	// TrimEvery is how often the event log is trimmed; a minute by default.
	TrimEvery time.Duration
	// Logger takes River's own messages; slog's default when nil.
	Logger *slog.Logger
	// Tracer traces jobs; nil for none.
	Tracer *trace.Tracer
	// Durations takes how long jobs took; nil for nothing. See NewDurations.
	Durations *prometheus.HistogramVec
}

// Runner is the running workers of one process.
type Runner struct {
	hurry context.CancelFunc
	stop  func(context.Context) error
}

// Start starts the workers. Stop ends them.
func Start(ctx context.Context, s *store.Store, r *inbound.Receiver, f *bulk.Service, o Options) (*Runner, error) {
	if s.Pool() != nil {
		return start(ctx, riverpgxv5.New(s.Pool()), r, f, o)
	}
	return start(ctx, sqliteDriver{riversqlite.New(s.WriterDB()), r.Messenger.Waiting()}, r, f, o)
}

// Stop lets the jobs under way finish, until ctx ends. Those that could go on
// for long give up after the step they are at.
func (r *Runner) Stop(ctx context.Context) error {
	r.hurry()
	return r.stop(ctx)
}

func start[T any](ctx context.Context, driver riverdriver.Driver[T], r *inbound.Receiver, f *bulk.Service, o Options) (*Runner, error) {
	// Start's context would stop the workers the hard way when it ends.
	ctx = context.WithoutCancel(ctx)
	stopping, hurry := context.WithCancel(ctx)
	config, err := configure(stopping, r, f, o)
	if err != nil {
		hurry()
		return nil, err
	}
	client, err := river.NewClient(driver, config)
	if err == nil {
		err = client.Start(ctx)
	}
	if err != nil {
		hurry()
		return nil, fmt.Errorf("job: start: %w", err)
	}
	return &Runner{hurry: hurry, stop: client.Stop}, nil
}

func configure(stopping context.Context, r *inbound.Receiver, f *bulk.Service, o Options) (*river.Config, error) {
	if o.Workers == 0 {
		o.Workers = 100
	}
	if o.Sweep == 0 {
		o.Sweep = 15 * time.Second
	}
	if o.TrimEvery == 0 {
		o.TrimEvery = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(quiet{slog.Default().Handler()})
	}
	workers := river.NewWorkers()
	for _, err := range []error{
		river.AddWorkerSafely(workers, &drainLane{messenger: r.Messenger, stopping: stopping}),
		river.AddWorkerSafely(workers, &sweepLanes{messenger: r.Messenger}),
		river.AddWorkerSafely(workers, &sweepDue{desk: r.Messenger.Conversations}),
		river.AddWorkerSafely(workers, &forgetKeys{store: r.Messenger.Conversations.Store}),
		river.AddWorkerSafely(workers, &forgetRaw{receiver: r}),
		river.AddWorkerSafely(workers, &catchUp{receiver: r, stopping: stopping}),
		river.AddWorkerSafely(workers, &bulkWork{foreman: f, stopping: stopping}),
		river.AddWorkerSafely(workers, &sweepBulk{foreman: f}),
		river.AddWorkerSafely(workers, &forgetBulk{foreman: f}),
		river.AddWorkerSafely(workers, &buildSearch{store: r.Messenger.Conversations.Store, stopping: stopping}),
		river.AddWorkerSafely(workers, &trimLog{store: r.Messenger.Conversations.Store, keep: o.Log}),
	} {
		if err != nil {
			return nil, err
		}
	}
	return &river.Config{
		Logger:       o.Logger,
		ErrorHandler: failures{},
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: o.Workers},
			bulk.Queue:         {MaxWorkers: bulkWorkers, FetchPollInterval: bulkPoll},
		},
		Workers: workers,
		// What a newer version wants done waits for a worker that can.
		FetchOnlyKnownKinds: true,
		Middleware:          []rivertype.Middleware{&observed{tracer: o.Tracer, durations: o.Durations}},
		// Workers are told of new jobs (by PostgreSQL, or by the bell); the poll
		// is for what they were not told of, such as a lane that has rested.
		FetchCooldown:     fetchCooldown,
		FetchPollInterval: 200 * time.Millisecond,
		PeriodicJobs: []*river.PeriodicJob{
			every(o.Sweep, SweepLanes{}), every(o.Sweep, SweepDue{}), every(time.Hour, ForgetKeys{}), every(time.Hour, ForgetRaw{}),
			every(o.TrimEvery, TrimLog{}), every(o.Sweep, BuildSearch{}), every(o.Sweep, SweepBulk{}), every(time.Hour, ForgetBulk{}),
		},
	}, nil
}

// How many bulk operations a process works at, each taking half of a worker's
// time at most; and how often it looks for one where nobody tells it.
const (
	bulkWorkers = 2
	bulkPoll    = 500 * time.Millisecond
)

// fetchCooldown is the least time between two looks for jobs: a burst of
// messages is fetched in bulk.
const fetchCooldown = 10 * time.Millisecond

func every(interval time.Duration, args river.JobArgs) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval),
		func() (river.JobArgs, *river.InsertOpts) { return args, &river.InsertOpts{MaxAttempts: 1} },
		&river.PeriodicJobOpts{RunOnStart: true})
}

// failures logs what a job failed with; River tries it again.
type failures struct{}

// HandleError implements river.ErrorHandler.
func (failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	slog.ErrorContext(ctx, "a job failed and will be tried again", "kind", job.Kind, "job", job.ID, "attempt", job.Attempt, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, p any, trace string) *river.ErrorHandlerResult {
	slog.ErrorContext(ctx, "a job panicked and will be tried again", "kind", job.Kind, "job", job.ID, "panic", p, "stack", trace)
	return nil
}

// quiet lets only River's warnings and errors through.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler. What was cut short because the workers stop is
// no error.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	stopped := false
	r.Attrs(func(a slog.Attr) bool {
		err, isError := a.Value.Any().(error)
		stopped = isError && errors.Is(err, context.Canceled) ||
			a.Value.Kind() == slog.KindString && a.Value.String() == context.Canceled.Error()
		return !stopped
	})
	if stopped {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
