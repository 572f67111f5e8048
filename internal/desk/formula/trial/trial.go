// Package trial runs a formula once, on fields that come with it: for those who write
// formulas and want to see what they result in, in the graph (checkFormula) and on the
// command line (parley formula).
package trial

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones are named the same everywhere

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// BadInput is the code of a trial that cannot be run, whatever its formula.
const BadInput formula.Code = "BAD_INPUT"

// Bounds of a trial.
const (
	// MaxFields is how many fields a trial may have, with those of lists' items.
	MaxFields = 2000
	// MaxValue is how long a value may be, in bytes.
	MaxValue = formula.MaxText
	// mostName is how long the name of a field may be, in bytes.
	mostName = 300
)

// Trial is a formula and what it runs on.
type Trial struct {
	Source     string
	IsTemplate bool
	Fields     []Field
	Now        time.Time
	Zone       string // by IANA name; empty for UTC
	KeepsBlank bool   // blank numbers stay blank
	Rates      map[string]decimal.Decimal
	Charge     func(work int) // as formula.Environment has it
}

// Field is a field with its value.
type Field struct {
	Name string
	Type formula.Type
	// Value is the value as text, by Read; nil for none.
	Value *string
	// Template says how an item of a list is written.
	Template string
	// Items are those of a list. An item of one field without a name is a plain value.
	Items [][]Field
}

// Result is what a formula resulted in.
type Result struct {
	Type  formula.Type // Blank for a blank
	Value formula.Value
}

// Run checks the formula and runs it. The error is a *formula.Error.
func (t Trial) Run() (Result, error) {
	zone, err := t.zone()
	if err != nil {
		return Result{}, err
	}
	schema, values, err := t.fields()
	if err != nil {
		return Result{}, err
	}
	compile := formula.Expression
	if t.IsTemplate {
		compile = formula.Template
	}
	program, err := compile(t.Source, schema, formula.Options{KeepsBlank: t.KeepsBlank})
	if err != nil {
		return Result{}, err
	}
	value, err := program.Run(&formula.Environment{
		Values: program.Arrange(func(path string) formula.Value { return values[strings.ToLower(path)] }),
		Now:    t.Now, Zone: zone, Rates: t.Rates, Charge: t.Charge,
	})
	return Result{Type: value.Type(), Value: value}, err
}

// refuse is the error of a trial that cannot be run.
func refuse(format string, args ...any) *formula.Error {
	return &formula.Error{Code: BadInput, Message: fmt.Sprintf(format, args...)}
}

func (t Trial) zone() (*time.Location, error) {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil || t.Zone == "Local" {
		return nil, refuse("There is no zone %.60q. Name it as in Europe/Berlin.", t.Zone)
	}
	return zone, nil
}

// fields are the schema and the values, by path in lower case.
func (t Trial) fields() (*formula.Fields, map[string]formula.Value, error) {
	declared, values, count := []formula.Field{}, map[string]formula.Value{}, len(t.Fields)
	for _, field := range t.Fields {
		for _, item := range field.Items {
			count += len(item)
		}
		if count > MaxFields {
			return nil, nil, refuse("There are more than %d fields. Give those that the formula uses.", MaxFields)
		}
		path := strings.ToLower(field.Name)
		if _, twice := values[path]; twice || field.Name == "" || len(field.Name) > mostName {
			return nil, nil, refuse("The field %.60q has no name of up to %d bytes, or is there twice: names are matched whatever their case.", field.Name, mostName)
		}
		definition, value, err := t.field(field)
		if err != nil {
			return nil, nil, err
		}
		declared, values[path] = append(declared, definition), value
	}
	return formula.NewFields(declared...), values, nil
}

// field is a field's definition and its value.
func (t Trial) field(given Field) (formula.Field, formula.Value, error) {
	definition := formula.Field{Name: given.Name, Type: given.Type, KeepsBlank: t.KeepsBlank, Template: given.Template}
	if given.Type != formula.List {
		value, err := given.read()
		return definition, value, err
	}
	items, schema, err := t.items(given)
	definition.Items = schema
	return definition, formula.ListOf(items...), err
}

