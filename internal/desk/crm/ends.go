package crm

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// mostEnds is how many records an event of changed lookups names. Where there are more it
// is of any record.
const mostEnds = 1_000

// link is a lookup: a field by which a record references another.
type link struct {
	record int64
	field  string
	target int64
}

// links are lookups that a write found and left.
type links struct {
	before, after map[link]bool
	// moved are the records that came back, or went. Those that reference them are ends
	// too: to them, another record is there than before.
	moved []int64
}

// clearLookups removes lookups, and returns them.
func clearLookups(ctx context.Context, tx *store.Tx, which *entsql.Predicate) (map[link]bool, error) {
	text, args := tx.Builder().Delete("lookups").Where(which).Query()
	removed := map[link]bool{}
	err := tx.Query(ctx, returning{text, args}, func(rows *sql.Rows) error {
		var l link
		err := rows.Scan(&l.record, &l.field, &l.target)
		removed[l] = true
		return err
	})
	return removed, err
}

// returning is a deletion of lookups that returns them.
type returning struct {
	text string
	args []any
}

// Query implements store.Query.
func (r returning) Query() (string, []any) {
	return r.text + " RETURNING record_id, field, target_id", r.args
}

// take takes the rows of lookups that were written.
func (l *links) take(rows [][]any) {
	l.after = make(map[link]bool, len(rows))
	for _, r := range rows {
		l.after[link{r[0].(int64), r[1].(string), r[2].(int64)}] = true
	}
}

// record records the event of a write that changed lookups; none where they are the same.
func (l *links) record(ctx context.Context, tx *store.Tx) error {
	ends := map[int64]bool{}
	for _, side := range [][2]map[link]bool{{l.before, l.after}, {l.after, l.before}} {
		for is := range side[0] {
			if !side[1][is] {
				ends[is.record], ends[is.target] = true, true
			}
		}
	}
	for _, key := range l.moved {
		ends[key] = true
	}
	if err := l.referring(ctx, tx, ends); err != nil || len(ends) == 0 {
		return err
	}
	e := &feed.Event{Cause: feed.LookupsChanged, ActorID: viewer.FromContext(ctx).For, AnyEnd: len(ends) > mostEnds}
	if !e.AnyEnd {
		e.Ends = slices.Sorted(maps.Keys(ends))
	}
	return feed.Record(tx, e)
}

// referring adds the records that reference those that moved.
func (l *links) referring(ctx context.Context, tx *store.Tx, ends map[int64]bool) error {
	if len(l.moved) == 0 {
		return nil
	}
	q := tx.Builder().Select("record_id").From(entsql.Table("lookups")).Where(inKeys("target_id", l.moved)).Limit(mostEnds + 1)
	return tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		ends[key] = true
		return err
	})
}
