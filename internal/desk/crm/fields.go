package crm

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/desk/object"
	"parley/internal/ground/allowance"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// mostNames is how many fields a record is asked for by name.
const mostNames = 100

// fieldBytes is what a field that is looked at counts as of what is read for an answer:
// records reference records, which have fields, and so on.
const fieldBytes = 16

// Field is a field of a record as the viewer may see it.
type Field struct {
	Definition *object.Field
	Value      object.Value // blank for one that may not be read
	Unreadable *Unreadable

	currency string // of the record's amounts; empty for that of the definition
}

// Unreadable is why a field has no value for the viewer.
type Unreadable string

// FieldNotReadable says that the viewer's permission sets do not give the field.
const FieldNotReadable Unreadable = "FIELD_NOT_READABLE"

// Name is the field's, as the CRM writes it.
func (f *Field) Name() string { return f.Definition.Name }

// Label is what agents call it.
func (f *Field) Label() string { return f.Definition.Label }

// Type is the kind of its values.
func (f *Field) Type() object.Kind { return f.Definition.Kind }

// Text is the value as its kind writes it; nil for a blank one.
func (f *Field) Text() *string {
	if f.Value.IsBlank() {
		return nil
	}
	text := f.Value.Text
	if f.Value.List != nil {
		text = strings.Join(f.Value.List, ";")
	}
	return &text
}

// CurrencyCode is the currency of a CURRENCY's amount: the record's own, or else that of the
// field's definition; nil if neither is known, and for other kinds.
func (f *Field) CurrencyCode() *string {
	if f.Definition.Kind != object.Currency || f.Unreadable != nil {
		return nil
	}
	return table.Optional(cmp.Or(f.currency, f.Definition.Currency))
}

// Boolean is the value of a BOOLEAN, nil for other kinds and a blank one.
func (f *Field) Boolean() *bool {
	if f.Definition.Kind != object.Boolean || f.Value.IsBlank() {
		return nil
	}
	is := f.Value.Text == "true"
	return &is
}

// DateTime is the value of a DATETIME, nil for other kinds and a blank one.
func (f *Field) DateTime() *clock.Time {
	at, err := time.Parse(time.RFC3339, f.Value.Text)
	if f.Definition.Kind != object.DateTime || err != nil {
		return nil
	}
	t := clock.Of(at)
	return &t
}

// Choices are the values of a PICKLIST or MULTI_PICKLIST, nil for other kinds.
func (f *Field) Choices() []string {
	switch {
	case f.Definition.Kind == object.MultiPicklist:
		return append([]string{}, f.Value.List...)
	case f.Definition.Kind == object.Picklist && f.Value.Text != "":
		return []string{f.Value.Text}
	case f.Definition.Kind == object.Picklist:
		return []string{}
	}
	return nil
}

// Location is the value of a GEOLOCATION, nil for other kinds and a blank one.
func (f *Field) Location() *Location {
	if f.Definition.Kind != object.Geolocation || f.Value.IsBlank() {
		return nil
	}
	latitude, longitude, _ := strings.Cut(f.Value.Text, ",")
	return &Location{latitude, longitude}
}

// Location is a place, in degrees written as decimals.
type Location struct{ Latitude, Longitude string }

// reference is the record that a REFERENCE names; empty for other kinds.
func (f *Field) reference() (n name) {
	if f.Definition.Kind == object.Reference {
		n.ObjectType, n.ExternalID = f.Value.Target()
	}
	return n
}

// Fields are the fields of records, those of the names, or all for nil, as far as the
// viewer of ctx may read them, in one statement. A record whose object type is not
// defined has none.
func (s *Service) Fields(ctx context.Context, records []*conversation.Record, names []string) ([][]*Field, error) {
	if len(names) > mostNames {
		return nil, fault.Input("names", "Pass at most %d names, not %d.", mostNames, len(names))
	}
	bodies, err := s.bodies(ctx, records)
	if err != nil {
		return nil, err
	}
	rights := s.Definitions.RecordRights(viewer.FromContext(ctx))
	out := make([][]*Field, len(records))
	allowed := allowance.FromContext(ctx)
	for i, r := range records {
		out[i] = []*Field{}
		def := s.Definitions.ObjectType(r.ObjectType)
		if def == nil {
			continue
		}
		if err := allowed.Read(ctx, fieldBytes*len(def.Fields)); err != nil {
			return nil, err
		}
		held := bodyOf(&def.Definition, bodies[r.Key], r.Name, r.Mobile, r.OptedOut)
		currency := ""
		if f := def.Field(object.CurrencyField); f != nil && !f.Retired && rights.Field(&def.Definition, f).Includes(object.Read) {
			currency = strings.ToUpper(held[f.Name].Text)
		}
		for j := range def.Fields {
			f := &def.Fields[j]
			if f.Retired || !named(f, names) {
				continue
			}
			field := &Field{Definition: f, currency: currency}
			if rights.Field(&def.Definition, f).Includes(object.Read) {
				field.Value = held[f.Name]
			} else {
				reason := FieldNotReadable
				field.Unreadable = &reason
			}
			out[i] = append(out[i], field)
		}
	}
	return out, nil
}

func named(f *object.Field, names []string) bool {
	return names == nil || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) })
}

// MobileNumbers are the numbers that records go by, as far as the viewer of ctx may read
// them; nil for an empty one. Whoever has a record only by its conversation sees whom they
// talk to.
func (s *Service) MobileNumbers(ctx context.Context, records []*conversation.Record) []*string {
	rights := s.Definitions.RecordRights(viewer.FromContext(ctx))
	out := make([]*string, len(records))
	for i, r := range records {
		def := s.Definitions.ObjectType(r.ObjectType)
		if r.Mobile == "" || def != nil && rights.Object(def.Name).Includes(object.Read) && !phonesReadable(rights, &def.Definition) {
			continue
		}
		out[i] = &r.Mobile
	}
	return out
}

func phonesReadable(rights *object.Rights, d *object.Definition) bool {
	return !slices.ContainsFunc(d.Messaging.Phones, func(p object.PhoneField) bool {
		f := d.Field(p.Field)
		return f != nil && !rights.Field(d, f).Includes(object.Read)
	})
}

// References are the records that fields reference, as far as the viewer of ctx may read
// them; nil for a field without one.
func (s *Service) References(ctx context.Context, fields []*Field) ([]*conversation.Record, error) {
	names := make([]name, 0, len(fields))
	for _, f := range fields {
		if n := f.reference(); n.ExternalID != "" {
			names = append(names, n)
		}
	}
	found, err := s.Conversations.RecordsNamed(ctx, distinct(names))
	out := make([]*conversation.Record, len(fields))
	for i, f := range fields {
		out[i] = found[f.reference()]
	}
	return out, err
}

// bodies reads what records hold, in one statement. Whoever has a record may, field by
// field, as their rights say.
func (s *Service) bodies(ctx context.Context, records []*conversation.Record) (map[int64]string, error) {
	keys := make([]int64, len(records))
	for i, r := range records {
		keys[i] = r.Key
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	q := s.Store.Builder().Select("id", "body").From(entsql.Table("records")).Where(inKeys("id", keys))
	out := make(map[int64]string, len(keys))
	err := s.Store.Read(ctx, store.System("fields of records that the viewer has read"), q, func(rows *sql.Rows) error {
		var key int64
		var body string
		err := rows.Scan(&key, &body)
		out[key] = body
		return err
	})
	return out, err
}
