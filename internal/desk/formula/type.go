package formula

import "strings"

// Type is the type of a value. The zero Type is that of NULL, which every other one takes.
type Type uint8

// The types.
const (
	Blank Type = iota
	Text
	Number
	Currency
	Percent // 0.5 for 50 %
	Boolean
	Date
	DateTime
	Time
	Picklist
	MultiPicklist
	Geolocation
	ID
	Record
	List
)

var typeNames = [...]string{
	"blank", "text", "number", "currency", "percent", "boolean", "date", "datetime", "time",
	"picklist", "multipicklist", "geolocation", "id", "record", "list",
}

// String is the name in lower case, such as "datetime".
func (t Type) String() string { return typeNames[t] }

// ParseType finds a type by its name, whatever its case.
func ParseType(name string) (Type, bool) {
	for t, known := range typeNames {
		if strings.EqualFold(known, name) {
			return Type(t), true
		}
	}
	return Blank, false
}

// types is a set of types.
type types uint16

func setOf(list ...Type) (s types) {
	for _, t := range list {
		s |= 1 << t
	}
	return s
}

func (s types) has(t Type) bool { return s&(1<<t) != 0 }

var (
	numeric = setOf(Number, Currency, Percent)
	textual = setOf(Text, Picklist, ID)
	dated   = setOf(Date, DateTime)
	timed   = setOf(Date, DateTime, Time)
	logical = setOf(Boolean)
	// written are the types that have a text.
	written  = textual | numeric | timed | logical | setOf(MultiPicklist, Blank)
	anything = ^types(0)
)

// String names what is in the set, for errors.
func (s types) String() string {
	var names []string
	for t := Text; int(t) < len(typeNames); t++ {
		if s.has(t) && (t != Currency && t != Percent || !s.has(Number)) {
			names = append(names, t.String())
		}
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " or " + names[last]
	}
	return strings.Join(names, "")
}

// common is the type of what is either a or b.
func common(a, b Type) (Type, bool) {
	switch {
	case a == b || b == Blank:
		return a, true
	case a == Blank:
		return b, true
	case numeric.has(a) && numeric.has(b):
		if a == Currency || b == Currency {
			return Currency, true
		}
		return Number, true
	case textual.has(a) && textual.has(b):
		return Text, true
	}
	return Blank, false
}

// MarshalText implements encoding.TextMarshaler.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. A type that only a newer version
// knows is Blank.
func (t *Type) UnmarshalText(text []byte) error {
	*t, _ = ParseType(string(text))
	return nil
}
