package message

import (
	"context"
	"database/sql"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/quota"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Messenger sends, and reads what was sent. Its Reader, Directory, IDs and Providers are
// required.
type Messenger struct {
	Reader
	Directory *directory.Directory
	IDs       *publicid.Codec
	Providers map[string]channel.Provider // by name
	Records   *crm.Service
	// PublicURL is where carriers reach this server, without a final slash.
	PublicURL string
	// Renew gives the images of the file store in a component addresses that customers can
	// open from now on.
	Renew func(*channel.Structured)
	// CallTimeout bounds one call to a carrier; 10 s by default.
	CallTimeout time.Duration
	// Lease is how long a worker holds a lane before another may take it; three
	// times CallTimeout by default.
	Lease time.Duration
	// Backoff is how long a lane rests when the carrier put a message off for the
	// first time; it doubles each time in a row. 1 s by default.
	Backoff time.Duration
	// Sends and Starts are how many messages an agent may send, and how many
	// conversations of these they may start; nil for any.
	Sends, Starts *quota.Quota
	// Metrics count what is sent; nil counts nothing.
	Metrics *Metrics
	// Happened hears, inside the write, of conversations that begin; nil for nobody.
	Happened func(ctx context.Context, tx *store.Tx, conversation int64, triggers ...action.Trigger)

	waiting bell
	uses    uses
}

// MostText is how long a text may be before its channel is even asked.
const MostText = 20_000

// mostNote is how long a note may be.
const mostNote = 10_000

// RefusedError is why a send did not happen: every reason together.
type RefusedError struct{ Refusals []*Refusal }

// Error implements error.
func (e *RefusedError) Error() string { return "send refused: " + e.Refusals[0].Message }

// SendInput is a text, or a component, to send in a conversation.
type SendInput struct {
	ConversationID, Text, IdempotencyKey string
	ConfirmForOwner                      bool
	// Component is the token of one that was prepared; nil for a text.
	Component *string `json:",omitempty"`
	// UpToMessageID is the last message that was read; nil for all.
	UpToMessageID *string `json:",omitempty"`
}

// NoteInput is a note to add.
type NoteInput struct{ ConversationID, Text, IdempotencyKey string }

// RetryInput is a message to try again.
type RetryInput struct{ MessageID, IdempotencyKey string }

// Sent is a message with its conversation after the change.
type Sent struct {
	Message      *Row
	Conversation *conversation.Row
}

// Send queues a text, or a component, in a conversation that the viewer sees. A refusal is
// a *RefusedError.
func (m *Messenger) Send(ctx context.Context, in SendInput) (Sent, error) {
	text, err := checkText(in.Text, in.IdempotencyKey)
	if err != nil {
		return Sent{}, err
	}
	if in.Component != nil && text != "" {
		return Sent{}, fault.Input("input.component", "Give either text or component, not both.")
	}
	key, ok := m.IDs.Decode(publicid.Conversation, in.ConversationID)
	if !ok {
		return Sent{}, fault.Missing("conversation")
	}
	return m.write(ctx, "sendMessage", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (Sent, error) {
		row, err := m.Conversations.Load(ctx, tx, key)
		if err != nil {
			return Sent{}, err
		}
		if in.ConfirmForOwner && !row.ReadBelongsTo(viewer.FromContext(ctx).AgentID) && !viewer.FromContext(ctx).Can(viewer.ViewTeamInbox) {
			return Sent{}, fault.New(fault.Forbidden, "Changing a colleague's read state needs the permission VIEW_TEAM_INBOX. Leave out confirmForOwner.")
		}
		read, err := m.Conversations.InboundUpTo(ctx, tx, row, in.UpToMessageID)
		if err != nil {
			return Sent{}, fault.At("input.upToMessageId", err)
		}
		party, err := m.party(ctx, tx, row)
		if err != nil {
			return Sent{}, err
		}
		p := m.plan(ctx, row, party, &text)
		if in.Component != nil {
			if err := m.withComponent(ctx, &p, "input.component", *in.Component, key, row.Channel()); err != nil {
				return Sent{}, err
			}
		}
		return m.queue(ctx, tx, row, p, order{key: in.IdempotencyKey, confirmed: in.ConfirmForOwner, read: read})
	}, m.Sends)
}

// AddNote adds an internal note to a conversation that the viewer sees.
func (m *Messenger) AddNote(ctx context.Context, in NoteInput) (Sent, error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return Sent{}, err
	}
	text := channel.CleanText(in.Text)
	if channel.IsBlank(text) {
		return Sent{}, fault.Input("input.text", "The note is empty. Write something.")
	}
	if n := utf8.RuneCountInString(text); n > mostNote {
		return Sent{}, fault.Input("input.text", "A note may have 1 to %d characters; this one has %d.", mostNote, n)
	}
	key, ok := m.IDs.Decode(publicid.Conversation, in.ConversationID)
	if !ok {
		return Sent{}, fault.Missing("conversation")
	}
	return m.write(ctx, "addNote", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (sent Sent, err error) {
		sent.Conversation, err = m.Conversations.Change(ctx, tx, key, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
			sent.Message, err = m.Insert(ctx, tx, row, New{
				Source: sourceOf(viewer.FromContext(ctx)), Content: content.NoteContent{Text: text}, Author: viewer.FromContext(ctx).AgentID,
			})
			return added(sent.Message, in.IdempotencyKey), err
		})
		return sent, err
	})
}

