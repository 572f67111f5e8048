package decimal

import "github.com/cockroachdb/apd/v3"

// Settle rounds to 18 places half away from zero; zeros that this leaves at the end go.
func (d Decimal) Settle() Decimal {
	if d.wide == nil || d.wide.Exponent >= -Places {
		return d
	}
	return must(d.quantize(Places, apd.RoundHalfUp)).shortest()
}

// shortest is d without zeros at its end.
func (d Decimal) shortest() Decimal {
	if d.wide != nil {
		x, _ := new(apd.Decimal).Reduce(d.wide)
		return must(of(x))
	}
	for d.scale > 0 && d.n%10 == 0 {
		d.n, d.scale = d.n/10, d.scale-1
	}
	return d
}

// Round rounds half away from zero and gives a number of exactly so many places, 0 to
// 18. With fewer than 0 places it rounds to tens, hundreds and so on.
func (d Decimal) Round(places int) (Decimal, error) {
	d = d.Settle()
	places = min(max(places, -wholeDigits-1), Places)
	if d.wide == nil && places >= 0 && places < int(d.scale) {
		unit := powers[int(d.scale)-places]
		n, rest := d.n/unit, d.n%unit
		if magnitude(rest) >= uint64(unit)-uint64(unit)/2 {
			n += int64(d.Sign())
		}
		return Decimal{n: n, scale: uint8(places)}, nil
	}
	return d.quantize(places, apd.RoundHalfUp)
}

// Trunc is the whole part.
func (d Decimal) Trunc() Decimal { return d.whole(apd.RoundDown) }

// Floor is the greatest whole number that is not more than d.
func (d Decimal) Floor() Decimal { return d.whole(apd.RoundFloor) }

// Ceil is the least whole number that is not less than d.
func (d Decimal) Ceil() Decimal { return d.whole(apd.RoundCeiling) }

// Up is the whole number next to d away from zero, or d.
func (d Decimal) Up() Decimal { return d.whole(apd.RoundUp) }

func (d Decimal) whole(mode apd.Rounder) Decimal {
	d = d.Settle()
	if d.wide != nil {
		return must(d.quantize(0, mode))
	}
	unit := powers[d.scale]
	n, rest := d.n/unit, d.n%unit
	if rest != 0 && (mode == apd.RoundUp || mode == apd.RoundFloor && rest < 0 || mode == apd.RoundCeiling && rest > 0) {
		n += int64(d.Sign())
	}
	return Decimal{n: n}
}

// quantize gives d so many places.
func (d Decimal) quantize(places int, mode apd.Rounder) (Decimal, error) {
	c := context
	c.Rounding = mode
	result := new(apd.Decimal)
	if _, err := c.Quantize(result, d.apd(), int32(-places)); err != nil {
		return Decimal{}, ErrRange
	}
	return of(result)
}

// must is the result of what cannot fail: a settled number has 38 digits and 18 places
// at most, well within the precision. Rounding up 38 nines makes a longer one, which is
// left as it is.
func must(d Decimal, err error) Decimal {
	if err != nil {
		return Decimal{wide: apd.New(1, wholeDigits)}
	}
	return d
}
