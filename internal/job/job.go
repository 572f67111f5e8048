// Package job runs what may wait or must be tried again, on River: the jobs are
// rows that the group writer adds in the transaction of the write that wants
// them.
package job

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"parley/internal/message"
	"parley/internal/store"
)

// Options are the settings of the workers.
type Options struct {
	// Workers is how many jobs run at a time; 100 by default.
	Workers int
	// Sweep is how often lanes that nobody drains are looked for; 15 s by default.
	Sweep time.Duration
	// Logger takes River's own messages; slog's default when nil.
	Logger *slog.Logger
}

// Runner is the running workers of one process.
type Runner struct {
	stop func(context.Context) error
}

// Start starts the workers. Stop ends them.
func Start(ctx context.Context, s *store.Store, m *message.Messenger, o Options) (*Runner, error) {
	if s.Pool() != nil {
		return start(ctx, riverpgxv5.New(s.Pool()), m, o)
	}
	return start(ctx, riversqlite.New(s.WriterDB()), m, o)
}

// Stop lets the jobs under way finish, until ctx ends.
func (r *Runner) Stop(ctx context.Context) error { return r.stop(ctx) }

func start[T any](ctx context.Context, driver riverdriver.Driver[T], m *message.Messenger, o Options) (*Runner, error) {
	config, err := configure(m, o)
	if err != nil {
		return nil, err
	}
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	// Start's context would stop the workers the hard way when it ends.
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("job: start: %w", err)
	}
	return &Runner{stop: client.Stop}, nil
}

func configure(m *message.Messenger, o Options) (*river.Config, error) {
	if o.Workers == 0 {
		o.Workers = 100
	}
	if o.Sweep == 0 {
		o.Sweep = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(quiet{slog.Default().Handler()})
	}
	workers := river.NewWorkers()
	for _, err := range []error{
		river.AddWorkerSafely(workers, &drainLane{messenger: m}),
		river.AddWorkerSafely(workers, &sweepLanes{messenger: m}),
		river.AddWorkerSafely(workers, &forgetKeys{messenger: m}),
	} {
		if err != nil {
			return nil, err
		}
	}
	return &river.Config{
		Logger:       o.Logger,
		ErrorHandler: failures{},
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}},
		Workers:      workers,
		// Short, so that a message leaves within milliseconds of its commit also
		// where the database cannot notify.
		FetchCooldown:     20 * time.Millisecond,
		FetchPollInterval: 200 * time.Millisecond,
		PeriodicJobs: []*river.PeriodicJob{
			every(o.Sweep, SweepLanes{}), every(time.Hour, ForgetKeys{}),
		},
	}, nil
}

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

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
