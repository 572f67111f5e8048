package inbound

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/message"
	"parley/internal/ground/number"
	"parley/internal/ground/store"
)

// outcome is the state an entry is kept in, and why when it is FAILED.
type outcome struct{ state, problem string }

const (
	stateDone    = "DONE"
	statePending = "PENDING" // a receipt that matches nothing yet
	stateFailed  = "FAILED"
)

var (
	done      = outcome{state: stateDone}
	duplicate = outcome{state: "DUPLICATE"} // never stored
)

func failed(problem string) outcome {
	return outcome{stateFailed, channel.Cut(channel.CleanText(problem), mostProblem)}
}

// entry is one thing a webhook holds.
type entry struct {
	eventID    string
	providerID string // of the message a receipt speaks of
	kept       channel.Kept
	problem    string // why it cannot be taken in; empty when it can
}

// Bounds of what is taken from a carrier.
const (
	mostMedia   = 20
	mostMissing = 300
	mostAddress = 200
	mostProblem = 500
)

// entriesOf turns a delivery into entries, messages before the receipts.
func entriesOf(d channel.Delivery, w channel.Webhook) []entry {
	out := make([]entry, 0, len(d.Messages)+len(d.Receipts)+len(d.Bad))
	for _, m := range d.Messages {
		out = append(out, entry{eventID: m.EventID, kept: channel.Kept{Message: &m}})
	}
	for _, receipt := range d.Receipts {
		out = append(out, entry{eventID: receipt.EventID, providerID: receipt.ProviderID, kept: channel.Kept{Receipt: &receipt}})
	}
	for _, b := range d.Bad {
		raw := &channel.RawWebhook{ContentType: w.Header.Get("Content-Type"), Query: w.Query, Body: b.Raw}
		out = append(out, entry{eventID: b.EventID, kept: channel.Kept{Raw: raw}, problem: b.Reason})
	}
	return out
}

// store keeps the entry raw and takes it in. One that is there already is done
// with: carriers post the same thing more than once.
func (r *Receiver) store(ctx context.Context, tx *store.Tx, account *directory.Account, e entry) (outcome, error) {
	payload, err := json.Marshal(e.kept)
	if err != nil {
		return outcome{}, err
	}
	fresh, err := tx.Exec(ctx, keepRaw.With(account.ID, e.eventID, stateDone, e.providerID, payload, int64(tx.Now)))
	if err != nil || fresh == 0 {
		return duplicate, err
	}
	got, err := r.take(ctx, tx, account, e)
	if err != nil || got == done {
		return got, err
	}
	which := entsql.And(entsql.EQ("provider_account_id", account.ID), entsql.EQ("event_id", e.eventID))
	return got, mark(ctx, tx, which, got)
}

var keepRaw = store.Fixed(`INSERT INTO raw_inbounds (provider_account_id, event_id, state, provider_id, payload, created_at)
	VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (provider_account_id, event_id) DO NOTHING`)

func mark(ctx context.Context, tx *store.Tx, which *entsql.Predicate, as outcome) error {
	_, err := tx.Exec(ctx, tx.Builder().Update("raw_inbounds").Set("state", as.state).Set("error", as.problem).Where(which))
	return err
}

// take does what the entry says.
func (r *Receiver) take(ctx context.Context, tx *store.Tx, account *directory.Account, e entry) (outcome, error) {
	switch {
	case e.problem != "":
		return failed(e.problem), nil
	case e.kept.Message != nil:
		return r.takeMessage(ctx, tx, account, *e.kept.Message)
	case e.kept.Receipt != nil:
		return r.takeReceipt(ctx, tx, account, *e.kept.Receipt)
	}
	return failed("the entry is empty"), nil
}

// takeReceipt applies a receipt, or keeps it until something matches it.
func (r *Receiver) takeReceipt(ctx context.Context, tx *store.Tx, account *directory.Account, receipt channel.Receipt) (outcome, error) {
	matched, err := r.Messenger.ApplyReceipt(ctx, tx, account.ID, receipt)
	if err != nil || matched {
		return done, err
	}
	return outcome{state: statePending}, nil
}

