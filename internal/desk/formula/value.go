package formula

import (
	"strings"
	"time"

	"parley/internal/ground/decimal"
)

// blankness says whether a value is missing, and what a missing number counts as.
type blankness uint8

const (
	present blankness = 0
	asZero  blankness = 1
	asBlank blankness = 2
)

// Value is a value of a formula. The zero Value is blank.
//
// Dates are days since 1970, datetimes microseconds since 1970, times milliseconds since
// midnight, and truth is 1: num holds them all, and is zero in what is blank.
type Value struct {
	text  string
	num   decimal.Decimal
	more  *more
	typ   Type
	blank blankness
}

// more is what few values have.
type more struct {
	latitude, longitude decimal.Decimal
	fields              map[string]Value // of a record, in lower case
	items               []Value
}

const (
	day         = 24 * time.Hour
	microsOfDay = int64(day / time.Microsecond)
	millisOfDay = int64(day / time.Millisecond)
)

// Of is a missing value of a type.
func (t Type) Of() Value { return Value{typ: t, blank: asZero} }

// TextOf is a text.
func TextOf(s string) Value { return Value{typ: Text, text: s} }

// PicklistOf is the chosen value of a picklist; empty for none.
func PicklistOf(s string) Value { return Value{typ: Picklist, text: s} }

// MultiPicklistOf are the chosen values of a multi-picklist.
func MultiPicklistOf(chosen ...string) Value {
	return Value{typ: MultiPicklist, text: strings.Join(chosen, ";")}
}

// IDOf is the id of a record.
func IDOf(s string) Value { return Value{typ: ID, text: s} }

// NumberOf is a number.
func NumberOf(d decimal.Decimal) Value { return Value{typ: Number, num: d} }

// CurrencyOf is an amount of money.
func CurrencyOf(d decimal.Decimal) Value { return Value{typ: Currency, num: d} }

// PercentOf is a share: 0.5 is 50 %.
func PercentOf(d decimal.Decimal) Value { return Value{typ: Percent, num: d} }

// BooleanOf is true or false.
func BooleanOf(is bool) Value {
	if is {
		return Value{typ: Boolean, num: decimal.Of(1)}
	}
	return Value{typ: Boolean}
}

// DateOf is the day of t, in t's own zone.
func DateOf(t time.Time) Value {
	return dateOf(daysOf(t.Year(), t.Month(), t.Day()))
}

// DateTimeOf is a moment, to the microsecond.
func DateTimeOf(t time.Time) Value {
	return Value{typ: DateTime, num: decimal.Of(t.UnixMicro())}
}

// TimeOf is a time of day, as what has passed since midnight, to the millisecond.
func TimeOf(d time.Duration) Value {
	return Value{typ: Time, num: decimal.Of(d.Milliseconds())}
}

// GeolocationOf is a place on earth, in degrees.
func GeolocationOf(latitude, longitude decimal.Decimal) Value {
	return Value{typ: Geolocation, more: &more{latitude: latitude, longitude: longitude}}
}

// RecordOf is a record with its fields; names are matched whatever their case.
func RecordOf(fields map[string]Value) Value {
	lower := make(map[string]Value, len(fields))
	for name, value := range fields {
		lower[strings.ToLower(name)] = value
	}
	return Value{typ: Record, more: &more{fields: lower}}
}

// ListOf is a list of records or of other values.
func ListOf(items ...Value) Value { return Value{typ: List, more: &more{items: items}} }

func dateOf(days int64) Value { return Value{typ: Date, num: decimal.Of(days)} }

// daysOf are the days from 1970-01-01 to a date.
func daysOf(year int, month time.Month, dayOfMonth int) int64 {
	return time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix() / int64(day/time.Second)
}

// Type is the type of the value; Blank where it is missing.
func (v Value) Type() Type {
	if v.IsBlank() {
		return Blank
	}
	return v.typ
}

// IsBlank reports whether the value is missing. An empty text is not.
func (v Value) IsBlank() bool { return v.blank != present || v.typ == Blank }

// Text is a text, picklist, id, or multi-picklist with semicolons; empty for other types.
func (v Value) Text() string { return v.text }

// Chosen are the values of a multi-picklist.
func (v Value) Chosen() []string {
	if v.text == "" {
		return nil
	}
	return strings.Split(v.text, ";")
}

// Decimal is a number, currency or percent.
func (v Value) Decimal() decimal.Decimal { return v.num }

// Bool is a boolean; false where it is blank.
func (v Value) Bool() bool { return v.num.Sign() != 0 }

// Moment is a date (its first moment in UTC), a datetime, or a time (on 1970-01-01).
func (v Value) Moment() time.Time {
	n := v.int()
	switch v.typ {
	case Date:
		return time.Unix(n*int64(day/time.Second), 0).UTC()
	case Time:
		return time.UnixMilli(n).UTC()
	}
	return time.UnixMicro(n).UTC()
}

// Place is a geolocation.
func (v Value) Place() (latitude, longitude decimal.Decimal) {
	if v.more == nil {
		return latitude, longitude
	}
	return v.more.latitude, v.more.longitude
}

// int is what a date, datetime or time counts.
func (v Value) int() int64 {
	n, _, _ := v.num.Small()
	return n
}

// String is the value as a merge field in UTC shows it.
func (v Value) String() string { return string(v.append(nil, v.typ, time.UTC)) }

// append appends the text of a value of a type.
func (v Value) append(b []byte, t Type, zone *time.Location) []byte {
	switch {
	case textual.has(t) || t == MultiPicklist:
		return append(b, v.text...)
	case v.blank != present || t == Blank:
		return b
	case numeric.has(t):
		return v.num.Append(b)
	}
	return v.appendOther(b, t, zone)
}

func (v Value) appendOther(b []byte, t Type, zone *time.Location) []byte {
	switch t {
	case Boolean:
		if v.Bool() {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	case Date:
		v.typ = Date
		return v.Moment().AppendFormat(b, time.DateOnly)
	case DateTime:
		return time.UnixMicro(v.int()).In(zone).AppendFormat(b, "2006-01-02 15:04:05Z07:00")
	case Time:
		return time.UnixMilli(v.int()).UTC().AppendFormat(b, "15:04:05.000")
	case Geolocation:
		return v.more.longitude.Append(append(v.more.latitude.Append(b), ","...))
	}
	return b
}
