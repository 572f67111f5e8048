package inbound

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// CatchUpOptions ask for what a carrier holds and we never got: carriers give up within
// seconds, and do not post again what came while nobody answered.
type CatchUpOptions struct {
	Account string     // its webhook key
	Since   clock.Time // by the carrier's time
	DryRun  bool       // only look
	// Progress is told after each page and each batch; nil for nobody.
	Progress func(CaughtUp)
}

// CaughtUp is what a catch-up has found so far.
type CaughtUp struct {
	Day       time.Time // that it is at, in UTC
	Listed    int       // messages received since then, by the account's list
	Elsewhere int       // of them, sent to numbers that are no sender IDs here
	Missing   int       // of them, not here before; taken in, unless it only looks
	Receipts  int       // statuses of our own messages that were not known
}

const (
	// overlap is how much further back is looked than to the last sign of life: the
	// carrier's clock is another, and it lists a message when it has taken it in.
	overlap = 15 * time.Minute
	// mostPages bounds the list of one day.
	mostPages = 10_000
	// catchUpBatch is how many entries are taken in by one write.
	catchUpBatch = 64
)

// CatchUp lists what the account received since then, day by day, and takes in what is
// missing, in the order of the carrier's time, as its webhook would have been: under
// the same event id, so that it is here once, whatever comes first. Statuses of sent
// messages that are not settled are applied too. It may be broken off at any time, and
// run again.
func (r *Receiver) CatchUp(ctx context.Context, wish CatchUpOptions) (found CaughtUp, err error) {
	ctx = viewer.AsSystem(ctx, "catch-up")
	account := r.Directory.Account(wish.Account)
	if account == nil || !account.Active {
		return found, fmt.Errorf("there is no active account %q", wish.Account)
	}
	lister, ok := r.Providers[account.Provider].(channel.Lister)
	if !ok {
		return found, fmt.Errorf("the carrier %q cannot list messages", account.Provider)
	}
	c := &catcher{Receiver: r, CatchUpOptions: wish, account: account, lister: lister}
	since, today := wish.Since.Add(-overlap), r.Store.Clock.Now().Std().Truncate(24*time.Hour)
	for day := since.Std().Truncate(24 * time.Hour); err == nil && !day.After(today); day = day.AddDate(0, 0, 1) {
		c.found.Day = day
		err = c.day(ctx, day, since)
	}
	return c.found, err
}

// catcher is one catch-up under way.
type catcher struct {
	*Receiver
	CatchUpOptions
	account *directory.Account
	lister  channel.Lister
	found   CaughtUp
}

// day takes in what is missing of one day. Its list is read to the end first: no
// carrier documents its order.
func (c *catcher) day(ctx context.Context, day time.Time, since clock.Time) error {
	var missing []channel.Listed
	var receipts []channel.Receipt
	next, pages := "", map[string]bool{}
	for len(pages) == 0 || next != "" {
		if len(pages) == mostPages || pages[next] {
			return fmt.Errorf("the list for %s does not end", day.Format(time.DateOnly))
		}
		pages[next] = true
		page, err := c.lister.List(ctx, c.account.Account, day, next)
		if err != nil {
			return err
		}
		fresh, err := c.fresh(ctx, page.Messages, since)
		if err != nil {
			return err
		}
		open, err := c.open(ctx, page.Receipts)
		if err != nil {
			return err
		}
		missing, receipts, next = append(missing, fresh...), append(receipts, open...), page.Next
		c.tell()
	}
	slices.SortStableFunc(missing, func(a, b channel.Listed) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.EventID, b.EventID))
	})
	return c.take(ctx, missing, receipts)
}

func (c *catcher) tell() {
	if c.Progress != nil {
		c.Progress(c.found)
	}
}