// takeMessage finds or makes the customer and their conversation and adds the
// message.
func (r *Receiver) takeMessage(ctx context.Context, tx *store.Tx, account *directory.Account, in channel.Inbound) (outcome, error) {
	ch := r.Directory.ChannelAt(account.ID, in.To)
	if ch == nil {
		return failed("no channel of this account has the address to which the message was sent"), nil
	}
	row, user, err := r.Conversations.Ensure(ctx, tx, ch.Key, CustomerOf(in, ch))
	if err != nil {
		return done, err
	}
	said, missing := contentOf(in)
	answer, err := r.Messenger.Answer(ctx, tx, row, user, in)
	if err != nil {
		return done, err
	}
	if answer != nil {
		said = *answer
	}
	began := row.LastSeq == 0
	if err = r.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (feed.Event, error) {
		if r.Link != nil {
			if err := r.Link(ctx, tx, row, user.Name); err != nil {
				return feed.Event{}, err
			}
		}
		return r.receive(ctx, tx, row, in, said, ch)
	}); err != nil {
		return done, err
	}
	if missing != "" {
		if err := r.Messenger.Tell(ctx, tx, row, "Part of this message cannot be shown here: "+missing+"."); err != nil {
			return done, err
		}
	}
	r.tell(ctx, tx, row, began, answer)
	return done, r.Messenger.TakeConsent(ctx, tx, row, in.Consent)
}

// tell has others hear of a message that was taken in.
func (r *Receiver) tell(ctx context.Context, tx *store.Tx, row *conversation.Row, began bool, answer *content.AnswerContent) {
	if r.Happened != nil {
		r.Happened(ctx, tx, row.Key, triggersOf(row, began)...)
	}
	if r.Received != nil {
		r.Received(tx, row)
	}
	if r.Answered != nil && answer != nil && !answer.IsRepeated {
		r.Answered(ctx, tx, row.Key, row.LastMessageID)
	}
}

// triggersOf are what a message sets off, which the row has taken in.
func triggersOf(row *conversation.Row, began bool) (triggers []action.Trigger) {
	if began {
		triggers = append(triggers, action.ConversationBegun)
	}
	if row.InboundCount == 1 {
		triggers = append(triggers, action.FirstInbound)
		if row.RecordID == 0 {
			triggers = append(triggers, action.UnknownSender)
		}
	}
	return append(triggers, action.MessageReceived)
}

func (r *Receiver) receive(ctx context.Context, tx *store.Tx, row *conversation.Row, in channel.Inbound, said content.Content, ch *directory.Channel) (feed.Event, error) {
	added, err := r.Messenger.Insert(ctx, tx, row, message.New{
		Direction: content.Inbound, Source: content.Customer, Content: said,
		AccountID: ch.Account.ID, ProviderID: in.ProviderID, ProviderTime: int64(in.At),
	})
	row.Receive(added.Shown(), ch.SoleOwner())
	if answer, is := said.(content.AnswerContent); is && answer.Question == row.AskedID {
		row.Ask(0)
	}
	return feed.Event{Cause: feed.MessageAdded, MessageID: added.Key}, err
}

// nobody is the address of whoever writes without one. It cannot be answered.
const nobody = "unknown sender"

// CustomerOf is who sent a message to the channel: a phone number is brought to E.164, a short
// code or a name stays as it came, as far as it can be kept.
func CustomerOf(in channel.Inbound, ch *directory.Channel) conversation.Customer {
	address := cmp.Or(channel.Cut(strings.TrimSpace(channel.CleanName(in.From)), mostAddress), nobody)
	c := conversation.Customer{Address: address, Received: in.From, Name: channel.Cut(channel.CleanName(in.FromName), channel.MostName), NamedBy: conversation.NamedByCarrier}
	if ch.Type.IsSMS() {
		if n, err := number.Read(c.Address, ch.Country, number.Carrier); err == nil {
			c.Address, c.Country = n.E164, n.Country
		}
	}
	return c
}

// contentOf is what the message says, and what of it is missing. Where nothing can be
// shown, it is a line that says so.
func contentOf(in channel.Inbound) (said content.Content, missing string) {
	text := channel.Cut(channel.CleanText(in.Text), channel.MostText)
	if len(text) < len(channel.CleanText(in.Text)) {
		in.Missing = append(in.Missing, fmt.Sprintf("text beyond %d characters", channel.MostText))
	}
	if more := len(in.Media) - mostMedia; more > 0 {
		in.Missing = append(in.Missing, fmt.Sprintf("%s beyond the first %d", channel.Files(more), mostMedia))
	}
	missing = channel.Cut(channel.CleanText(strings.Join(in.Missing, ", ")), mostMissing)
	switch {
	case in.Unsupported != "":
		return unshown(in.Unsupported), missing
	case len(in.Media) > 0:
		return content.MediaContent{Text: text, Files: in.Media[:min(len(in.Media), mostMedia)]}, missing
	case missing != "" && channel.IsBlank(text):
		return unshown(missing), ""
	}
	return content.TextContent{Text: text}, missing
}

func unshown(what string) content.Content {
	return content.EventContent{Text: "The customer sent something that cannot be shown here: " + channel.Cut(channel.CleanText(what), mostMissing) + "."}
}
