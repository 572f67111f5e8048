package conversation

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/fault"
	"parley/internal/feed"
	"parley/internal/rule"
	"parley/internal/search/index"
	"parley/internal/store"
	"parley/internal/viewer"
)

// Edit changes a row by one of its methods and says what event that is: its
// cause, and what else the event carries. An empty cause means that nothing
// happened: nothing is saved and nothing recorded.
type Edit func(ctx context.Context, row *Row) (feed.Event, error)

// Change is the door for a conversation that exists: it loads the row under the
// viewer of ctx and locks it, applies edit, saves and records. What the viewer
// may not see is NOT_FOUND.
func (d *Desk) Change(ctx context.Context, tx *store.Tx, key int64, edit Edit) (*Row, error) {
	row, err := d.Load(ctx, tx, key)
	if err != nil {
		return nil, err
	}
	return row, d.Apply(ctx, tx, row, edit)
}

// Load reads a conversation inside a write under the viewer of ctx and locks it
// until the commit.
func (d *Desk) Load(ctx context.Context, tx *store.Tx, key int64) (*Row, error) {
	t := entsql.Table("conversations")
	q := tx.Builder().Select(columns...).From(t).Where(entsql.EQ("id", key))
	if visible := rule.Visible(viewer.FromContext(ctx)).SQL(t.C); visible != nil {
		q.Where(visible)
	}
	if tx.Locks() {
		q.ForUpdate()
	}
	var row *Row
	err := tx.Query(ctx, q, func(rows *sql.Rows) (err error) {
		row, err = d.scan(rows)
		return err
	})
	if err == nil && row == nil {
		err = fault.Missing("conversation")
	}
	return row, err
}

// Apply is the door for a row that this write has loaded and locked already.
func (d *Desk) Apply(ctx context.Context, tx *store.Tx, row *Row, edit Edit) error {
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
	event.After = after.Facts()
	if before.LastSeq > 0 {
		event.Before = before.Facts()
	}
	if v := viewer.FromContext(ctx); v != nil && event.ActorID == 0 {
		event.ActorID = v.AgentID
	}
	return feed.Record(tx, event)
}

// save writes the columns that differ, and the copies that participants hold.
func save(ctx context.Context, tx *store.Tx, before, after *Row) error {
	update := tx.Builder().Update("conversations").Where(entsql.EQ("id", after.Key))
	set := func(column string, differs bool, value any) {
		if differs {
			update.Set(column, value)
		}
	}
	set("record_id", before.RecordID != after.RecordID, nullable(after.RecordID))
	set("object_type", before.Type != after.Type, after.Type)
	set("owner_id", before.OwnerID != after.OwnerID, nullable(after.OwnerID))
	set("queue_id", before.QueueID != after.QueueID, nullable(after.QueueID))
	set("assigned", before.Assigned != after.Assigned, after.Assigned)
	set("name", before.Title != after.Title, after.Title)
	if before.Title != after.Title || before.LastSeq == 0 {
		index.SetCustomers(tx, index.Customer{ConversationID: after.Key, Name: after.Title, Address: after.Address})
	}
	set("preview", before.Preview != after.Preview, after.Preview)
	set("last_message_at", before.LastMessageAt != after.LastMessageAt, int64(after.LastMessageAt))
	set("last_message_id", before.LastMessageID != after.LastMessageID, after.LastMessageID)
	set("last_direction", before.LastDirection != after.LastDirection, string(after.LastDirection))
	wrote := before.LastIncoming != after.LastIncoming
	set("last_incoming_at", wrote, int64(after.LastIncoming))
	set("due_at", wrote && after.dueAt() != before.dueAt(), int64(after.dueAt()))
	set("is_unread", before.IsUnread != after.IsUnread, after.IsUnread)
	set("inbound_count", before.Inbound != after.Inbound, after.Inbound)
	set("read_count", before.Read != after.Read, after.Read)
	set("last_seq", before.LastSeq != after.LastSeq, after.LastSeq)
	if !slices.Equal(before.SentBy, after.SentBy) {
		list, err := json.Marshal(after.SentBy)
		if err != nil {
			return err
		}
		update.Set("sent_by", string(list))
	}
	if update.Empty() {
		return nil
	}
	if _, err := tx.Exec(ctx, update); err != nil {
		return err
	}
	return saveParticipants(ctx, tx, before, after)
}

