package decimal

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// Neg is -d.
func (d Decimal) Neg() Decimal {
	if d.wide == nil {
		return Decimal{n: -d.n, scale: d.scale}
	}
	return Decimal{wide: new(apd.Decimal).Neg(d.wide)}
}

// Abs is d without its sign.
func (d Decimal) Abs() Decimal {
	if d.Sign() < 0 {
		return d.Neg()
	}
	return d
}

// Add is d + e.
func (d Decimal) Add(e Decimal) (Decimal, error) {
	if a, b, scale, ok := aligned(d, e); ok {
		if sum := a + b; (sum > a) == (b > 0) && sum != math.MinInt64 {
			return Decimal{n: sum, scale: scale}, nil
		}
	}
	return widely(context.Add, d, e)
}

// Sub is d - e.
func (d Decimal) Sub(e Decimal) (Decimal, error) { return d.Add(e.Neg()) }

// Mul is d * e.
func (d Decimal) Mul(e Decimal) (Decimal, error) {
	if d.wide == nil && e.wide == nil && d.scale+e.scale <= Places {
		if n, ok := product(d.n, e.n); ok {
			return Decimal{n: n, scale: d.scale + e.scale}, nil
		}
	}
	return widely(context.Mul, d, e)
}

// Quo is d / e.
func (d Decimal) Quo(e Decimal) (Decimal, error) {
	if e.Sign() == 0 {
		return Decimal{}, ErrZero
	}
	if d.wide == nil && e.wide == nil {
		if q, ok := even(d, e); ok {
			return q, nil
		}
	}
	q, err := widely(context.Quo, d, e)
	if err != nil {
		return Decimal{}, err
	}
	// An even result has the scale that multiplication would undo, an uneven one all
	// that it needs.
	q = q.shortest()
	if wanted := min(d.places()-e.places(), Places); q.places() < wanted {
		return q.quantize(wanted, apd.RoundHalfUp)
	}
	return q, nil
}

// places is how many digits stand after the point.
func (d Decimal) places() int {
	if d.wide != nil {
		return int(-d.wide.Exponent)
	}
	return int(d.scale)
}

// even is d / e where that comes out even with 18 places at most. Its scale is that
// of d less that of e, or as much more as it needs.
func even(d, e Decimal) (Decimal, bool) {
	if d.scale >= e.scale && d.n%e.n == 0 {
		return Decimal{n: d.n / e.n, scale: d.scale - e.scale}, true
	}
	high, low := bits.Mul64(magnitude(d.n), uint64(powers[Places]))
	by := magnitude(e.n)
	if high >= by {
		return Decimal{}, false
	}
	q, rest := bits.Div64(high, low, by)
	if rest != 0 {
		return Decimal{}, false
	}
	scale, wanted := Places+int(d.scale)-int(e.scale), max(int(d.scale)-int(e.scale), 0)
	for scale > wanted && q%10 == 0 {
		q, scale = q/10, scale-1
	}
	if q > math.MaxInt64 || scale < 0 || scale > Places {
		return Decimal{}, false
	}
	n := int64(q)
	if (d.n < 0) != (e.n < 0) {
		n = -n
	}
	return Decimal{n: n, scale: uint8(scale)}, true
}

// Rem is what is left of d when whole parts of the length of e are taken away, with the
// sign of d. Both are settled first.
func (d Decimal) Rem(e Decimal) (Decimal, error) {
	d, e = d.Settle(), e.Settle()
	if e.Sign() == 0 {
		return Decimal{}, ErrZero
	}
	if a, b, scale, ok := aligned(d, e); ok {
		return Decimal{n: a % b, scale: scale}, nil
	}
	x, y := d.apd(), e.apd()
	exponent := min(x.Exponent, y.Exponent)
	rest := new(big.Int).Rem(units(x, exponent), units(y, exponent))
	return of(apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(rest), exponent))
}

// units is x in units of 10^exponent.
func units(x *apd.Decimal, exponent int32) *big.Int {
	n := x.Coeff.MathBigInt()
	n.Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Exponent-exponent)), nil))
	if x.Negative {
		n.Neg(n)
	}
	return n
}

// Cmp compares the settled numbers: -1 if d is less than e, 0 if they are equal, 1 if
// d is more.
func (d Decimal) Cmp(e Decimal) int {
	if a, b, _, ok := aligned(d, e); ok {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	return d.Settle().apd().Cmp(e.Settle().apd())
}

// aligned is both in the units of the finer one.
func aligned(d, e Decimal) (a, b int64, scale uint8, ok bool) {
	if d.wide != nil || e.wide != nil {
		return 0, 0, 0, false
	}
	if d.scale == e.scale {
		return d.n, e.n, d.scale, true
	}
	a, b = d.n, e.n
	if d.scale < e.scale {
		a, ok = product(a, powers[e.scale-d.scale])
		return a, b, e.scale, ok
	}
	b, ok = product(b, powers[d.scale-e.scale])
	return a, b, d.scale, ok
}

func product(a, b int64) (int64, bool) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(low), true
	}
	return int64(low), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}

func widely(op func(d, x, y *apd.Decimal) (apd.Condition, error), d, e Decimal) (Decimal, error) {
	result := new(apd.Decimal)
	if _, err := op(result, d.apd(), e.apd()); err != nil {
		return Decimal{}, ErrRange
	}
	return of(result)
}
