package importer

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/store"
)

// lookup is a reference of one record to another, by keys. An export names the parent's
// type and not the field: it is the record's first field that references that type. Where
// no definition has one, the type is the field's name.
type lookup struct {
	record     int64
	field      string
	target     int64
	recordType string
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
		var inFields []*crm.RecordInput
		err := i.writeBatch(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			unknown, inFields, err = i.saveLookups(ctx, tx, part)
			return err
		})
		if err == nil {
			err = i.fillFields(ctx, inFields)
		}
		if err != nil {
			return fmt.Errorf("write lookups: %w", err)
		}
		m.report.Orphans += unknown
		return nil
	})
}

// fieldOf is the field in which a record names its parent; empty for none.
func (i *Importer) fieldOf(r *stagedRecord) string {
	def := i.Directory.ObjectType(r.objectType)
	if def == nil {
		return ""
	}
	for _, f := range def.Fields {
		if f.Kind == object.Reference && !f.Retired && slices.Contains(f.Targets, r.parent.objectType) {
			return f.Name
		}
	}
	return ""
}

// fillFields writes parents into the fields of records.
func (i *Importer) fillFields(ctx context.Context, records []*crm.RecordInput) error {
	for some := range slices.Chunk(records, crm.MostPerCall) {
		results, err := i.Records.Upsert(ctx, some)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Error != nil {
				return fmt.Errorf("%s %s: %w", r.ObjectType, r.ExternalID, r.Error)
			}
		}
	}
	return nil
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

// saveLookups adds those that are missing, turns those that have changed, and counts those
// whose parent is not known. It returns those that stand in fields.
func (i *Importer) saveLookups(ctx context.Context, tx *store.Tx, children []stagedRecord) (unknown int64, inFields []*crm.RecordInput, err error) {
	db := database{tx.Query, tx.Builder()}
	names := namesOf(children)
	for _, r := range children {
		names = append(names, r.parent)
	}
	known, err := recordsNamed(ctx, db, names)
	if err != nil {
		return 0, nil, err
	}
	var wanted []lookup
	named := map[lookup]bool{} // that stand in fields
	for _, r := range children {
		record, target := known[r.recordName], known[r.parent]
		switch {
		case target == nil:
			unknown++
		case record != nil && record.at <= r.at:
			l := lookup{record.Key, r.parent.objectType, target.Key, r.objectType}
			if field := i.fieldOf(&r); field != "" {
				inFields, named[l] = append(inFields, r.naming(field)), true
			}
			wanted = append(wanted, l)
		}
	}
	return unknown, inFields, write(ctx, tx, db, wanted, named)
}

// naming is the input that writes the record's parent into its field.
func (r *stagedRecord) naming(field string) *crm.RecordInput {
	parent, at := r.parent.objectType+"/"+r.parent.externalID, r.at
	return &crm.RecordInput{ObjectType: r.objectType, ExternalID: r.externalID, ModifiedAt: &at, Fields: []*crm.FieldInput{{Name: field, Text: &parent}}}
}

// write writes lookups under the parent's type, and removes those of an earlier import
// that stand in fields by now.
func write(ctx context.Context, tx *store.Tx, db database, wanted []lookup, inFields map[lookup]bool) error {
	there, err := lookupsOf(ctx, db, wanted)
	if err != nil {
		return err
	}
	b, err := bulkload.New(ctx, tx, nil)
	if err != nil {
		return err
	}
	for _, l := range wanted {
		target, is := there[lookup{record: l.record, field: l.field}]
		of := entsql.And(entsql.EQ("record_id", l.record), entsql.EQ("field", l.field))
		switch {
		case inFields[l] && is:
			_, err = tx.Exec(ctx, tx.Builder().Delete("lookups").Where(of))
		case inFields[l]:
		case !is:
			b.Lookup(l.record, l.recordType, l.field, l.target)
		case target != l.target:
			_, err = tx.Exec(ctx, tx.Builder().Update("lookups").Set("target_id", l.target).Where(of))
		}
		if err != nil {
			return err
		}
	}
	return b.Save(ctx, tx)
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
