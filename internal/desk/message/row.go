// Package message composes and sends: what a message is when it is read, whether it can
// be sent, the send itself, the lane through which a conversation's messages leave in
// order, and the receipts that come back.
package message

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Row is a message as it is read. Zero keys and times stand for none.
type Row struct {
	Key            int64
	ConversationID int64
	Seq            int64
	Kind           content.Kind
	Source         content.Source
	Content        content.Content
	CreatedAt      clock.Time

	direction    content.Direction
	template     content.TemplateType
	author       int64
	status       channel.Status
	code         channel.ErrorCode
	providerTime clock.Time

	earlier bool // it was read with a conversation that its own is merged into

	text      string // until Content is made of it and the rest
	rest      []byte
	truncated bool

	service *conversation.Service
}

// messages declares the columns that are read. They feed no fact of an event.
var messages = table.New("messages", []table.Column[Row, struct{}]{
	{Name: "id", Value: table.Int(func(r *Row) *int64 { return &r.Key }), Fields: "__typename id"},
	{Name: "conversation_id", Value: table.Int(func(r *Row) *int64 { return &r.ConversationID }), Fields: "conversation"},
	{Name: "seq", Value: table.Int(func(r *Row) *int64 { return &r.Seq }), Fields: "number"},
	{Name: "direction", Value: table.Text(func(r *Row) *content.Direction { return &r.direction }), Fields: "direction actor"},
	{Name: "kind", Value: table.Text(func(r *Row) *content.Kind { return &r.Kind }), Fields: "kind content"},
	{Name: "source", Value: table.Value[Row]{Read: func(r *Row, s *store.Row, i int) { r.Source = content.Source(s.Text(i)).Shown() }}, Fields: "source"},
	{Name: "text", Value: table.Text(func(r *Row) *string { return &r.text })},
	{Name: "rest", Value: table.Value[Row]{Read: func(r *Row, s *store.Row, i int) { r.rest = slices.Clone(s.Bytes(i)) }}, Fields: "content"},
	{Name: "template_type", Value: table.Text(func(r *Row) *content.TemplateType { return &r.template }), Fields: "channelTemplateType"},
	{Name: "author_id", Value: table.Key(func(r *Row) *int64 { return &r.author }), Fields: "author actor"},
	{Name: "status", Value: table.Text(func(r *Row) *channel.Status { return &r.status }), Fields: "status error attempts"},
	{Name: "error_code", Value: table.Text(func(r *Row) *channel.ErrorCode { return &r.code }), Fields: "error"},
	{Name: "provider_time", Value: table.Int(func(r *Row) *clock.Time { return &r.providerTime }), Fields: "providerTime"},
	{Name: "created_at", Value: table.Int(func(r *Row) *clock.Time { return &r.CreatedAt }), Fields: "createdAt"},

	// The beginning stands for the text in lists, and one character more shows that
	// it is longer: no list loads what it does not show.
	{Name: "beginning", Of: beginning, Value: table.Value[Row]{Read: func(r *Row, s *store.Row, i int) { r.text, r.truncated = content.Cut(s.Text(i)) }}, Fields: "content"},
})

func beginning(x string) string {
	return fmt.Sprintf("substr(%s.text, 1, %d)", x, content.MostListed+1)
}

var (
	key    = messages.Only("id")
	placed = messages.Only("id", "conversation_id", "seq")
	told   = messages.Only("kind", "rest")
	said   = told.And(messages.Only("beginning"))

	// whole is what is read of one message by itself, listed of many.
	whole  = messages.Stored()
	listed = whole.Without(messages.Only("text")).And(said)
)

// Columns are columns of messages; none stands for all, with the beginning of the
// text.
type Columns = table.Columns

// ColumnsOf returns the columns that fields of the graph need.
func ColumnsOf(fields iter.Seq[string]) Columns { return messages.Needed(key, fields) }

func orListed(c Columns) Columns {
	if c.IsZero() {
		return listed
	}
	return c
}

// read makes a row of the columns from place i on.
func read(desk *conversation.Service, s *store.Row, i int, c table.Columns) *Row {
	r := &Row{service: desk}
	r.read(s, i, c)
	return r
}

func (r *Row) read(s *store.Row, i int, c table.Columns) {
	messages.Read(r, s, i, c)
	if !c.Has(told) {
		return
	}
	if r.Content = content.Decode(r.Kind, r.text, r.rest); r.truncated {
		r.Content = content.Truncated(r.Content)
	}
	r.text, r.rest = "", nil
}

// Shown is what its conversation shows of it.
func (r *Row) Shown() conversation.Message {
	return conversation.Message{Key: r.Key, At: r.CreatedAt, Preview: content.Preview(r.Content)}
}

// IsNode marks a GraphQL Node.
func (*Row) IsNode() {}

// ID is the opaque id.
func (r *Row) ID() string { return r.service.IDs.Encode(publicid.Message, r.Key) }

// AppendID appends the ID.
func (r *Row) AppendID(b []byte) []byte { return r.service.IDs.Append(b, publicid.Message, r.Key) }

// Direction is which way it went, nil for notes and system lines.
func (r *Row) Direction() *content.Direction { return table.Optional(r.direction.Shown()) }

// ShownKind is the kind as the graph shows it.
func (r *Row) ShownKind() content.Kind { return r.Kind.Shown() }

// Author is the person who wrote it, nil for customers, service accounts and the system.
func (r *Row) Author() *directory.Agent {
	if a := r.service.Directory.Agent(r.author); a != nil && a.Kind == viewer.Person {
		return a
	}
	return nil
}

// Actor is who wrote it on this side, nil for the customer.
func (r *Row) Actor() *directory.Actor {
	if r.direction == content.Inbound {
		return nil
	}
	return cmp.Or(r.service.Directory.Actor(r.author), directory.System())
}

// Status is where an outbound message stands, nil for others.
func (r *Row) Status() *channel.Status { return table.Optional(r.status.Shown()) }

// Error is why it failed, nil otherwise.
func (r *Row) Error() *DeliveryError { return deliveryError(r.status, r.code) }

// ProviderTime is when the carrier says it was written, nil when it does not say.
func (r *Row) ProviderTime() *clock.Time { return table.Optional(r.providerTime) }

// ChannelTemplateType is the kind of registered template it used, nil for none.
func (r *Row) ChannelTemplateType() *content.TemplateType { return table.Optional(r.template.Shown()) }

// DeliveryError is why a message failed.
type DeliveryError struct{ Code, Message string }

// newerReason explains an error code that is not known.
const newerReason = "The message failed for a reason that only a newer version of Parley knows. Look again when every server is upgraded."

// deliveryError leaves out what an older version wrote beside UNKNOWN: nobody knows
// that such a message failed.
func deliveryError(status channel.Status, code channel.ErrorCode) *DeliveryError {
	if code == "" || status == channel.Unsettled {
		return nil
	}
	return &DeliveryError{string(code), cmp.Or(code.Explain(), newerReason)}
}

// Attempt is one attempt to send a message.
type Attempt struct {
	Number    int
	Status    channel.Status
	CreatedAt clock.Time
	UpdatedAt clock.Time

	code channel.ErrorCode
}

// Error is why it failed, nil otherwise.
func (a *Attempt) Error() *DeliveryError { return deliveryError(a.Status, a.code) }
