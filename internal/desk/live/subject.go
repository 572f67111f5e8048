package live

import (
	"context"
	"encoding/json"

	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// SubjectChange is a change of one of the things of a kind that the viewer sees.
type SubjectChange[T any] struct {
	Kind   feed.StreamKind
	Cursor string
	ID     *string // of what changed; nil in the first frame
	Node   T       // as it is now; the zero T in the first frame, and when the viewer no longer sees it
	// IdempotencyKey is that of the mutation, if this viewer called it.
	IdempotencyKey *string
}

func (c *SubjectChange[T]) at() string { return c.Cursor }

// Subject is a kind of thing whose changes are streamed.
type Subject[T comparable] struct {
	Kind publicid.Kind
	// Sees reports whether v sees a thing with these facts, which are never nil.
	Sees func(v *viewer.Viewer, facts json.RawMessage) bool
	// Shows is Sees for a thing as it was read.
	Shows func(v *viewer.Viewer, thing T) bool
	// ByKey reads things as far as the viewer of ctx sees them.
	ByKey func(ctx context.Context, keys []int64) (map[int64]T, error)
}

// Subjects streams the changes of all things of a kind that the viewer of ctx sees.
// Folding ENTER, UPDATE and LEAVE over a list of all of them equals reading it again.
func Subjects[T comparable](ctx context.Context, d *Streams, s Subject[T], after *string, end End) (<-chan *SubjectChange[T], error) {
	f := &subjectFold[T]{desk: d, Subject: s}
	return run(ctx, stream[*SubjectChange[T]]{desk: d, open: f.open, keys: f.keys, want: f.want, frame: f.frame}, after, end)
}

type subjectFold[T comparable] struct {
	desk *Streams
	Subject[T]
}

func (f *subjectFold[T]) open(ctx context.Context, _ *viewer.Viewer, kind feed.StreamKind, resumed *int64) (*SubjectChange[T], int64, error) {
	position, err := f.desk.Store.Head(ctx)
	return &SubjectChange[T]{Kind: kind, Cursor: f.desk.cursor(position, resumed)}, position, err
}

func (f *subjectFold[T]) keys(*viewer.Viewer) []feed.Key {
	return []feed.Key{{Fact: feed.BySubject, Name: string(f.Kind)}}
}

func (f *subjectFold[T]) sees(v *viewer.Viewer, facts json.RawMessage) bool {
	return facts != nil && f.Sees(v, facts)
}

func (f *subjectFold[T]) want(v *viewer.Viewer, e *feed.Event) bool {
	return e.Subject != nil && (f.sees(v, e.Subject.Before) || f.sees(v, e.Subject.After))
}

func (f *subjectFold[T]) frame(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*SubjectChange[T], bool, error) {
	key := e.Subject.Key
	id := f.desk.IDs.Encode(f.Kind, key)
	change := &SubjectChange[T]{
		Kind: kindOf(f.sees(v, e.Subject.Before), f.sees(v, e.Subject.After)), Cursor: f.desk.Cursors.Encode(e.Position), ID: &id,
		IdempotencyKey: echo(v, e),
	}
	if change.Kind == feed.Leave {
		return change, true, nil
	}
	// Read once for all streams of this process.
	got, err := e.Shared("subject", func() (any, error) {
		found, err := f.ByKey(viewer.AsSystem(ctx, "feed"), []int64{key})
		return found[key], err
	})
	var none T
	node, _ := got.(T)
	if err != nil || node != none && f.Shows(v, node) {
		change.Node = node
		return change, true, err
	}
	// The viewer no longer sees it: the event that says so is on its way.
	known := change.Kind == feed.Update
	change.Kind = feed.Leave
	return change, known, nil
}
