package conversation

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// What time alone changes of a conversation stands in due_at, the last instant
// before the change; SweepDue records the event when it has passed. Today that
// is the end of the reply window: from then on the customer gets no free text.

// dueOn returns when time alone changes the conversation next, on a channel of type
// t; zero for never. What has passed already is due no more: whoever writes the
// conversation now records its present state.
func (r *Row) dueOn(t channel.Type, now clock.Time) clock.Time {
	until := channel.CapabilitiesOf(t).RepliesUntil(r.LastIncoming)
	if until < now {
		return 0
	}
	return until
}

// dueAt is dueOn for the conversation's own channel.
func (r *Row) dueAt(now clock.Time) clock.Time {
	ch := r.service.Directory.Channel(r.ChannelID)
	if ch == nil {
		return 0
	}
	return r.dueOn(ch.Type, now)
}

// Jobs record what time alone has changed, and what records have changed of the many
// conversations that follow them.
func (d *Service) Jobs() []job.Job {
	return []job.Job{
		job.Periodic{Name: "sweep_due", Run: func(ctx context.Context) error {
			_, err := d.SweepDue(ctx)
			return err
		}},
		job.Work[followRecords]{Run: d.follow, Timeout: 5 * time.Minute, Queue: followQueue},
	}
}

// dueBatch is how many due conversations are looked up at a time.
const dueBatch = 500

// SweepDue records that time has changed the conversations that are due, each in
// a write of its own, and returns how many. Processes may sweep at once: each
// change is recorded by one of them.
func (d *Service) SweepDue(ctx context.Context) (swept int, err error) {
	ctx = viewer.AsSystem(ctx, "due")
	for {
		keys, err := d.due(ctx)
		if err != nil || len(keys) == 0 {
			return swept, err
		}
		n, err := d.settleDue(ctx, keys)
		if swept += n; err != nil {
			return swept, err
		}
	}
}

// due are the conversations whose time has passed, the longest due first.
func (d *Service) due(ctx context.Context) (keys []int64, err error) {
	err = d.Store.Read(ctx, store.System("conversations whose time has come"), d.dueQuery(), func(rows *sql.Rows) error {
		var key int64
		keys = append(keys, key)
		return rows.Scan(&keys[len(keys)-1])
	})
	return keys, err
}

func (d *Service) dueQuery() store.Query {
	return d.Store.Builder().Select("id").From(entsql.Table("conversations")).
		Where(d.isDue(d.Store.Clock.Now())).OrderBy("due_at").Limit(dueBatch)
}

func (d *Service) isDue(now clock.Time) *entsql.Predicate {
	return entsql.And(
		entsql.P(func(b *entsql.Builder) { b.Ident("due_at").WriteString(" > 0") }), // as its index has it
		entsql.LT("due_at", int64(now)))
}

// settleDue writes side by side, so that the group writer commits them together.
func (d *Service) settleDue(ctx context.Context, keys []int64) (swept int, err error) {
	var (
		mu      sync.Mutex
		writing sync.WaitGroup
	)
	for _, key := range keys {
		writing.Go(func() {
			recorded, failed := d.settleOne(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			if recorded {
				swept++
			}
			err = errors.Join(err, failed)
		})
	}
	writing.Wait()
	return swept, err
}

func (d *Service) settleOne(ctx context.Context, key int64) (recorded bool, err error) {
	err = d.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		recorded = false
		row, err := d.LoadCurrent(ctx, tx, key)
		if err != nil || row.due == 0 || row.due >= tx.Now {
			return err
		}
		recorded = true
		return d.Apply(ctx, tx, row, func(_ context.Context, row *Row) (feed.Event, error) {
			row.due = 0
			return feed.Event{Cause: feed.ConversationChanged}, nil
		})
	})
	return recorded && err == nil, err
}
