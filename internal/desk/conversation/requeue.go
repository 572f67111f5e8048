package conversation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/store"
)

// Requeue moves up to most conversations from a queue to another, whoever sees them, and
// returns how many. Those that were merged into others are in no list, so they move
// without an event.
func (d *Service) Requeue(ctx context.Context, tx *store.Tx, from, to int64, most int) (int, error) {
	var keys []int64
	q := tx.Builder().Select("id").From(entsql.Table("conversations")).Where(entsql.EQ("queue_id", from)).OrderBy("id").Limit(most)
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if err := d.requeue(ctx, tx, key, from, to); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}

func (d *Service) requeue(ctx context.Context, tx *store.Tx, key, from, to int64) error {
	var row *Row
	err := tx.Query(ctx, load.With(key), func(rows *sql.Rows) (err error) {
		row, err = d.scan(rows)
		return err
	})
	if err != nil || row == nil || row.QueueID != from {
		return err
	}
	if row.MergedInto != 0 {
		before := *row
		row.QueueID = to
		return save(ctx, tx, &before, row)
	}
	return d.Apply(ctx, tx, row, func(_ context.Context, row *Row) (feed.Event, error) {
		row.QueueID = to
		return feed.Event{Cause: feed.ConversationChanged}, nil
	})
}