// write runs one creating mutation: once per key. The first answer is what fn
// made, whatever the viewer sees from then on, since the write itself may give the
// conversation to another; a repeat is a read under the viewer's rights.
//
// What it does counts for the quotas; a repeat and what is refused do not.
func (m *Messenger) write(ctx context.Context, mutation, key string, input any, fn func(context.Context, *store.Tx) (Sent, error), quotas ...*quota.Quota) (Sent, error) {
	var sent Sent
	var id int64
	var repeated bool
	spending := quota.Spend(ctx, quotas...)
	err := m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		id, repeated, err = idempotency.Do(ctx, tx, mutation, key, input, func() (int64, error) {
			if err := spending.Take(); err != nil {
				return 0, err
			}
			if sent, err = fn(ctx, tx); err != nil {
				return 0, err
			}
			return sent.Message.Key, nil
		})
		return err
	})
	if err != nil {
		spending.Return()
		return Sent{}, err
	}
	m.waiting.ring()
	if repeated {
		return m.sent(ctx, id)
	}
	return sent, nil
}

func (m *Messenger) sent(ctx context.Context, id int64) (Sent, error) {
	messages, err := m.ByKey(ctx, []int64{id})
	if err != nil {
		return Sent{}, err
	}
	msg := messages[id]
	if msg == nil {
		return Sent{}, fault.Missing("message")
	}
	rows, err := m.Conversations.ByKey(ctx, []int64{msg.ConversationID})
	return Sent{Message: msg, Conversation: rows[msg.ConversationID]}, err
}

func checkText(text, key string) (string, error) {
	if err := idempotency.CheckKey(key); err != nil {
		return "", err
	}
	if n := utf8.RuneCountInString(text); n > MostText {
		return "", fault.Input("input.text", "A text may have at most %d characters; this one has %d.", MostText, n)
	}
	return channel.CleanText(text), nil
}

// order is what the caller wants of a send besides its text.
type order struct {
	key       string               // the idempotency key
	confirmed bool                 // clear unread for an owner who is another
	read      int64                // up to which inbound ordinal
	anchor    *conversation.Record // tie the conversation to it; nil leaves it
	topic     *string              // what the conversation is about; nil leaves it
}

