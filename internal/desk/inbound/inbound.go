// Package inbound turns what carriers post into messages and receipts: verified, stored
// once, and never lost.
//
// One request is one write, which commits before the carrier gets its answer. Entries
// are unique by account and the carrier's event id. What cannot be understood is kept
// raw with its error, to be processed again, and does not affect its neighbours. What
// carriers posted while no server answered is fetched afterwards, if they can list it.
package inbound

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/channel"
	"parley/internal/desk/action"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/message"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// brought reads what carriers sent, before it is anybody's.
const brought = store.System("what carriers brought")

// Receiver takes webhooks in. All fields but Entries and those that hear are required.
type Receiver struct {
	Store         *store.Store
	Directory     *directory.Directory
	IDs           *publicid.Codec
	Conversations *conversation.Service
	Messenger     *message.Messenger
	Providers     map[string]channel.Provider // by name
	// Entries counts what was stored; nil counts nothing. Make it with NewEntries.
	Entries *prometheus.CounterVec
	// Happened hears, inside the write, of what sets actions off; nil for nobody.
	Happened func(ctx context.Context, tx *store.Tx, conversation int64, triggers ...action.Trigger)
	// Link ties the customer of a row that a message comes to, and what they are called, to
	// a record of theirs, inside the write; nil links nobody.
	Link func(ctx context.Context, tx *store.Tx, row *conversation.Row, customer string) error
	// Received hears, inside the write, of each message that came; nil for nobody.
	Received func(tx *store.Tx, row *conversation.Row)
	// Answered hears, inside the write, of the first answer to a question, by the key of the
	// message that gives it; nil for nobody.
	Answered func(ctx context.Context, tx *store.Tx, conversation, message int64)

	doubts doubts
}

// NewEntries makes the counter of webhook entries by what became of them: DONE,
// PENDING, FAILED or DUPLICATE. It is to be registered.
func NewEntries() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_inbound_entries_total",
		Help: "Webhook entries by outcome: DONE, PENDING (a receipt that matches nothing yet), FAILED (kept for a rerun) or DUPLICATE.",
	}, []string{"outcome"})
}

// Verdict is how a webhook was answered.
type Verdict int

// The verdicts. Stored means that everything in it has been committed.
const (
	Stored Verdict = iota + 1
	UnknownAccount
	BadSignature
	// NoAccounts says that the database has no carrier's account at all: it is not set
	// up yet, or not the one that carriers' webhooks are meant for.
	NoAccounts
)

// Receive verifies a webhook of the named provider's account and stores what it
// holds. An error means that not all of it was stored: the carrier may post it again,
// and what was stored already is then known by its event id.
func (r *Receiver) Receive(ctx context.Context, provider, accountKey string, w channel.Webhook) (Verdict, error) {
	ctx = viewer.AsSystem(ctx, "webhook")
	adapter := r.Providers[provider]
	account, missing := r.account(provider, accountKey)
	switch {
	case account == nil:
		return missing, nil
	case adapter == nil:
		return 0, fmt.Errorf("only a newer version of Parley supports the carrier %q", provider)
	case account.Credentials == nil:
		return 0, channel.ErrCredentials
	}
	for signer := range account.Verifying(r.Store.Clock.Now()) {
		if adapter.Verify(signer, w) {
			return Stored, r.storeAll(ctx, account, entriesOf(adapter.Parse(signer, w), w))
		}
	}
	return BadSignature, nil
}

// account returns the provider's active account; nil and the verdict when there is none.
func (r *Receiver) account(provider, key string) (*directory.Account, Verdict) {
	account := r.Directory.Account(key)
	if account == nil && !r.hasAccounts() {
		return nil, NoAccounts
	}
	if account == nil || account.Provider != provider || !account.Active || provider == channel.NoCarrier {
		return nil, UnknownAccount
	}
	return account, 0
}

// hasAccounts reports whether there is an account of a carrier. One that an import
// made, which never sends, is none.
func (r *Receiver) hasAccounts() bool {
	for account := range r.Directory.Accounts() {
		if account.Provider != channel.NoCarrier {
			return true
		}
	}
	return false
}

// storeAll stores the entries in one write. When that fails, each alone, so that
// one that cannot be stored costs no other and is kept raw with its error; one
// that failed for the moment alone is the carrier's to post again.
func (r *Receiver) storeAll(ctx context.Context, account *directory.Account, entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := r.write(ctx, account, entries...)
	if err == nil || ctx.Err() != nil {
		return err
	}
	slog.WarnContext(ctx, "a webhook could not be stored whole; storing its entries one by one", "account", account.Key, "error", err)
	var again error
	for _, e := range entries {
		problem := r.write(ctx, account, e)
		if store.Passing(problem) {
			again = problem
			continue
		}
		if problem == nil {
			continue
		}
		e.problem = problem.Error()
		if err := r.write(ctx, account, e); err != nil {
			return err
		}
	}
	return again
}

func (r *Receiver) write(ctx context.Context, account *directory.Account, entries ...entry) error {
	var became []outcome
	err := r.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		became = became[:0]
		for _, e := range entries {
			got, err := r.store(ctx, tx, account, e)
			if err != nil {
				return err
			}
			became = append(became, got)
		}
		return nil
	})
	if err != nil || r.Entries == nil {
		return err
	}
	for _, got := range became {
		r.Entries.WithLabelValues(got.state).Inc()
	}
	return nil
}
