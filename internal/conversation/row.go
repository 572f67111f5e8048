package conversation

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/directory"
	"parley/internal/feed"
	"parley/internal/publicid"
	"parley/internal/rule"
)

// Row is a conversation with everything a list shows. Zero keys and times stand
// for none.
type Row struct {
	Key       int64
	ChannelID int64
	UserID    int64
	RecordID  int64
	OwnerID   int64
	QueueID   int64
	Type      string // object type of the anchor record
	Assigned  bool   // the owner was assigned, so sending does not move them
	Title     string // copy of the customer's name
	Address   string

	Preview       string
	LastMessageAt clock.Time
	LastMessageID int64
	LastDirection content.Direction
	LastIncoming  clock.Time

	IsUnread bool
	Inbound  int64 // ordinal of the last inbound
	Read     int64 // inbound ordinal read up to
	LastSeq  int64 // number of the last message or note
	SentBy   []int64

	CreatedAt clock.Time

	desk *Desk
}

// columns of conversations in the order of Row.scan.
var columns = []string{
	"id", "channel_id", "messaging_user_id", "record_id", "owner_id", "queue_id", "object_type", "assigned", "name", "address",
	"preview", "last_message_at", "last_message_id", "last_direction", "last_incoming_at",
	"is_unread", "inbound_count", "read_count", "last_seq", "sent_by", "created_at",
}

// scanned is where a row's columns are read to: one allocation for all of them.
// A page without rows has one row of NULLs beside the log's position.
type scanned struct {
	key, channel, user, record, owner, queue sql.NullInt64
	kind                                     sql.NullString
	assigned                                 sql.NullBool
	title, address, preview                  sql.NullString
	at, lastID                               sql.NullInt64
	direction                                sql.NullString
	incoming                                 sql.NullInt64
	unread                                   sql.NullBool
	inbound, read, seq                       sql.NullInt64
	sentBy                                   []byte
	created                                  sql.NullInt64
}

// scan reads columns, after the destinations in before; nil for a row of NULLs.
func (d *Desk) scan(rows *sql.Rows, before ...any) (*Row, error) {
	s := &scanned{}
	err := rows.Scan(append(before,
		&s.key, &s.channel, &s.user, &s.record, &s.owner, &s.queue, &s.kind, &s.assigned, &s.title, &s.address,
		&s.preview, &s.at, &s.lastID, &s.direction, &s.incoming, &s.unread, &s.inbound, &s.read, &s.seq, &s.sentBy, &s.created)...)
	if err != nil || !s.key.Valid {
		return nil, err
	}
	r := &Row{
		Key: s.key.Int64, ChannelID: s.channel.Int64, UserID: s.user.Int64, RecordID: s.record.Int64, OwnerID: s.owner.Int64,
		QueueID: s.queue.Int64, Type: s.kind.String, Assigned: s.assigned.Bool, Title: s.title.String, Address: s.address.String,
		Preview: s.preview.String, LastMessageAt: clock.Time(s.at.Int64), LastMessageID: s.lastID.Int64,
		LastDirection: content.Direction(s.direction.String), LastIncoming: clock.Time(s.incoming.Int64),
		IsUnread: s.unread.Bool, Inbound: s.inbound.Int64, Read: s.read.Int64, LastSeq: s.seq.Int64,
		CreatedAt: clock.Time(s.created.Int64), desk: d,
	}
	return r, decodeKeys(s.sentBy, &r.SentBy)
}

func decodeKeys(b []byte, into *[]int64) error {
	if len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("conversation: sent_by: %w", err)
	}
	return nil
}

// Facts are what filters can ask of the row.
func (r *Row) Facts() *feed.Facts {
	return &feed.Facts{
		Owner: r.OwnerID, Channel: r.ChannelID, Queue: r.QueueID, Record: r.RecordID, ObjectType: r.Type,
		Unread: r.IsUnread, Inbound: r.Inbound, Read: r.Read, Direction: r.LastDirection,
		LastMessageID: r.LastMessageID, LastMessageAt: r.LastMessageAt, SentBy: slices.Clone(r.SentBy),
	}
}

// Subject is what decides who sees the row.
func (r *Row) Subject() rule.Subject {
	return rule.Subject{Owner: r.OwnerID, Channel: r.ChannelID, Queue: r.QueueID}
}

// IsNode marks a GraphQL Node.
func (*Row) IsNode() {}

// ID is the opaque id.
func (r *Row) ID() string { return r.desk.IDs.Encode(publicid.Conversation, r.Key) }

// Name is the customer's name, or their address when none is known.
func (r *Row) Name() string {
	if r.Title == "" {
		return r.Address
	}
	return r.Title
}

// MobileNumber is the customer's address.
func (r *Row) MobileNumber() string { return r.Address }

// Channel is the sender ID.
func (r *Row) Channel() *directory.Channel { return r.desk.Directory.Channel(r.ChannelID) }

// Owner is who works it, nil when nobody does.
func (r *Row) Owner() *directory.Agent { return r.desk.Directory.Agent(r.OwnerID) }

// ObjectType is the anchor record's type, nil when there is none.
func (r *Row) ObjectType() *string { return optional(r.Type) }

// NewCount is how many inbound messages are not read.
func (r *Row) NewCount() int { return int(r.Inbound - r.Read) }

// LastIncomingAt is when the customer last wrote, nil when never.
func (r *Row) LastIncomingAt() *clock.Time { return optional(r.LastIncoming) }

// LastMessageDirection is which way the last message went.
func (r *Row) LastMessageDirection() *content.Direction { return optional(r.LastDirection) }

// MessageCount is how many messages and notes it holds.
func (r *Row) MessageCount() int64 { return r.LastSeq }

// optional is nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
