package object

import (
	"cmp"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/ground/fault"
)

// Bounds of what a record holds.
const (
	MostValue     = 32_768 // characters of a value
	MostShortText = 1_000  // characters of a phone, e-mail, id or reference
	MostID        = 200    // characters of an external id
	MostDigits    = 38     // of a number, before and after the point together
)

// Value is what a record holds in a field: its text as every kind writes it, or the
// choices of a multi-picklist. The zero value is blank.
//
//	NUMBER, CURRENCY, PERCENT  "12.50", with the scale it was given
//	BOOLEAN                    "true", "false"
//	DATE, TIME                 "2026-11-28", "15:04:05.000"
//	DATETIME                   "2026-11-28T15:04:05.000Z", in UTC
//	GEOLOCATION                "48.137,11.575", latitude and longitude in degrees
//	REFERENCE                  "Account/ACC0001", object type and external id
type Value struct {
	Text string
	List []string
}

// IsBlank reports whether nothing is held.
func (v Value) IsBlank() bool { return v.Text == "" && len(v.List) == 0 }

// Equal reports whether v and w are the same.
func (v Value) Equal(w Value) bool { return v.Text == w.Text && slices.Equal(v.List, w.List) }

// Parse reads a value that a person or a program gave. The error says, in a sentence,
// what the field takes.
func (f *Field) Parse(text string, list []string) (Value, error) {
	if f.Kind == MultiPicklist {
		return f.parseChoices(text, list)
	}
	if len(list) > 0 {
		return Value{}, fault.New(fault.BadInput, "%s takes one value, not a list.", f.Name)
	}
	if f.Kind != Text {
		text = strings.TrimSpace(text)
	}
	if text == "" {
		return Value{}, nil
	}
	if n := utf8.RuneCountInString(text); n > f.mostText() {
		return Value{}, fault.New(fault.BadInput, "%s takes at most %d characters, not %d.", f.Name, f.mostText(), n)
	}
	parse, ok := parsers[f.Kind]
	switch {
	case !slices.Contains(Kinds, f.Kind):
		return Value{}, fault.New(fault.BadInput, "%s has a type that only a newer version knows. Update Parley to write it.", f.Name)
	case !ok:
		return Value{Text: text}, nil
	}
	written, ok := parse(f, text)
	if !ok {
		return Value{}, fault.New(fault.BadInput, "%s takes %s, not %q.", f.Name, takes[f.Kind], cut(text))
	}
	return Value{Text: written}, nil
}

func (f *Field) mostText() int {
	if f.Kind == Text || f.Kind == URL {
		return MostValue
	}
	return MostShortText
}

// cut shortens a text for a message.
func cut(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

var takes = map[Kind]string{
	Number: "a number such as 12.50", Currency: "a number such as 12.50", Percent: "a number such as 12.5",
	Boolean: "true or false", Date: "a date such as 2026-11-28", DateTime: "a time such as 2026-11-28T15:04:05Z",
	Time: "a time of day such as 15:04:05", Picklist: "one of its choices", Email: "an e-mail address",
	URL: "an address that begins with http:// or https://", Geolocation: "latitude and longitude such as 48.137,11.575",
	Reference: "the external id of a record, after its object type and / where it may be of several",
}

var parsers = map[Kind]func(f *Field, text string) (string, bool){
	Number: parseNumber, Currency: parseNumber, Percent: parseNumber,
	Boolean: func(_ *Field, s string) (string, bool) {
		s = strings.ToLower(s)
		return s, s == "true" || s == "false"
	},
	Date:     parseTime("2006-01-02", "2006-01-02"),
	DateTime: parseTime("2006-01-02T15:04:05.000Z", time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700"),
	Time:     parseTime("15:04:05.000", "15:04:05.999999999", "15:04", "15:04:05.999999999Z07:00"),
	Picklist: func(f *Field, s string) (string, bool) { return s, f.takes(s) },
	Email: func(_ *Field, s string) (string, bool) {
		a, err := mail.ParseAddress(s)
		return s, err == nil && a.Address == s
	},
	URL: func(_ *Field, s string) (string, bool) {
		u, err := url.Parse(s)
		return s, err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
	},
	Geolocation: parsePlace,
	Reference:   parseReference,
}

func parseNumber(_ *Field, s string) (string, bool) {
	d, ok := decimalOf(s)
	return d.String(), ok
}

func parseTime(written string, layouts ...string) func(*Field, string) (string, bool) {
	return func(_ *Field, s string) (string, bool) {
		for _, layout := range layouts {
			at, err := time.Parse(layout, s)
			if year := at.UTC().Year(); err == nil && (!strings.Contains(written, "2006") || year > 0 && year < 10_000) {
				return at.UTC().Format(written), true
			}
		}
		return "", false
	}
}

func parsePlace(_ *Field, s string) (string, bool) {
	first, second, ok := strings.Cut(s, ",")
	latitude, okLatitude := decimalOf(strings.TrimSpace(first))
	longitude, okLongitude := decimalOf(strings.TrimSpace(second))
	return latitude.String() + "," + longitude.String(), ok && okLatitude && okLongitude && latitude.within(90) && longitude.within(180)
}

// parseReference reads "Account/ACC1", or "ACC1" for the field's first target.
func parseReference(f *Field, s string) (string, bool) {
	objectType, id, ok := strings.Cut(s, "/")
	if !ok || !slices.Contains(f.Targets, objectType) {
		if len(f.Targets) == 0 {
			return "", false
		}
		objectType, id = f.Targets[0], s
	}
	id = strings.TrimSpace(id)
	return objectType + "/" + id, id != "" && utf8.RuneCountInString(id) <= MostID
}

// Target is the record that a reference names.
func (v Value) Target() (objectType, externalID string) {
	objectType, externalID, _ = strings.Cut(v.Text, "/")
	return objectType, externalID
}

func (f *Field) parseChoices(text string, list []string) (Value, error) {
	if text != "" { // as CRMs export it
		list = append(slices.Clone(list), strings.Split(text, ";")...)
	}
	var chosen []string
	for _, c := range list {
		if c = strings.TrimSpace(c); c == "" || slices.Contains(chosen, c) {
			continue
		}
		if !f.takes(c) {
			return Value{}, fault.New(fault.BadInput, "%s takes its choices, and %q is none of them.", f.Name, cut(c))
		}
		chosen = append(chosen, c)
	}
	// In the order of the choices, so that the same choices are the same value.
	slices.SortFunc(chosen, func(a, b string) int {
		return cmp.Or(slices.Index(f.Choices, a)-slices.Index(f.Choices, b), strings.Compare(a, b))
	})
	return Value{List: chosen}, nil
}

// takes reports whether a choice is one of the field's. A field that states none takes
// any.
func (f *Field) takes(choice string) bool {
	return len(f.Choices) == 0 || slices.Contains(f.Choices, choice)
}

var numberPattern = regexp.MustCompile(`^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$`)
