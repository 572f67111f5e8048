// Package recordfields has the fields of CRM records as formulas know them: by name, and by
// the names of the lookups that lead to them, such as AccountId.Name.
package recordfields

import (
	"slices"
	"strings"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/trial"
	"parley/internal/desk/object"
	"parley/internal/ground/decimal"
)

// Types returns the definition of the object type with a name, nil for none.
type Types func(name string) *object.Definition

// Of is the schema of records of an object type. Where a lookup leads to several object
// types, the first that has the field says what it is.
func Of(objectType string, types Types) formula.Schema { return schema{objectType, types} }

type schema struct {
	objectType string
	types      Types
}

// Find implements formula.Schema.
func (s schema) Find(path string) (formula.Field, bool) {
	at, spelled := []string{s.objectType}, []string{}
	for {
		name, rest, deep := strings.Cut(path, ".")
		f := s.among(at, name)
		if f == nil || deep && f.Kind != object.Reference {
			return formula.Field{}, false
		}
		spelled = append(spelled, f.Name)
		if !deep {
			return formula.Field{Name: strings.Join(spelled, "."), Type: TypeOf(f.Kind), KeepsBlank: !f.CountsBlankAsZero()}, true
		}
		at, path = f.Targets, rest
	}
}

func (s schema) among(objectTypes []string, name string) *object.Field {
	for _, objectType := range objectTypes {
		if d := s.types(objectType); d != nil {
			if f := d.Field(name); f != nil && !f.Retired && f.Kind.Known() != object.OtherKind {
				return f
			}
		}
	}
	return nil
}

// Names implements formula.Schema.
func (s schema) Names() (names []string) {
	if d := s.types(s.objectType); d != nil {
		for i := range d.Fields {
			if s.among([]string{s.objectType}, d.Fields[i].Name) != nil {
				names = append(names, d.Fields[i].Name)
			}
		}
	}
	return names
}

var typesOf = map[object.Kind]formula.Type{
	object.Number: formula.Number, object.Currency: formula.Currency, object.Percent: formula.Percent, object.Boolean: formula.Boolean,
	object.Date: formula.Date, object.DateTime: formula.DateTime, object.Time: formula.Time, object.Picklist: formula.Picklist,
	object.MultiPicklist: formula.MultiPicklist, object.Geolocation: formula.Geolocation, object.Reference: formula.ID, object.ID: formula.ID,
}

// TypeOf is what formulas take the values of a kind of field for.
func TypeOf(k object.Kind) formula.Type {
	if t, ok := typesOf[k]; ok {
		return t
	}
	return formula.Text
}

var hundred = decimal.Of(100)

// ValueOf is what a record holds, as formulas have it: 50 % is 0.5, and a reference is the
// external id of its record.
func ValueOf(k object.Kind, v object.Value) formula.Value {
	t := TypeOf(k)
	switch {
	case v.IsBlank():
		return t.Of()
	case k == object.MultiPicklist:
		return formula.MultiPicklistOf(slices.Clone(v.List)...)
	case k == object.Reference:
		_, id := v.Target()
		return formula.IDOf(id)
	}
	read, err := trial.Read(t, v.Text)
	if err == nil && t == formula.Percent {
		var share decimal.Decimal
		share, err = read.Decimal().Quo(hundred)
		read = formula.PercentOf(share)
	}
	if err != nil { // a value that only a newer version writes
		return t.Of()
	}
	return read
}
