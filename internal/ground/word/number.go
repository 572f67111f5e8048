package word

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"parley/internal/ground/number"
)

// Number is an address by the ways it is asked for: in full, and without its
// country. Both are digits alone; National is empty for what is no phone number.
type Number struct{ Full, National string }

// NameOf is the name that a customer is found by: their own, or that of a sender of
// whom nothing else is known.
func NameOf(name, address string) string {
	if name == "" && !isPhone(address) {
		return address
	}
	return name
}

func isPhone(address string) bool {
	digits, ok := strings.CutPrefix(address, "+")
	return ok && !strings.ContainsFunc(digits, notADigit)
}

// NumberOf reads an address as it is stored: E.164 for phones.
func NumberOf(address string) Number {
	if !isPhone(address) {
		return Number{Full: Fold(address)}
	}
	n := Number{Full: digitsOf(address)}
	if parsed, err := phonenumbers.Parse(address, ""); err == nil {
		n.National = phonenumbers.GetNationalSignificantNumber(parsed)
	}
	if !strings.HasSuffix(n.Full, n.National) {
		n.National = ""
	}
	return n
}

// Backward is the number from its end.
func (n Number) Backward() string { return backward(n.Full) }

func backward(digits string) string {
	r := []rune(digits)
	slices.Reverse(r)
	return string(r)
}

// How many digits a number is asked for by: from its beginning, and from its end;
// and at most.
const (
	leastDigits = 3
	leastEnding = 4
	mostDigits  = 20
)

// NumberQuery is a number as somebody writes it, perhaps in part.
type NumberQuery struct {
	Full     []string // beginnings of the full number
	National []string // beginnings of the number without its country
	Ending   string   // its end; empty for none
}

// AskNumber reads a number however it is written: international with + or with
// the digits that are dialled for it, national as in one of the regions (ISO
// 3166, such as US), with spaces and punctuation, its beginning, or its last four
// digits and more. It reports whether the text is one.
func AskNumber(text string, regions []string) (q NumberQuery, ok bool) {
	written := number.Bare(text)
	digits, plus := strings.CutPrefix(written, "+")
	if plus {
		regions = []string{""}
	}
	for _, region := range regions {
		if n, err := number.Read(text, region, number.Person); err == nil {
			q.Full = append(q.Full, digitsOf(n.E164))
		}
	}
	if strings.ContainsFunc(digits, notADigit) {
		return q, len(q.Full) > 0 // a number that is spelt
	}
	if len(digits) < leastDigits || len(digits) > mostDigits {
		return NumberQuery{}, false
	}
	q.Full = append(q.Full, digits)
	if !plus {
		q.National = []string{digits}
		if len(digits) >= leastEnding {
			q.Ending = digits
		}
		q.dialled(digits, regions)
	}
	q.Full, q.National = distinct(q.Full), distinct(q.National)
	return q, true
}

// dialled takes off what is dialled before a number: 0 or 1 before a national
// one, 00 or 011 before an international one.
func (q *NumberQuery) dialled(digits string, regions []string) {
	for _, region := range append([]string{""}, regions...) {
		trunk := "0"
		if region != "" {
			trunk = phonenumbers.GetNddPrefixForRegion(region, true)
		}
		if rest, ok := strings.CutPrefix(digits, trunk); ok && trunk != "" {
			q.National = append(q.National, rest)
		}
	}
	for _, prefix := range []string{"00", "011"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok {
			q.Full = append(q.Full, rest)
		}
	}
}

// distinct sorts, and leaves out what is too short and what another begins.
func distinct(all []string) []string {
	slices.Sort(all)
	out := all[:0]
	for _, s := range all {
		if len(s) >= leastDigits && (len(out) == 0 || !strings.HasPrefix(s, out[len(out)-1])) {
			out = append(out, s)
		}
	}
	return out
}

// Backward is the end that is asked for, from its end.
func (q NumberQuery) Backward() string { return backward(q.Ending) }

// Match reports whether the query matches an address, and where.
func (q NumberQuery) Match(address string) (Range, bool) {
	n := NumberOf(address)
	offset := strings.Index(strings.ToLower(address), n.Full)
	if offset < 0 {
		return Range{}, false
	}
	for _, begin := range q.Full {
		if strings.HasPrefix(n.Full, begin) {
			return Range{offset, offset + len(begin)}, true
		}
	}
	for _, begin := range q.National {
		if n.National != "" && strings.HasPrefix(n.National, begin) {
			at := offset + len(n.Full) - len(n.National)
			return Range{at, at + len(begin)}, true
		}
	}
	if q.Ending != "" && strings.HasSuffix(n.Full, q.Ending) {
		return Range{offset + len(n.Full) - len(q.Ending), offset + len(n.Full)}, true
	}
	return Range{}, false
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if notADigit(r) {
			return -1
		}
		return r
	}, s)
}

func notADigit(r rune) bool { return r < '0' || r > '9' }
