package conversation

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/record"
	"parley/internal/ground/memo"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// RecordName is what a CRM calls a record.
type RecordName struct{ ObjectType, ExternalID string }

// OwnPrefix begins the external ids of records that were made here and that no CRM has
// confirmed.
const OwnPrefix = "parley:"

// ConfirmedExternalID is the record's id in the CRM; nil while the CRM has not confirmed that
// it has the record.
func (r *Record) ConfirmedExternalID() *string {
	if strings.HasPrefix(r.ExternalID, OwnPrefix) {
		return nil
	}
	return &r.ExternalID
}

// Records reads records by key, as far as the viewer may see them, in one statement; in
// three when some may not be seen, or others have their place. The key of a record that
// was merged into another finds the other.
func (d *Service) Records(ctx context.Context, keys []int64) (map[int64]*Record, error) {
	found, err := d.standing(ctx, len(keys), record.IDIn(keys...))
	out := make(map[int64]*Record, len(found))
	for _, s := range found {
		out[s.loser.Key] = s.Record
	}
	return out, err
}

// RecordsNamed is Records by what the CRM calls them.
func (d *Service) RecordsNamed(ctx context.Context, names []RecordName) (map[RecordName]*Record, error) {
	byType := map[string][]string{}
	wanted := 0
	for _, n := range names {
		if storable(n.ObjectType) && storable(n.ExternalID) {
			byType[n.ObjectType] = append(byType[n.ObjectType], n.ExternalID)
			wanted++
		}
	}
	if wanted == 0 {
		return nil, nil
	}
	var any []predicate.Record
	for objectType, ids := range byType {
		any = append(any, record.And(record.ObjectType(objectType), record.ExternalIDIn(ids...)))
	}
	found, err := d.standing(ctx, wanted, record.Or(any...))
	out := make(map[RecordName]*Record, len(found))
	for _, s := range found {
		out[RecordName{s.loser.ObjectType, s.loser.ExternalID}] = s.Record
	}
	return out, err
}

// RecordNamed finds a record by its id in the CRM; nil when it is not there or may not be
// seen.
func (d *Service) RecordNamed(ctx context.Context, objectType, externalID string) (*Record, error) {
	n := RecordName{objectType, externalID}
	found, err := d.RecordsNamed(ctx, []RecordName{n})
	return found[n], err
}

// inPlaceOf is the record that one was merged into, or itself.
func (d *Service) inPlaceOf(ctx context.Context, key int64) (int64, error) {
	return memo.Read(ctx, fmt.Sprint("in place of record ", key), func() (int64, error) {
		places, err := d.inPlacesOf(ctx, []int64{key})
		return places[key], err
	})
}

// standing is a record that has the place of loser: itself, or that which loser was merged
// into.
type standing struct {
	*Record
	loser *Record
}

// standing reads the records that have the places of so many.
func (d *Service) standing(ctx context.Context, wanted int, which predicate.Record) (out []standing, err error) {
	found, err := d.records(ctx, which)
	for _, r := range found {
		out = append(out, standing{r, r})
	}
	if err != nil || len(found) == wanted {
		return out, err
	}
	losers, err := d.Store.Ent.Record.Query().Where(which, record.MergedIntoGT(0)).
		Select(record.FieldID, record.FieldObjectType, record.FieldExternalID, record.FieldMergedInto).
		All(viewer.AsSystem(ctx, "records"))
	if err != nil || len(losers) == 0 {
		return out, err
	}
	keys := make([]int64, len(losers))
	for i, l := range losers {
		keys[i] = l.MergedInto
	}
	winners, err := d.records(ctx, record.IDIn(keys...))
	byKey := make(map[int64]*Record, len(winners))
	for _, w := range winners {
		byKey[w.Key] = w
	}
	for _, l := range losers {
		if w := byKey[l.MergedInto]; w != nil {
			out = append(out, standing{w, d.record(l)})
		}
	}
	return out, err
}

// records reads records that are there; what they hold stays where it is.
func (d *Service) records(ctx context.Context, which predicate.Record) ([]*Record, error) {
	rows, err := d.Store.Ent.Record.Query().Where(which, record.Stub(false), record.DeletedAt(0), record.MergedInto(0)).
		Select(record.FieldID, record.FieldObjectType, record.FieldExternalID, record.FieldName, record.FieldMobileNumber, record.FieldOptedOut).
		All(ctx)
	out := make([]*Record, len(rows))
	for i, r := range rows {
		out[i] = d.record(r)
	}
	return out, err
}

func (d *Service) record(r *ent.Record) *Record {
	return &Record{
		Key: r.ID, ObjectType: r.ObjectType, ExternalID: r.ExternalID, Name: r.Name,
		Mobile: r.MobileNumber, OptedOut: r.OptedOut, service: d,
	}
}

// Again reads a record that the viewer has read, as it is now, and locks it; nil when it is
// gone.
func (d *Service) Again(ctx context.Context, tx *store.Tx, r *Record) (now *Record, err error) {
	err = tx.Query(ctx, recordNow.With(r.Key), func(rows *sql.Rows) error {
		is := *r
		now = &is
		return rows.Scan(&now.Name, &now.Mobile, &now.OptedOut)
	})
	return now, err
}

var recordNow = store.Locking("SELECT name, mobile_number, opted_out FROM records WHERE id = ? AND NOT stub AND deleted_at = 0 AND merged_into = 0", "records")