// queue judges the plan and, when nothing stands against it, adds the message,
// its first attempt and the lane's job.
func (m *Messenger) queue(ctx context.Context, tx *store.Tx, row *conversation.Row, p Plan, o order) (Sent, error) {
	if s := Judge(p); !s.CanSend() {
		return Sent{}, &RefusedError{s.Refusals}
	}
	v := viewer.FromContext(ctx)
	ch, began := row.Channel(), row.LastSeq == 0
	var made *Row
	err := m.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (_ feed.Event, err error) {
		made, err = m.Insert(ctx, tx, row, New{
			Direction: content.Outbound, Source: sourceOf(v), Content: p.content(), Author: v.AgentID, Status: channel.Queued,
		})
		p.ask(row, made.Key)
		row.Send(made.Shown(), personOf(v), ch.SoleOwner(), o.read, o.confirmed)
		if o.anchor != nil {
			row.Anchor(o.anchor)
		}
		if o.topic != nil {
			row.About = *o.topic
		}
		return added(made, o.key), err
	})
	if err != nil {
		return Sent{}, err
	}
	if err := p.use(ctx, tx); err != nil {
		return Sent{}, err
	}
	if began && m.Happened != nil {
		m.Happened(ctx, tx, row.Key, action.ConversationBegun)
	}
	return Sent{made, row}, m.enqueue(ctx, tx, ch, row.Key, made.Key, 1, 0)
}

// sourceOf is where a message of v comes from.
func sourceOf(v *viewer.Viewer) content.Source {
	if v.IsService {
		return content.API
	}
	return content.Desk
}

// personOf is the agent who may own what v sends in, 0 for a service account.
func personOf(v *viewer.Viewer) int64 {
	if v.IsService {
		return 0
	}
	return v.AgentID
}

func added(r *Row, idempotencyKey string) feed.Event {
	return feed.Event{Cause: feed.MessageAdded, MessageID: r.Key, IdempotencyKey: idempotencyKey}
}

// New is a message to add.
type New struct {
	Direction    content.Direction
	Source       content.Source
	Content      content.Content
	Author       int64
	Status       channel.Status
	AccountID    int64 // of an inbound
	ProviderID   string
	ProviderTime int64
}

// Insert adds a message to a conversation that the write has locked, giving it
// the next number, and returns it as it would be read. The conversation's own change is the caller's; for an inbound
// it comes first, so that the message carries its ordinal.
func (m Reader) Insert(ctx context.Context, tx *store.Tx, row *conversation.Row, n New) (*Row, error) {
	r := &Row{
		ConversationID: row.Key, Seq: row.NextSeq(), Source: n.Source, Content: n.Content, CreatedAt: tx.Now,
		direction: n.Direction, author: n.Author, status: n.Status, providerTime: clock.Time(n.ProviderTime), service: m.Conversations,
	}
	kind, text, rest, err := content.Encode(n.Content)
	if err != nil {
		return r, err
	}
	r.Kind = kind
	ordinal := row.Ordinal()
	if n.Direction == content.Inbound {
		ordinal++ // Row.Receive counts it
	}
	var account, providerID, author any
	if n.ProviderID != "" {
		account, providerID = n.AccountID, n.ProviderID
	}
	if n.Author != 0 {
		author = n.Author
	}
	insert := insertMessage.With(row.Key, r.Seq, string(n.Direction), string(kind), string(n.Source), text, rest,
		author, string(n.Status), ordinal, account, providerID, n.ProviderTime, int64(tx.Now))
	if err = tx.Query(ctx, insert, func(rows *sql.Rows) error { return rows.Scan(&r.Key) }); err == nil {
		textindex.AddMessages(tx, textindex.Message{ID: r.Key, ConversationID: row.Key, ChannelID: row.ChannelID, At: tx.Now, Text: text})
	}
	return r, err
}

var insertMessage = store.Fixed(`INSERT INTO messages (conversation_id, seq, direction, kind, source, text, rest, author_id, status, inbound_ordinal,
	provider_account_id, provider_id, provider_time, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`)

// enqueue adds an attempt to send a message of a conversation and wakes its lane.
func (m *Messenger) enqueue(ctx context.Context, tx *store.Tx, ch *directory.Channel, conversation, message int64, number, throttled int) error {
	insert := insertAttempt.With(conversation, message, number, string(channel.Queued), ch.Account.ID, throttled, int64(tx.Now), int64(tx.Now))
	if _, err := tx.Exec(ctx, insert); err != nil {
		return err
	}
	tx.Enqueue(DrainLane{conversation}, nil)
	return nil
}

var insertAttempt = store.Fixed(`INSERT INTO attempts (conversation_id, message_id, number, status, provider_account_id, throttled, updated_at, created_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
