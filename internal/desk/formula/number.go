package formula

import (
	"math"
	"strings"

	"parley/internal/ground/decimal"
)

var numberFunctions = []function{
	{name: "ABS", takes: []types{numeric}, gives: Number, first: true, one: whole(decimal.Decimal.Abs)},
	{name: "CEILING", takes: []types{numeric}, gives: Number, first: true, one: whole(decimal.Decimal.Up)},
	{name: "FLOOR", takes: []types{numeric}, gives: Number, first: true, one: whole(decimal.Decimal.Trunc)},
	{name: "MCEILING", takes: []types{numeric}, gives: Number, first: true, one: whole(decimal.Decimal.Ceil)},
	{name: "MFLOOR", takes: []types{numeric}, gives: Number, first: true, one: whole(decimal.Decimal.Floor)},
	{name: "ROUND", takes: []types{numeric, numeric}, gives: Number, first: true, two: func(f *frame, at place, a, b Value) Value {
		num, err := a.num.Round(count(b))
		return f.number(at, "ROUND", num, err)
	}},
	{name: "MOD", takes: []types{numeric, numeric}, gives: Number, two: func(f *frame, at place, a, b Value) Value {
		num, err := a.num.Rem(b.num)
		return f.number(at, "MOD", num, err)
	}},
	{name: "SQRT", takes: []types{numeric}, gives: Number, work: slow / 20, one: computed("SQRT", decimal.Decimal.Sqrt)},
	{name: "EXP", takes: []types{numeric}, gives: Number, work: slow, one: computed("EXP", decimal.Decimal.Exp)},
	{name: "LN", takes: []types{numeric}, gives: Number, work: slow, one: computed("LN", decimal.Decimal.Ln)},
	{name: "LOG", takes: []types{numeric}, gives: Number, work: slow, one: computed("LOG", decimal.Decimal.Log10)},
	{name: "MAX", takes: []types{numeric}, many: true, like: true, build: func(_ *node, args []expr) (expr, *Error) {
		return extreme(args, 1), nil
	}},
	{name: "MIN", takes: []types{numeric}, many: true, like: true, build: func(_ *node, args []expr) (expr, *Error) {
		return extreme(args, -1), nil
	}},
	{name: "CURRENCYRATE", takes: []types{textual}, gives: Number, one: func(f *frame, at place, a Value) Value {
		rate, ok := f.env.Rates[strings.ToUpper(a.text)]
		if !ok {
			return f.fail(at.errorf(UnknownCurrency, "There is no rate for the currency %q. Add it to the organisation's rates.", shortened(a.text)))
		}
		return NumberOf(rate)
	}},
}

// number is the result of an operation on numbers, or its failure.
func (f *frame) number(at place, name string, num decimal.Decimal, err error) Value {
	if err != nil {
		return f.fail(at.ofNumber(name, err))
	}
	return NumberOf(num)
}

func whole(fn func(decimal.Decimal) decimal.Decimal) func(*frame, place, Value) Value {
	return func(_ *frame, _ place, a Value) Value { return NumberOf(fn(a.num)) }
}

func computed(name string, fn func(decimal.Decimal) (decimal.Decimal, error)) func(*frame, place, Value) Value {
	return func(f *frame, at place, a Value) Value {
		num, err := fn(a.num)
		return f.number(at, name, num, err)
	}
}

// extreme compiles MAX, or MIN with a sign of -1.
func extreme(args []expr, sign int) expr {
	return expr{run: func(f *frame) Value {
		best := args[0].run(f)
		for _, arg := range args[1:] {
			v := arg.run(f)
			if v.num.Cmp(best.num) == sign {
				v.blank |= best.blank & asBlank
				best = v
			} else {
				best.blank |= v.blank & asBlank
			}
		}
		if best.blank&asBlank != 0 {
			return Value{blank: asBlank}
		}
		return NumberOf(best.num)
	}}
}

var placeFunctions = []function{
	{name: "GEOLOCATION", takes: []types{numeric, numeric}, gives: Geolocation, two: func(_ *frame, _ place, a, b Value) Value {
		return GeolocationOf(a.num, b.num)
	}},
	{name: "DISTANCE", takes: []types{setOf(Geolocation), setOf(Geolocation), textual}, gives: Number, three: distance},
}

// Radius of the earth, as a sphere.
var radii = map[string]float64{"km": 6371.0088, "mi": 3958.7613}

// distance is the length of the great circle between two places, to six places after the
// point; angles are the one thing that is computed in binary.
func distance(f *frame, at place, a, b, unit Value) Value {
	radius, ok := radii[strings.ToLower(unit.text)]
	if !ok {
		return f.fail(at.errorf(BadValue, `DISTANCE is in "km" or "mi", not in %q.`, shortened(unit.text)))
	}
	var angles [4]float64
	for i, degrees := range []decimal.Decimal{a.more.latitude, a.more.longitude, b.more.latitude, b.more.longitude} {
		if most := int64(90 + i%2*90); degrees.Abs().Cmp(decimal.Of(most)) > 0 {
			return f.fail(at.errorf(OutOfRange, "DISTANCE wants a latitude from -90 to 90 and a longitude from -180 to 180; one is %s.", degrees))
		}
		angles[i] = degrees.Float() * math.Pi / 180
	}
	north, east := math.Sin((angles[2]-angles[0])/2), math.Sin((angles[3]-angles[1])/2)
	h := north*north + math.Cos(angles[0])*math.Cos(angles[2])*east*east
	length := 2 * radius * math.Asin(math.Min(1, math.Sqrt(h)))
	return NumberOf(decimal.New(int64(math.Round(length*1e6)), 6))
}
