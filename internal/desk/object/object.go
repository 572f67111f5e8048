// Package object defines the types of CRM records: their fields, what of them can be
// messaged, and who may read and write what. It reads and writes nothing.
package object

import (
	"regexp"
	"slices"
	"strings"

	"parley/internal/channel"
)

// Bounds of what is defined.
const (
	MostTypes      = 200
	MostFields     = 500 // of an object type
	MostFilterable = 10  // fields of an object type
	MostPhones     = 10  // phone fields of an object type
	MostChoices    = 1000
	MostTargets    = 10
	MostName       = 80 // characters of a developer name
	MostLabel      = 200
	MostText       = 1000       // characters of a description
	MostBytes      = 256 * 1024 // of all fields of an object type, as JSON
)

// Definition is an object type, such as Lead or Visit__c.
type Definition struct {
	Name        string    `json:"name"` // unique ignoring case, as the CRM writes it; never changes
	Label       string    `json:"label"`
	PluralLabel string    `json:"pluralLabel,omitempty"`
	Icon        string    `json:"icon,omitempty"` // a name that the frontend knows
	Description string    `json:"description,omitempty"`
	Fields      []Field   `json:"fields"` // the place of a field is its number for ever
	Messaging   Messaging `json:"messaging"`
	Related     []Mapping `json:"related,omitempty"` // in the order in which they are tried
}

// Kind is the type of a field's values.
type Kind string

// Known is the kind, OtherKind for one that only a newer version knows.
func (k Kind) Known() Kind {
	if slices.Contains(Kinds, k) {
		return k
	}
	return OtherKind
}

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
	// OtherKind is one that only a newer version knows. Its fields are shown and take no
	// values here.
	OtherKind Kind = "OTHER"
)

// Kinds lists every kind.
var Kinds = []Kind{
	Text, Number, Currency, Percent, Boolean, Date, DateTime, Time, Picklist, MultiPicklist, Phone, Email, URL, Geolocation, Reference, ID,
}

// Field is a field of an object type.
type Field struct {
	Name        string   `json:"name"` // unique in its object type ignoring case, as the CRM writes it; never changes
	Label       string   `json:"label"`
	Kind        Kind     `json:"type"` // never changes
	Description string   `json:"description,omitempty"`
	Required    bool     `json:"isRequired,omitempty"`
	Sensitive   bool     `json:"isSensitive,omitempty"`  // only who is given it by name may read it
	BlankAsZero *bool    `json:"blankAsZero,omitempty"`  // nil for what CountsBlankAsZero says by itself
	Currency    string   `json:"currencyCode,omitempty"` // of the amounts of a Currency; empty where CurrencyField or nothing says it
	Filterable  bool     `json:"isFilterable,omitempty"` // its values have an index
	Retired     bool     `json:"isRetired,omitempty"`    // takes no new values; those that records hold stay
	Choices     []string `json:"choices,omitempty"`      // that new values of Picklist and MultiPicklist may have
	Targets     []string `json:"targets,omitempty"`      // object types that a Reference names; the first where a value names none
}

// CountsBlankAsZero says that formulas read a blank as zero: that of a Number, Currency or
// Percent, unless the definition says otherwise.
func (f *Field) CountsBlankAsZero() bool {
	return rulesOf[f.Kind].blankAsZero && (f.BlankAsZero == nil || *f.BlankAsZero)
}

// CurrencyField is the field in which CRMs with several currencies keep that of a record's
// amounts.
const CurrencyField = "CurrencyIsoCode"

// CurrencyCode is that of the amounts, where records have none of their own; nil for none.
func (f *Field) CurrencyCode() *string {
	if f.Currency == "" {
		return nil
	}
	return &f.Currency
}

var currencyCode = regexp.MustCompile("^[A-Z]{3}$")

// IsCurrencyCode reports whether a text has the form of ISO 4217, in upper case.
func IsCurrencyCode(text string) bool { return currencyCode.MatchString(text) }

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
	Field        string         `json:"field"`
	ChannelTypes []channel.Type `json:"channelTypes,omitempty"` // empty for every type
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
