package conversation

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/record"
	"parley/internal/desk/rule"
	"parley/internal/ground/anyof"
	"parley/internal/ground/page"
	"parley/internal/ground/viewer"
)

// OfRecords reads a page of the view OfRecord for each record under the viewer of ctx: the
// pages in two statements, and their totals in one more when the first is asked for.
func (d *Service) OfRecords(ctx context.Context, records []*Record, w Window, selected Selected) ([]*Page, error) {
	keys := make([]int64, len(records))
	for i, r := range records {
		keys[i] = r.Key
	}
	places, err := d.inPlacesOf(ctx, keys)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	for i, key := range keys {
		keys[i] = places[key]
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(keys)))
	sight := rule.Visible(viewer.FromContext(ctx))
	q, err := d.pageQuery(&Scope{sight: sight}, nil, w, selected)
	if err != nil {
		return nil, err
	}
	if q.ofRecords = distinct; !q.columns.IsZero() {
		q.columns = q.columns.And(conversations.Only("record_id"))
	}
	rows, position, err := q.read(ctx)
	byRecord := map[int64][]*Row{}
	for _, row := range rows {
		byRecord[row.RecordID] = append(byRecord[row.RecordID], row)
	}
	totals := sync.OnceValues(func() (map[int64]int64, error) { return d.totals(ctx, sight, distinct) })
	pages := make([]*Page, len(keys))
	for i, key := range keys {
		pages[i] = &Page{
			Page: page.Of(slices.Clone(byRecord[key]), w), Position: position, Scope: &Scope{sight: sight, conds: asked{aboutRecord: key}}, desk: d,
			total: func(context.Context) (int64, error) {
				of, err := totals()
				return of[key], err
			},
		}
	}
	return pages, err
}

// totals counts the conversations of each record, record by record.
func (d *Service) totals(ctx context.Context, sight rule.Visibility, records []int64) (map[int64]int64, error) {
	b := &entsql.Builder{}
	b.SetDialect(d.Store.Dialect())
	b.WriteString("SELECT k.value, (SELECT COUNT(*) FROM conversations AS x WHERE ").Join(ofRecord("k.value", sight)).WriteString(") FROM ")
	anyof.List(b, "k", records)
	out := make(map[int64]int64, len(records))
	err := d.Store.Read(ctx, &sight, b, func(rows *sql.Rows) error {
		var key, total int64
		err := rows.Scan(&key, &total)
		out[key] = total
		return err
	})
	return out, err
}

// ofRecord is the condition for the conversations x of the record with a key, as far as they
// are seen.
func ofRecord(key string, sight rule.Visibility) *entsql.Predicate {
	of := entsql.And(entsql.P(func(b *entsql.Builder) { b.WriteString("x.record_id = " + key) }), listed(ofX))
	if seen := sight.SQL(ofX); seen != nil {
		return entsql.And(of, seen)
	}
	return of
}

// inPlacesOf are the records that some were merged into, or they themselves.
func (d *Service) inPlacesOf(ctx context.Context, keys []int64) (map[int64]int64, error) {
	places := make(map[int64]int64, len(keys))
	for _, key := range keys {
		places[key] = key
	}
	losers, err := d.Store.Ent.Record.Query().Where(record.IDIn(keys...), record.MergedIntoGT(0)).
		Select(record.FieldID, record.FieldMergedInto).All(viewer.AsSystem(ctx, "records"))
	for _, l := range losers {
		places[l.ID] = l.MergedInto
	}
	return places, err
}
