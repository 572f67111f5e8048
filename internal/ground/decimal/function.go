package decimal

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

// Sqrt is the root.
func (d Decimal) Sqrt() (Decimal, error) {
	if d.Sign() < 0 {
		return Decimal{}, ErrDomain
	}
	return d.function(functions.Sqrt)
}

// Ln is the natural logarithm.
func (d Decimal) Ln() (Decimal, error) {
	if d.Sign() <= 0 {
		return Decimal{}, ErrDomain
	}
	return d.function(functions.Ln)
}

// Log10 is the logarithm to base 10.
func (d Decimal) Log10() (Decimal, error) {
	if d.Sign() <= 0 {
		return Decimal{}, ErrDomain
	}
	return d.function(functions.Log10)
}

// Exp is e to the power of d.
func (d Decimal) Exp() (Decimal, error) {
	switch size := d.Float() / math.Ln10; {
	case size > wholeDigits:
		return Decimal{}, ErrRange
	case size < -precision-1:
		return Decimal{}, nil
	}
	return d.function(functions.Exp)
}

// mostFactors is up to which exponent a power is multiplied out, exactly while it fits.
const mostFactors = 64

// IsFew reports whether d is a whole number of 0 to 64, by which a power is multiplied
// out: that is quick.
func (d Decimal) IsFew() bool {
	return d.wide == nil && d.n >= 0 && d.n%powers[d.scale] == 0 && d.n/powers[d.scale] <= mostFactors
}

// Pow is d to the power of e. The power of a negative number wants a whole exponent, and
// that of zero one that is not negative.
func (d Decimal) Pow(e Decimal) (Decimal, error) {
	whole := e.Cmp(e.Trunc()) == 0
	if d.Sign() < 0 && !whole || d.Sign() == 0 && e.Sign() < 0 {
		return Decimal{}, ErrDomain
	}
	if e.IsFew() {
		times, _ := e.Int()
		return d.multiplied(times)
	}
	switch size := e.Float() * math.Log10(math.Abs(d.Float())); {
	case d.Sign() == 0:
		return Decimal{}, nil
	case size > wholeDigits:
		return Decimal{}, ErrRange
	case size < -precision-1:
		return Decimal{}, nil
	}
	return widely(functions.Pow, d, e)
}

func (d Decimal) multiplied(times int64) (Decimal, error) {
	result := Of(1)
	for range times {
		var err error
		if result, err = result.Mul(d); err != nil {
			return Decimal{}, err
		}
	}
	return result, nil
}

func (d Decimal) function(fn func(d, x *apd.Decimal) (apd.Condition, error)) (Decimal, error) {
	result := new(apd.Decimal)
	if _, err := fn(result, d.apd()); err != nil {
		return Decimal{}, ErrRange
	}
	return of(result)
}
