// Package live has the use cases of subscriptions: what the events of the log mean for
// one viewer's streams.
//
// Every stream begins with a frame that holds its position. Rights are the viewer's
// current ones: a change of role or membership causes one RESET, deactivation or the
// token's end closes the stream, and what may no longer be seen is a LEAVE.
package live

import (
	"context"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/bulk"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/message"
	"parley/internal/desk/object"
	"parley/internal/desk/presence"
	"parley/internal/desk/related"
	"parley/internal/ground/viewer"
)

// Streams opens the streams of subscriptions. All fields but CountsEvery are required.
type Streams struct {
	*conversation.Service
	Hub   *feed.Hub
	Board *presence.Board
	Bulk  *bulk.Service
	// Reader reads the messages of events.
	Reader message.Reader
	// CountsEvery is how far apart the frames of inbox counts, and of a bulk
	// operation, are at least; 250 ms by default.
	CountsEvery time.Duration

	trails related.Shared
}

// frame is what a stream gives: the subscriber goes on from its cursor.
type frame interface{ at() string }

func (c *Change) at() string               { return c.Cursor }
func (m *MessageAdded) at() string         { return m.Cursor }
func (m *MessageStatusChanged) at() string { return m.Cursor }
func (m *MessageChanged) at() string       { return m.Cursor }
func (c *ConversationUpdated) at() string  { return c.Cursor }
func (r *Reset) at() string                { return r.Cursor }
func (c *InboxCountsChange) at() string    { return c.Cursor }
func (c *OperationChange) at() string      { return c.Cursor }

// source is what a frame was made of.
type source struct {
	event *feed.Delivery
	desk  *Streams
}

// Actor is the agent who caused the event; nil for a customer and the system, and for a
// frame that no event made.
func (s source) Actor() *directory.Actor {
	if s.event == nil {
		return nil
	}
	return s.desk.Directory.Actor(s.event.ActorID)
}

// Shared keeps with the event what is the same for all its frames; see
// feed.Delivery.Shared. A frame that no event made shares nothing.
func (s source) Shared(key any, load func() (any, error)) (any, error) {
	if s.event == nil {
		return load()
	}
	return s.event.Shared(key, load)
}

// Change is one change of a view of conversations.
type Change struct {
	source
	Kind           feed.StreamKind
	Cursor         string
	ConversationID *string
	Conversation   *conversation.Row
	Counts         conversation.Counts
	Cause          *feed.Cause
	IdempotencyKey *string

	relatedBy *object.Mapping
}

// Edge is the conversation as an edge of the list; nil without one.
func (c *Change) Edge() *conversation.Edge {
	if c.Conversation == nil {
		return nil
	}
	return &conversation.Edge{Node: c.Conversation, RelatedBy: c.relatedBy}
}

// MessageAdded is a message that was added.
type MessageAdded struct {
	source
	Kind           feed.StreamKind
	Cursor         string
	Message        *message.Row
	Conversation   *conversation.Row
	IdempotencyKey *string
}

// Edge is the message as an edge of its thread; nil without one.
func (m *MessageAdded) Edge() *message.Edge {
	if m.Message == nil {
		return nil
	}
	return &message.Edge{Node: m.Message}
}

// MessageStatusChanged is a message's status that moved.
type MessageStatusChanged struct {
	source
	Cursor         string
	Message        *message.Row
	Status         channel.Status
	IdempotencyKey *string
}

// MessageChanged is a message that says something else than it did.
type MessageChanged struct {
	source
	Cursor         string
	Message        *message.Row
	IdempotencyKey *string
}

// ConversationUpdated is a conversation that changed by itself.
type ConversationUpdated struct {
	source
	Cursor         string
	Conversation   *conversation.Row
	Cause          feed.Cause
	IdempotencyKey *string
}

// Reset is the first frame of a stream of one conversation, and the first after a
// change of rights.
type Reset struct {
	Kind         feed.StreamKind
	Cursor       string
	Conversation *conversation.Row
}

// OneChange is what happened to one conversation.
type OneChange interface {
	frame
	IsConversationChange()
}

// IsConversationChange marks a member of the union.
func (*MessageAdded) IsConversationChange() {}

// IsConversationChange marks a member of the union.
func (*MessageStatusChanged) IsConversationChange() {}

// IsConversationChange marks a member of the union.
func (*MessageChanged) IsConversationChange() {}

// IsConversationChange marks a member of the union.
func (*ConversationUpdated) IsConversationChange() {}

// IsConversationChange marks a member of the union.
func (*Reset) IsConversationChange() {}

// InboxCountsChange is the counts of inboxes after a change.
type InboxCountsChange struct {
	Kind    feed.StreamKind
	Cursor  string
	Inboxes []*conversation.Inbox
}

// End receives the error a stream ends with; nil is never given.
type End func(error)

