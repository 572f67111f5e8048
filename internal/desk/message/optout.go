package message

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
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
	g := Given{Customer: row.MessagingUserID, Status: to, Source: FromCarrier, At: tx.Now}
	_, err := m.GiveConsent(ctx, tx, row, g)
	return err
}

// ConsentSource is who brought a consent.
type ConsentSource string

// The sources of consent.
const (
	FromCarrier ConsentSource = "CARRIER"
	FromAgent   ConsentSource = "AGENT"
	FromImport  ConsentSource = "IMPORT"
	// FromRecord is the customer's record, which had opted out and was deleted or merged.
	FromRecord ConsentSource = "RECORD"
	// OtherSource is one that only a newer version knows.
	OtherSource ConsentSource = "OTHER"
)

// Known is the source, OtherSource when it is not known.
func (s ConsentSource) Known() ConsentSource {
	switch s {
	case FromCarrier, FromAgent, FromImport, FromRecord:
		return s
	}
	return OtherSource
}

// Given is a consent that a customer gave or took back, and its proof.
type Given struct {
	Customer int64
	Status   channel.Consent
	Source   ConsentSource
	Reason   string
	Agent    int64 // who recorded it; 0 for the system
	At       clock.Time
}

// consentLines are what the thread says, by source and whether it is an opt-out.
var consentLines = map[ConsentSource]map[bool]string{
	FromCarrier: {true: "The carrier reports that the customer has opted out. Nothing can be sent until they opt in again.", false: "The customer has opted in again."},
	FromAgent:   {true: "The customer was opted out. Nothing can be sent until they opt in again.", false: "The customer's consent was recorded."},
	FromRecord:  {true: "The customer's record had opted out before it was deleted or merged. Nothing can be sent until they opt in again."},
	FromImport:  {true: "An import opted the customer out. Nothing can be sent until they opt in again.", false: "An import recorded the customer's consent."},
}

// KeepOptOut opts the customer of a locked conversation out whose record had opted out and
// was deleted or merged.
func (m *Messenger) KeepOptOut(ctx context.Context, tx *store.Tx, row *conversation.Row) error {
	_, err := m.GiveConsent(ctx, tx, row, Given{Customer: row.MessagingUserID, Status: channel.OptOut, Source: FromRecord, At: tx.Now})
	return err
}

// GiveConsent sets a customer's consent and adds an entry to its history; a line in the
// thread of the locked conversation says so, if there is one. It reports whether that
// changed anything. A carrier and an import only take back what opted the customer out:
// a carrier's opt-in is one after an opt-out, and no import opts anybody in again.
func (m *Messenger) GiveConsent(ctx context.Context, tx *store.Tx, row *conversation.Row, g Given) (changed bool, err error) {
	due := entsql.NEQ("consent_status", string(g.Status))
	switch {
	case g.Source == FromCarrier && g.Status != channel.OptOut:
		due = entsql.EQ("consent_status", string(channel.OptOut))
	case g.Source == FromImport:
		due = entsql.And(due, entsql.NEQ("consent_status", string(channel.OptOut)))
	}
	n, err := tx.Exec(ctx, tx.Builder().Update("messaging_users").Set("consent_status", string(g.Status)).
		Where(entsql.And(entsql.EQ("id", g.Customer), due)))
	if err == nil && row != nil && row.OwnState != "" && (n > 0 || g.Status == channel.OptOut) {
		err = keepConsent(ctx, tx, g.Customer, g.Status)
	}
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := tx.Exec(ctx, addConsent.With(g.Customer, string(g.Status), string(g.Source), g.Reason, g.Agent, int64(g.At), int64(tx.Now))); err != nil || row == nil {
		return true, err
	}
	return true, m.Tell(ctx, tx, row, consentLines[g.Source][g.Status == channel.OptOut])
}

var addConsent = store.Fixed(`INSERT INTO consent_entries (messaging_user_id, status, source, reason, actor_id, given_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`)

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
