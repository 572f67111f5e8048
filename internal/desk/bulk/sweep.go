package bulk

import (
	"cmp"
	"context"
	"database/sql"
	"log/slog"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/lease"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Sweep wakes operations whose worker has been silent for longer than its lease,
// and stops those that were paused too long. It tells how many.
func (f *Service) Sweep(ctx context.Context) (n int, err error) {
	ctx = viewer.AsSystem(ctx, "bulk")
	now := f.Store.Clock.Now()
	silent := entsql.And(entsql.NEQ("state", string(Paused)), lease.IsOver("held_until", now, f.reach()))
	stale := entsql.And(entsql.EQ("state", string(Paused)), entsql.LT("touched_at", int64(now.Add(-Lifetime))))
	keys, err := f.keys(ctx, entsql.And(entsql.EQ("finished_at", 0), entsql.Or(silent, stale)))
	for _, key := range keys {
		err = orElse(err, f.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return f.wake(ctx, tx, key) }))
	}
	return len(keys), err
}

// wake looks again, for another process may have been here.
func (f *Service) wake(ctx context.Context, tx *store.Tx, key int64) error {
	op, err := f.load(ctx, tx, key)
	switch {
	case err != nil || op == nil || op.Ended() || !op.isKnown():
		return err
	case op.State == Paused:
		op.stopped = PausedTooLong
		return op.end(ctx, tx, Stopped)
	case !f.isOver(op, tx):
		return nil
	}
	op.holder, op.heldUntil = 0, tx.Now.Add(f.lease())
	enqueue(tx, key)
	return op.save(ctx, tx)
}

// mostSwept bounds one look.
const mostSwept = 1000

func (f *Service) keys(ctx context.Context, where *entsql.Predicate) (keys []int64, err error) {
	q := f.Store.Builder().Select("id").From(entsql.Table("bulk_operations")).Where(where).OrderBy("id").Limit(mostSwept)
	err = f.Store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// Forget removes operations that ended longer than Lifetime ago, with their
// results, and the oldest of those that hold more than MostKeptByAll together. It
// returns how many.
func (f *Service) Forget(ctx context.Context) (n int, err error) {
	old := int64(f.Store.Clock.Now().Add(-Lifetime))
	keys, err := f.keys(ctx, entsql.And(entsql.GT("finished_at", 0), entsql.LT("finished_at", old)))
	if err != nil {
		return 0, err
	}
	if n, err = f.forgetAll(ctx, keys); err != nil {
		return n, err
	}
	keys, err = f.beyond(ctx, cmp.Or(f.kept.all, MostKeptByAll), nil)
	if err != nil {
		return n, err
	}
	more, err := f.forgetAll(ctx, keys)
	return n + more, err
}

// makeRoom removes the oldest ended operations of an agent who has just begun
// another, as far as all together hold more than MostKept. What it cannot remove
// now, it does at the next.
func (f *Service) makeRoom(ctx context.Context, agent int64) {
	keys, err := f.beyond(ctx, cmp.Or(f.kept.own, MostKept), entsql.EQ("creator_id", agent))
	if err == nil {
		_, err = f.forgetAll(ctx, keys)
	}
	if err != nil {
		slog.WarnContext(ctx, "old bulk operations were not removed", "agent", agent, "error", err)
	}
}

// beyond finds the ended operations, the one that ended last apart, from the place on
// where those counted from it hold more than most conversations.
func (f *Service) beyond(ctx context.Context, most int64, whose *entsql.Predicate) (keys []int64, err error) {
	q := f.Store.Builder().Select("id", "total").From(entsql.Table("bulk_operations")).
		Where(entsql.GT("finished_at", 0)).OrderBy(entsql.Desc("finished_at"), entsql.Desc("id"))
	if whose != nil {
		q.Where(whose)
	}
	held := int64(0)
	err = f.Store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var key, total int64
		err := rows.Scan(&key, &total)
		first := held == 0
		if held += total + emptyHolds; held > most && !first {
			keys = append(keys, key)
		}
		return err
	})
	return keys, err
}

// emptyHolds is what an operation counts for besides its conversations.
const emptyHolds = 100

func (f *Service) forgetAll(ctx context.Context, keys []int64) (n int, err error) {
	for _, key := range keys {
		if err = f.forget(ctx, key); err != nil {
			return n, err
		}
		n++
	}
	return n, err
}

// forgetBatches is how many batches one write removes, some 300 kB.
const forgetBatches = 500

func (f *Service) forget(ctx context.Context, key int64) error {
	for removed := int64(forgetBatches); removed == forgetBatches; {
		err := f.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			some := tx.Builder().Select("id").From(entsql.Table("bulk_batches")).Where(entsql.EQ("operation_id", key)).Limit(forgetBatches)
			if removed, err = tx.Exec(ctx, tx.Builder().Delete("bulk_batches").Where(entsql.In("id", some))); err != nil || removed == forgetBatches {
				return err
			}
			_, err = tx.Exec(ctx, tx.Builder().Delete("bulk_operations").Where(entsql.EQ("id", key)))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