// items are the items of a list, and what each of them has.
func (t Trial) items(list Field) ([]formula.Value, *formula.Fields, error) {
	var declared []formula.Field
	known := map[string]formula.Type{}
	values := make([]formula.Value, 0, len(list.Items))
	for _, item := range list.Items {
		record := map[string]formula.Value{}
		for _, given := range item {
			definition, value, err := t.field(given)
			if err != nil {
				return nil, nil, err
			}
			path := strings.ToLower(given.Name)
			if typ, ok := known[path]; ok && typ != given.Type {
				return nil, nil, refuse("In the list %.60q, %.60q is %s in one item and %s in another.", list.Name, given.Name, typ, given.Type)
			}
			if _, ok := known[path]; !ok {
				declared, known[path] = append(declared, definition), given.Type
			}
			record[path] = value
		}
		if plain, ok := record[""]; ok {
			values = append(values, plain)
		} else {
			values = append(values, formula.RecordOf(record))
		}
	}
	return values, formula.NewFields(declared...), nil
}

// read reads the value of a field that is not a list.
func (f Field) read() (formula.Value, error) {
	if f.Value == nil {
		return f.Type.Of(), nil
	}
	if len(*f.Value) > MaxValue {
		return formula.Value{}, refuse("The value of %.60q has %d bytes; at most %d are allowed.", f.Name, len(*f.Value), MaxValue)
	}
	value, err := Read(f.Type, *f.Value)
	if err != nil {
		return value, refuse("The value of %.60q is not a %s: %v.", f.Name, f.Type, err)
	}
	return value, nil
}

// forms are how values are written.
var forms = map[formula.Type]string{
	formula.Number: "12.50", formula.Currency: "12.50", formula.Percent: "0.5 for 50 %", formula.Boolean: "true or false", formula.Date: "2026-11-27",
	formula.DateTime: "2026-11-27T12:00:00Z", formula.Time: "17:30:00", formula.Geolocation: "52.52,13.40",
}

func errForm(t formula.Type) error { return fmt.Errorf("write it as %s", forms[t]) }

// Read reads a value of a type from its text. A multi-picklist has semicolons between
// its values, a geolocation a comma between latitude and longitude.
func Read(t formula.Type, text string) (value formula.Value, err error) {
	ok := true
	switch t {
	case formula.Text:
		value = formula.TextOf(text)
	case formula.Picklist:
		value = formula.PicklistOf(text)
	case formula.MultiPicklist:
		value = formula.MultiPicklistOf(text)
	case formula.ID:
		value = formula.IDOf(text)
	case formula.Boolean:
		value, ok = formula.BooleanOf(text == "true"), text == "true" || text == "false"
	case formula.Date:
		value, ok = formula.ParseDate(text)
	case formula.DateTime:
		value, ok = formula.ParseDateTime(text)
	case formula.Time:
		value, ok = formula.ParseTime(text)
	default:
		return readNumber(t, text)
	}
	if !ok {
		return value, errForm(t)
	}
	return value, nil
}

func readNumber(t formula.Type, text string) (formula.Value, error) {
	if t == formula.Geolocation {
		latitude, longitude, _ := strings.Cut(text, ",")
		x, err := decimal.ParseScientific(strings.TrimSpace(latitude))
		y, err2 := decimal.ParseScientific(strings.TrimSpace(longitude))
		return formula.GeolocationOf(x, y), formOf(t, cmp.Or(err, err2))
	}
	number, err := decimal.ParseScientific(text)
	switch {
	case err != nil:
		return formula.Value{}, formOf(t, err)
	case t == formula.Number:
		return formula.NumberOf(number), nil
	case t == formula.Currency:
		return formula.CurrencyOf(number), nil
	case t == formula.Percent:
		return formula.PercentOf(number), nil
	}
	return formula.Value{}, fmt.Errorf("a %s has no value of this kind", t)
}

// formOf is err, or how a value is written where it says no more than that this is no number.
func formOf(t formula.Type, err error) error {
	if errors.Is(err, decimal.ErrSyntax) {
		return errForm(t)
	}
	return err
}

// Write is the value as text, as Read reads it.
func Write(v formula.Value) string {
	switch v.Type() {
	case formula.DateTime:
		return v.Moment().Format(time.RFC3339Nano)
	case formula.Time:
		return v.Moment().Format("15:04:05.999")
	}
	return v.String()
}
