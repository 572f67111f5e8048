package number

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/width"
)

// Bare is a number as people write it without what they put around and between the
// digits: blanks, dashes, dots, slashes, brackets, "tel:" and marks that nobody sees,
// such as those that come along when a number is copied. Digits of any script become
// ASCII. Everything else stays.
func Bare(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		if strings.ContainsRune("./\u2212", r) || unicode.In(r, unicode.White_Space, unicode.Z, unicode.Pd, unicode.Ps, unicode.Pe) {
			return -1
		}
		return r
	}, plain(text))
}

const scheme = "tel:"

// plain takes out what nobody sees and the scheme of a link, and writes what is left
// in ASCII where it can be.
func plain(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case '0' <= r && r <= '9':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		case unicode.Is(unicode.Nd, r):
			return Digit(r)
		}
		if p := width.LookupRune(r); p.Kind() == width.EastAsianFullwidth {
			return p.Narrow()
		}
		return r
	}, text))
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		text = text[len(scheme):]
	}
	return text
}

// anotherEnding is a second ending behind a whole number: 0170 1234567/8.
var anotherEnding = regexp.MustCompile(`/\s*[0-9]{1,3}\s*$`)

// negative begins with a minus, which some program has reckoned and nobody has dialled.
var negative = regexp.MustCompile(`^[\p{Pd}\x{2212}]`)

// reading is what somebody wrote, or why it is no number.
type reading struct {
	Number
	national string
	problem  Problem
}

// readWritten reads what a person wrote.
var readWritten = remember(func(q question) reading {
	n, problem := readText(q.number, q.place)
	if problem != "" {
		return reading{problem: problem}
	}
	return reading{n.number(), n.national(), ""}
})

func readText(text, region string) (parsed, Problem) {
	bare := Bare(text)
	if !isDigits(bare) {
		return readWords(text, bare, region)
	}
	n, problem := parse(bare, region)
	switch {
	case negative.MatchString(plain(text)):
		return parsed{}, Misshapen
	case problem != "":
		return parsed{}, problem
	case anotherEnding.MatchString(plain(text)):
		return parsed{}, Several
	}
	return n, ""
}

// readWords reads what is not digits alone.
func readWords(text, bare, region string) (parsed, Problem) {
	if n, ok := vanity(bare, region); ok {
		return n, ""
	}
	main, extension := phonenumbers.MaybeSeparateExtensionFromPhone(plain(text))
	switch {
	case extension != "" && isDigits(Bare(main)):
		return parsed{}, Extended
	case strings.ContainsFunc(bare, unicode.IsLetter):
		return parsed{}, Named
	case strings.Count(bare, "+") > 1 || strings.ContainsAny(bare, ",;&|"):
		return parsed{}, Several
	}
	return parsed{}, Misshapen
}

// words is a number whose end is spelt in letters.
var words = regexp.MustCompile(`^(\+?[0-9]{3,})([A-Za-z][0-9A-Za-z]*)$`)

// vanity reads a number spelt as a word, such as 1-800-FLOWERS. It is a service
// number of the usual length; anything else is a number with a name behind it.
func vanity(bare, region string) (parsed, bool) {
	parts := words.FindStringSubmatch(bare)
	if parts == nil || len(bare) > mostWritten {
		return parsed{}, false
	}
	if _, problem := parse(parts[1], region); problem == "" {
		return parsed{}, false
	}
	n, problem := parse(parts[1]+phonenumbers.ConvertAlphaCharactersInNumber(parts[2]), region)
	if problem != "" || !isService(n.PhoneNumber) {
		return parsed{}, false
	}
	return n, true
}

// isService reports whether a number is of a kind that is advertised as a word, and
// as long as these are.
func isService(n *phonenumbers.PhoneNumber) bool {
	kind := phonenumbers.GetNumberType(n)
	switch kind {
	case phonenumbers.TOLL_FREE, phonenumbers.SHARED_COST, phonenumbers.UAN:
	default:
		return false
	}
	example := phonenumbers.GetExampleNumberForType(phonenumbers.GetRegionCodeForNumber(n), kind)
	return example != nil && len(phonenumbers.GetNationalSignificantNumber(example)) == len(phonenumbers.GetNationalSignificantNumber(n))
}

// Short codes have 3 to 6 digits; names have 11 characters at most, one of them a
// letter (3GPP TS 23.040, 9.1.2.5).
var (
	shortCodes = regexp.MustCompile(`^[0-9]{3,6}$`)
	names      = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z &_.+-]{0,10}$`)
)

// SenderOf is the short code or name of a sender that a file says to have received
// from, as a carrier handed it over. It reports whether the text is one, and no
// number with a name behind it.
func SenderOf(text, region string) (string, bool) {
	name := plain(text)
	if shortCodes.MatchString(name) {
		return name, true
	}
	bare := Bare(name)
	first := strings.IndexFunc(bare, unicode.IsLetter)
	if first < 0 || !names.MatchString(name) {
		return "", false
	}
	if first > 0 {
		_, problem := parse(bare[:first], region)
		return name, problem != "" // else a name behind a customer's number
	}
	return name, true
}
