package crm

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/anyof"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

type name = Name

// stored is a record as its row has it.
type stored struct {
	key int64
	name
	title, mobile string
	optedOut      bool
	at            clock.Time // of its last change in the CRM
	body          string
	stub          bool
	deletedAt     clock.Time
	mergedInto    int64
	unindexed     bool // an import wrote it last
	converted     bool // it was merged into a record of another type
}

// columns are those of stored, in the order of values.
var columns = []string{
	"id", "object_type", "external_id", "name", "mobile_number", "opted_out", "updated_at", "body", "stub", "deleted_at", "merged_into", "name_key",
}

func (r *stored) values() []any {
	return []any{
		r.key, r.ObjectType, r.ExternalID, r.title, r.mobile, r.optedOut, int64(r.at), r.body, r.stub, int64(r.deletedAt), r.mergedInto, nameKey(r.title),
	}
}

// recordsLock is the PostgreSQL advisory lock of writes of records.
const recordsLock = 7_236_018_440_115_203

// lock has writes of records wait for each other, across processes too: two that name the
// same new record would both add it.
func lock(ctx context.Context, tx *store.Tx) error {
	if !tx.Locks() {
		return nil // one writer
	}
	_, err := tx.Exec(ctx, entsql.Expr(fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", recordsLock)))
	return err
}

// readNamed reads records by their names, in one statement.
func readNamed(ctx context.Context, tx *store.Tx, names []name) (map[name]*stored, error) {
	found := make(map[name]*stored, len(names))
	if len(names) == 0 {
		return found, nil
	}
	q := selected(tx).Where(entsql.P(func(b *entsql.Builder) { inNames(b, names) }))
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		r, err := scan(rows)
		found[r.name] = r
		return err
	})
	return found, err
}

// markConverted finds out which of the records were converted.
func markConverted(ctx context.Context, tx *store.Tx, known map[name]*stored) error {
	keyed, keys := map[int64]*stored{}, []int64{}
	for _, r := range known {
		if r.mergedInto != 0 {
			keyed[r.key], keys = r, append(keys, r.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	r, w := tx.Builder().Table("records").As("r"), tx.Builder().Table("records").As("w")
	q := tx.Builder().Select(r.C("id")).From(r).Join(w).On(w.C("id"), r.C("merged_into")).
		Where(entsql.And(inKeys(r.C("id"), keys), entsql.ColumnsNEQ(w.C("object_type"), r.C("object_type"))))
	return tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		keyed[key].converted = err == nil
		return err
	})
}

// selected selects the columns of stored, and whether the last has no value.
func selected(tx *store.Tx) *entsql.Selector {
	return tx.Builder().Select(columns[:len(columns)-1]...).AppendSelectExpr(entsql.Raw("name_key IS NULL")).From(entsql.Table("records"))
}

func scan(rows *sql.Rows) (*stored, error) {
	r := &stored{}
	return r, rows.Scan(&r.key, &r.ObjectType, &r.ExternalID, &r.title, &r.mobile, &r.optedOut, &r.at, &r.body, &r.stub, &r.deletedAt, &r.mergedInto, &r.unindexed)
}

// readKeys adds to known the records of the names that are there, by their keys and places alone.
func readKeys(ctx context.Context, tx *store.Tx, names []name, known map[name]*stored) error {
	if len(names) == 0 {
		return nil
	}
	q := tx.Builder().Select("id", "object_type", "external_id", "merged_into").From(entsql.Table("records")).
		Where(entsql.P(func(b *entsql.Builder) { inNames(b, names) }))
	return tx.Query(ctx, q, func(rows *sql.Rows) error {
		r := &stored{}
		err := rows.Scan(&r.key, &r.ObjectType, &r.ExternalID, &r.mergedInto)
		known[r.name] = r
		return err
	})
}

// inNames writes that a record has one of the names, which are one argument so that the
// statement's text does not depend on them.
func inNames(b *entsql.Builder, names []name) {
	pairs := make([][2]string, len(names))
	for i, n := range names {
		pairs[i] = [2]string{n.ObjectType, n.ExternalID}
	}
	written, _ := json.Marshal(pairs)
	b.WriteString("(object_type, external_id) IN (SELECT ")
	if b.Dialect() == dialect.Postgres {
		b.WriteString("n.value->>0, n.value->>1 FROM json_array_elements(").Arg(string(written)).WriteString("::json) AS n(value))")
		return
	}
	b.WriteString("json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(").Arg(string(written)).WriteString("))")
}

// inKeys says that a column holds one of the keys.
func inKeys(column string, keys []int64) *entsql.Predicate {
	return entsql.In(column, anyof.Args(keys)...)
}

// mostSaved is how many records a statement writes.
const mostSaved = 250

// save writes records, new and changed: those with keys that are there are changed.
func save(ctx context.Context, tx *store.Tx, records []*stored) error {
	for some := range slices.Chunk(records, mostSaved) {
		insert := tx.Builder().Insert("records").Columns(columns...)
		for _, r := range some {
			insert.Values(r.values()...)
		}
		insert.OnConflict(entsql.ConflictColumns("id"), entsql.ResolveWith(func(u *entsql.UpdateSet) {
			for _, c := range columns[3:] {
				u.SetExcluded(c)
			}
		}))
		if _, err := tx.Exec(ctx, insert); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what is derived from records that are there, and returns their lookups.
// References that an import of before knew by the target's object type alone stay.
func clear(ctx context.Context, tx *store.Tx, keys []int64, references []string) (map[link]bool, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := clearIndex(ctx, tx, keys); err != nil {
		return nil, err
	}
	return clearLookups(ctx, tx, entsql.And(inKeys("record_id", keys), entsql.In("field", anyof.Args(references)...)))
}

// clearIndex removes what records are found by.
func clearIndex(ctx context.Context, tx *store.Tx, keys []int64) error {
	for _, table := range []string{"record_values", "record_phones"} {
		if _, err := tx.Exec(ctx, tx.Builder().Delete(table).Where(inKeys("record_id", keys))); err != nil {
			return err
		}
	}
	return nil
}

// derived are the rows that follow from what records hold.
type derived struct{ values, phones, lookups [][]any }

func (d *derived) insert(ctx context.Context, tx *store.Tx) error {
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"record_values", []string{"record_id", "slot", "value"}, d.values},
		{"record_phones", []string{"record_id", "slot", "place", "number", "own"}, d.phones},
		{"lookups", []string{"record_id", "field", "target_id", "record_type"}, d.lookups},
	} {
		if err := tx.InsertRows(ctx, t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	return nil
}

// distinct are the names without repetition.
func distinct(names []name) []name {
	slices.SortFunc(names, func(a, b name) int {
		return cmp.Or(strings.Compare(a.ObjectType, b.ObjectType), strings.Compare(a.ExternalID, b.ExternalID))
	})
	return slices.Compact(names)
}
