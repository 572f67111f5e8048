package message

import (
	"context"
	"database/sql"
	"errors"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// Retry queues a FAILED or UNKNOWN message again as a new attempt. A refusal is
// a *RefusedError.
func (m *Messenger) Retry(ctx context.Context, in RetryInput) (Sent, error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return Sent{}, err
	}
	key, ok := m.IDs.Decode(publicid.Message, in.MessageID)
	if !ok {
		return Sent{}, fault.Missing("message")
	}
	return m.write(ctx, "retryMessage", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (Sent, error) {
		row, err := m.loadOf(ctx, tx, key)
		if err != nil {
			return Sent{}, err
		}
		if err := m.retry(ctx, tx, row, key, in.IdempotencyKey); err != nil {
			return Sent{}, err
		}
		message, err := m.load(ctx, tx, key)
		return Sent{message, row}, err
	}, m.Sends)
}

func (m *Messenger) retry(ctx context.Context, tx *store.Tx, row *conversation.Row, message int64, idempotencyKey string) error {
	a, err := loadAttempt(ctx, tx, entsql.EQ("`a`.`message_id`", message))
	switch {
	case err != nil:
		return err
	case a == nil:
		return fault.New(fault.Conflict, "Only outbound messages can be retried; this item is never sent.")
	case a.shown != channel.Failed && a.shown != channel.Unsettled:
		return fault.New(fault.Conflict, "Only a FAILED or UNKNOWN message can be retried; this one is %s.", a.shown)
	case a.kind != content.Text && a.kind != content.Component:
		return fault.New(fault.Conflict, "Only a newer version of Parley can retry this message. Try again when every server is upgraded.")
	}
	party, err := m.party(ctx, tx, row)
	if err != nil {
		return err
	}
	p := m.plan(ctx, row, party, &a.text)
	if a.kind == content.Component {
		said, _, err := questionAt(ctx, tx, a.conversation, message)
		if err != nil {
			return err
		}
		p.TimesOver = said != nil && said.AreOver(p.Now)
	}
	if s := Judge(p); !s.CanSend() {
		return &RefusedError{s.Refusals}
	}
	return m.again(ctx, tx, row, a, 0, idempotencyKey)
}

// loadOf loads and locks the conversation whose thread a message is in.
func (m *Messenger) loadOf(ctx context.Context, tx *store.Tx, message int64) (*conversation.Row, error) {
	var key int64
	q := tx.Builder().Select("conversation_id").From(entsql.Table("messages")).Where(entsql.EQ("id", message))
	if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&key) }); err != nil {
		return nil, err
	}
	row, err := m.Conversations.LoadCurrent(ctx, tx, key)
	return row, asMessage(err)
}

// asMessage keeps a hidden conversation from being told apart from a message
// that is not there.
func asMessage(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Code == fault.NotFound {
		return fault.Missing("message")
	}
	return err
}

// again queues a new attempt of a message after its latest.
func (m *Messenger) again(ctx context.Context, tx *store.Tx, row *conversation.Row, a *attempt, throttled int, idempotencyKey string) error {
	if err := m.enqueue(ctx, tx, row.Channel(), a.conversation, a.message, a.number+1, throttled); err != nil {
		return err
	}
	return m.showStatus(ctx, tx, row, a, settlement{status: channel.Queued}, idempotencyKey)
}
