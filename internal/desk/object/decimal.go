package object

import (
	"strconv"
	"strings"
)

// decimal is a number as it was written: digits are scaled by 10^-scale.
type decimal struct {
	negative bool
	digits   string // without leading zeros; empty for 0
	scale    int    // digits after the point
}

// decimalOf reads "12.50", "-.5" or "1e3", of at most [MostDigits] digits.
func decimalOf(s string) (decimal, bool) {
	m := numberPattern.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[3] == "" {
		return decimal{}, false
	}
	exponent, _ := strconv.Atoi(m[4])
	d := decimal{negative: m[1] == "-", digits: strings.TrimLeft(m[2]+m[3], "0"), scale: len(m[3]) - exponent}
	if d.scale < 0 {
		if d.digits != "" && len(d.digits)-d.scale > MostDigits {
			return decimal{}, false
		}
		if d.digits != "" {
			d.digits += strings.Repeat("0", -d.scale)
		}
		d.scale = 0
	}
	d.negative = d.negative && d.digits != ""
	return d, len(d.digits) <= MostDigits && d.scale <= MostDigits
}

// String writes the number with its scale and without an exponent.
func (d decimal) String() string {
	digits := d.digits
	if len(digits) <= d.scale {
		digits = strings.Repeat("0", d.scale-len(digits)+1) + digits
	}
	if d.scale > 0 {
		digits = digits[:len(digits)-d.scale] + "." + digits[len(digits)-d.scale:]
	}
	if d.negative {
		return "-" + digits
	}
	return digits
}

// within reports whether the number is at most n from zero.
func (d decimal) within(n int) bool {
	of := func(d decimal) string { d.negative = false; return string(d.key()) }
	most, _ := decimalOf(strconv.Itoa(n))
	return of(d) <= of(most)
}

// key is bytes in the order of numbers, the same for 1.5 and 1.50.
func (d decimal) key() []byte {
	digits := strings.TrimRight(d.digits, "0")
	if digits == "" {
		return []byte{1}
	}
	// 0.digits × 10^place
	place := len(d.digits) - d.scale
	key := append([]byte{byte(place + 128)}, digits...)
	if !d.negative {
		return append([]byte{2}, key...)
	}
	for i := range key {
		key[i] = ^key[i]
	}
	return append(append([]byte{0}, key...), 0xFF)
}