// fresh are the messages that came to sender IDs of ours since then and are not here.
func (c *catcher) fresh(ctx context.Context, all []channel.Listed, since clock.Time) (fresh []channel.Listed, err error) {
	var ids []any
	for _, m := range all {
		if m.At != 0 && m.At < since {
			continue
		}
		c.found.Listed++
		if c.Directory.ChannelAt(c.account.ID, m.To) == nil {
			c.found.Elsewhere++
			continue
		}
		fresh, ids = append(fresh, m), append(ids, m.EventID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	here := map[string]bool{}
	for table, column := range map[string]string{"raw_inbounds": "event_id", "messages": "provider_id"} {
		if err := c.each(ctx, table, column, ids, func(id, _ string) { here[id] = true }); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(fresh, func(m channel.Listed) bool { return here[m.EventID] }), nil
}

// open are the receipts that would move an attempt of ours.
func (c *catcher) open(ctx context.Context, all []channel.Receipt) (open []channel.Receipt, err error) {
	var ids []any
	for _, receipt := range all {
		ids = append(ids, receipt.ProviderID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	at := map[string]channel.Status{}
	if err := c.each(ctx, "attempts", "provider_id", ids, func(id, status string) { at[id] = channel.Status(status) }); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(receipt channel.Receipt) bool {
		is, ours := at[receipt.ProviderID]
		return !ours || is.After(receipt.Status) == is
	}), nil
}

// each reads which of the ids a table has for the account, with their status where it
// has one.
func (c *catcher) each(ctx context.Context, table, column string, ids []any, found func(id, status string)) error {
	status := "''"
	if table == "attempts" {
		status = "status"
	}
	s := c.Store
	q := s.Builder().SelectExpr(entsql.Raw(column), entsql.Raw(status)).From(entsql.Table(table)).
		Where(entsql.And(entsql.EQ("provider_account_id", c.account.ID), entsql.In(column, ids...)))
	return s.Read(ctx, brought, q, func(rows *sql.Rows) error {
		var id, status string
		err := rows.Scan(&id, &status)
		found(id, status)
		return err
	})
}

// take takes in what is missing, batch by batch.
func (c *catcher) take(ctx context.Context, missing []channel.Listed, receipts []channel.Receipt) error {
	if c.DryRun {
		c.found.Missing += len(missing)
		c.found.Receipts += len(receipts)
		return nil
	}
	for batch := range slices.Chunk(missing, catchUpBatch) {
		var d channel.Delivery
		for _, m := range batch {
			if err := c.files(ctx, &m); err != nil {
				return err
			}
			d.Messages = append(d.Messages, m.Inbound)
		}
		if err := c.storeAll(ctx, c.account, entriesOf(d, channel.Webhook{})); err != nil {
			return err
		}
		c.found.Missing += len(batch)
		c.tell()
	}
	for batch := range slices.Chunk(receipts, catchUpBatch) {
		if err := c.storeAll(ctx, c.account, entriesOf(channel.Delivery{Receipts: batch}, channel.Webhook{})); err != nil {
			return err
		}
		c.found.Receipts += len(batch)
		c.tell()
	}
	return nil
}

// files completes a message. One whose files are gone comes without them; while the
// carrier does not answer, it waits for the next catch-up.
func (c *catcher) files(ctx context.Context, m *channel.Listed) error {
	if m.FileCount <= 0 {
		return nil
	}
	err := c.lister.Files(ctx, c.account.Account, &m.Inbound)
	if err != nil && !errors.Is(err, channel.ErrGone) {
		return err
	}
	if missing := m.FileCount - len(m.Media) - len(m.Refused); err != nil || missing > 0 {
		if err != nil {
			missing = m.FileCount
		}
		m.Missing = append(m.Missing, channel.Files(missing)+" that the carrier did not provide")
	}
	return nil
}

// ErrNothingSeen says that no entry of an account is kept, so that it is not known
// since when something may be missing.
var ErrNothingSeen = errors.New("no webhook has come from it in the last days")

// LastSeen is when the newest entry of the account came: ErrNothingSeen when none is
// kept, as for an account that is new, or that was silent for KeptFor.
func (r *Receiver) LastSeen(ctx context.Context, account string) (clock.Time, error) {
	a := r.Directory.Account(account)
	if a == nil {
		return 0, fmt.Errorf("there is no account %q", account)
	}
	var last clock.Time
	s := r.Store
	err := s.Read(ctx, brought, lastSeen.With(a.ID), func(rows *sql.Rows) error { return rows.Scan(&last) })
	if err == nil && last == 0 {
		err = ErrNothingSeen
	}
	return last, err
}

// Listable are the webhook keys of the active accounts whose carrier can list what it
// holds, in their order.
func (r *Receiver) Listable() (keys []string) {
	for account := range r.Directory.Accounts() {
		if _, ok := r.Providers[account.Provider].(channel.Lister); ok && account.Active {
			keys = append(keys, account.Key)
		}
	}
	slices.Sort(keys)
	return keys
}
