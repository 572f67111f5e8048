package conversation

import (
	"context"
	"database/sql"
	"errors"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// MostPerCall is how many conversations one call may change.
const MostPerCall = 100

// MarkItem is a conversation to mark as read, up to a message that was on the
// screen; all of it when UpToMessageID is nil.
type MarkItem struct {
	ID            string
	UpToMessageID *string
}

// Result is what became of one conversation of a call.
type Result struct {
	GivenID      string
	Conversation *Row
	Error        *fault.Error
}

// MarkRead marks conversations as read. Each is decided by itself inside one
// transaction; the results are in the order given.
func (d *Service) MarkRead(ctx context.Context, items []*MarkItem, confirmed bool) ([]*Result, error) {
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	task := Task{Action: MarkingRead, Confirmed: confirmed}
	return d.each(ctx, "input.conversations", ids, func(ctx context.Context, tx *store.Tx, i int, row *Row) (feed.Event, error) {
		if err := mayMark(ctx, row, task); err != nil {
			return feed.Event{}, err
		}
		upTo, err := d.InboundUpTo(ctx, tx, row, items[i].UpToMessageID)
		if err != nil {
			return feed.Event{}, err
		}
		return task.Do(ctx, row, upTo)
	})
}

// MarkUnread marks conversations as unread; their new count stays.
func (d *Service) MarkUnread(ctx context.Context, ids []string, confirmed bool) ([]*Result, error) {
	return d.all(ctx, ids, Task{Action: MarkingUnread, Confirmed: confirmed})
}

// InboundUpTo is the inbound ordinal that a read reaches: the conversation's last
// without a message; NOT_FOUND for a message that is not the conversation's.
func (d *Service) InboundUpTo(ctx context.Context, tx *store.Tx, row *Row, message *string) (int64, error) {
	if message == nil {
		return row.InboundCount, nil
	}
	key, ok := d.IDs.Decode(publicid.Message, *message)
	if !ok {
		return 0, fault.Missing("message")
	}
	q := tx.Builder().Select("conversation_id", "inbound_ordinal").From(entsql.Table("messages")).Where(entsql.EQ("id", key))
	var conversation, upTo int64
	if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&conversation, &upTo) }); err != nil {
		return 0, err
	}
	t, err := d.thread(ctx, tx, row)
	if err != nil {
		return 0, err
	}
	if !t.holds(conversation) {
		return 0, fault.Missing("message")
	}
	return t.reach(conversation, upTo), nil
}

// Assign gives conversations to the agent, or to nobody (nil). It needs
// AssignConversation.
func (d *Service) Assign(ctx context.Context, ids []string, agentID *string) ([]*Result, error) {
	task, err := d.Assigning(ctx, agentID)
	if err != nil {
		return nil, err
	}
	return d.all(ctx, ids, task)
}

// AssignItem is a conversation to assign. With Expects, only while its owner is
// ExpectedOwner, nobody for nil, or the new one already.
type AssignItem struct {
	ID            string
	Expects       bool
	ExpectedOwner *string
}

// AssignExpected is Assign for conversations whose owners the caller has seen. One
// that another owns by now is CONFLICT.
func (d *Service) AssignExpected(ctx context.Context, items []AssignItem, agentID *string) ([]*Result, error) {
	task, err := d.Assigning(ctx, agentID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(items))
	for i, it := range items {
		ids[i] = it.ID
	}
	return d.each(ctx, "input.conversations", ids, func(ctx context.Context, _ *store.Tx, i int, row *Row) (feed.Event, error) {
		if items[i].Expects && row.OwnerID != task.Assignee && row.OwnerID != d.ownerOf(items[i].ExpectedOwner) {
			return feed.Event{}, fault.New(fault.Conflict, "Someone else has just assigned this conversation. Read its owner again, and repeat with that agent as expectedOwner if you still want the change.")
		}
		return task.Do(ctx, row, row.InboundCount)
	})
}

// ownerOf is the key of an agent by id; of nobody for nil, and of no owner for what
// is no agent's.
func (d *Service) ownerOf(id *string) int64 {
	if id == nil {
		return 0
	}
	if key, ok := d.IDs.Decode(publicid.Agent, *id); ok {
		return key
	}
	return -1
}

// all does the task with every conversation.
func (d *Service) all(ctx context.Context, ids []string, task Task) ([]*Result, error) {
	return d.each(ctx, "input.ids", ids, func(ctx context.Context, _ *store.Tx, _ int, row *Row) (feed.Event, error) {
		return task.Do(ctx, row, row.InboundCount)
	})
}

type editOne func(ctx context.Context, tx *store.Tx, i int, row *Row) (feed.Event, error)

// each applies edit to every conversation in one transaction. What a caller can
// act on becomes that conversation's result; any other error undoes all.
func (d *Service) each(ctx context.Context, field string, ids []string, edit editOne) ([]*Result, error) {
	if len(ids) == 0 || len(ids) > MostPerCall {
		return nil, fault.Input(field, "Give 1 to %d conversations, not %d.", MostPerCall, len(ids))
	}
	var results []*Result
	err := d.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		results = make([]*Result, len(ids))
		for i, id := range ids {
			result, err := d.one(ctx, tx, i, id, edit)
			if err != nil {
				return err
			}
			results[i] = result
		}
		return nil
	})
	return results, err
}

func (d *Service) one(ctx context.Context, tx *store.Tx, i int, id string, edit editOne) (*Result, error) {
	result := &Result{GivenID: id}
	key, ok := d.IDs.Decode(publicid.Conversation, id)
	if !ok {
		result.Error = fault.Missing("conversation")
		return result, nil
	}
	row, err := d.Change(ctx, tx, key, func(ctx context.Context, row *Row) (feed.Event, error) {
		return edit(ctx, tx, i, row)
	})
	if errors.As(err, &result.Error) {
		return result, nil
	}
	result.Conversation = row
	return result, err
}
