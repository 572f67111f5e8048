package crmsync

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/record"
	"parley/ent/recordwrite"
	"parley/internal/connector"
	"parley/internal/desk/action"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
)

// target is the record that is written.
type target struct {
	own crm.Name // what it is called here
	id  string   // in the CRM; empty while it does not have the record
}

// target finds the record of the write. It returns what came of the try if it ends here.
func (d *delivery) target(ctx context.Context) (*target, *outcome) {
	row, err := standing(ctx, d.service.Store.Ent, record.ID(d.row.RecordID))
	switch {
	case ent.IsNotFound(err):
		return nil, failed("The record is not there any more.")
	case err != nil:
		return nil, d.fault(err)
	case row.DeletedAt != 0:
		return nil, failed("The record was deleted meanwhile.")
	}
	of := &target{own: crm.Name{ObjectType: row.ObjectType, ExternalID: row.ExternalID}}
	switch isOwn := strings.HasPrefix(row.ExternalID, crm.OwnPrefix); {
	case isOwn && d.row.Creates:
		return of, nil
	case isOwn:
		return nil, failed("The CRM does not have the record: it was not created there. Deliver its creation first.")
	case row.ObjectType != d.row.ObjectType || !strings.HasPrefix(row.ExternalID, d.mapped.object.Prefix):
		return nil, failed("The record did not come from this CRM, or another took its place, so that it was changed here only.")
	}
	of.id = row.ExternalID
	return of, nil
}

// standing is the record that has the place of one.
func standing(ctx context.Context, client *ent.Client, which predicate.Record) (*ent.Record, error) {
	row, err := client.Record.Query().Where(which).Only(ctx)
	if err != nil || row.MergedInto == 0 {
		return row, err
	}
	return client.Record.Get(ctx, row.MergedInto)
}

// fields are the values to write, by the CRM's names. Those that the CRM has no field for
// stay here. It returns what came of the try if it ends here.
func (d *delivery) fields(ctx context.Context) (map[string]any, *outcome) {
	fields := map[string]any{}
	d.wanted = map[string]object.Value{}
	for name, v := range d.row.Fields {
		from, f := d.mapped.from[name], d.mapped.def.Field(name)
		if from == "" || f == nil {
			continue
		}
		if f.Kind == object.Reference {
			var got *outcome
			if v, got = d.reference(ctx, f, v); got != nil {
				return nil, got
			}
		}
		d.wanted[name], fields[from] = v, written(f, v)
	}
	return fields, nil
}

// reference is a reference as the CRM knows the record. One that is on its way there is
// waited for.
func (d *delivery) reference(ctx context.Context, f *object.Field, v object.Value) (object.Value, *outcome) {
	objectType, id := v.Target()
	if !strings.HasPrefix(id, crm.OwnPrefix) {
		return v, nil
	}
	row, err := standing(ctx, d.service.Store.Ent, record.And(record.ObjectType(objectType), record.ExternalID(id)))
	if err != nil && !ent.IsNotFound(err) {
		return v, d.fault(err)
	}
	if err == nil && !strings.HasPrefix(row.ExternalID, crm.OwnPrefix) {
		return object.Value{Text: row.ObjectType + "/" + row.ExternalID}, nil
	}
	got := failed("The record that " + f.Name + " names is not in the CRM.")
	if err == nil {
		due, err := d.service.Store.Ent.RecordWrite.Query().Where(recordwrite.RecordID(row.ID), recordwrite.Creates(true), recordwrite.Status(string(action.Pending))).Exist(ctx)
		if err != nil {
			return v, d.fault(err)
		}
		if due {
			got.status = action.Pending
		}
	}
	return v, got
}

// written is a value as a CRM takes it.
func written(f *object.Field, v object.Value) any {
	switch {
	case f.Kind == object.Boolean:
		return v.Text == "true" // no CRM knows a blank one
	case f.Kind == object.Geolocation:
		latitude, longitude, _ := strings.Cut(v.Text, ",")
		return connector.Place{Latitude: json.Number(latitude), Longitude: json.Number(longitude)}
	case v.IsBlank():
		return nil
	}
	switch f.Kind {
	case object.Number, object.Currency, object.Percent:
		return json.Number(v.Text)
	case object.MultiPicklist:
		return strings.Join(v.List, ";")
	case object.Time:
		return v.Text + "Z"
	case object.Reference:
		_, id := v.Target()
		return id
	}
	return v.Text
}

// alike reports whether two values are the same to a CRM, which trims texts and knows no blank
// boolean.
func alike(f *object.Field, a, b object.Value) bool {
	if f.Kind == object.Boolean {
		return (a.Text == "true") == (b.Text == "true")
	}
	return a.Equal(b) || len(a.List)+len(b.List) == 0 && strings.TrimSpace(a.Text) == strings.TrimSpace(b.Text)
}

// ours says which of our fields are at fault, by the CRM's names.
func (d *delivery) ours(names []string) string {
	var list []string
	for _, field := range slices.Sorted(maps.Keys(d.wanted)) {
		if slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, d.mapped.from[field]) }) {
			list = append(list, field)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return " (fields: " + strings.Join(list, ", ") + ")"
}
