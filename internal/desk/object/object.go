// Package object defines the types of CRM records: their fields, what of them can be
// messaged, and who may read and write what. It reads and writes nothing.
package object

import (
	"slices"
	"strings"
)

// Bounds of what is defined.
const (
	MostTypes      = 200
	MostFields     = 500 // of an object type
	MostFilterable = 10  // fields of an object type
	MostPhones     = 10  // phone fields of an object type
	MostChoices    = 1000
	MostName       = 80 // characters of a developer name
	MostLabel      = 200
)

// Definition is an object type, such as Lead or Visit__c.
type Definition struct {
	Name        string // unique, as the CRM writes it; never changes
	Label       string
	PluralLabel string
	Icon        string // a name that the frontend knows
	Description string
	Fields      []Field
	Messaging   Messaging
}

// Kind is the type of a field's values.
type Kind string

// The kinds of fields.
const (
	Text          Kind = "TEXT"
	Number        Kind = "NUMBER"
	Currency      Kind = "CURRENCY"
	Percent       Kind = "PERCENT"
	Boolean       Kind = "BOOLEAN"
	Date          Kind = "DATE"
	DateTime      Kind = "DATETIME"
	Time          Kind = "TIME"
	Picklist      Kind = "PICKLIST"
	MultiPicklist Kind = "MULTI_PICKLIST"
	Phone         Kind = "PHONE"
	Email         Kind = "EMAIL"
	URL           Kind = "URL"
	Geolocation   Kind = "GEOLOCATION"
	Reference     Kind = "REFERENCE"
	ID            Kind = "ID"
)

// Kinds lists every kind.
var Kinds = []Kind{
	Text, Number, Currency, Percent, Boolean, Date, DateTime, Time, Picklist, MultiPicklist, Phone, Email, URL, Geolocation, Reference, ID,
}

// Field is a field of an object type.
type Field struct {
	Name        string   `json:"name"` // unique in its object type ignoring case, as the CRM writes it; never changes
	Label       string   `json:"label"`
	Kind        Kind     `json:"kind"` // never changes
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"required,omitempty"`
	Sensitive   bool     `json:"sensitive,omitempty"`   // only who is given it by name may read it
	BlankAsZero bool     `json:"blankAsZero,omitempty"` // in formulas; of Number, Currency and Percent
	Filterable  bool     `json:"filterable,omitempty"`  // its values have an index
	Choices     []string `json:"choices,omitempty"`     // of Picklist and MultiPicklist
	Targets     []string `json:"targets,omitempty"`     // object types that a Reference names; the first where a value names none
}

// Messaging says which fields of an object type matter to conversations (the CRM's
// "messaging object configuration"). Empty names are of no field.
type Messaging struct {
	Name     string       `json:"name,omitempty"`
	Owner    string       `json:"owner,omitempty"`
	Country  string       `json:"country,omitempty"`
	OptedOut string       `json:"optedOut,omitempty"`
	OptedIn  string       `json:"optedIn,omitempty"`
	Phones   []PhoneField `json:"phones,omitempty"` // in the order in which they are tried
}

// PhoneField is a field of phone numbers.
type PhoneField struct {
	Field        string   `json:"field"`
	ChannelTypes []string `json:"channelTypes,omitempty"` // empty for every type
}

// Field returns the field with the name, ignoring case; nil when there is none.
func (d *Definition) Field(name string) *Field {
	if i := d.Number(name); i >= 0 {
		return &d.Fields[i]
	}
	return nil
}

// Number is a field's place in the list, -1 when there is none of that name.
func (d *Definition) Number(name string) int {
	return slices.IndexFunc(d.Fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// IsText reports whether values of the field are texts, which a prefix can be asked of.
func (f *Field) IsText() bool {
	switch f.Kind {
	case Text, Phone, Email, URL, ID, Picklist, MultiPicklist, Reference:
		return true
	}
	return false
}
