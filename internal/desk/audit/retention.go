package audit

import (
	"context"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// DefaultKeep is how long entries are kept when nobody says.
const DefaultKeep = 400 * 24 * time.Hour

// forgetBatch is how many entries one write removes.
const forgetBatch = 1_000

// Jobs remove the entries that are older than Keep.
func (s *Service) Jobs() []job.Job {
	return []job.Job{job.Periodic{Name: "forget_audit", Queue: job.Upkeep, Every: time.Hour, Run: func(ctx context.Context) error {
		for {
			if n, err := s.Forget(ctx); err != nil || n == 0 {
				return err
			}
		}
	}}}
}

// Forget removes the entries that are older than Keep, at most 1,000 at a time, and
// tells how many.
func (s *Service) Forget(ctx context.Context) (n int64, err error) {
	err = s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		old := tx.Builder().Select("id").From(entsql.Table("audit_entries")).
			Where(entsql.LT("created_at", int64(tx.Now.Add(-s.Keep)))).OrderBy("created_at").Limit(forgetBatch)
		if _, err := tx.Exec(ctx, tx.Builder().Delete("audit_mentions").Where(entsql.In("entry_id", old))); err != nil {
			return err
		}
		n, err = tx.Exec(ctx, tx.Builder().Delete("audit_entries").Where(entsql.In("id", old)))
		return err
	})
	return n, err
}
