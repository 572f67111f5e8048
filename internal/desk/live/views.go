package live

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Conversations streams the changes of a view for the viewer of ctx. Folding its
// ENTER, UPDATE and LEAVE over a page equals running the query again.
func (d *Streams) Conversations(ctx context.Context, view conversation.View, filter *conversation.Filter, after *string, end End) (<-chan *Change, error) {
	f := &viewFold{desk: d, view: view, filter: filter}
	s := stream[*Change]{desk: d, open: f.open, keys: f.keys, want: f.want, frame: f.frame}
	if view.Kind == conversation.RecordTrail {
		s.stale, s.turn = f.stale, f.turn
	}
	return run(ctx, s, after, end)
}

// viewFold follows one view. Its scope is set before the stream that uses it
// begins, so that the hub and the reader see the same one.
type viewFold struct {
	desk   *Streams
	view   conversation.View
	filter *conversation.Filter

	scope  *conversation.Scope
	counts conversation.Counts
	at     int64 // the position the counts hold for

	trailFold
}

func (f *viewFold) open(ctx context.Context, v *viewer.Viewer, kind feed.StreamKind, resumed *int64) (*Change, int64, error) {
	scope, err := f.resolve(ctx, v)
	if err != nil {
		return nil, 0, err
	}
	f.scope = scope
	if f.counts, f.at, err = f.desk.Count(ctx, scope); err != nil {
		return nil, 0, err
	}
	position := scope.Known(f.at)
	f.trailFold = trailFold{opened: position}
	return &Change{Kind: kind, Cursor: f.desk.cursor(position, resumed), Counts: f.counts}, position, nil
}

func (f *viewFold) keys(*viewer.Viewer) []feed.Key { return f.scope.Keys() }

func (f *viewFold) want(_ *viewer.Viewer, e *feed.Event) bool {
	return f.had(e) || f.scope.Matches(e.After) || f.touched(e)
}

// had reports whether the subscriber's list held the conversation before the event.
func (f *viewFold) had(e *feed.Event) bool {
	return f.scope.Matches(e.Before) || e.Position <= f.turnedAt && slices.ContainsFunc(f.former, func(s *conversation.Scope) bool { return s.Matches(e.Before) })
}

func (f *viewFold) frame(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*Change, bool, error) {
	if e.Position > f.at {
		f.counts, f.at = f.scope.Fold(f.counts, e.Event), e.Position
	}
	id, cause := f.desk.IDs.Encode(publicid.Conversation, e.ConversationID), e.Cause.Shown()
	change := &Change{
		source: source{e, f.desk}, Kind: kindOf(f.had(e.Event), f.scope.Matches(e.After)), Cursor: f.desk.Cursors.Encode(e.Position),
		ConversationID: &id, Counts: f.counts, Cause: &cause, IdempotencyKey: echo(v, e),
	}
	if change.Kind == feed.Leave {
		return change, true, nil
	}
	row, err := f.desk.row(ctx, v, e)
	if row == nil {
		// It may no longer be seen: the LEAVE that says so is on its way.
		change.Kind = feed.Leave
	} else {
		change.relatedBy = f.scope.RelatedBy(row.RecordID)
	}
	change.Conversation = row
	return change, true, err
}

func kindOf(before, after bool) feed.StreamKind {
	switch {
	case !after:
		return feed.Leave
	case before:
		return feed.Update
	}
	return feed.Enter
}

// InboxCounts streams the counts of the inboxes of the viewer of ctx, those that
// change within CountsEvery as one frame. The first frame holds them all, so
// there is nothing to replay after a cursor.
func (d *Streams) InboxCounts(ctx context.Context, after *string, end End) (<-chan *InboxCountsChange, error) {
	if _, err := d.resume(ctx, after); err != nil {
		return nil, err
	}
	f := &inboxFold{desk: d}
	return run(ctx, stream[*InboxCountsChange]{
		desk: d, open: f.open, keys: f.keys, want: f.want, frame: f.frame, stale: f.stale,
		pace: pace[*InboxCountsChange]{cmp.Or(d.CountsEvery, countsEvery), mergeCounts},
	}, nil, end)
}

const countsEvery = 250 * time.Millisecond

