package conversation

import (
	"context"
	"database/sql"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Edit changes a row by one of its methods and says what event that is: its
// cause, and what else the event carries. An empty cause means that nothing
// happened: nothing is saved and nothing recorded.
type Edit func(ctx context.Context, row *Row) (feed.Event, error)

// Change is the door for a conversation that exists: it loads the row under the
// viewer of ctx and locks it, applies edit, saves and records. What the viewer
// may not see is NOT_FOUND.
func (d *Service) Change(ctx context.Context, tx *store.Tx, key int64, edit Edit) (*Row, error) {
	row, err := d.Load(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	return row, d.Apply(ctx, tx, row, edit)
}

// Load reads a conversation inside a write under the viewer of ctx and locks it
// until the commit. One that was merged into another is CONFLICT.
func (d *Service) Load(ctx context.Context, tx *store.Tx, key int64) (*Row, error) {
	row, err := d.LoadCurrent(ctx, tx, key)
	if err == nil && row.Key != key {
		return nil, fault.New(fault.Conflict, "This conversation was merged into %s. Read that one, and repeat the change there.", row.ID())
	}
	return row, err
}

// LoadCurrent is Load, but of the conversation that one was merged into, if it was.
func (d *Service) LoadCurrent(ctx context.Context, tx *store.Tx, key int64) (*Row, error) {
	row, err := d.current(ctx, tx, key)
	if err == nil && (row == nil || !Sees(viewer.FromContext(ctx), row)) {
		return nil, fault.Missing("conversation")
	}
	return row, err
}

// current reads and locks a conversation, or the one that it was merged into; nil when
// there is none.
func (d *Service) current(ctx context.Context, tx *store.Tx, key int64) (row *Row, err error) {
	for key != 0 && err == nil {
		row = nil
		err = tx.Query(ctx, load.With(key), func(rows *sql.Rows) (err error) {
			row, err = d.scan(rows)
			return err
		})
		if key = 0; row != nil {
			key = row.MergedInto
		}
	}
	return row, err
}

var load = store.Locking("SELECT "+strings.Join(columns, ", ")+" FROM conversations WHERE id = ?", "conversations")

// Apply is the door for a row that this write has loaded and locked already.
func (d *Service) Apply(ctx context.Context, tx *store.Tx, row *Row, edit Edit) error {
	before := *row
	if row.Title == "" {
		row.Title = row.heard
	}
	event, err := edit(ctx, row)
	if err != nil || event.Cause == "" {
		return err
	}
	if err := save(ctx, tx, &before, row); err != nil {
		return err
	}
	return tell(ctx, tx, &before, row, &event)
}

// tell completes the event of a change and records it.
func tell(ctx context.Context, tx *store.Tx, before, after *Row, event *feed.Event) error {
	event.ConversationID = after.Key
	if after.MergedInto == 0 {
		event.After = after.Facts()
	}
	if before.LastSeq > 0 && before.MergedInto == 0 {
		event.Before = before.Facts()
	}
	if v := viewer.FromContext(ctx); v != nil && event.ActorID == 0 {
		event.ActorID = v.AgentID
	}
	return feed.Record(tx, event)
}

// save writes the columns that differ, and the copies that others hold.
func save(ctx context.Context, tx *store.Tx, before, after *Row) error {
	after.reschedule(before, tx.Now)
	if changed := conversations.Differ(before, after, table.Columns{}); !changed.IsZero() {
		update := tx.Builder().Update("conversations").Where(entsql.EQ("id", after.Key))
		conversations.Set(update, after, changed)
		if _, err := tx.Exec(ctx, update); err != nil {
			return err
		}
	}
	return saveCopies(ctx, tx, before, after)
}

// reschedule sets when the row is due if the customer wrote since before.
func (r *Row) reschedule(before *Row, now clock.Time) {
	if r.LastIncoming == before.LastIncoming {
		return
	}
	if due := r.dueAt(now); due != before.dueAt(now) {
		r.due = due
	}
}

// Found is what search finds the row by.
func (r *Row) Found() textindex.Customer {
	return textindex.Customer{ConversationID: r.Key, ChannelID: r.ChannelID, Name: r.Title, Topic: r.About, Address: r.Address}
}

// saveCopies writes what search finds the customer by, and the rows that "Sent" is
// read from: one per agent who sent, each with the conversation's last message time.
func saveCopies(ctx context.Context, tx *store.Tx, before, after *Row) error {
	if before.Title != after.Title || before.About != after.About || before.Address != after.Address || before.LastSeq == 0 {
		textindex.SetCustomers(tx, after.Found())
	}
	if len(before.SentBy) > 0 && before.listedAt() != after.listedAt() {
		if _, err := tx.Exec(ctx, moveParticipants.With(after.listedAt(), after.Key)); err != nil {
			return err
		}
	}
	for _, agent := range after.SentBy[len(before.SentBy):] {
		if _, err := tx.Exec(ctx, addParticipant.With(after.Key, agent, after.listedAt())); err != nil {
			return err
		}
	}
	return nil
}

var (
	moveParticipants = store.Fixed("UPDATE participants SET last_message_at = ? WHERE conversation_id = ?")
	addParticipant   = store.Fixed("INSERT INTO participants (conversation_id, agent_id, last_message_at) VALUES (?, ?, ?)")
)
