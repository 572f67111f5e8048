package live

import (
	"context"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Messages streams the messages added to one conversation (its public id), or to
// all that the viewer of ctx may see (nil).
func (d *Streams) Messages(ctx context.Context, id, after *string, end End) (<-chan *MessageAdded, error) {
	only := int64(0)
	if id != nil {
		row, err := d.visible(ctx, *id)
		if err != nil {
			return nil, err
		}
		only = row.Key
	}
	return run(ctx, stream[*MessageAdded]{
		desk: d,
		open: func(ctx context.Context, _ *viewer.Viewer, kind feed.StreamKind, resumed *int64) (*MessageAdded, int64, error) {
			position, err := d.Store.Head(ctx)
			return &MessageAdded{Kind: kind, Cursor: d.cursor(position, resumed)}, position, err
		},
		keys: func(v *viewer.Viewer) []feed.Key {
			if only != 0 {
				return []feed.Key{{Fact: feed.ByConversation, ID: only}}
			}
			return conversation.Everything(v).Keys()
		},
		want: func(v *viewer.Viewer, e *feed.Event) bool {
			return e.Cause == feed.MessageAdded && (only == 0 || e.ConversationID == only) && conversation.SeesFacts(v, e.After)
		},
		frame: d.added,
	}, after, end)
}

func (d *Streams) added(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (*MessageAdded, bool, error) {
	row, err := d.row(ctx, v, e)
	if err != nil || row == nil {
		return nil, false, err
	}
	msg, err := d.message(ctx, e)
	return &MessageAdded{
		source: source{e, d}, Kind: feed.Enter, Cursor: d.Cursors.Encode(e.Position), Message: msg, Conversation: row, IdempotencyKey: echo(v, e),
	}, msg != nil, err
}

// visible reads a conversation that the viewer of ctx may see with the rights
// they have now, or NOT_FOUND.
func (d *Streams) visible(ctx context.Context, id string) (*conversation.Row, error) {
	v, err := d.Directory.Viewer(viewer.FromContext(ctx).Username)
	if err != nil {
		return nil, err
	}
	row, err := d.Get(viewer.NewContext(ctx, v), id)
	if err == nil && row == nil {
		err = fault.Missing("conversation")
	}
	return row, err
}

// Conversation streams everything that happens to one conversation.
func (d *Streams) Conversation(ctx context.Context, id string, after *string, end End) (<-chan OneChange, error) {
	row, err := d.visible(ctx, id)
	if err != nil {
		return nil, err
	}
	key := row.Key
	return run(ctx, stream[OneChange]{
		desk: d,
		open: func(ctx context.Context, _ *viewer.Viewer, kind feed.StreamKind, resumed *int64) (OneChange, int64, error) {
			return d.openOne(ctx, key, kind, resumed)
		},
		keys: func(*viewer.Viewer) []feed.Key { return []feed.Key{{Fact: feed.ByConversation, ID: key}} },
		want: func(v *viewer.Viewer, e *feed.Event) bool {
			return e.ConversationID == key && (conversation.SeesFacts(v, e.Before) || conversation.SeesFacts(v, e.After))
		},
		frame: d.oneChange,
	}, after, end)
}

// openOne reads the position before the row: what the row holds beyond it is
// told again, never left out. The stream of a conversation that was merged into another
// begins with LEAVE, and says no more until that is undone.
func (d *Streams) openOne(ctx context.Context, key int64, kind feed.StreamKind, resumed *int64) (OneChange, int64, error) {
	position, err := d.Store.Head(ctx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := d.ByKey(ctx, []int64{key})
	if row := rows[key]; row == nil || row.MergedInto != 0 {
		kind = feed.Leave
	}
	return &Reset{Kind: kind, Cursor: d.cursor(position, resumed), Conversation: rows[key]}, position, err
}

func (d *Streams) oneChange(ctx context.Context, v *viewer.Viewer, e *feed.Delivery) (OneChange, bool, error) {
	cursor := d.Cursors.Encode(e.Position)
	row, err := d.row(ctx, v, e)
	if err != nil {
		return nil, false, err
	}
	if row == nil || !conversation.SeesFacts(v, e.After) {
		return &Reset{Kind: feed.Leave, Cursor: cursor}, true, nil
	}
	switch e.Cause {
	case feed.MessageAdded:
		return d.added(ctx, v, e)
	case feed.MessageStatusChanged:
		msg, err := d.message(ctx, e)
		return &MessageStatusChanged{source: source{e, d}, Cursor: cursor, Message: msg, Status: e.Status.Shown(), IdempotencyKey: echo(v, e)}, msg != nil, err
	case feed.MessageChanged:
		msg, err := d.message(ctx, e)
		return &MessageChanged{source: source{e, d}, Cursor: cursor, Message: msg, IdempotencyKey: echo(v, e)}, msg != nil, err
	case feed.HistoryAdded, feed.ConversationMerged, feed.ConversationUnmerged:
		return &Reset{Kind: feed.Reset, Cursor: cursor, Conversation: row}, true, nil
	default:
		return &ConversationUpdated{source: source{e, d}, Cursor: cursor, Conversation: row, Cause: e.Cause.Shown(), IdempotencyKey: echo(v, e)}, true, nil
	}
}
