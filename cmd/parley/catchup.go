package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/app"
	"parley/internal/desk/inbound"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
)

// catchUpCmd takes in what carriers hold and we never got. It may run beside a server,
// be interrupted, and run again.
type catchUpCmd struct {
	Since   string   `placeholder:"TIME|DURATION" help:"Start time or age, such as 2026-11-28T09:00:00Z or 48h; by default a day before the account's last sign of life."`
	Account []string `placeholder:"KEY" help:"Accounts, by the last element of their webhook URL; by default all whose carrier can list messages."`
	DryRun  bool     `help:"Only report what is missing."`
}

// Run implements the command.
func (k *catchUpCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	since, err := sinceOf(k.Since, time.Now())
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	accounts := k.Account
	if len(accounts) == 0 {
		if accounts = a.Receiver.Listable(); len(accounts) == 0 {
			return errors.New("there is no active account whose carrier can list messages")
		}
	}
	for _, account := range accounts {
		err = errors.Join(err, k.one(ctx, a.Receiver, account, since, out))
		if ctx.Err() != nil {
			return progress.Interrupted(ctx, err, "while catching up; run it again to continue")
		}
	}
	return err
}

// one catches up with one account.
func (k *catchUpCmd) one(ctx context.Context, r *inbound.Receiver, account string, since clock.Time, out io.Writer) error {
	if since.IsZero() {
		last, err := r.LastSeen(ctx, account)
		if errors.Is(err, inbound.ErrNothingSeen) {
			return fmt.Errorf("account %s: %w: give a start time with --since", account, err)
		}
		if err != nil {
			return err
		}
		since = last.Add(-24 * time.Hour)
	}
	var day time.Time
	found, err := r.CatchUp(ctx, inbound.CatchUpOptions{Account: account, Since: since, DryRun: k.DryRun, Progress: func(f inbound.CaughtUp) {
		if f.Day != day {
			day = f.Day
			fmt.Fprintf(out, "%s: checking %s\n", account, day.Format(time.DateOnly))
		}
	}})
	if err != nil && found.Listed+found.Receipts == 0 {
		return fmt.Errorf("account %s: %w", account, err)
	}
	did := "Processed"
	if k.DryRun {
		did = "Missing"
	}
	said := account
	if err != nil {
		said += ", incomplete"
	}
	fmt.Fprintf(out, "%s: Received since %s: %d. To numbers that are not sender IDs here: %d. %s: %d. Statuses of sent messages: %d.\n",
		said, since.Std().Format(time.RFC3339), found.Listed, found.Elsewhere, did, found.Missing, found.Receipts)
	if err != nil {
		return fmt.Errorf("account %s: %w", account, err)
	}
	return nil
}

// sinceOf reads a time, or a duration that has passed since; zero for none.
func sinceOf(text string, now time.Time) (clock.Time, error) {
	if text == "" {
		return 0, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return clock.Of(now.Add(-ago)), nil
	}
	layouts := []string{time.RFC3339, "2006-01-02 15:04", time.DateOnly}
	for _, layout := range layouts {
		t, err := time.Parse(layout, text)
		if err == nil && t.Before(now) && t.Year() > 2000 {
			return clock.Of(t), nil
		}
	}
	return 0, fmt.Errorf("--since %q is neither a time in the past (%s, in UTC) nor a duration such as 48h",
		text, strings.Join(layouts, ", "))
}
