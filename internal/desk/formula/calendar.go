package formula

import (
	"strconv"
	"strings"
	"time"

	"parley/internal/ground/decimal"
)

var momentFunctions = []function{
	{name: "NOW", gives: DateTime, none: func(f *frame, _ place) Value { return DateTimeOf(f.env.Now) }},
	{name: "TODAY", gives: Date, none: func(f *frame, _ place) Value { return DateOf(f.now()) }},
	{name: "TIMENOW", gives: Time, none: func(f *frame, _ place) Value { return clockOf(f.now()) }},
	{name: "DATE", takes: []types{numeric, numeric, numeric}, gives: Date, three: date},
	{name: "DATEVALUE", takes: []types{textual | dated}, gives: Date, one: dateValue},
	{name: "DATETIMEVALUE", takes: []types{textual | dated}, gives: DateTime, one: dateTimeValue},
	{name: "TIMEVALUE", takes: []types{textual | setOf(DateTime, Time)}, gives: Time, one: timeValue},
	{name: "YEAR", takes: []types{setOf(Date)}, gives: Number, one: ofDate(time.Time.Year)},
	{name: "MONTH", takes: []types{setOf(Date)}, gives: Number, one: ofDate(func(t time.Time) int { return int(t.Month()) })},
	{name: "DAY", takes: []types{setOf(Date)}, gives: Number, one: ofDate(time.Time.Day)},
	{name: "WEEKDAY", takes: []types{setOf(Date)}, gives: Number, one: ofDate(func(t time.Time) int { return int(t.Weekday()) + 1 })},
	{name: "HOUR", takes: []types{setOf(Time)}, gives: Number, one: ofTime(time.Hour, 24)},
	{name: "MINUTE", takes: []types{setOf(Time)}, gives: Number, one: ofTime(time.Minute, 60)},
	{name: "SECOND", takes: []types{setOf(Time)}, gives: Number, one: ofTime(time.Second, 60)},
	{name: "MILLISECOND", takes: []types{setOf(Time)}, gives: Number, one: ofTime(time.Millisecond, 1000)},
	{name: "ADDMONTHS", takes: []types{dated, numeric}, build: addMonths},
}

func ofDate(part func(time.Time) int) func(*frame, place, Value) Value {
	return func(_ *frame, _ place, a Value) Value { return numberOf(int64(part(dateOf(a.int()).Moment()))) }
}

func ofTime(unit time.Duration, around int64) func(*frame, place, Value) Value {
	return func(_ *frame, _ place, a Value) Value { return numberOf(a.int() / unit.Milliseconds() % around) }
}

// clockOf is the time of day of t, in t's own zone.
func clockOf(t time.Time) Value {
	hour, minute, second := t.Clock()
	return TimeOf(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(t.Nanosecond()))
}

func date(f *frame, at place, a, b, c Value) Value {
	if v, ok := dateFrom(count(a), count(b), count(c)); ok {
		return v
	}
	return f.fail(at.errorf(OutOfRange, "There is no date with year %s, month %s and day %s.", a.num, b.num, c.num))
}

// dateFrom is a date of the years 1 to 9999, if there is such a day.
func dateFrom(year, month, dayOfMonth int) (Value, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || dayOfMonth < 1 || dayOfMonth > lengthOf(year, time.Month(month)) {
		return Value{}, false
	}
	return dateOf(daysOf(year, time.Month(month), dayOfMonth)), true
}

// lengthOf is how many days a month has.
func lengthOf(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func dateValue(f *frame, at place, a Value) Value {
	switch {
	case a.typ == Date || a.text == "" && a.typ != DateTime:
		return blankIfEmpty(a)
	case a.typ == DateTime:
		return DateOf(time.UnixMicro(a.int()).In(f.zone))
	}
	if v, ok := readDate(a.text); ok {
		return v
	}
	return f.fail(at.errorf(BadValue, "DATEVALUE wants a date such as 2026-11-27, not %q.", shortened(a.text)))
}

// blankIfEmpty is a, or blank where it is an empty text.
func blankIfEmpty(a Value) Value {
	if a.typ == Date || a.typ == DateTime || a.typ == Time {
		return a
	}
	return Value{blank: asZero}
}

func dateTimeValue(f *frame, at place, a Value) Value {
	switch {
	case a.typ == DateTime || a.text == "" && a.typ != Date:
		return blankIfEmpty(a)
	case a.typ == Date: // its first moment in the organisation's zone
		year, month, dayOfMonth := a.Moment().Date()
		return DateTimeOf(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, f.zone))
	}
	if t, ok := readDateTime(a.text); ok {
		return DateTimeOf(t)
	}
	return f.fail(at.errorf(BadValue, "DATETIMEVALUE wants a date and time such as 2026-11-27 17:30:00, not %q.", shortened(a.text)))
}

