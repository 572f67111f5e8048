package formula_test

import (
	"fmt"
	"math/big"
	"time"

	"pgregory.net/rapid"

	"parley/internal/desk/formula"
)

// kind is a kind of moments.
type kind struct {
	is    formula.Type
	blank string // a field that is blank
	step  int64  // how many of them a day has
	value func(time.Time) formula.Value
}

var (
	date     = kind{formula.Date, "NoDay", 1, formula.DateOf}
	datetime = kind{formula.DateTime, "NoMoment", 24 * time.Hour.Microseconds(), formula.DateTimeOf}
)

func (k kind) time(m moment) time.Time {
	day, rest := int64(m)/k.step, int64(m)%k.step
	return time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(day)).Add(time.Duration(rest*(86_400_000_000/k.step)) * time.Microsecond)
}

// moment is a random expression that results in a date or a datetime.
func (t forest) moment(of kind, depth int) oracle {
	if depth == 0 {
		return t.instant(of)
	}
	next := func() oracle { return t.moment(of, depth-1) }
	switch rapid.IntRange(0, 5).Draw(t.T, "kind") {
	case 0:
		return t.instant(of)
	case 1:
		return t.chosen(depth, next)
	case 2:
		return t.cased(depth, next)
	}
	from, by := next(), t.number(depth-1)
	form, back := "(%s + %s)", rapid.Bool().Draw(t.T, "back")
	if back {
		form = "(%s - %s)"
	}
	source := fmt.Sprintf(form, from.source, by.source)
	if !back && rapid.Bool().Draw(t.T, "number first") { // the moment is computed first all the same
		source = fmt.Sprintf(form, by.source, from.source)
	}
	return oracle{source, both(from, by, instant, number, func(m moment, n fraction) any { return of.moved(m, n, back) })}
}

// instant is a literal, or a field with a value or blank.
func (t forest) instant(of kind) oracle {
	if rapid.IntRange(0, 5).Draw(t.T, "blank") == 0 {
		return oracle{of.blank, func() any { return counted{} }}
	}
	year := rapid.SampledFrom([]int{1, 1900, 1969, 2024, 2026, 9999}).Draw(t.T, "year")
	at := time.Date(year, time.Month(rapid.IntRange(1, 12).Draw(t.T, "month")), rapid.IntRange(1, 28).Draw(t.T, "day"), 0, 0, 0, 0, time.UTC)
	form := at.Format("DATE(2006, 1, 2)")
	if of.step != 1 {
		at = at.Add(time.Duration(rapid.Int64Range(0, 86_399).Draw(t.T, "second")) * time.Second)
		form = `DATETIMEVALUE("` + at.Format("2006-01-02 15:04:05") + `")`
	}
	m := moment(new(big.Int).Div(big.NewInt(at.UnixMicro()), big.NewInt(86_400_000_000/of.step)).Int64())
	if rapid.Bool().Draw(t.T, "field") {
		form = t.field(of.value(at))
	}
	return oracle{form, func() any { return m }}
}

// moved is a moment before or after another: by whole days, or by microseconds.
func (k kind) moved(m moment, by fraction, back bool) any {
	span := new(big.Rat).Mul(by.Rat, big.NewRat(k.step, 1))
	if new(big.Rat).Abs(span).Cmp(most) >= 0 {
		return formula.OutOfRange
	}
	span = rounded(span, 18)
	steps := rounded(span, 0)
	if k.step == 1 { // what is left of a day is cut off
		steps = new(big.Rat).SetInt(new(big.Int).Quo(span.Num(), span.Denom()))
	}
	if back {
		steps.Neg(steps)
	}
	to := new(big.Int).Add(steps.Num(), big.NewInt(int64(m)))
	first, last := big.NewInt(-719_162*k.step), big.NewInt(2_932_897*k.step)
	if to.Cmp(first) < 0 || to.Cmp(last) >= 0 {
		return formula.OutOfRange
	}
	return moment(to.Int64())
}

// between is the number of days from a moment to another.
func (t forest) between(depth int) oracle {
	of := rapid.SampledFrom([]kind{date, datetime}).Draw(t.T, "of")
	a, b := t.moment(of, depth-1), t.moment(of, depth-1)
	return oracle{fmt.Sprintf("(%s - %s)", a.source, b.source), both(a, b, instant, instant, func(x, y moment) any {
		return exactly(big.NewRat(int64(x)-int64(y), of.step), 0)
	})}
}
