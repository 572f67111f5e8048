// Package live is the use cases of subscriptions: what the events of the log
// mean to one viewer's streams.
//
// Every stream begins with a frame that says where it stands. Rights are those
// the viewer has now: a change of role or membership is one RESET, deactivation
// or the token's end closes the stream, and what may no longer be seen is a
// LEAVE.
package live

import (
	"context"

	"parley/internal/channel"
	"parley/internal/conversation"
	"parley/internal/fault"
	"parley/internal/feed"
	"parley/internal/message"
	"parley/internal/viewer"
)

// Desk opens streams. All fields are required.
type Desk struct {
	*conversation.Desk
	Hub *feed.Hub
}

// Change is one change of a view of conversations.
type Change struct {
	Kind           feed.StreamKind
	Cursor         string
	ConversationID *string
	Conversation   *conversation.Row
	Counts         conversation.Counts
	Cause          *feed.Cause
	IdempotencyKey *string
}

// MessageAdded is a message that was added.
type MessageAdded struct {
	Kind           feed.StreamKind
	Cursor         string
	Message        *message.Row
	Conversation   *conversation.Row
	IdempotencyKey *string
}

// MessageStatusChanged is a message's status that moved.
type MessageStatusChanged struct {
	Cursor         string
	Message        *message.Row
	Status         channel.Status
	IdempotencyKey *string
}

// ConversationUpdated is a conversation that changed by itself.
type ConversationUpdated struct {
	Cursor         string
	Conversation   *conversation.Row
	Cause          feed.Cause
	IdempotencyKey *string
}

// Reset is where a stream of one conversation stands.
type Reset struct {
	Kind         feed.StreamKind
	Cursor       string
	Conversation *conversation.Row
}

// OneChange is what happened to one conversation.
type OneChange interface{ IsConversationChange() }

// IsConversationChange marks a member of the union.
func (*MessageAdded) IsConversationChange() {}

// IsConversationChange marks a member of the union.
func (*MessageStatusChanged) IsConversationChange() {}

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
type stream[T any] struct {
	desk *Desk
	v    *viewer.Viewer
	// open makes the first frame, and the first after a change of rights. It
	// returns the position that the stream goes on from.
	open func(ctx context.Context, v *viewer.Viewer, kind feed.StreamKind) (frame T, position int64, err error)
	// want decides under the viewer's present rights. It runs in the hub.
	want func(v *viewer.Viewer, e *feed.Event) bool
	// frame makes the frame of an event, or tells that there is none.
	frame func(ctx context.Context, v *viewer.Viewer, e *feed.Event) (frame T, ok bool, err error)
}

// run opens the stream after a cursor ("" for now) and returns its frames. The
// channel closes when ctx ends or after end was told why.
func run[T any](ctx context.Context, s stream[T], after *string, end End) (<-chan T, error) {
	from, err := s.start(ctx, after)
	if err != nil {
		return nil, err
	}
	first, position, err := s.open(ctx, s.v, feed.Open)
	if err != nil {
		return nil, err
	}
	if from < 0 {
		from = position
	}
	frames := make(chan T, 1)
	go func() {
		defer close(frames)
		if err := s.pump(ctx, frames, first, from); err != nil && ctx.Err() == nil {
			end(err)
		}
	}()
	return frames, nil
}

// start reads the cursor; -1 stands for now.
func (s *stream[T]) start(ctx context.Context, after *string) (int64, error) {
	if after == nil {
		return -1, nil
	}
	position, err := s.desk.Cursors.Decode(*after)
	if err != nil {
		return 0, err
	}
	head, err := s.desk.Store.Head(ctx)
	if err == nil && position > head {
		err = fault.New(fault.ResyncRequired, "This cursor is ahead of the event log. Run the query again and subscribe from its feedCursor.")
	}
	return position, err
}

func (s *stream[T]) pump(ctx context.Context, frames chan<- T, first T, from int64) error {
	if !give(ctx, frames, first) {
		return nil
	}
	v := s.v
	for {
		reader := s.desk.Hub.Follow(from, func(e *feed.Event) bool {
			return e.Cause == feed.DirectoryChanged || s.want(v, e)
		})
		changed, err := s.follow(ctx, v, reader, frames)
		reader.Close()
		if err != nil || changed == nil {
			return err
		}
		v = changed
		reset, position, err := s.open(ctx, v, feed.Reset)
		if err != nil {
			return err
		}
		from = position
		if !give(ctx, frames, reset) {
			return nil
		}
	}
}

// follow gives frames until the viewer's rights change: the viewer as they are
// then. It returns nil when the subscriber has gone.
func (s *stream[T]) follow(ctx context.Context, v *viewer.Viewer, reader *feed.Stream, frames chan<- T) (*viewer.Viewer, error) {
	for {
		e, err := reader.Next(ctx)
		if err != nil {
			return nil, err
		}
		if e.Cause == feed.DirectoryChanged {
			now, err := s.desk.Directory.Viewer(v.Username)
			if err != nil {
				return nil, err
			}
			if !now.Equal(v) {
				return now, nil
			}
			continue
		}
		frame, ok, err := s.frame(ctx, v, e)
		if err != nil {
			return nil, err
		}
		if ok && !give(ctx, frames, frame) {
			return nil, nil
		}
	}
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
// process; nil when v may no longer see it.
func (d *Desk) row(ctx context.Context, v *viewer.Viewer, e *feed.Event) (*conversation.Row, error) {
	got, err := e.Shared("conversation", func() (any, error) {
		rows, err := d.ByKey(viewer.AsSystem(ctx, "feed"), []int64{e.ConversationID})
		return rows[e.ConversationID], err
	})
	row, _ := got.(*conversation.Row)
	if err != nil || row == nil || !conversation.Sees(v, row) {
		return nil, err
	}
	return row, nil
}

// message is the message of e as it is now, read once for all streams.
func (d *Desk) message(ctx context.Context, e *feed.Event) (*message.Row, error) {
	got, err := e.Shared("message", func() (any, error) {
		rows, err := message.Reader{Desk: d.Desk}.ByKey(viewer.AsSystem(ctx, "feed"), []int64{e.MessageID})
		return rows[e.MessageID], err
	})
	row, _ := got.(*message.Row)
	return row, err
}

// echo is the event's idempotency key when the viewer caused it.
func echo(v *viewer.Viewer, e *feed.Event) *string {
	if e.IdempotencyKey == "" || e.ActorID != v.AgentID {
		return nil
	}
	return &e.IdempotencyKey
}
