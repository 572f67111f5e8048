package conversation

import (
	"database/sql"
	"iter"
	"slices"

	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/directory"
	"parley/internal/feed"
	"parley/internal/publicid"
	"parley/internal/rule"
	"parley/internal/store"
	"parley/internal/table"
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
	FirstSeq int64 // number of the first message or note; 1, or less where older history was brought in
	LastSeq  int64 // number of the last message or note, FirstSeq-1 when there is none
	SentBy   []int64

	CreatedAt clock.Time

	// Along is what Alongside read with the row; nil for nothing.
	Along any

	heard string // a name to take when none is known
	desk  *Desk
}

// conversations is the columns of conversations, and how they come into a row.
var conversations = table.Table[Row]{
	{Name: "id", Read: func(r *Row, s *store.Row, i int) { r.Key = s.Int(i) }},
	{Name: "last_message_at", Read: func(r *Row, s *store.Row, i int) { r.LastMessageAt = clock.Time(s.Int(i)) }},
	{Name: "channel_id", Read: func(r *Row, s *store.Row, i int) { r.ChannelID = s.Int(i) }},
	{Name: "messaging_user_id", Read: func(r *Row, s *store.Row, i int) { r.UserID = s.Int(i) }},
	{Name: "record_id", Read: func(r *Row, s *store.Row, i int) { r.RecordID = s.Int(i) }},
	{Name: "owner_id", Read: func(r *Row, s *store.Row, i int) { r.OwnerID = s.Int(i) }},
	{Name: "queue_id", Read: func(r *Row, s *store.Row, i int) { r.QueueID = s.Int(i) }},
	{Name: "object_type", Read: func(r *Row, s *store.Row, i int) { r.Type = s.Text(i) }},
	{Name: "assigned", Read: func(r *Row, s *store.Row, i int) { r.Assigned = s.Bool(i) }},
	{Name: "name", Read: func(r *Row, s *store.Row, i int) { r.Title = s.Text(i) }},
	{Name: "address", Read: func(r *Row, s *store.Row, i int) { r.Address = s.Text(i) }},
	{Name: "preview", Read: func(r *Row, s *store.Row, i int) { r.Preview = s.Text(i) }},
	{Name: "last_message_id", Read: func(r *Row, s *store.Row, i int) { r.LastMessageID = s.Int(i) }},
	{Name: "last_direction", Read: func(r *Row, s *store.Row, i int) { r.LastDirection = content.Direction(s.Text(i)) }},
	{Name: "last_incoming_at", Read: func(r *Row, s *store.Row, i int) { r.LastIncoming = clock.Time(s.Int(i)) }},
	{Name: "is_unread", Read: func(r *Row, s *store.Row, i int) { r.IsUnread = s.Bool(i) }},
	{Name: "inbound_count", Read: func(r *Row, s *store.Row, i int) { r.Inbound = s.Int(i) }},
	{Name: "read_count", Read: func(r *Row, s *store.Row, i int) { r.Read = s.Int(i) }},
	{Name: "first_seq", Read: func(r *Row, s *store.Row, i int) { r.FirstSeq = s.Int(i) }},
	{Name: "last_seq", Read: func(r *Row, s *store.Row, i int) { r.LastSeq = s.Int(i) }},
	{Name: "created_at", Read: func(r *Row, s *store.Row, i int) { r.CreatedAt = clock.Time(s.Int(i)) }},
	{Name: "sent_by", Read: func(r *Row, s *store.Row, i int) { r.SentBy = s.Keys(i) }},

	// Of two columns one is made where no more is asked for: reading a column costs
	// more than what the database does for it.
	{Name: "shown", Of: shownOf, Read: func(r *Row, s *store.Row, i int) { r.Title = s.Text(i) }},
	{Name: "new", Of: newOf, Read: func(r *Row, s *store.Row, i int) { r.Inbound = s.Int(i) }},
}

func shownOf(x string) string {
	return "CASE WHEN " + x + ".name = '' THEN " + x + ".address ELSE " + x + ".name END"
}

func newOf(x string) string { return x + ".inbound_count - " + x + ".read_count" }

// columns are the names of all of them.
var columns = conversations.Names(0)

// always are read: the key, and where the row stands in a list.
var always = conversations.Only("id", "last_message_at")

// needs are the columns that the graph's fields of a conversation read, where
// these are not all.
var needs = map[string]table.Columns{
	"__typename": 0, "id": 0, "lastMessageAt": 0, "viewerCanAssign": 0,
	"name": conversations.Only("shown"), "mobileNumber": conversations.Only("address"), "preview": conversations.Only("preview"),
	"channel": conversations.Only("channel_id"), "owner": conversations.Only("owner_id"), "messagingUser": conversations.Only("messaging_user_id"),
	"record": conversations.Only("record_id"), "objectType": conversations.Only("object_type"), "createdAt": conversations.Only("created_at"),
	"isUnread": conversations.Only("is_unread"), "newCount": conversations.Only("new"),
	"lastIncomingAt": conversations.Only("last_incoming_at"), "lastMessageDirection": conversations.Only("last_direction"),
	"lastMessage": conversations.Only("last_message_id"), "messageCount": conversations.Only("first_seq", "last_seq"), "messages": conversations.Only("first_seq", "last_seq"),
}

// ColumnsOf are the columns that fields of the graph read, without the one that
// along stands for.
func ColumnsOf(fields iter.Seq[string], along *Alongside) table.Columns {
	c := table.ColumnsOf(always, needs, fields)
	if along != nil {
		c &^= conversations.Only(along.On)
	}
	return c
}

// scan reads all columns of the present row.
func (d *Desk) scan(rows *sql.Rows) (*Row, error) {
	r := &Row{desk: d}
	return r, store.ScanRow(rows, func(s *store.Row) error {
		conversations.Read(r, s, 0, 0)
		return nil
	})
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

// AppendID appends the ID.
func (r *Row) AppendID(b []byte) []byte { return r.desk.IDs.Append(b, publicid.Conversation, r.Key) }

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
func (r *Row) LastMessageDirection() *content.Direction { return optional(r.LastDirection.Shown()) }

// MessageCount is how many messages and notes it holds.
func (r *Row) MessageCount() int64 { return r.LastSeq - r.FirstSeq + 1 }

// optional is nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
