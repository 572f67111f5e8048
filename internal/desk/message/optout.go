package message

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// TakeConsent takes the carrier's word that the customer of a locked conversation has
// opted out of its sender ID, and of no other, or that one who had takes messages
// again (channel.ImplicitOptIn). A line in the thread says so where it changes
// anything. Other statuses are not a carrier's to give.
func (m *Messenger) TakeConsent(ctx context.Context, tx *store.Tx, row *conversation.Row, to channel.Consent) error {
	if to != channel.OptOut && to != channel.ImplicitOptIn {
		return nil
	}
	due, line := entsql.NEQ("consent_status", string(to)), "The carrier reports that the customer has opted out. Nothing can be sent until they opt in again."
	if to == channel.ImplicitOptIn {
		due, line = entsql.EQ("consent_status", string(channel.OptOut)), "The customer has opted in again."
	}
	n, err := tx.Exec(ctx, tx.Builder().Update("messaging_users").Set("consent_status", string(to)).
		Where(entsql.And(entsql.EQ("id", row.MessagingUserID), due)))
	if err == nil && row.OwnState != "" && (n > 0 || to == channel.OptOut) {
		err = keepConsent(ctx, tx, row.MessagingUserID, to)
	}
	if err != nil || n == 0 {
		return err
	}
	return m.Tell(ctx, tx, row, line)
}

// keepConsent keeps what a customer gives while others are merged into them: it stays
// when these are separated again. Whoever opts out then does so for all of them.
func keepConsent(ctx context.Context, tx *store.Tx, customer int64, to channel.Consent) error {
	own := tx.Builder().Update("messaging_users").Set("own_consent", string(to)).Where(entsql.EQ("id", customer))
	if _, err := tx.Exec(ctx, own); err != nil || to != channel.OptOut {
		return err
	}
	_, err := tx.Exec(ctx, tx.Builder().Update("messaging_users").Set("consent_status", string(to)).Where(entsql.EQ("merged_into", customer)))
	return err
}

// Tell adds a line by the system to a locked conversation. It changes neither its
// time, its preview nor what is unread.
func (m *Messenger) Tell(ctx context.Context, tx *store.Tx, row *conversation.Row, line string) error {
	return m.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
		said, err := m.Insert(ctx, tx, row, New{Source: content.System, Content: content.EventContent{Text: line}})
		return added(said, ""), err
	})
}
