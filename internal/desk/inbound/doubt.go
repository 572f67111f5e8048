package inbound

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CatchUpPause is how long after the last catch-up with an account the next one begins
// at the earliest.
const CatchUpPause = 5 * time.Minute

// doubts holds, by account, the time from which messages may be missing: from a start
// of this process, or from a webhook that it refused.
type doubts struct {
	mu    sync.Mutex
	since map[string]clock.Time
}

func (d *doubts) note(account string, since clock.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since == nil {
		d.since = map[string]clock.Time{}
	}
	if was, there := d.since[account]; !there || since < was {
		d.since[account] = since
	}
}

func (d *doubts) all() map[string]clock.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.since)
}

// settle forgets a doubt, unless it reaches further back by now.
func (d *doubts) settle(account string, since clock.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since[account] == since {
		delete(d.since, account)
	}
}

// Doubt notes that whatever came since the last sign of life of an account may be
// missing, for every account that can be caught up with: a process that starts does
// not know whether another took webhooks meanwhile. Of an account of which no entry is
// kept, nothing is assumed to be missing. Call it before old entries are forgotten.
func (r *Receiver) Doubt(ctx context.Context) error {
	var problems error
	for _, account := range r.Listable() {
		since, err := r.LastSeen(ctx, account)
		if err == nil {
			r.doubts.note(account, since)
		} else if !errors.Is(err, ErrNothingSeen) {
			problems = errors.Join(problems, err)
		}
	}
	return problems
}

// refused notes that a webhook of the account was not taken in just now.
func (r *Receiver) refused(account string) {
	r.doubts.note(account, r.Store.Clock.Now())
}

// Watch adds the jobs that doubts call for as soon as the database takes them, until
// ctx ends.
func (r *Receiver) Watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		if !r.Store.RefusesWrites() {
			if err := r.AskCatchUps(ctx); err != nil && ctx.Err() == nil {
				slog.WarnContext(ctx, "a catch-up with a carrier cannot be requested yet", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// AskCatchUps adds a job for every account in doubt, unless one waits already, and
// forgets the doubts that have one.
func (r *Receiver) AskCatchUps(ctx context.Context) error {
	ctx = viewer.AsSystem(ctx, "catch-up")
	listable := map[string]bool{}
	for _, account := range r.Listable() {
		listable[account] = true
	}
	for account, since := range r.doubts.all() {
		if listable[account] {
			if err := r.askCatchUp(ctx, account, since); err != nil {
				return err
			}
		}
		r.doubts.settle(account, since)
	}
	return nil
}

// askCatchUp adds the job. One that waits looks back further than this one would. Any
// other says when the next may begin, and unless it ended well, as when its process
// died, the next looks back as far.
func (r *Receiver) askCatchUp(ctx context.Context, account string, doubt clock.Time) error {
	return r.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		at, since, waits := tx.Now, doubt, false
		err := tx.Query(ctx, lastCatchUp.With(account), func(rows *sql.Rows) error {
			var state string
			var last, its clock.Time
			err := rows.Scan(&state, &last, &its)
			at = max(at, last.Add(CatchUpPause))
			if state != "completed" {
				since = min(since, its)
			}
			waits = state == "available" || state == "scheduled" || state == "retryable" || state == "pending"
			return err
		})
		if err != nil || waits {
			return err
		}
		tx.Enqueue(CatchUpJob{Account: account, Since: since, At: at}, &river.InsertOpts{
			ScheduledAt: time.Now().Add(at.Sub(tx.Now)), MaxAttempts: mostTries,
		})
		return nil
	})
}

// mostTries is how often a catch-up is tried, one CatchUpPause after the other: for
// as long as raw entries are kept.
const mostTries = int(KeptFor / CatchUpPause)

var (
	lastCatchUp = store.Fixed(`SELECT state, CAST(args ->> 'at' AS bigint), CAST(args ->> 'since' AS bigint) FROM river_job
		WHERE kind = 'catch_up' AND args ->> 'account' = ? ORDER BY id DESC LIMIT 1`)
	lastSeen = store.Fixed("SELECT created_at FROM raw_inbounds WHERE provider_account_id = ? ORDER BY id DESC LIMIT 1")
)