// mergeCounts keeps of each inbox what is newest, and where the last stands.
func mergeCounts(held, next *InboxCountsChange) *InboxCountsChange {
	changed := map[string]bool{}
	for _, in := range next.Inboxes {
		changed[keyOf(in)] = true
	}
	merged := *next
	for _, in := range held.Inboxes {
		if !changed[keyOf(in)] {
			merged.Inboxes = append(merged.Inboxes, in)
		}
	}
	return &merged
}

// inboxFold follows the counts of all inboxes of one viewer.
type inboxFold struct {
	desk    *Streams
	inboxes []*conversation.Inbox
	sight   *conversation.Scope // everything the viewer sees
	at      int64
}

func (f *inboxFold) open(ctx context.Context, v *viewer.Viewer, kind feed.StreamKind, _ *int64) (*InboxCountsChange, int64, error) {
	list, err := f.desk.Inboxes(ctx)
	if err != nil {
		return nil, 0, err
	}
	f.sight = conversation.Everything(v)
	f.inboxes, f.at = list.Inboxes, list.Position
	return &InboxCountsChange{Kind: kind, Cursor: list.FeedCursor(), Inboxes: copied(f.inboxes)}, f.at, nil
}

// stale reports whether there are inboxes that the first frame did not
// hold: of an agent or a channel that came or has another name.
func (f *inboxFold) stale(ctx context.Context, v *viewer.Viewer) (bool, error) {
	list, err := f.desk.Inboxes(viewer.NewContext(ctx, v))
	if err != nil {
		return false, err
	}
	known := map[string]bool{}
	for _, in := range f.inboxes {
		known[keyOf(in)] = true
	}
	for _, in := range list.Inboxes {
		if in.Kind != conversation.ObjectType && !known[keyOf(in)] {
			return true, nil
		}
	}
	return false, nil
}

// keyOf tells inboxes apart, by name too: a new name is to be shown.
func keyOf(in *conversation.Inbox) string {
	if in.Subject == nil {
		return string(in.Kind)
	}
	return string(in.Kind) + " " + *in.Subject + " " + in.Title
}

func (f *inboxFold) keys(*viewer.Viewer) []feed.Key { return f.sight.Keys() }

// want takes events that move a count of something the viewer sees.
func (f *inboxFold) want(_ *viewer.Viewer, e *feed.Event) bool {
	return (f.sight.Matches(e.Before) || f.sight.Matches(e.After)) && e.MovesCounts()
}

func (f *inboxFold) frame(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*InboxCountsChange, bool, error) {
	if e.Position <= f.at {
		return nil, false, nil
	}
	f.at = e.Position
	f.addObjectType(ctx, v, e.Event)
	var changed []*conversation.Inbox
	for _, in := range f.inboxes {
		if counts := in.Scope.Fold(in.Counts, e.Event); counts != in.Counts {
			in.Counts = counts
			changed = append(changed, in)
		}
	}
	return &InboxCountsChange{
		Kind: feed.Update, Cursor: f.desk.Cursors.Encode(e.Position), Inboxes: copied(changed),
	}, len(changed) > 0, nil
}

// addObjectType gives an object type that appears for the first time its inbox.
func (f *inboxFold) addObjectType(ctx context.Context, v *viewer.Viewer, e *feed.Event) {
	if e.After == nil || e.After.ObjectType == "" || !f.sight.Matches(e.After) {
		return
	}
	objectType := e.After.ObjectType
	for _, in := range f.inboxes {
		if in.Kind == conversation.ObjectType && *in.Subject == objectType {
			return
		}
	}
	view := conversation.View{Kind: conversation.ObjectType, Subject: &objectType}
	if scope, err := f.desk.Scope(ctx, v, view, nil); err == nil {
		f.inboxes = append(f.inboxes, &conversation.Inbox{
			Kind: view.Kind, Subject: view.Subject, Title: objectType, Scope: scope,
		})
	}
}

// copied keeps frames that wait to be written from changing.
func copied(in []*conversation.Inbox) []*conversation.Inbox {
	out := make([]*conversation.Inbox, len(in))
	for i, x := range in {
		c := *x
		out[i] = &c
	}
	return out
}
