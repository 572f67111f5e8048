package formula

import (
	"parley/internal/ground/decimal"
)

// sum compiles + and -: of numbers, of texts, and of dates, datetimes and times with
// numbers or each other.
func sum(n *node, a, b expr) (expr, *Error) {
	if timed.has(a.typ) || timed.has(b.typ) {
		return sumOfMoments(n, a, b)
	}
	set := numeric
	if n.name == "+" && (textual.has(a.typ) || a.typ == Blank && textual.has(b.typ)) {
		set = textual
	}
	for _, x := range []expr{a, b} {
		if err := wants(n, x, set); err != nil {
			return expr{}, err
		}
	}
	if set == textual {
		return joined(n.at, []expr{a, b}), nil
	}
	return calculated(n, a, b), nil
}

func sumOfMoments(n *node, a, b expr) (expr, *Error) {
	minus, distance := n.name == "-", numeric|setOf(Blank)
	switch {
	case a.typ == b.typ && minus:
		return between(n, a, b), nil
	case timed.has(a.typ) && distance.has(b.typ):
		return moved(n, a, b, minus), nil
	case distance.has(a.typ) && !minus:
		return moved(n, b, a, false), nil
	}
	return expr{}, n.at.errorf(WrongType, "%s does not go between %s and %s.%s", n.name, a.typ, b.typ, momentAdvice(a.typ, b.typ))
}

func momentAdvice(a, b Type) string {
	if a == Date && b == DateTime || a == DateTime && b == Date {
		return " Write DATEVALUE(…) of the datetime."
	}
	return ""
}

var dayInMicros = decimal.Of(microsOfDay)

// between is the difference of two moments: days for dates and datetimes, milliseconds
// for times.
func between(n *node, a, b expr) expr {
	left, right, inDays := a.run, b.run, a.typ == DateTime
	return expr{typ: Number, run: func(f *frame) Value {
		x, y := left(f), right(f)
		if x.blank|y.blank != 0 {
			return Value{blank: x.blank | y.blank}
		}
		num, err := x.num.Sub(y.num)
		if err == nil && inDays {
			num, err = num.Quo(dayInMicros)
		}
		if err != nil {
			return f.fail(n.at.ofNumber(n.name, err))
		}
		return NumberOf(num)
	}}
}

// moved is a moment before or after another: by whole days for a date, by days and their
// fractions for a datetime, by milliseconds around the clock for a time.
func moved(n *node, moment, by expr, back bool) expr {
	from, distance, typ, at := moment.run, by.run, moment.typ, n.at
	unit := decimal.Of(1)
	if typ == DateTime {
		unit = dayInMicros
	}
	return expr{typ: typ, run: func(f *frame) Value {
		x, y := from(f), distance(f)
		if x.blank != 0 || y.blank&asBlank != 0 {
			return Value{blank: x.blank | y.blank}
		}
		span, err := y.num.Mul(unit)
		if err == nil && typ == DateTime {
			span, err = span.Round(0)
		}
		count, whole := span.Int()
		const most = 1 << 60
		if err != nil || !whole || count > most || count < -most {
			return f.fail(at.errorf(OutOfRange, "%s leaves the years 1 to 9999.", n.name))
		}
		if back {
			count = -count
		}
		return at.moment(f, typ, x.int()+count)
	}}
}

var firstDay, lastDay = daysOf(1, 1, 1), daysOf(9999, 12, 31)

// moment is a date, datetime or time, if it is in the years 1 to 9999.
func (p place) moment(f *frame, typ Type, count int64) Value {
	unit := int64(1)
	switch typ {
	case Time:
		count = (count%millisOfDay + millisOfDay) % millisOfDay
		return Value{typ: Time, num: decimal.Of(count)}
	case DateTime:
		unit = microsOfDay
	}
	if count < firstDay*unit || count >= (lastDay+1)*unit {
		return f.fail(p.errorf(OutOfRange, "The %s is outside of the years 1 to 9999.", typ))
	}
	return Value{typ: typ, num: decimal.Of(count)}
}