func timeValue(f *frame, at place, a Value) Value {
	switch {
	case a.typ == Time || a.text == "" && a.typ != DateTime:
		return blankIfEmpty(a)
	case a.typ == DateTime:
		return clockOf(time.UnixMicro(a.int()).In(f.zone))
	}
	if v, ok := readTime(a.text); ok {
		return v
	}
	return f.fail(at.errorf(BadValue, "TIMEVALUE wants a time such as 17:30:45.125, not %q.", shortened(a.text)))
}

// readDate reads 2026-11-27; month and day may have one digit.
func readDate(s string) (Value, bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[0]) != 4 {
		return Value{}, false
	}
	var numbers [3]int
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || i > 0 && len(part) > 2 {
			return Value{}, false
		}
		numbers[i] = int(n)
	}
	return dateFrom(numbers[0], numbers[1], numbers[2])
}

// readDateTime reads a date, a space or T, and a time with seconds or without; without a
// zone it is UTC.
func readDateTime(s string) (time.Time, bool) {
	i := strings.IndexAny(s, " T")
	if i < 0 {
		v, ok := readDate(s)
		return v.Moment(), ok
	}
	v, ok := readDate(s[:i])
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range []string{"15:04:05Z07:00", "15:04Z07:00", "15:04:05", "15:04"} {
		if clock, err := time.Parse(layout, s[i+1:]); err == nil {
			year, month, dayOfMonth := v.Moment().Date()
			t := time.Date(year, month, dayOfMonth, clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), clock.Location())
			return t, t.UTC().Year() >= 1 && t.UTC().Year() <= 9999
		}
	}
	return time.Time{}, false
}

// readTime reads 17:30:45.125, with seconds or without, and with a Z or without.
func readTime(s string) (Value, bool) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, strings.TrimSuffix(s, "Z")); err == nil {
			return clockOf(t), true
		}
	}
	return Value{}, false
}

// addMonths compiles ADDMONTHS. The last day of a month stays the last day; the day of a
// datetime is that in UTC.
func addMonths(n *node, args []expr) (expr, *Error) {
	from, by, typ := args[0].run, args[1].run, args[0].typ
	if typ == Blank {
		typ = Date
	}
	unit := int64(1)
	if typ == DateTime {
		unit = microsOfDay
	}
	return expr{typ: typ, run: func(f *frame) Value {
		a, b := from(f), by(f)
		if a.blank != present || b.blank&asBlank != 0 {
			return Value{blank: asZero}
		}
		days := a.int() / unit
		if a.int()%unit < 0 {
			days--
		}
		moved, ok := monthsLater(dateOf(days).Moment(), count(b))
		if !ok {
			return f.fail(n.at.errorf(OutOfRange, "ADDMONTHS leaves the years 1 to 9999."))
		}
		return Value{typ: typ, num: decimal.Of(moved*unit + a.int() - days*unit)}
	}}, nil
}

// monthsLater is the day so many months after t.
func monthsLater(t time.Time, months int) (days int64, ok bool) {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	length := lengthOf(first.Year(), first.Month())
	dayOfMonth := min(t.Day(), length)
	if t.Day() == lengthOf(t.Year(), t.Month()) {
		dayOfMonth = length
	}
	return daysOf(first.Year(), first.Month(), dayOfMonth), first.Year() >= 1 && first.Year() <= 9999
}

// ParseDate reads a date such as 2026-11-27.
func ParseDate(s string) (Value, bool) { return readDate(s) }

// ParseDateTime reads a date and time such as 2026-11-27T17:30:00Z; without a zone it is
// UTC.
func ParseDateTime(s string) (Value, bool) {
	t, ok := readDateTime(s)
	return DateTimeOf(t), ok
}

// ParseTime reads a time of day such as 17:30:45.125.
func ParseTime(s string) (Value, bool) { return readTime(s) }
