package message

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
)

// settlement is what was learnt of an attempt.
type settlement struct {
	status     channel.Status
	code       channel.ErrorCode
	detail     string
	providerID string
	optedOut   bool // at the carrier
}

// attempt is an attempt inside a write.
type attempt struct {
	key, conversation, message, account int64
	number, throttled                   int
	status                              channel.Status
	providerID                          string
	latest                              bool
	shown                               channel.Status // of its message
	kind                                content.Kind   // of its message
	text                                string
}

// loadAttempt reads the newest attempt for which where holds; nil when there is
// none.
func loadAttempt(ctx context.Context, tx *store.Tx, where *entsql.Predicate) (a *attempt, err error) {
	t, m := entsql.Table("attempts").As("a"), entsql.Table("messages").As("m")
	latest := "(SELECT MAX(number) FROM attempts WHERE message_id = a.message_id)"
	q := tx.Builder().SelectExpr(
		entsql.Raw("a.id"), entsql.Raw("a.conversation_id"), entsql.Raw("a.message_id"), entsql.Raw("a.provider_account_id"),
		entsql.Raw("a.number"), entsql.Raw("a.throttled"), entsql.Raw("a.status"), entsql.Raw("a.provider_id"),
		entsql.Raw("a.number = "+latest), entsql.Raw("m.status"), entsql.Raw("m.kind"), entsql.Raw("m.text"),
	).From(t).Join(m).On(t.C("message_id"), m.C("id")).Where(where).OrderBy(entsql.Desc(t.C("number"))).Limit(1)
	err = tx.Query(ctx, q, func(rows *sql.Rows) error {
		a = &attempt{}
		var providerID sql.NullString
		err := rows.Scan(&a.key, &a.conversation, &a.message, &a.account, &a.number, &a.throttled, &a.status, &providerID, &a.latest, &a.shown, &a.kind, &a.text)
		a.providerID = providerID.String
		return err
	})
	return a, err
}

// settle moves an attempt by what was learnt of it, as far as its status lets
// itself be moved, and with it the message, as far as that shows it. Both the
// conversation and the attempt were read under the conversation's lock.
func (m *Messenger) settle(ctx context.Context, tx *store.Tx, row *conversation.Row, a *attempt, s settlement) error {
	moved, err := m.moveAttempt(ctx, tx, a, s)
	if err != nil {
		return err
	}
	if moved && a.counts(s.status) {
		if err := m.showStatus(ctx, tx, row, a, s, ""); err != nil {
			return err
		}
	}
	if moved && s.optedOut {
		if err := m.TakeConsent(ctx, tx, row, channel.OptOut); err != nil {
			return err
		}
	}
	if s.providerID == "" || a.providerID != "" {
		return nil
	}
	return m.applyPending(ctx, tx, a.account, s.providerID)
}

// moveAttempt writes what was learnt to the attempt alone.
func (m *Messenger) moveAttempt(ctx context.Context, tx *store.Tx, a *attempt, s settlement) (moved bool, err error) {
	update := tx.Builder().Update("attempts").Where(entsql.EQ("id", a.key))
	if s.providerID != "" && a.providerID == "" {
		update.Set("provider_id", s.providerID)
	}
	if moved = a.status.After(s.status) != a.status; moved {
		update.Set("status", string(s.status)).Set("error_code", string(s.code)).Set("detail", clip(s.detail, 500)).
			Set("updated_at", int64(tx.Now))
	}
	if !update.Empty() {
		_, err = tx.Exec(ctx, update)
	}
	return moved, err
}

// counts reports whether what the attempt comes to may show in its message: the
// latest attempt's does, and that the customer has it, by whichever attempt.
func (a *attempt) counts(to channel.Status) bool { return a.latest || to.Arrived() }

// showStatus gives a message the status that follows from an attempt's which counts,
// and records it. What has arrived stays so, whatever becomes of other attempts.
func (m *Messenger) showStatus(ctx context.Context, tx *store.Tx, row *conversation.Row, a *attempt, s settlement, idempotencyKey string) error {
	if a.shown.Arrived() {
		s = settlement{status: a.shown.After(s.status)}
	}
	return m.Conversations.Apply(ctx, tx, row, func(ctx context.Context, _ *conversation.Row) (feed.Event, error) {
		_, err := tx.Exec(ctx, tx.Builder().Update("messages").Set("status", string(s.status)).
			Set("error_code", string(s.code)).Where(entsql.EQ("id", a.message)))
		return feed.Event{
			Cause: feed.MessageStatusChanged, MessageID: a.message, Status: s.status, IdempotencyKey: idempotencyKey,
		}, err
	})
}

func clip(s string, most int) string {
	s = channel.CleanText(s)
	if len(s) <= most {
		return s
	}
	return channel.CleanText(s[:most-4])
}

// ApplyReceipt moves the attempt that a receipt speaks of: the one whose key its
// status URL carried, else the one with the provider's id. It reports false when
// there is none yet: the receipt must then be kept.
func (m *Messenger) ApplyReceipt(ctx context.Context, tx *store.Tx, account int64, r channel.Receipt) (matched bool, err error) {
	a, err := m.receiptAttempt(ctx, tx, account, r)
	if err != nil || a == nil {
		return false, err
	}
	row, err := m.Conversations.LoadCurrent(ctx, tx, a.conversation)
	if err != nil {
		return false, err
	}
	// What was read before the lock may have moved since.
	if a, err = loadAttempt(ctx, tx, entsql.EQ("`a`.`id`", a.key)); err != nil {
		return false, err
	}
	return true, m.settle(ctx, tx, row, a, settlement{
		status: r.Status, code: r.Code, detail: r.Detail, providerID: r.ProviderID, optedOut: r.OptedOut,
	})
}

func (m *Messenger) receiptAttempt(ctx context.Context, tx *store.Tx, account int64, r channel.Receipt) (*attempt, error) {
	if key, ok := m.IDs.Decode(publicid.Attempt, r.AttemptKey); ok {
		a, err := loadAttempt(ctx, tx, entsql.And(entsql.EQ("`a`.`id`", key), entsql.EQ("`a`.`provider_account_id`", account)))
		// The key alone does not do when it speaks of another message.
		if err != nil || a != nil && (a.providerID == "" || a.providerID == r.ProviderID) {
			return a, err
		}
	}
	if r.ProviderID == "" {
		return nil, nil
	}
	return loadAttempt(ctx, tx, entsql.And(entsql.EQ("`a`.`provider_account_id`", account), entsql.EQ("`a`.`provider_id`", r.ProviderID)))
}
