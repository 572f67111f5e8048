package conversation

import (
	"database/sql"
	"iter"
	"slices"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/number"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

// Row is a conversation with everything a list shows. Zero keys and times stand
// for none.
type Row struct {
	Key             int64
	ChannelID       int64
	MessagingUserID int64
	RecordID        int64
	OwnerID         int64
	QueueID         int64
	Type            string // object type of the anchor record
	Assigned        bool   // the owner was assigned, so sending does not move them
	Title           string // copy of the customer's name
	Address         string
	About           string // what it is about, as agents say

	Preview       string
	LastMessageAt clock.Time
	LastMessageID int64
	LastDirection content.Direction
	LastIncoming  clock.Time

	IsUnread     bool
	InboundCount int64 // ordinal of the last inbound
	ReadCount    int64 // inbound ordinal read up to
	FirstSeq     int64 // number of the first message or note; 1, or less where older history was brought in
	LastSeq      int64 // number of the last message or note, FirstSeq-1 when there is none
	SentBy       []int64

	CreatedAt clock.Time

	// MergedInto is the conversation whose earlier stretch it is; 0 for none. What
	// follows is of a conversation that others are merged into.
	MergedInto      int64
	EarlierMessages int64    // messages and notes of the others
	EarlierInbound  int64    // of these the inbound, which InboundCount and ReadCount begin with
	OwnRead         int64    // inbound ordinal up to which its own were read at the last merge
	OwnState        OwnState // as it was by itself; empty while no others are merged into it

	AskedID int64 // the last question that was sent as text and is not answered; 0 for none

	due clock.Time // when time alone changes it next

	// Along is what Alongside read with the row; nil for nothing.
	Along any

	heard   string // a name to take when none is known
	service *Service
}

// conversations declares the columns: how each is read, written and compared, which
// fields of the graph need it, and which fact it feeds.
var conversations = table.New("conversations", []table.Column[Row, feed.Facts]{
	{Name: "id", Value: table.Int(func(r *Row) *int64 { return &r.Key }), Fields: "__typename id viewerCanAssign"},
	{
		Name: "last_message_at", Value: listedAt, Fields: "lastMessageAt",
		Fact: func(f *feed.Facts, r *Row) { f.LastMessageAt = r.LastMessageAt },
	},
	{
		Name: "channel_id", Value: table.Int(func(r *Row) *int64 { return &r.ChannelID }), Fields: "channel linkSuggestions",
		Fact: func(f *feed.Facts, r *Row) { f.Channel = r.ChannelID },
	},
	{Name: "messaging_user_id", Value: table.Int(func(r *Row) *int64 { return &r.MessagingUserID }), Fields: "messagingUser linkSuggestions"},
	{
		Name: "record_id", Value: table.Key(func(r *Row) *int64 { return &r.RecordID }), Fields: "record relatedConversations linkSuggestions",
		Fact: func(f *feed.Facts, r *Row) { f.Record = r.RecordID },
	},
	{
		Name: "object_type", Value: table.Text(func(r *Row) *string { return &r.Type }), Fields: "objectType availableActions",
		Fact: func(f *feed.Facts, r *Row) { f.ObjectType = r.Type },
	},
	{
		Name: "owner_id", Value: table.Key(func(r *Row) *int64 { return &r.OwnerID }), Fields: "owner",
		Fact: func(f *feed.Facts, r *Row) { f.Owner = r.OwnerID },
	},
	{
		Name: "queue_id", Value: table.Key(func(r *Row) *int64 { return &r.QueueID }),
		Fact: func(f *feed.Facts, r *Row) { f.Queue = r.QueueID },
	},
	{Name: "assigned", Value: table.Bool(func(r *Row) *bool { return &r.Assigned })},
	{Name: "name", Value: table.Text(func(r *Row) *string { return &r.Title })},
	{Name: "address", Value: table.Text(func(r *Row) *string { return &r.Address }), Fields: "address phoneNumber mobileNumber linkSuggestions"},
	{Name: "topic", Value: table.Text(func(r *Row) *string { return &r.About }), Fields: "topic"},
	{Name: "preview", Value: table.Text(func(r *Row) *string { return &r.Preview }), Fields: "preview"},
	{
		Name: "last_message_id", Value: table.Int(func(r *Row) *int64 { return &r.LastMessageID }), Fields: "lastMessage",
		Fact: func(f *feed.Facts, r *Row) { f.LastMessageID = r.LastMessageID },
	},
	{
		Name: "last_direction", Value: table.Text(func(r *Row) *content.Direction { return &r.LastDirection }), Fields: "lastMessageDirection",
		Fact: func(f *feed.Facts, r *Row) { f.Direction = r.LastDirection },
	},
	{Name: "last_incoming_at", Value: table.Int(func(r *Row) *clock.Time { return &r.LastIncoming }), Fields: "lastIncomingAt"},
	{Name: "due_at", Value: table.Int(func(r *Row) *clock.Time { return &r.due })},
	{
		Name: "is_unread", Value: table.Bool(func(r *Row) *bool { return &r.IsUnread }), Fields: "isUnread",
		Fact: func(f *feed.Facts, r *Row) { f.Unread = r.IsUnread },
	},
	{
		Name: "inbound_count", Value: table.Int(func(r *Row) *int64 { return &r.InboundCount }),
		Fact: func(f *feed.Facts, r *Row) { f.Inbound = r.InboundCount },
	},
	{
		Name: "read_count", Value: table.Int(func(r *Row) *int64 { return &r.ReadCount }),
		Fact: func(f *feed.Facts, r *Row) { f.Read = r.ReadCount },
	},
	{Name: "first_seq", Value: table.Int(func(r *Row) *int64 { return &r.FirstSeq }), Fields: "messageCount messages"},
	{Name: "last_seq", Value: table.Int(func(r *Row) *int64 { return &r.LastSeq }), Fields: "messageCount messages"},
	{Name: "merged_into", Value: table.Key(func(r *Row) *int64 { return &r.MergedInto }), Fields: "mergedInto viewerCanAssign availableActions linkSuggestions"},
	{Name: "earlier_messages", Value: table.Int(func(r *Row) *int64 { return &r.EarlierMessages }), Fields: "messageCount messages"},
	{Name: "earlier_inbound", Value: table.Int(func(r *Row) *int64 { return &r.EarlierInbound })},
	{Name: "own_read", Value: table.Int(func(r *Row) *int64 { return &r.OwnRead })},
	{Name: "own_state", Value: table.Text(func(r *Row) *OwnState { return &r.OwnState })},
	{Name: "asked_id", Value: table.Int(func(r *Row) *int64 { return &r.AskedID })},
	{Name: "created_at", Value: table.Int(func(r *Row) *clock.Time { return &r.CreatedAt }), Fields: "createdAt"},
	{
		Name: "sent_by", Value: table.Keys(func(r *Row) *[]int64 { return &r.SentBy }),
		Fact: func(f *feed.Facts, r *Row) { f.SentBy = slices.Clone(r.SentBy) },
	},

	// A list reads one computed column where the field needs no more of two: reading
	// a column costs more than computing it.
	{Name: "shown", Of: shownOf, Value: table.Text(func(r *Row) *string { return &r.Title }), Fields: "name"},
	{Name: "new", Of: newOf, Value: table.Int(func(r *Row) *int64 { return &r.InboundCount }), Fields: "newCount"},
})

func shownOf(x string) string {
	return "CASE WHEN " + x + ".name = '' THEN " + x + ".address ELSE " + x + ".name END"
}

func newOf(x string) string { return x + ".inbound_count - " + x + ".read_count" }

// columns are the names of the stored columns.
var columns = conversations.Names(table.Columns{})

// always are read: the key, and where the row stands in a list.
var always = conversations.Only("id", "last_message_at")

// ColumnsOf returns the columns that fields of the graph need, without the one
// whose object along reads.
func ColumnsOf(fields iter.Seq[string], along *Alongside) table.Columns {
	c := conversations.Needed(always, fields)
	if along != nil {
		c = c.Without(conversations.Only(along.On))
	}
	return c
}

// Columns returns the names of a conversation's stored columns.
func Columns() []string { return columns }

// Begin sets when a new conversation on a channel of type t is due, its history loaded
// at now, and returns the values that it stores in its Columns.
func (r *Row) Begin(t channel.Type, now clock.Time) []any {
	r.due = r.dueOn(t, now)
	return conversations.Values(r, table.Columns{})
}

// scan reads all columns of the present row.
func (d *Service) scan(rows *sql.Rows) (*Row, error) {
	r := &Row{service: d}
	return r, store.ScanRow(rows, func(s *store.Row) error {
		conversations.Read(r, s, 0, table.Columns{})
		return nil
	})
}

// Facts are what filters can ask of the row.
func (r *Row) Facts() *feed.Facts {
	f := &feed.Facts{}
	conversations.Facts(f, r)
	return f
}

// Subject is what decides who sees the row.
func (r *Row) Subject() rule.Subject {
	return rule.Subject{Owner: r.OwnerID, Channel: r.ChannelID, Queue: r.QueueID}
}

// IsNode marks a GraphQL Node.
func (*Row) IsNode() {}

// ID is the opaque id.
func (r *Row) ID() string { return r.service.IDs.Encode(publicid.Conversation, r.Key) }

// AppendID appends the ID.
func (r *Row) AppendID(b []byte) []byte { return r.service.IDs.Append(b, publicid.Conversation, r.Key) }

// Name is the customer's name, or their address when none is known.
func (r *Row) Name() string {
	if r.Title == "" {
		return r.Address
	}
	return r.Title
}

// MobileNumber is the customer's address.
func (r *Row) MobileNumber() string { return r.Address }

// PhoneNumber is the customer's address if that is a phone number, nil otherwise.
func (r *Row) PhoneNumber() *string {
	if n, err := number.Read(r.Address, "", number.Carrier); err != nil || n.E164 != r.Address {
		return nil
	}
	return &r.Address
}

// Channel is the sender ID.
func (r *Row) Channel() *directory.Channel { return r.service.Directory.Channel(r.ChannelID) }

// Owner is who works it, nil when nobody does.
func (r *Row) Owner() *directory.Agent { return r.service.Directory.Agent(r.OwnerID) }

// ObjectType is the anchor record's type, nil when there is none.
func (r *Row) ObjectType() *string { return table.Optional(r.Type) }

// Topic is what it is about, nil for nothing.
func (r *Row) Topic() *string { return table.Optional(r.About) }

// NewCount is how many inbound messages are not read.
func (r *Row) NewCount() int { return int(r.InboundCount - r.ReadCount) }

// LastIncomingAt is when the customer last wrote, nil when never.
func (r *Row) LastIncomingAt() *clock.Time { return table.Optional(r.LastIncoming) }

// LastMessageDirection is which way the last message went.
func (r *Row) LastMessageDirection() *content.Direction {
	return table.Optional(r.LastDirection.Shown())
}

// MessageCount is how many messages and notes it holds, those of conversations merged
// into it too.
func (r *Row) MessageCount() int64 { return r.EarlierMessages + r.OwnMessages() }

// OwnMessages is how many messages and notes it holds by itself.
func (r *Row) OwnMessages() int64 { return r.LastSeq - r.FirstSeq + 1 }
