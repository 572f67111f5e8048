package crmsync

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/crm"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

// Operation is what became of a record in its CRM.
type Operation string

// The operations.
const (
	Upsert     Operation = "UPSERT"
	Delete     Operation = "DELETE"
	Merge      Operation = "MERGE"
	Conversion Operation = "CONVERSION" // a merge into a record of another type
	// OtherOperation is one that cannot be read, or that only a newer version knows.
	OtherOperation Operation = "OTHER"
)

func (o Operation) known() Operation {
	if slices.Contains([]Operation{Upsert, Delete, Merge, Conversion}, o) {
		return o
	}
	return OtherOperation
}

// merges reports whether a record gives its place to another.
func (o Operation) merges() bool { return o == Merge || o == Conversion }

// change is a change of a record, as webhooks write it and as it is kept when it is
// rejected.
type change struct {
	Operation  Operation `json:"operation"`
	ObjectType string    `json:"objectType"`
	ExternalID string    `json:"externalId"`
	// ModifiedAt is the order token: when the record changed in the CRM. An older change
	// than the last one taken loses.
	ModifiedAt string                     `json:"modifiedAt,omitempty"`
	Fields     map[string]json.RawMessage `json:"fields,omitempty"`
	Into       *reference                 `json:"into,omitempty"`

	at     clock.Time
	fields []*crm.FieldInput
	raw    string // as it is kept; empty to write it anew
}

// reference names a record.
type reference struct {
	ObjectType string `json:"objectType,omitempty"`
	ExternalID string `json:"externalId"`
}

// mostFields is how many fields a change has.
const mostFields = 500

// read reads a change from JSON, as far as it can: one that it refuses is named too.
func read(raw json.RawMessage) (*change, *fault.Error) {
	c := &change{raw: string(raw)}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(c); err != nil {
		return c, fault.Input("", "The change is not written as it should be: it is an object with operation, objectType, externalId, modifiedAt, fields and into.")
	}
	return c, c.check()
}

// check reads what the change says, and refuses what cannot be taken.
func (c *change) check() *fault.Error {
	c.Operation = Operation(strings.ToUpper(string(c.Operation)))
	c.ExternalID = strings.TrimSpace(c.ExternalID) // as records have it: the same record is seen as such
	if c.Into != nil {
		c.Into.ExternalID = strings.TrimSpace(c.Into.ExternalID)
	}
	switch {
	case c.Operation.known() == OtherOperation:
		return fault.Input("operation", "Use UPSERT, DELETE, MERGE or CONVERSION.")
	case c.Operation.merges() && (c.Into == nil || c.Into.ExternalID == ""):
		return fault.Input("into", "Name the record that has the place now.")
	case c.Operation == Conversion && (c.Into.ObjectType == "" || c.Into.ObjectType == c.ObjectType):
		return fault.Input("into.objectType", "Name the object type that the record was converted to.")
	case c.Operation.merges():
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, c.ModifiedAt)
	if err != nil {
		return fault.Input("modifiedAt", "Say when the record changed in the CRM, such as 2026-11-28T15:04:05.123Z: by it an older change is known.")
	}
	c.at = clock.Of(at)
	if n := len(c.Fields); n > mostFields {
		return fault.Input("fields", "A change has at most %d fields, not %d.", mostFields, n)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		field, ok := fieldOf(name, c.Fields[name])
		if !ok {
			return fault.Input(name, "Use a text, a number, true, false, null, or a list of texts.")
		}
		c.fields = append(c.fields, field)
	}
	return nil
}

// fieldOf is a field as JSON writes its value.
func fieldOf(name string, raw json.RawMessage) (*crm.FieldInput, bool) {
	f := &crm.FieldInput{Name: name}
	text := ""
	switch {
	case string(raw) == "null":
		return f, true
	case json.Unmarshal(raw, &text) == nil:
		f.Text = &text
		return f, true
	case json.Unmarshal(raw, &f.Choices) == nil:
		return f, true
	}
	var other any
	if json.Unmarshal(raw, &other) != nil {
		return nil, false
	}
	switch other.(type) {
	case bool, float64:
		text = string(raw) // a number with the digits that it was given
		f.Text = &text
		return f, true
	}
	return nil, false
}

// kept is the change as it is kept, empty if it is too long.
func (c *change) kept() string {
	text := c.raw
	if text == "" {
		written, _ := json.Marshal(c) // texts, and JSON
		text = string(written)
	}
	if len(text) > mostKeptBytes || channel.CleanText(text) != text {
		return ""
	}
	return text
}

// name is the record's, within the bounds of what is kept.
func (c *change) name() crm.Name {
	return crm.Name{ObjectType: cut(c.ObjectType, object.MostName), ExternalID: cut(c.ExternalID, object.MostID)}
}

func cut(text string, most int) string { return channel.Cut(channel.CleanText(text), most) }

// inChange is a problem of package crm, at the field of the change.
func (c *change) inChange(err *fault.Error) *fault.Error {
	e := *err
	if rest, found := strings.CutPrefix(e.Field, "input.records."); found {
		_, e.Field, _ = strings.Cut(rest, ".")
	}
	var at int
	if n, _ := fmt.Sscanf(e.Field, "fields.%d", &at); n == 1 && at < len(c.fields) {
		e.Field = c.fields[at].Name
	}
	e.Field = strings.NewReplacer("intoObjectType", "into.objectType", "intoExternalId", "into.externalId").Replace(e.Field)
	return &e
}
