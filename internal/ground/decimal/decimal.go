// Package decimal is exact arithmetic on decimal numbers that keep their scale: 1.50
// is written "1.50", and 1.50 * 2 is "3.00".
//
// Most numbers are an int64 and a scale, and cost no allocation. Others are decimals of
// github.com/cockroachdb/apd with 60 digits. Division that does not come out even has 60
// digits too, and roots, logarithms and powers that are not multiplied out have 40; wherever a number is compared, rounded or
// written it is first settled, which means rounded half away from zero to 18 places,
// so that (1/3)*3 is 1.
//
// A Decimal is immutable and safe for concurrent use. The zero value is 0.
package decimal

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Errors of operations that have no result.
var (
	// ErrRange is the error of a result of more than 38 digits before the point.
	ErrRange = errors.New("a number has more than 38 digits before the point")
	// ErrZero is the error of a division by zero.
	ErrZero = errors.New("division by zero")
	// ErrDomain is the error of a function outside its domain, such as the root of -1.
	ErrDomain = errors.New("outside the function's domain")
	// ErrSyntax is the error of a text that is not a number.
	ErrSyntax = errors.New("not a number")
)

// Places is how many places after the point a settled number has at most.
const Places = 18

const (
	wholeDigits    = 38  // before the point
	precision      = 60  // digits of a result that is not exact
	functionDigits = 40  // of what takes many steps for each of them
	mostText       = 100 // characters of a number that Parse reads
)

// Decimal is a decimal number.
type Decimal struct {
	n     int64        // the number is n / 10^scale
	wide  *apd.Decimal // or this; never changed
	scale uint8        // 0 to Places
}

var context, functions = digits(precision), digits(functionDigits)

func digits(n uint32) apd.Context {
	c := apd.BaseContext
	c.Precision, c.Rounding, c.Traps = n, apd.RoundHalfUp, 0
	return c
}

var powers = func() (p [Places + 1]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// Of is n.
func Of(n int64) Decimal { return New(n, 0) }

// New is n / 10^scale; a scale is 0 to Places.
func New(n int64, scale int) Decimal {
	if n == math.MinInt64 || scale < 0 || scale > Places {
		wide := apd.New(n, int32(-scale))
		d, err := of(wide)
		if err != nil {
			return Decimal{wide: wide}
		}
		return d
	}
	return Decimal{n: n, scale: uint8(scale)}
}

// of makes a Decimal of x, which nobody may change afterwards.
func of(x *apd.Decimal) (Decimal, error) {
	if x.Form != apd.Finite {
		return Decimal{}, ErrRange
	}
	if x.IsZero() {
		return Decimal{scale: uint8(min(max(-x.Exponent, 0), Places))}, nil
	}
	if x.NumDigits()+int64(x.Exponent) > wholeDigits {
		return Decimal{}, ErrRange
	}
	if x.Exponent > 0 {
		_, _ = context.Quantize(x, x, 0)
	} else if x.Exponent < -precision {
		_, _ = context.Quantize(x, x, -precision)
	}
	if x.Exponent >= -Places && x.Coeff.IsInt64() {
		n := x.Coeff.Int64()
		if x.Negative {
			n = -n
		}
		return Decimal{n: n, scale: uint8(-x.Exponent)}, nil
	}
	return Decimal{wide: x}, nil
}

// apd is d as apd has it; not to be changed.
func (d Decimal) apd() *apd.Decimal {
	if d.wide != nil {
		return d.wide
	}
	return apd.New(d.n, -int32(d.scale))
}

// Parse reads a number: digits with at most one point and a sign, such as -0.50, ".5"
// or "1.". It knows no exponents, spaces or separators.
func Parse(s string) (Decimal, error) {
	rest, negative := s, false
	if rest != "" && (rest[0] == '-' || rest[0] == '+') {
		rest, negative = rest[1:], rest[0] == '-'
	}
	n, digits, scale, point := int64(0), 0, 0, false
	for i := range len(rest) {
		c := rest[i]
		switch {
		case c == '.' && !point:
			point = true
		case c-'0' <= 9: // a byte below it wraps around
			digits++
			if point {
				scale++
			}
			if digits <= Places {
				n = n*10 + int64(c-'0')
			}
		default:
			return Decimal{}, ErrSyntax
		}
	}
	if digits == 0 || len(s) > mostText {
		return Decimal{}, ErrSyntax
	}
	if negative {
		n = -n
	}
	if digits <= Places {
		return Decimal{n: n, scale: uint8(scale)}, nil
	}
	return parseWide(s)
}

// parseWide reads a number of many digits.
func parseWide(s string) (Decimal, error) {
	x, _, err := apd.NewFromString(s)
	if err != nil {
		return Decimal{}, ErrSyntax
	}
	if _, err := context.Round(x, x); err != nil {
		return Decimal{}, ErrSyntax
	}
	return of(x)
}

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int {
	if d.wide != nil {
		return d.wide.Sign()
	}
	switch {
	case d.n < 0:
		return -1
	case d.n > 0:
		return 1
	}
	return 0
}

// Small is the number as n / 10^scale, if it is that short.
func (d Decimal) Small() (n int64, scale int, ok bool) {
	return d.n, int(d.scale), d.wide == nil
}

// Int is the whole part as an int64; ok is false where it does not fit.
func (d Decimal) Int() (n int64, ok bool) {
	if d.wide == nil && d.scale == 0 {
		return d.n, true
	}
	whole := d.Trunc()
	return whole.n, whole.wide == nil
}

// Float is the nearest float64.
func (d Decimal) Float() float64 {
	if d.wide == nil {
		return float64(d.n) / float64(powers[d.scale])
	}
	f, err := strconv.ParseFloat(d.wide.String(), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// String is the settled number in digits, with its scale, never with an exponent.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends String to b.
func (d Decimal) Append(b []byte) []byte {
	d = d.Settle()
	if d.wide != nil {
		return d.wide.Append(b, 'f')
	}
	if d.scale == 0 {
		return strconv.AppendInt(b, d.n, 10)
	}
	n := d.n
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	unit := powers[d.scale]
	b = append(strconv.AppendInt(b, n/unit, 10), '.')
	start := len(b)
	b = strconv.AppendInt(b, n%unit+unit, 10) // with a 1 in front, for its zeros
	b[start] = b[start+1]
	copy(b[start:], b[start+1:])
	return b[:len(b)-1]
}

// ParseScientific reads what Parse reads, and numbers with an exponent, such as 1.5e3.
func ParseScientific(s string) (Decimal, error) {
	if d, err := Parse(s); err == nil || len(s) > mostText || !strings.ContainsAny(s, "eE") {
		return d, err
	}
	x, _, err := apd.NewFromString(s)
	if err != nil || x.Form != apd.Finite {
		return Decimal{}, ErrSyntax
	}
	if x.NumDigits()+int64(x.Exponent) > wholeDigits && !x.IsZero() {
		return Decimal{}, ErrRange
	}
	if _, err := context.Round(x, x); err != nil {
		return Decimal{}, ErrSyntax
	}
	return of(x)
}