// saveParticipants keeps the rows that "Sent" is read from: one per agent who
// sent, each with the conversation's last message time.
func saveParticipants(ctx context.Context, tx *store.Tx, before, after *Row) error {
	if len(before.SentBy) > 0 && before.LastMessageAt != after.LastMessageAt {
		update := tx.Builder().Update("participants").Set("last_message_at", int64(after.LastMessageAt)).
			Where(entsql.EQ("conversation_id", after.Key))
		if _, err := tx.Exec(ctx, update); err != nil {
			return err
		}
	}
	for _, agent := range after.SentBy[len(before.SentBy):] {
		insert := tx.Builder().Insert("participants").Columns("conversation_id", "agent_id", "last_message_at").
			Values(after.Key, agent, int64(after.LastMessageAt))
		if _, err := tx.Exec(ctx, insert); err != nil {
			return err
		}
	}
	return nil
}

func nullable(key int64) any {
	if key == 0 {
		return nil
	}
	return key
}

// Customer is who a conversation is with, as far as it is known when it begins.
type Customer struct {
	Address string
	Name    string
	Country string
	Record  *Record // anchor, nil when none is known
}

// Ensure finds or makes the messaging user and the conversation of a customer on
// a channel, in one statement each, and locks the conversation. A conversation
// made here has no number yet: the first message that is added begins it.
func (d *Desk) Ensure(ctx context.Context, tx *store.Tx, channelKey int64, c Customer) (*Row, *MessagingUser, error) {
	user, err := d.ensureUser(ctx, tx, channelKey, c)
	if err != nil {
		return nil, nil, err
	}
	ch := d.Directory.Channel(channelKey)
	insert := tx.Builder().Insert("conversations").
		Columns("channel_id", "messaging_user_id", "record_id", "queue_id", "object_type", "name", "address", "created_at")
	var record int64
	var objectType string
	if c.Record != nil {
		record, objectType = c.Record.Key, c.Record.ObjectType
	}
	// The update makes the statement return the row that is there, locked and as it
	// was: Apply gives it a name that was not known.
	insert.Values(channelKey, user.Key, nullable(record), nullable(ch.Queue), objectType, user.Name, c.Address, int64(tx.Now)).
		OnConflict(entsql.ConflictColumns("messaging_user_id"), entsql.ResolveWith(func(u *entsql.UpdateSet) { u.SetIgnore("messaging_user_id") })).
		Returning(columns...)
	var row *Row
	err = tx.Query(ctx, insert, func(rows *sql.Rows) (err error) {
		if row, err = d.scan(rows); err == nil {
			row.heard = user.Name
		}
		return err
	})
	return row, user, err
}

func (d *Desk) ensureUser(ctx context.Context, tx *store.Tx, channelKey int64, c Customer) (*MessagingUser, error) {
	insert := tx.Builder().Insert("messaging_users").
		Columns("channel_id", "address", "name", "country", "consent_status", "created_at").
		Values(channelKey, c.Address, c.Name, c.Country, string(startingConsent), int64(tx.Now)).
		OnConflict(entsql.ConflictColumns("channel_id", "address"), entsql.ResolveWith(nameIfUnknown)).
		Returning(userColumns...)
	var user *MessagingUser
	err := tx.Query(ctx, insert, func(rows *sql.Rows) (err error) {
		user, err = d.scanUser(rows)
		return err
	})
	return user, err
}

// nameIfUnknown takes the name that came with a message when none is known.
func nameIfUnknown(u *entsql.UpdateSet) {
	u.Set("name", entsql.ExprFunc(func(b *entsql.Builder) {
		b.WriteString("CASE WHEN messaging_users.name = '' THEN excluded.name ELSE messaging_users.name END")
	}))
}
