package trial

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
	"strings"
	"time"

	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// line is a trial as JSON.
type line struct {
	Expression *string                    `json:"expression"`
	Template   *string                    `json:"template"`
	Fields     map[string]json.RawMessage `json:"fields"`
	Now        string                     `json:"now"`
	Zone       string                     `json:"zone"`
	Blanks     string                     `json:"blanks"`
	Rates      map[string]json.RawMessage `json:"rates"`
}

// given is a field as JSON.
type given struct {
	Type     string          `json:"type"`
	Value    json.RawMessage `json:"value"`
	Template string          `json:"template"`
}

// Answer runs a trial that is written as a JSON object, and returns what it results in as
// one: {"type", "value"} or {"error"}. docs/formulas.md describes both.
func Answer(object []byte, now time.Time) []byte {
	t, err := decode(object, now)
	var result Result
	if err == nil {
		result, err = t.Run()
	}
	var answer any = struct {
		Type  string `json:"type"`
		Value any    `json:"value"`
	}{result.Type.String(), written(result.Value)}
	var failed *formula.Error
	if errors.As(err, &failed) {
		answer = map[string]any{"error": problem{failed.Code, failed.Message, failed.Line, failed.Column, failed.Suggestion}}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return Problem("The result cannot be written as JSON.")
	}
	return b.Bytes()
}

// problem is an error as JSON.
type problem struct {
	Code       formula.Code `json:"code"`
	Message    string       `json:"message"`
	Line       int          `json:"line,omitempty"`
	Column     int          `json:"column,omitempty"`
	Suggestion string       `json:"suggestion,omitempty"`
}

// Problem is the answer to a line that holds no trial.
func Problem(message string) []byte {
	b, _ := json.Marshal(map[string]any{"error": problem{Code: BadInput, Message: message}}) //nolint:errchkjson // strings and integers
	return append(b, '\n')
}

// strictly decodes one JSON value with known keys only.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

func decode(object []byte, now time.Time) (Trial, error) {
	var l line
	if err := strictly(object, &l); err != nil {
		return Trial{}, refuse("The line is not a JSON object with expression or template, fields, now, zone, blanks and rates: %s.", err)
	}
	if (l.Expression == nil) == (l.Template == nil) {
		return Trial{}, refuse("Give either expression or template.")
	}
	t := Trial{Now: now, Zone: l.Zone, KeepsBlank: l.Blanks == "blank", IsTemplate: l.Template != nil}
	if t.Source = ""; t.IsTemplate {
		t.Source = *l.Template
	} else {
		t.Source = *l.Expression
	}
	if l.Blanks != "" && l.Blanks != "zero" && l.Blanks != "blank" {
		return t, refuse(`blanks is "zero" or "blank", not %.60q.`, l.Blanks)
	}
	if l.Now != "" {
		moment, ok := formula.ParseDateTime(l.Now)
		if !ok {
			return t, refuse("now is a datetime such as 2026-11-27T12:00:00Z, not %.60q.", l.Now)
		}
		t.Now = moment.Moment()
	}
	return t, errors.Join(t.decodeFields(l.Fields), t.decodeRates(l.Rates))
}

func (t *Trial) decodeFields(fields map[string]json.RawMessage) error {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		list, err := decodeField(name, fields[name])
		if err != nil {
			return err
		}
		t.Fields = append(t.Fields, list...)
	}
	return nil
}

func (t *Trial) decodeRates(rates map[string]json.RawMessage) error {
	t.Rates = make(map[string]decimal.Decimal, len(rates))
	for code, raw := range rates {
		text, ok := scalar(raw)
		rate, err := decimal.ParseScientific(text)
		if err != nil || !ok {
			return refuse("The rate of %.60q is not a number.", code)
		}
		t.Rates[strings.ToUpper(code)] = rate
	}
	return nil
}

// decodeField is a field, or those of a record under their paths.
func decodeField(name string, raw json.RawMessage) ([]Field, error) {
	var g given
	if err := strictly(raw, &g); err != nil {
		return nil, refuse("The field %.60q is not an object with type, value and, for a list, template: %s.", name, err)
	}
	typ, ok := formula.ParseType(g.Type)
	if !ok {
		return nil, refuse("The field %.60q has no type such as text, number or date, but %.60q.", name, g.Type)
	}
	field := Field{Name: name, Type: typ, Template: g.Template}
	missing := len(g.Value) == 0 || string(g.Value) == "null"
	switch {
	case missing || typ == formula.Blank:
		return []Field{field}, nil
	case typ == formula.Record:
		return decodeRecord(name+".", g.Value)
	case typ == formula.List:
		return decodeList(field, g.Value)
	}
	text, ok := scalar(g.Value)
	if !ok {
		if text, ok = composed(typ, g.Value); !ok {
			return nil, refuse("The value of %.60q is not a %s.", name, typ)
		}
	}
	field.Value = &text
	return []Field{field}, nil
}

// decodeRecord decodes an object of fields.
func decodeRecord(prefix string, raw json.RawMessage) ([]Field, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, refuse("The value of %.60q is not an object of fields.", prefix)
	}
	var list []Field
	for name, field := range fields {
		decoded, err := decodeField(prefix+name, field)
		if err != nil {
			return nil, err
		}
		list = append(list, decoded...)
	}
	return list, nil
}

// decodeList decodes the items of a list: fields without names, or records.
func decodeList(list Field, raw json.RawMessage) ([]Field, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, refuse("The value of the list %.60q is not an array of items.", list.Name)
	}
	for _, item := range items {
		var g given
		var decoded []Field
		var err error
		if json.Unmarshal(item, &g) == nil && strings.EqualFold(g.Type, formula.Record.String()) {
			decoded, err = decodeRecord("", g.Value)
		} else {
			decoded, err = decodeField("", item)
		}
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, decoded)
	}
	return []Field{list}, nil
}

// scalar is the text of a JSON string, number or boolean.
func scalar(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] == '[' || raw[0] == '{' || string(raw) == "null" {
		return "", false
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	return string(raw), true
}

// composed is the text of a value that is a list or an object in JSON.
func composed(t formula.Type, raw json.RawMessage) (string, bool) {
	switch t {
	case formula.MultiPicklist:
		var chosen []string
		err := json.Unmarshal(raw, &chosen)
		return strings.Join(chosen, ";"), err == nil
	case formula.Geolocation:
		var place struct{ Latitude, Longitude json.RawMessage }
		if err := strictly(raw, &place); err != nil {
			return "", false
		}
		latitude, ok := scalar(place.Latitude)
		longitude, also := scalar(place.Longitude)
		return latitude + "," + longitude, ok && also
	}
	return "", false
}

// written is a value as JSON has it.
func written(v formula.Value) any {
	switch v.Type() {
	case formula.Blank, formula.Record, formula.List:
		return nil
	case formula.Boolean:
		return v.Bool()
	case formula.MultiPicklist:
		return append([]string{}, v.Chosen()...)
	case formula.Geolocation:
		latitude, longitude := v.Place()
		return map[string]string{"latitude": latitude.String(), "longitude": longitude.String()}
	}
	return Write(v)
}
