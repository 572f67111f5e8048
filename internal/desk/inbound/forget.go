package inbound

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// How long and how much is kept raw. A carrier that posts an event again later
// than KeptFor finds its message by the provider's id, which is unique for ever,
// and a status that does not go back.
const (
	// KeptFor is a week, for which the most patient carrier tries (Meta), and a
	// day to spare.
	KeptFor = 8 * 24 * time.Hour
	// MostFailed bounds what FAILED entries hold, in bytes; the oldest go first.
	MostFailed = 256 << 20
)

// forgetBatch is how many entries one write removes at most.
const forgetBatch = 5_000

// Forget removes raw entries older than KeptFor, and FAILED ones beyond
// MostFailed. It tells how many.
func (r *Receiver) Forget(ctx context.Context) (n int64, err error) {
	ctx = viewer.AsSystem(ctx, "webhook")
	cutoff := r.Store.Clock.Now().Add(-KeptFor)
	if n, err = r.forgetOld(ctx, cutoff); err != nil {
		return n, err
	}
	crowded, err := r.forgetCrowded(ctx, MostFailed)
	return n + crowded, err
}

// forgetOld walks the entries in the order they came, so that a run that finds
// nothing old has looked at one batch.
func (r *Receiver) forgetOld(ctx context.Context, cutoff clock.Time) (n int64, err error) {
	for {
		var removed int64
		err = r.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			first := tx.Builder().Select("id").From(entsql.Table("raw_inbounds")).OrderBy("id").Limit(forgetBatch)
			removed, err = tx.Exec(ctx, tx.Builder().Delete("raw_inbounds").
				Where(entsql.And(entsql.In("id", first), entsql.LT("created_at", int64(cutoff)))))
			return err
		})
		n += removed
		if err != nil || removed < forgetBatch {
			return n, err
		}
	}
}

// isFailed is the condition of the partial index raw_inbound_failed, spelled out.
func isFailed() *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.WriteString("state = 'FAILED'") })
}

// forgetCrowded keeps the newest FAILED entries up to a sum of bytes.
func (r *Receiver) forgetCrowded(ctx context.Context, most int64) (n int64, err error) {
	s := r.Store
	var sum, last int64
	q := s.Builder().SelectExpr(entsql.Raw("id"), entsql.Raw("length(payload)")).From(entsql.Table("raw_inbounds")).
		Where(isFailed()).OrderExpr(entsql.Raw("+id DESC")) // the plus has SQLite take the few by their index, not all in the order of the key
	err = s.Read(ctx, brought, q, func(rows *sql.Rows) error {
		var id, length int64
		err := rows.Scan(&id, &length)
		if sum += length; sum > most {
			last = max(last, id)
		}
		return err
	})
	if err != nil || last == 0 {
		return 0, err
	}
	err = s.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		n, err = tx.Exec(ctx, tx.Builder().Delete("raw_inbounds").
			Where(entsql.And(isFailed(), entsql.LTE("id", last))))
		return err
	})
	return n, err
}
