package importer

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/admin/bulkload"
	"parley/internal/desk/conversation"
	"parley/internal/desk/crm"
	"parley/internal/ground/clock"
	"parley/internal/ground/progress"
	"parley/internal/ground/store"
)

// mostKeys is how many values one statement looks up.
const mostKeys = 500

// recordName is what a record is called in the CRM.
type recordName struct{ objectType, externalID string }

// stagedRecord is a record of the export.
type stagedRecord struct {
	id   int64
	line int
	recordName
	name, mobile string
	optOut       sql.NullBool // no value where the export says nothing
	at           clock.Time
	parent       recordName // empty for none
}

// knownRecord is a record of the database.
type knownRecord struct {
	conversation.Record
	mobile   string
	optedOut bool
	at       clock.Time
}

// shown is what a repair shows of a record.
func (r *stagedRecord) shown(there *knownRecord) string {
	optedOut := there.optedOut
	if r.optOut.Valid {
		optedOut = r.optOut.Bool
	}
	return showRecord(cmp.Or(r.name, there.Name), cmp.Or(r.mobile, there.mobile), optedOut)
}

func (r *knownRecord) shown() string { return showRecord(r.Name, r.mobile, r.optedOut) }

func showRecord(name, mobile string, optedOut bool) string {
	if optedOut {
		mobile += ", opted out"
	}
	return name + ", " + mobile
}

