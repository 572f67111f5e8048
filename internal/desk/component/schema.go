package component

import (
	"slices"
	"strings"
	"time"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/trial"
	"parley/internal/desk/object"
	"parley/internal/ground/decimal"
)

// Types finds the definition of an object type; nil when there is none.
type Types func(name string) *object.Definition

// Where names begin in templates, in lower case.
const (
	constantsPrefix  = "$constants."
	parametersPrefix = "$parameters."
	listsPrefix      = "$listtemplates."
)

// fields is what the texts of a design may use.
type fields struct {
	design *Design
	types  Types
}

// item are the fields of an option and of an item, as $ListItem.Value has them.
var item = formula.NewFields(
	formula.Field{Name: "Name", Type: formula.Text}, formula.Field{Name: "Subtitle", Type: formula.Text},
	formula.Field{Name: "Image", Type: formula.Text}, formula.Field{Name: "Image.Alt", Type: formula.Text},
)

// Find implements formula.Schema.
func (s fields) Find(path string) (formula.Field, bool) {
	lower := strings.ToLower(path)
	switch {
	case strings.HasPrefix(lower, constantsPrefix):
		return s.constant(path[len(constantsPrefix):])
	case strings.HasPrefix(lower, parametersPrefix):
		return s.parameter(path[len(parametersPrefix):])
	case strings.HasPrefix(lower, listsPrefix):
		name := path[len(listsPrefix):]
		i := slices.IndexFunc(s.design.ListTemplates, func(t ListTemplate) bool { return strings.EqualFold(t.Name, name) })
		if i < 0 {
			return formula.Field{}, false
		}
		t := &s.design.ListTemplates[i]
		return formula.Field{Name: "$ListTemplates." + t.Name, Type: formula.List, Template: t.Template, Items: item}, true
	}
	return formula.Field{}, false
}

func (s fields) constant(name string) (formula.Field, bool) {
	name, of, _ := strings.Cut(name, ".")
	c := s.design.Constant(name)
	switch {
	case c == nil || c.Type == ListConstant:
		return formula.Field{}, false
	case of == "":
		return formula.Field{Name: "$Constants." + c.Name, Type: formula.Text}, true
	case strings.EqualFold(of, "Alt") && c.Type == ImageConstant:
		return formula.Field{Name: "$Constants." + c.Name + ".Alt", Type: formula.Text}, true
	}
	return formula.Field{}, false
}

func (s fields) parameter(path string) (formula.Field, bool) {
	name, rest, deep := strings.Cut(path, ".")
	p := s.design.Parameter(name)
	switch {
	case p == nil:
		return formula.Field{}, false
	case !deep:
		return formula.Field{Name: "$Parameters." + p.Name, Type: p.Type}, true
	case p.Type != formula.Record:
		return formula.Field{}, false
	}
	f, ok := ofRecord{p.ObjectType, s.types}.Find(rest)
	f.Name = "$Parameters." + p.Name + "." + f.Name
	return f, ok
}

// Names implements formula.Schema.
func (s fields) Names() (names []string) {
	for _, c := range s.design.Constants {
		names = append(names, "$Constants."+c.Name)
	}
	for _, p := range s.design.Parameters {
		names = append(names, "$Parameters."+p.Name)
		if p.Type == formula.Record {
			for _, name := range (ofRecord{p.ObjectType, s.types}).Names() {
				names = append(names, "$Parameters."+p.Name+"."+name)
			}
		}
	}
	for _, t := range s.design.ListTemplates {
		names = append(names, "$ListTemplates."+t.Name)
	}
	return names
}

// ofRecord are the fields of records of an object type, with those that lookups lead to.
type ofRecord struct {
	objectType string
	types      Types
}

// Find implements formula.Schema. Where a lookup leads to several object types, the first
// that has the field says what it is.
func (s ofRecord) Find(path string) (formula.Field, bool) {
	at, spelled := []string{s.objectType}, []string{}
	for {
		name, rest, deep := strings.Cut(path, ".")
		f := s.among(at, name)
		if f == nil || deep && f.Kind != object.Reference {
			return formula.Field{}, false
		}
		spelled = append(spelled, f.Name)
		if !deep {
			return formula.Field{Name: strings.Join(spelled, "."), Type: TypeOf(f.Kind), KeepsBlank: !f.BlankAsZero}, true
		}
		at, path = f.Targets, rest
	}
}

func (s ofRecord) among(objectTypes []string, name string) *object.Field {
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
func (s ofRecord) Names() (names []string) {
	if d := s.types(s.objectType); d != nil {
		for i := range d.Fields {
			names = append(names, d.Fields[i].Name)
		}
	}
	return names
}

// slots are what the options of a time selector are written with.
var slots = formula.NewFields(
	formula.Field{Name: "Start", Type: formula.DateTime}, formula.Field{Name: "End", Type: formula.DateTime},
	formula.Field{Name: "Duration", Type: formula.Number},
)

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
		return formula.MultiPicklistOf(v.List...)
	case k == object.Reference:
		_, id := v.Target()
		return formula.IDOf(id)
	case k == object.Percent:
		if n, err := decimal.Parse(v.Text); err == nil {
			if share, err := n.Quo(hundred); err == nil {
				return formula.PercentOf(share)
			}
		}
		return t.Of()
	}
	read, err := trial.Read(t, v.Text)
	if err != nil { // a value that only a newer version writes
		return t.Of()
	}
	return read
}

// Slot is a time that a customer can choose.
type Slot struct {
	Start    time.Time
	Duration time.Duration
}

func (s Slot) value(name string) formula.Value {
	switch name {
	case "Start":
		return formula.DateTimeOf(s.Start)
	case "End":
		return formula.DateTimeOf(s.Start.Add(s.Duration))
	}
	return formula.NumberOf(decimal.Of(int64(s.Duration / time.Minute)))
}

// Field finds a field that the texts of the design may use, whatever its case.
func (d *Design) Field(types Types, path string) (formula.Field, bool) {
	return fields{d, types}.Find(path)
}
