package live

import (
	"context"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/desk/related"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// mostTurned is how many conversations a change of lookups brings and takes away as
// frames. Beyond them the stream is opened anew.
const mostTurned = 100

// mostFormer bounds the changes of lookups that come faster than they are told.
const mostFormer = 8

// trailFold is what the fold of a trail knows more than that of other views: lookups move
// records onto the trail and off it.
type trailFold struct {
	opened int64 // the position the stream was opened at
	// former are the scopes before changes of lookups, and turnedAt the position up to
	// which events may still be of conversations that these held.
	former   []*conversation.Scope
	turnedAt int64
}

// resolve resolves the view. A trail is read by the object types that this process knows:
// it is read again until these are as new as the log was.
func (f *viewFold) resolve(ctx context.Context, v *viewer.Viewer) (*conversation.Scope, error) {
	for {
		scope, err := f.desk.Scope(ctx, v, f.view, f.filter)
		if err != nil || scope.Trail() == nil {
			return scope, err
		}
		if err := f.desk.Hub.Await(ctx, scope.Trail().Position); err != nil {
			return nil, err
		}
		if scope.Trail().Current(v, f.desk.Directory) {
			return scope.Along(f.desk.trails.One(scope.Trail())), nil
		}
	}
}

// stale reports whether the viewer walks other paths than those of the first frame.
func (f *viewFold) stale(_ context.Context, v *viewer.Viewer) (bool, error) {
	return !f.scope.Trail().Current(v, f.desk.Directory), nil
}

// touched reports whether the event may move records onto the trail or off it.
func (f *viewFold) touched(e *feed.Event) bool {
	trail := f.scope.Trail()
	return trail != nil && e.Cause == feed.LookupsChanged && trail.Touched(e.Ends, e.AnyEnd)
}

// turn reads the trail again after a change of lookups, once for all streams of this
// process that are alike, and says which conversations came and went with its records.
func (f *viewFold) turn(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (frames []*Change, anew bool, err error) {
	was := f.scope.Trail()
	switch {
	case e.Position <= f.opened:
		return nil, true, nil // a subscriber who resumes from before: nobody knows what their list held
	case e.Position <= was.Position:
		return nil, false, nil // the trail was read after it
	}
	ctx = viewer.NewContext(ctx, v)
	got, err := e.Shared("trail "+was.Key(), func() (any, error) {
		trail, err := related.Read(ctx, f.desk.Store, f.desk.Directory, was.Root)
		if err == nil {
			trail = f.desk.trails.One(trail)
		}
		return trail, err
	})
	is, _ := got.(*related.Trail)
	if err != nil || is.Key() != was.Key() {
		return nil, true, err // the viewer walks other paths by now
	}
	if e.Position > f.turnedAt {
		f.former = nil
	}
	if f.former = append(f.former, f.scope); len(f.former) > mostFormer {
		return nil, true, nil
	}
	f.scope = f.scope.Along(is)
	rows, err := f.desk.Turned(ctx, f.scope, was.Differ(is), mostTurned)
	if err != nil || len(rows) > mostTurned {
		return nil, true, err
	}
	if f.counts, f.at, err = f.desk.Count(ctx, f.scope); err != nil {
		return nil, false, err
	}
	f.turnedAt = f.at
	return f.turnedFrames(e, was, rows), false, nil
}

// turnedFrames are the frames of conversations whose records came, went, or are related
// otherwise. Whoever resumes from any but the last is told the event again.
func (f *viewFold) turnedFrames(e *feed.Delivery, was *related.Trail, rows []*conversation.Row) []*Change {
	frames := make([]*Change, len(rows))
	for i, row := range rows {
		id, cause, position := f.desk.IDs.Encode(publicid.Conversation, row.Key), feed.LookupsChanged, e.Position-1
		if i == len(rows)-1 {
			position = e.Position
		}
		frames[i] = &Change{
			source: source{e, f.desk}, Kind: kindOf(was.Has(row.RecordID), f.scope.Trail().Has(row.RecordID)),
			Cursor: f.desk.Cursors.Encode(position), ConversationID: &id, Counts: f.counts, Cause: &cause,
		}
		if frames[i].Kind != feed.Leave {
			frames[i].Conversation, frames[i].relatedBy = row, f.scope.RelatedBy(row.RecordID)
		}
	}
	return frames
}
