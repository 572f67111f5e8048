package importer

import (
	"context"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/ground/store"
)

// lookup is a reference of one record to another, by keys. An export names the
// parent's type and not the field, so the type is the field's name.
type lookup struct {
	record int64
	field  string
	target int64
}

// writeLookups ties records to their parents, when all records are there: a parent
// may stand behind its children, or have come by an earlier import. Of a record that
// the database has in a later state, the parent stays too.
func (i *Importer) writeLookups(ctx context.Context, m *importing) error {
	return m.eachRecords(ctx, "lookups of records", func(part []stagedRecord) error {
		part = withParents(part)
		if len(part) == 0 {
			return nil
		}
		var unknown int64
		err := i.writeBatch(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			unknown, err = saveLookups(ctx, tx, part)
			return err
		})
		if err != nil {
			return fmt.Errorf("write lookups: %w", err)
		}
		m.report.Orphans += unknown
		return nil
	})
}

func withParents(part []stagedRecord) []stagedRecord {
	var children []stagedRecord
	for _, r := range part {
		if r.parent.externalID != "" {
			children = append(children, r)
		}
	}
	return children
}

// saveLookups adds those that are missing, turns those that have changed, and counts
// those whose parent is not known.
func saveLookups(ctx context.Context, tx *store.Tx, children []stagedRecord) (unknown int64, err error) {
	db := database{tx.Query, tx.Builder()}
	names := namesOf(children)
	for _, r := range children {
		names = append(names, r.parent)
	}
	known, err := recordsNamed(ctx, db, names)
	if err != nil {
		return 0, err
	}
	var wanted []lookup
	for _, r := range children {
		record, target := known[r.recordName], known[r.parent]
		switch {
		case target == nil:
			unknown++
		case record != nil && record.at <= r.at:
			wanted = append(wanted, lookup{record.Key, r.parent.objectType, target.Key})
		}
	}
	there, err := lookupsOf(ctx, db, wanted)
	if err != nil {
		return 0, err
	}
	b, err := bulkload.New(ctx, tx, nil)
	if err != nil {
		return 0, err
	}
	for _, l := range wanted {
		target, is := there[lookup{record: l.record, field: l.field}]
		switch {
		case !is:
			b.Lookup(l.record, l.field, l.target)
		case target != l.target:
			update := tx.Builder().Update("lookups").Set("target_id", l.target).
				Where(entsql.And(entsql.EQ("record_id", l.record), entsql.EQ("field", l.field)))
			if _, err := tx.Exec(ctx, update); err != nil {
				return 0, err
			}
		}
	}
	return unknown, b.Save(ctx, tx)
}

// lookupsOf are the targets of the lookups that the wanted ones' records have.
func lookupsOf(ctx context.Context, db database, wanted []lookup) (map[lookup]int64, error) {
	there := map[lookup]int64{}
	keys := make([]any, len(wanted))
	for i, l := range wanted {
		keys[i] = l.record
	}
	for start := 0; start < len(keys); start += mostKeys {
		q := db.sql.Select("record_id", "field", "target_id").From(entsql.Table("lookups")).
			Where(entsql.In("record_id", keys[start:min(start+mostKeys, len(keys))]...))
		err := db.query(ctx, q, func(rows *sql.Rows) error {
			var l lookup
			var target int64
			err := rows.Scan(&l.record, &l.field, &target)
			there[l] = target
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return there, nil
}