// recordsNamed finds records in the database.
func recordsNamed(ctx context.Context, db database, names []recordName) (map[recordName]*knownRecord, error) {
	found := make(map[recordName]*knownRecord, len(names))
	byType := map[string][]any{}
	for _, n := range names {
		byType[n.objectType] = append(byType[n.objectType], n.externalID)
	}
	for objectType, ids := range byType {
		for start := 0; start < len(ids); start += mostKeys {
			q := db.sql.Select("id", "external_id", "name", "mobile_number", "opted_out", "updated_at").From(entsql.Table("records")).
				Where(entsql.And(entsql.EQ("object_type", objectType), entsql.In("external_id", ids[start:min(start+mostKeys, len(ids))]...)))
			err := db.query(ctx, q, func(rows *sql.Rows) error {
				r := &knownRecord{}
				r.ObjectType = objectType
				err := rows.Scan(&r.Key, &r.ExternalID, &r.Name, &r.mobile, &r.optedOut, &r.at)
				found[recordName{objectType, r.ExternalID}] = r
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// eachRecords calls fn with the records of the export, many at a time, counted in
// the unit.
func (m *importing) eachRecords(ctx context.Context, unit string, fn func([]stagedRecord) error) error {
	show := progress.New(m.options.Progress, "import", unit)
	defer show.Close()
	last, done := int64(0), int64(0)
	for {
		var part []stagedRecord
		err := m.staging.each(ctx, func(rows *sql.Rows) error {
			var r stagedRecord
			err := rows.Scan(&r.id, &r.line, &r.objectType, &r.externalID, &r.name, &r.mobile, &r.optOut, &r.at,
				&r.parent.objectType, &r.parent.externalID)
			part = append(part, r)
			return err
		}, "SELECT id, line, object_type, external_id, name, mobile, opted_out, at, parent_type, parent_id FROM records WHERE id > ? ORDER BY id LIMIT ?", last, m.batch())
		if err != nil || len(part) == 0 {
			return err
		}
		if err := ctx.Err(); err != nil {
			return progress.Interrupted(ctx, err, fmt.Sprintf("after %d of %d %s; run it again to continue", done, m.staged.records, unit))
		}
		if err := inPieces(ctx, m, part, fn); err != nil {
			return err
		}
		last = part[len(part)-1].id
		done += int64(len(part))
		show.At(done, m.staged.records)
	}
}

// sorted are the records of a part that go in: new ones, and those that are newer
// than what is there. Others are there, of the same time, with another content.
type sorted struct{ fresh, newer, other []stagedRecord }

// sortRecords sorts a part by what is known of it.
func sortRecords(part []stagedRecord, known map[recordName]*knownRecord) (s sorted) {
	for _, r := range part {
		switch there := known[r.recordName]; {
		case there == nil:
			s.fresh = append(s.fresh, r)
		case there.at < r.at:
			s.newer = append(s.newer, r)
		case there.at == r.at && r.differs(there):
			s.other = append(s.other, r)
		}
	}
	return s
}

// differs reports whether the export says something else of a record than is there.
func (r *stagedRecord) differs(there *knownRecord) bool {
	return r.name != "" && r.name != there.Name || r.mobile != "" && r.mobile != there.mobile || r.optOut.Valid && r.optOut.Bool != there.optedOut
}

func namesOf(part []stagedRecord) []recordName {
	names := make([]recordName, len(part))
	for i, r := range part {
		names[i] = r.recordName
	}
	return names
}

// countRecords adds to the report what became of a part.
func (m *importing) countRecords(ctx context.Context, part []stagedRecord, s sorted, known map[recordName]*knownRecord) error {
	taken := int64(len(s.fresh) + len(s.newer))
	m.report.Records += taken
	m.report.Present.Records += int64(len(part)-len(s.other)) - taken
	for _, r := range s.other {
		if m.options.Repair {
			m.report.repaired(records, Repair{records.String(), r.line, r.externalID, known[r.recordName].shown(), r.shown(known[r.recordName])})
			continue
		}
		err := m.staging.refuse(ctx, records, r.line, r.externalID, "the record already exists with different content and no older LastModified; --repair replaces it")
		if err != nil {
			return err
		}
	}
	return nil
}

// writeRecords adds the records that are new and brings up to date those that were
// changed since.
func (i *Importer) writeRecords(ctx context.Context, m *importing) error {
	return m.eachRecords(ctx, "records", func(part []stagedRecord) error {
		var s sorted
		var known map[recordName]*knownRecord
		err := i.writeBatch(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			if err := i.Records.Lock(ctx, tx); err != nil { // before rows and conversations, as all writes of records
				return err
			}
			known, err = recordsNamed(ctx, database{tx.Query, tx.Builder()}, namesOf(part))
			if err != nil {
				return err
			}
			s = sortRecords(part, known)
			if err := addRecords(ctx, tx, s.fresh); err != nil {
				return err
			}
			if err := i.changeRecords(ctx, tx, s.newer); err != nil || !m.options.Repair {
				return err
			}
			return i.repairRecords(ctx, tx, s.other, known)
		})
		if err != nil {
			return fmt.Errorf("write records: %w", err)
		}
		return m.countRecords(ctx, part, s, known)
	})
}

func addRecords(ctx context.Context, tx *store.Tx, fresh []stagedRecord) error {
	b, err := bulkload.New(ctx, tx, map[bulkload.Table]int{bulkload.Records: len(fresh)})
	if err != nil {
		return err
	}
	for _, r := range fresh {
		b.Record(bulkload.Record{
			Key: b.Key(bulkload.Records), ObjectType: r.objectType, ExternalID: r.externalID, Name: r.name, Mobile: r.mobile,
			OptedOut: r.optOut.Bool, UpdatedAt: r.at,
		})
	}
	return b.Save(ctx, tx)
}

// repairRecords is changeRecords for what an earlier import spoilt: conversations that
// are named after a record are named anew.
func (i *Importer) repairRecords(ctx context.Context, tx *store.Tx, spoilt []stagedRecord, known map[recordName]*knownRecord) error {
	for _, r := range spoilt {
		if was := known[r.recordName]; r.name != "" && was.Name != r.name {
			if err := rename(ctx, i.Conversations, tx, was, r.name); err != nil {
				return err
			}
		}
	}
	return i.changeRecords(ctx, tx, spoilt)
}

// changeRecords gives records what the export has.
func (i *Importer) changeRecords(ctx context.Context, tx *store.Tx, changed []stagedRecord) error {
	changes := make([]crm.Import, len(changed))
	for n := range changed {
		r := &changed[n]
		changes[n] = crm.Import{Name: crm.Name{ObjectType: r.objectType, ExternalID: r.externalID}, Title: r.name, Mobile: r.mobile, At: r.at}
		if r.optOut.Valid {
			changes[n].OptedOut = &r.optOut.Bool
		}
	}
	return i.Records.Import(ctx, tx, changes)
}
