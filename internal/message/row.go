// Package message composes and sends: what a message is when it is read, whether
// it can be sent, the send itself, the lane through which a conversation's
// messages leave in order, and the receipts that come back.
package message

import (
	"database/sql"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/content"
	"parley/internal/conversation"
	"parley/internal/directory"
	"parley/internal/publicid"
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

	desk *conversation.Desk
}

var columns = []string{
	"id", "conversation_id", "seq", "direction", "kind", "source", "text", "rest", "template_type",
	"author_id", "status", "error_code", "provider_time", "created_at",
}

func scan(desk *conversation.Desk, rows *sql.Rows) (*Row, error) {
	r := &Row{desk: desk}
	var text string
	var rest []byte
	var author sql.NullInt64
	err := rows.Scan(&r.Key, &r.ConversationID, &r.Seq, &r.direction, &r.Kind, &r.Source, &text, &rest, &r.template,
		&author, &r.status, &r.code, &r.providerTime, &r.CreatedAt)
	if err != nil {
		return nil, err
	}
	r.author = author.Int64
	r.Content, err = content.Decode(r.Kind, text, rest)
	return r, err
}

// IsNode marks a GraphQL Node.
func (*Row) IsNode() {}

// ID is the opaque id.
func (r *Row) ID() string { return r.desk.IDs.Encode(publicid.Message, r.Key) }

// Direction is which way it went, nil for notes and system lines.
func (r *Row) Direction() *content.Direction { return optional(r.direction) }

// Author is the agent who wrote it, nil for the customer and the system.
func (r *Row) Author() *directory.Agent { return r.desk.Directory.Agent(r.author) }

// Status is where an outbound message stands, nil for others.
func (r *Row) Status() *channel.Status { return optional(r.status) }

// Error is why it failed, nil otherwise.
func (r *Row) Error() *DeliveryError { return deliveryError(r.code) }

// ProviderTime is when the carrier says it was written, nil when it does not say.
func (r *Row) ProviderTime() *clock.Time { return optional(r.providerTime) }

// ChannelTemplateType is the kind of registered template it used, nil for none.
func (r *Row) ChannelTemplateType() *content.TemplateType { return optional(r.template) }

// DeliveryError is why a message failed.
type DeliveryError struct{ Code, Message string }

func deliveryError(code channel.ErrorCode) *DeliveryError {
	if code == "" {
		return nil
	}
	return &DeliveryError{string(code), code.Explain()}
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
func (a *Attempt) Error() *DeliveryError { return deliveryError(a.code) }

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