// stream is one subscription: it turns events into frames.
type stream[T frame] struct {
	desk *Streams
	// open returns the first frame, also after a change of rights, and the position it
	// was read at. Its cursor is that position, or resumed if the subscriber resumes
	// there: the events between follow.
	open func(ctx context.Context, v *viewer.Viewer, kind feed.StreamKind, resumed *int64) (frame T, position int64, err error)
	// keys returns keys of which every event the stream wants carries at least one.
	keys func(v *viewer.Viewer) []feed.Key
	// want reports whether the stream wants an event, under the viewer's rights. It runs
	// in the hub.
	want func(v *viewer.Viewer, e *feed.Event) bool
	// frame returns the frame of an event; not ok if it has none.
	frame func(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (frame T, ok bool, err error)
	// stale reports whether a change of the directory changed what the first frame
	// holds, though not the viewer's rights; nil for never.
	stale func(ctx context.Context, v *viewer.Viewer) (bool, error)
	// turn says what a change of lookups makes of what the stream is about, of which keys
	// and want speak from then on. The stream goes on behind the event; it must be opened
	// anew if that cannot be told in frames. Nil where lookups change nothing.
	turn func(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (frames []T, anew bool, err error)
	// last reports whether the stream completes with a frame; nil for never.
	last func(T) bool
	pace pace[T]
}

// standing is where a stream begins or begins anew.
type standing[T frame] struct {
	v     *viewer.Viewer
	first T
	from  int64 // the stream follows what comes after
	at    int64 // v's rights are current up to this position
}

// run opens the stream after a cursor (nil for now) and returns its frames. The
// channel closes when ctx ends or after end received the error.
func run[T frame](ctx context.Context, s stream[T], after *string, end End) (<-chan T, error) {
	resumed, err := s.desk.resume(ctx, after)
	if err != nil {
		return nil, err
	}
	start, err := s.stand(ctx, viewer.FromContext(ctx), feed.Open, resumed)
	if err != nil {
		return nil, err
	}
	p := &pump[T]{stream: s, ctx: ctx, start: start, frames: make(chan T, 1), end: end}
	p.begin()
	return p.frames, nil
}

// resume reads the cursor of a subscriber who resumes; nil means now.
func (d *Streams) resume(ctx context.Context, after *string) (*int64, error) {
	if after == nil {
		return nil, nil
	}
	position, err := d.Cursors.Decode(*after)
	if err != nil {
		return nil, err
	}
	head, err := d.Store.Head(ctx)
	if err == nil && position > head {
		err = d.Cursors.Resync(feed.Ahead, "This cursor is ahead of the event log. Run the query again and subscribe from its feedCursor.", "")
	}
	return &position, err
}

// stand opens the stream under the rights that hold at the position it was
// opened at: those of v may be older (a socket outlives a change of role), and a
// change that was in the log by then is told to nobody again.
func (s *stream[T]) stand(ctx context.Context, v *viewer.Viewer, kind feed.StreamKind, resumed *int64) (*standing[T], error) {
	v, err := s.desk.Directory.Viewer(v.Username)
	for err == nil {
		start := &standing[T]{v: v}
		if start.first, start.at, err = s.open(viewer.NewContext(ctx, v), v, kind, resumed); err != nil {
			return nil, err
		}
		if start.from = start.at; resumed != nil {
			start.from = *resumed
		}
		if err = s.desk.Hub.Await(ctx, start.at); err != nil {
			return nil, err
		}
		if v, err = s.desk.Directory.Viewer(v.Username); err == nil && v.Equal(start.v) {
			return start, nil
		}
	}
	return nil, err
}

// take puts the frame of an event, if it has one, to those that are held, or says
// that the stream must be opened anew. There may be no event.
func (s *stream[T]) take(ctx context.Context, start *standing[T], e *feed.Delivery, held *held[T]) (anew bool, err error) {
	switch {
	case e == nil:
	case e.Cause != feed.DirectoryChanged:
		frame, ok, err := s.frame(ctx, start.v, e)
		if ok {
			held.put(frame)
		}
		return false, err
	case e.Position <= start.at:
		// A subscriber who resumes from before it: their list was read under other
		// rights.
		return true, nil
	case s.stale != nil:
		return s.stale(ctx, start.v)
	}
	return false, nil
}

// cursor returns the cursor of the first frame.
func (d *Streams) cursor(position int64, resumed *int64) string {
	if resumed != nil {
		position = *resumed
	}
	return d.Cursors.Encode(position)
}

func give[T any](ctx context.Context, frames chan<- T, frame T) bool {
	select {
	case frames <- frame:
		return true
	case <-ctx.Done():
		return false
	}
}

// row is the conversation of e as it is now, read once for all streams of this
// process; nil when v may no longer see it, or it was merged into another.
func (d *Streams) row(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*conversation.Row, error) {
	got, err := e.Shared("conversation", func() (any, error) {
		rows, err := d.ByKey(viewer.AsSystem(ctx, "feed"), []int64{e.ConversationID})
		return rows[e.ConversationID], err
	})
	row, _ := got.(*conversation.Row)
	if err != nil || row == nil || row.MergedInto != 0 || !conversation.Sees(v, row) {
		return nil, err
	}
	return row, nil
}

// message is the message of e as it is now, read once for all streams.
func (d *Streams) message(ctx context.Context, e *feed.Delivery) (*message.Row, error) {
	got, err := e.Shared("message", func() (any, error) {
		rows, err := d.Reader.ByKey(viewer.AsSystem(ctx, "feed"), []int64{e.MessageID})
		return rows[e.MessageID], err
	})
	row, _ := got.(*message.Row)
	return row, err
}

// echo is the event's idempotency key when the viewer caused it.
func echo(v *viewer.Viewer, e *feed.Delivery) *string {
	if e.IdempotencyKey == "" || e.ActorID != v.AgentID {
		return nil
	}
	return &e.IdempotencyKey
}
