package number

import "strings"

// extra is a digit that carriers put behind a country code, or leave out, in numbers of so
// many digits behind it, whatever people write.
type extra struct {
	code, digit string
	behind      int // digits between the country code and the extra one
	short       int // digits behind the country code without it
}

// extras are those of mobile numbers in Mexico, Argentina and Brazil.
var extras = []extra{{"52", "1", 0, 10}, {"54", "9", 0, 10}, {"55", "9", 2, 10}}

// Alike returns the other form that carriers give the same number in E.164; empty for
// none.
func Alike(e164 string) string {
	for _, x := range extras {
		rest, is := strings.CutPrefix(e164, "+"+x.code)
		switch {
		case !is:
		case len(rest) == x.short:
			return "+" + x.code + rest[:x.behind] + x.digit + rest[x.behind:]
		case len(rest) == x.short+len(x.digit) && strings.HasPrefix(rest[x.behind:], x.digit):
			return "+" + x.code + rest[:x.behind] + rest[x.behind+len(x.digit):]
		}
	}
	return ""
}
