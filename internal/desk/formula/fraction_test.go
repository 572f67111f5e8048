package formula_test

import (
	"math/big"
	"strings"

	"parley/internal/desk/formula"
)

// fraction is a number with the places after the point that it is written with.
type fraction struct {
	*big.Rat

	places int
}

// unsaid is the number of places of what no decimal is: nobody says where it ends.
const (
	unsaid     = -1
	mostPlaces = 22 // beside 38 digits before the point these are exact
)

func whole(r *big.Rat) fraction { return fraction{r, 0} }

// exactly is r with the places that it needs, at least as many as wanted.
func exactly(r *big.Rat, wanted int) fraction {
	for places := max(wanted, 0); places <= mostPlaces; places++ {
		if new(big.Rat).Mul(r, power(places)).IsInt() {
			return inPlaces(r, places)
		}
	}
	return fraction{r, unsaid}
}

// inPlaces is r with its places as far as they are said: a zero has 18 at most.
func inPlaces(r *big.Rat, places int) fraction {
	switch {
	case r.Sign() == 0:
		places = min(places, 18)
	case places > mostPlaces:
		places = unsaid
	}
	return fraction{r, places} // unsaid stays so
}

func power(n int) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
}

// String is the number as it is written: with its places, rounded to 18 without the zeros
// that this leaves.
func (x fraction) String() string {
	if x.places <= 18 {
		return x.FloatString(x.places)
	}
	return strings.TrimSuffix(strings.TrimRight(x.FloatString(18), "0"), ".")
}

// settled is x as comparison and rounding see it.
func (x fraction) settled() fraction {
	if x.places != unsaid && x.places <= 18 {
		return x
	}
	is := exactly(rounded(x.Rat, 18), 0)
	if x.places == unsaid {
		is.places = unsaid
	}
	return is
}

func rounded(r *big.Rat, places int) *big.Rat {
	unit := power(max(places, -places))
	if places < 0 {
		unit.Inv(unit)
	}
	scaled := new(big.Rat).Add(new(big.Rat).Mul(r, unit), big.NewRat(int64(r.Sign()), 2))
	rest := new(big.Rat).SetInt(new(big.Int).Quo(scaled.Num(), scaled.Denom()))
	return rest.Quo(rest, unit)
}

// most is beyond every number, and what is below least is rounded.
var most, least = power(38), new(big.Rat).Inv(power(60))

func inRange(r *big.Rat, places int) any {
	if new(big.Rat).Abs(r).Cmp(most) >= 0 {
		return formula.OutOfRange
	}
	if new(big.Rat).Abs(r).Cmp(least) < 0 {
		r = rounded(r, 60)
	}
	return inPlaces(r, places)
}

// said is a number of places that follows from those of two numbers.
func said(x, y fraction, places int) int {
	if x.places == unsaid || y.places == unsaid {
		return unsaid
	}
	return places
}

// finer is the number of places of the finer one.
func finer(x, y fraction) int { return said(x, y, max(x.places, y.places)) }

func times(x, y fraction) any {
	return inRange(new(big.Rat).Mul(x.Rat, y.Rat), said(x, y, x.places+y.places))
}

func divided(x, y fraction) any {
	if y.Sign() == 0 {
		return formula.DivisionByZero
	}
	q := new(big.Rat).Quo(x.Rat, y.Rat)
	return inRange(q, said(x, y, exactly(q, min(x.places-y.places, 18)).places))
}

func remainder(x, y fraction) any {
	x, y = x.settled(), y.settled()
	if y.Sign() == 0 {
		return formula.DivisionByZero
	}
	q := new(big.Rat).Quo(x.Rat, y.Rat)
	n := new(big.Rat).SetInt(new(big.Int).Quo(q.Num(), q.Denom()))
	return inPlaces(new(big.Rat).Sub(x.Rat, n.Mul(n, y.Rat)), finer(x, y))
}

// raised multiplies out, as far as it goes.
func raised(x, y fraction) any {
	n := y.Num().Int64()
	result := any(whole(big.NewRat(1, 1)))
	for range max(n, -n) {
		product, ok := result.(fraction)
		if !ok {
			return result
		}
		result = times(product, x)
	}
	if n >= 0 {
		return result
	}
	if x.Sign() == 0 {
		return formula.OutOfRange
	}
	return fraction{new(big.Rat).Inv(result.(fraction).Rat), unsaid} //nolint:forcetypeassert // of a small base
}

// root is the root of x to 50 places, or one over it.
func root(x fraction, over bool) any {
	if x.Sign() < 0 || over && x.Sign() == 0 {
		return formula.OutOfRange
	}
	square := new(big.Rat).Mul(x.Rat, power(100))
	r := new(big.Rat).SetInt(new(big.Int).Sqrt(new(big.Int).Quo(square.Num(), square.Denom())))
	r.Quo(r, power(50))
	if over {
		r.Inv(r)
	}
	if r.Sign() == 0 {
		return whole(r)
	}
	return fraction{r, unsaid}
}

// arithmetic are operations on two numbers, by how they are written.
var arithmetic = map[string]func(x, y fraction) any{
	"(%s + %s)":   func(x, y fraction) any { return inRange(new(big.Rat).Add(x.Rat, y.Rat), finer(x, y)) },
	"(%s - %s)":   func(x, y fraction) any { return inRange(new(big.Rat).Sub(x.Rat, y.Rat), finer(x, y)) },
	"(%s * %s)":   times,
	"(%s / %s)":   divided,
	"mod(%s, %s)": remainder,
	"MAX(%s, %s)": func(x, y fraction) any {
		if x.settled().Cmp(y.settled().Rat) >= 0 {
			return x
		}
		return y
	},
	"Min(%s, %s)": func(x, y fraction) any {
		if x.settled().Cmp(y.settled().Rat) <= 0 {
			return x
		}
		return y
	},
}

func floor(r *big.Rat) *big.Rat { return new(big.Rat).SetInt(new(big.Int).Div(r.Num(), r.Denom())) }

func ceiling(r *big.Rat) *big.Rat {
	return new(big.Rat).Neg(floor(new(big.Rat).Neg(r)))
}

// single are functions of one number.
var single = map[string]func(x fraction) fraction{
	"-%s":          func(x fraction) fraction { return fraction{new(big.Rat).Neg(x.Rat), x.places} },
	"ABS(%s)":      func(x fraction) fraction { return fraction{new(big.Rat).Abs(x.Rat), x.places} },
	"MFLOOR(%s)":   func(x fraction) fraction { return whole(floor(x.settled().Rat)) },
	"MCEILING(%s)": func(x fraction) fraction { return whole(ceiling(x.settled().Rat)) },
	"FLOOR(%s)": func(x fraction) fraction {
		if x.Sign() < 0 {
			return whole(ceiling(x.settled().Rat))
		}
		return whole(floor(x.settled().Rat))
	},
	"CEILING(%s)": func(x fraction) fraction {
		if x.Sign() < 0 {
			return whole(floor(x.settled().Rat))
		}
		return whole(ceiling(x.settled().Rat))
	},
	"ROUND(%s, 2)":  func(x fraction) fraction { return fraction{rounded(x.settled().Rat, 2), 2} },
	"ROUND(%s, -1)": func(x fraction) fraction { return whole(rounded(x.settled().Rat, -1)) },
}
