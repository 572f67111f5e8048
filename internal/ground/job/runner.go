package job

import (
	"cmp"
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

	"parley/internal/ground/store"
	"parley/internal/ground/trace"
)

// Options are the settings of the workers.
type Options struct {
	// Workers is how many jobs run at a time; 100 by default.
	Workers int
	// Sweep is the interval of periodic jobs that state none; 15 s by default.
	Sweep time.Duration
	// News says, on SQLite, that this process may have added jobs; nil for nobody, then
	// a poll finds them. PostgreSQL notifies by itself.
	News <-chan struct{}
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

// Start starts workers for the jobs, and returns an error when the database cannot be
// reached. Stop ends them. It panics when two jobs have one name.
func Start(ctx context.Context, s *store.Store, jobs []Job, o Options) (*Runner, error) {
	if s.Pool() != nil {
		return start(ctx, riverpgxv5.New(s.Pool()), jobs, o)
	}
	return start(ctx, sqliteDriver{riversqlite.New(s.WriterDB()), o.News}, jobs, o)
}

// Stop lets the jobs under way finish, until ctx ends. Those that could go on
// for long give up after the step they are at.
func (r *Runner) Stop(ctx context.Context) error {
	r.hurry()
	return r.stop(ctx)
}

func start[T any](ctx context.Context, driver riverdriver.Driver[T], jobs []Job, o Options) (*Runner, error) {
	// Start's context would stop the workers the hard way when it ends.
	ctx = context.WithoutCancel(ctx)
	stopping, hurry := context.WithCancel(ctx)
	client, err := river.NewClient(driver, configure(stopping, jobs, o))
	if err == nil {
		err = client.Start(ctx)
	}
	if err != nil {
		hurry()
		return nil, fmt.Errorf("job: start: %w", err)
	}
	return &Runner{hurry: hurry, stop: client.Stop}, nil
}

func configure(stopping context.Context, jobs []Job, o Options) *river.Config {
	o.Sweep = cmp.Or(o.Sweep, 15*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(quiet{slog.Default().Handler()})
	}
	c := &river.Config{
		Logger:       o.Logger,
		ErrorHandler: failures{},
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: cmp.Or(o.Workers, 100)}},
		Workers:      river.NewWorkers(),
		// What a newer version wants done waits for a worker that can.
		FetchOnlyKnownKinds: true,
		Middleware:          []rivertype.Middleware{&observed{stopping: stopping, tracer: o.Tracer, durations: o.Durations}},
		// Workers are told of new jobs (by PostgreSQL, or by the bell); the poll
		// is for what they were not told of, such as a lane that has rested.
		FetchCooldown:     fetchCooldown,
		FetchPollInterval: 200 * time.Millisecond,
	}
	for _, j := range jobs {
		j.addTo(c, o)
	}
	return c
}

// fetchCooldown is the least time between two looks for jobs: a burst of
// messages is fetched in bulk.
const fetchCooldown = 10 * time.Millisecond

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
