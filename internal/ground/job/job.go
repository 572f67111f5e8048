// Package job runs what may wait or must be tried again, on River: the jobs are
// rows that the group writer adds in the transaction of the write that wants
// them. Each subject declares its own jobs:
//
//	func (s *Service) Jobs() []job.Job {
//		return []job.Job{
//			job.Work[Parcel]{Run: s.deliver, Timeout: 5 * time.Minute},
//			job.Periodic{Name: "sweep_parcels", Run: s.sweep},
//		}
//	}
//
// Start runs those of all subjects. Servers of several versions work on the same
// rows, so a job keeps its name and the JSON of its arguments.
package job

import (
	"cmp"
	"context"
	"time"

	"github.com/riverqueue/river"
)

// Job is a kind of job: a Work or a Periodic.
type Job interface {
	addTo(*river.Config, Options)
}

// Work is a kind of job that writes add with arguments of type A (store.Tx.Enqueue).
// Its name is the arguments' Kind.
type Work[A river.JobArgs] struct {
	// Run does the work. River tries again after an error; river.JobSnooze postpones.
	// The context also ends when the process is told to stop: another run continues.
	Run func(context.Context, A) error
	// Timeout is how long a run may take; a minute by default.
	Timeout time.Duration
	// Pause is the time between a failure and the next try; by default River's, which grows.
	Pause time.Duration
	// Queue is where the jobs wait; the queue that all jobs share by default.
	Queue Queue
}

// Queue is a queue with workers of its own, so that its jobs keep no others waiting.
type Queue struct {
	Name    string
	Workers int           // how many of its jobs a process runs at a time
	Poll    time.Duration // how often a process looks for jobs it was not notified of
}

// Upkeep is the queue of periodic jobs that 0.1.0 does not know. It takes whatever is in the
// queue that all jobs share, and fails what it does not know.
var Upkeep = Queue{Name: "upkeep", Workers: 10, Poll: time.Second}

// Periodic is a job without arguments. One process, River's leader, adds a run when it
// becomes the leader and then at each interval. Any process may do it, two runs may
// overlap, and none is retried: the next run is the next try.
type Periodic struct {
	// Name is the job's kind in the table of jobs and in metrics.
	Name string
	// Every is the interval; Options.Sweep by default.
	Every time.Duration
	// Queue is where its runs wait: Upkeep for one that 0.1.0 does not know.
	Queue Queue
	// Run does the work, within a minute. When the process is told to stop, the runner
	// waits for it; a long one looks at Stopping between steps.
	Run func(context.Context) error
}

func (w Work[A]) addTo(c *river.Config, _ Options) {
	var args A
	run := func(ctx context.Context, args A) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stopping(ctx), cancel)()
		return w.Run(ctx, args)
	}
	river.AddWorkerArgs(c.Workers, args, &worker[A]{run: run, timeout: w.Timeout, pause: w.Pause})
	w.Queue.addTo(c)
}

func (p Periodic) addTo(c *river.Config, o Options) {
	args := named{p.Name}
	river.AddWorkerArgs(c.Workers, args, &worker[named]{run: func(ctx context.Context, _ named) error { return p.Run(ctx) }})
	c.PeriodicJobs = append(c.PeriodicJobs, river.NewPeriodicJob(river.PeriodicInterval(cmp.Or(p.Every, o.Sweep)),
		func() (river.JobArgs, *river.InsertOpts) {
			return args, &river.InsertOpts{MaxAttempts: 1, Queue: p.Queue.Name}
		},
		&river.PeriodicJobOpts{RunOnStart: true}))
	p.Queue.addTo(c)
}

// addTo has the workers look for jobs in the queue too, if it is one of its own.
func (q Queue) addTo(c *river.Config) {
	if q.Name != "" {
		c.Queues[q.Name] = river.QueueConfig{MaxWorkers: q.Workers, FetchPollInterval: q.Poll}
	}
}

// named are the arguments of a periodic job: an empty object in JSON.
type named struct{ kind string }

// Kind implements river.JobArgs.
func (n named) Kind() string { return n.kind }

// worker shows River how to run a kind of job.
type worker[A river.JobArgs] struct {
	river.WorkerDefaults[A]
	run            func(context.Context, A) error
	timeout, pause time.Duration // River's for zero
}

// Work implements river.Worker.
func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error { return w.run(ctx, job.Args) }

// Timeout implements river.Worker.
func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.timeout }

// NextRetry implements river.Worker.
func (w *worker[A]) NextRetry(*river.Job[A]) time.Time {
	if w.pause == 0 {
		return time.Time{}
	}
	return time.Now().Add(w.pause)
}

// stoppingKey is where the context of a job holds the one that ends when the process
// is told to stop.
type stoppingKey struct{}

// Stopping reports whether the process that runs the job of ctx has been told to stop.
func Stopping(ctx context.Context) bool { return stopping(ctx).Err() != nil }

func stopping(ctx context.Context) context.Context {
	if s, ok := ctx.Value(stoppingKey{}).(context.Context); ok {
		return s
	}
	return context.Background() // not run by a Runner
}
