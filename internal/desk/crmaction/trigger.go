package crmaction

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/desk/action"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

type depthKey struct{}

// withDepth marks what happens under ctx as set off by an action, which had depth others
// before it.
func withDepth(ctx context.Context, depth int) context.Context {
	return context.WithValue(ctx, depthKey{}, depth)
}

// isSetOff reports whether what happens under ctx was set off by an action.
func isSetOff(ctx context.Context) bool { return nextDepth(ctx) > 0 }

// nextDepth is the depth of actions that are set off under ctx.
func nextDepth(ctx context.Context) int {
	if depth, is := ctx.Value(depthKey{}).(int); is {
		return depth + 1
	}
	return 0
}

// fire is the job of a trigger: its actions, for a conversation or for records.
type fire struct {
	Trigger      action.Trigger `json:"trigger"`
	Conversation int64          `json:"conversation,omitempty"`
	Records      []int64        `json:"records,omitempty"`
	Depth        int            `json:"depth"`
	Cause        string         `json:"cause"`

	message int64 // of an answer, whose job is another
}

// Kind implements river.JobArgs.
func (fire) Kind() string { return "run_crm_actions" }

// fireQueue leaves the workers of the lanes alone.
var fireQueue = job.Queue{Name: "actions", Workers: 2, Poll: 500 * time.Millisecond}

// InsertOpts implements river.JobArgsWithInsertOpts.
func (fire) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: fireQueue.Name} }

// Jobs run what triggers set off, deliver webhooks, and forget old runs.
func (s *Service) Jobs() []job.Job {
	return []job.Job{
		job.Work[fire]{Run: s.fired, Timeout: 10 * time.Minute, Queue: fireQueue},
		job.Work[fireAnswer]{Run: s.answered, Timeout: 10 * time.Minute, Queue: answerQueue},
		job.Work[deliver]{Run: s.deliver, Timeout: time.Minute, Queue: deliverQueue},
		job.Periodic{Name: "forget_crm_action_runs", Queue: job.Upkeep, Every: time.Hour, Run: s.forget},
	}
}

// Happened sets off the actions of triggers in a conversation, by a job of the write tx:
// what they do, or fail to do, concerns nothing of that write.
func (s *Service) Happened(ctx context.Context, tx *store.Tx, conversation int64, triggers ...action.Trigger) {
	for _, t := range triggers {
		if len(s.Directory.Fired(t)) > 0 {
			tx.Enqueue(fire{Trigger: t, Conversation: conversation, Depth: nextDepth(ctx), Cause: rand.Text()}, nil)
		}
	}
}

// mostFired is how many records a job is for.
const mostFired = 50

// Changed is Happened for records of an object type that came or changed. Those that an action
// wrote to the CRM of late may have changed there because of that.
func (s *Service) Changed(ctx context.Context, tx *store.Tx, objectType string, records []int64) error {
	watches := func(a *directory.CrmAction) bool { return a.Concerns(objectType) }
	if !slices.ContainsFunc(s.Directory.Fired(action.RecordChanged), watches) {
		return nil
	}
	written := map[int64]int{}
	if !isSetOff(ctx) {
		var err error
		if written, err = s.Syncs.Depths(ctx, tx, records); err != nil {
			return err
		}
	}
	byDepth := map[int][]int64{}
	for _, record := range records {
		depth := nextDepth(ctx)
		if d, is := written[record]; is {
			depth = d + 1
		}
		byDepth[depth] = append(byDepth[depth], record)
	}
	for _, depth := range slices.Sorted(maps.Keys(byDepth)) {
		for some := range slices.Chunk(byDepth[depth], mostFired) {
			tx.Enqueue(fire{Trigger: action.RecordChanged, Records: some, Depth: depth, Cause: rand.Text()}, nil)
		}
	}
	return nil
}

// fired runs the actions of a trigger, each in a write of its own. One that is refused is
// in the log; what failed is tried again, without what was done.
func (s *Service) fired(ctx context.Context, f fire) error {
	ctx = viewer.AsSystem(ctx, "actions")
	var failed []error
	for _, a := range s.Directory.Fired(f.Trigger) {
		o := order{action: a, conversation: f.Conversation, rights: object.Everything, trigger: f.Trigger, message: f.message, depth: f.Depth, cause: f.Cause}
		if f.Trigger != action.RecordChanged {
			failed = append(failed, s.auto(ctx, &o))
			continue
		}
		for i, record := range f.Records {
			each := o
			each.record, each.cause = record, f.Cause+suffix(i)
			failed = append(failed, s.auto(ctx, &each))
		}
	}
	return errors.Join(failed...)
}

// suffix tells the records of a job apart in the causes of their runs.
func suffix(i int) string { return "." + string(rune('0'+i/10)) + string(rune('0'+i%10)) }

// auto runs an action for a trigger and logs a refusal.
func (s *Service) auto(ctx context.Context, o *order) error {
	err := s.Store.Write(withDepth(ctx, o.depth), func(ctx context.Context, tx *store.Tx) error {
		_, err := s.perform(ctx, tx, o)
		return err
	})
	if errors.Is(err, errNotMet) || errors.Is(err, errAlready) {
		return nil
	}
	if code, problem, refused := refusalOf(err); refused {
		return s.logRefusal(ctx, o, code, problem)
	}
	return err
}
