// Package number decides what is a phone number, and which country it belongs to. Read
// is the one rule: webhooks, starts of conversations, imports and search all use it, so
// they never disagree about who somebody is.
//
//	n, err := number.Read("(202) 555-0111", "US", number.Person)
//	n.E164    // +12025550111
//	n.Country // US
//
// What is not certainly a number is not one: a text must not go to a number that nobody
// meant, and a sender must not become a different customer.
package number

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Number is a phone number.
type Number struct {
	E164    string
	Country string // two letters; empty for one of no country, such as +800
}

// Origin is who gives a number.
type Origin int

// The origins. A Carrier hands over a number in full, or the short code or name of
// a sender, with nothing around it. A Person, or a file that people filled, writes a
// number with blanks and punctuation, and may write a service number as a word.
const (
	Carrier Origin = iota + 1
	Person
)

// Problem is why something is no number that can be messaged. It completes the
// sentence "The number cannot be messaged: …".
type Problem string

// Error implements error.
func (p Problem) Error() string { return string(p) }

// The problems.
const (
	Sender    Problem = "it is a sender's short code or name, to which no reply is possible"
	Named     Problem = "it has letters in it; leave names and words out"
	Extended  Problem = "it has an extension, which texts cannot reach; leave it out to write to the main number"
	Several   Problem = "it is more than one number; choose one"
	Short     Problem = "it is a short code, or a number without its area code; give the whole number"
	Nowhere   Problem = "its country is unknown; start it with + and the country code"
	Unlisted  Problem = "there is no such number; check its digits"
	Misshapen Problem = "it is not a number; give digits, starting with + and the country code if needed"
)

// Read reads the number that text is, a national one in the region (two letters,
// empty when unknown). With a + it is a number when it is valid, or when only its
// range is unknown: ranges open faster than their lists are updated. Without, it has
// to be valid, and whole: no area code is ever added. The error is a Problem.
func Read(text, region string, by Origin) (Number, error) {
	if by == Person {
		n, _, err := ReadNational(text, region)
		return n, err
	}
	n := handedOver(question{strings.TrimSpace(text), region})
	if n == (Number{}) {
		return n, Sender
	}
	return n, nil
}

// ReadNational is Read of what a person wrote, and the number as people of its country
// write it.
func ReadNational(text, region string) (n Number, national string, err error) {
	r := readWritten(question{text, region})
	if r.problem != "" {
		return Number{}, "", r.problem
	}
	return r.Number, r.national, nil
}

// handedOver reads what a carrier gives; the zero Number for a sender.
var handedOver = remember(func(q question) Number {
	text, region := q.number, q.place
	if !isDigits(text) {
		return Number{}
	}
	n, problem := parse(text, region)
	if problem != "" || text[0] != '+' && int(n.GetCountryCode()) != phonenumbers.GetCountryCodeForRegion(region) {
		return Number{}
	}
	return n.number()
})

// Country is the country of an address as it is stored; empty when it is no number
// or of no country.
func Country(address string) string {
	n, _ := Read(address, "", Carrier)
	return n.Country
}

// National is a number, as Read returns it, the way people of its country write it.
func National(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.NATIONAL)
}

// parsed is a number that was read, and the region of its range, empty where that is
// unknown.
type parsed struct {
	*phonenumbers.PhoneNumber
	region string
}

func (n parsed) number() Number {
	country := n.region
	if country == "" {
		country = phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	}
	if len(country) != 2 {
		country = ""
	}
	return Number{phonenumbers.Format(n.PhoneNumber, phonenumbers.E164), country}
}

func (n parsed) national() string { return phonenumbers.Format(n.PhoneNumber, phonenumbers.NATIONAL) }

// isValid reports whether numbers of its range are given out.
func (n parsed) isValid() bool { return phonenumbers.IsValidNumberForRegion(n.PhoneNumber, n.region) }

// mostWritten is how many bytes are looked at, as they are when nothing around the
// digits is left.
const mostWritten = 64

// parse reads digits, with a + before them or not.
func parse(digits, region string) (parsed, Problem) {
	if len(digits) > mostWritten {
		return parsed{}, Unlisted
	}
	read, err := phonenumbers.Parse(digits, region)
	n := parsed{PhoneNumber: read}
	if err == nil {
		n.region = phonenumbers.GetRegionCodeForNumber(read)
	}
	switch {
	case digits[0] == '+' && (err != nil || !n.isValid() && !isPlausible(read) || !isStable(read, digits)):
		return parsed{}, Unlisted
	case digits[0] == '+':
		return n, ""
	case len(digits) < leastWhole:
		return parsed{}, Short
	case err != nil && region == "":
		return parsed{}, Nowhere
	case err != nil:
		return parsed{}, Unlisted
	}
	return national(digits, n, region)
}

// isStable reports whether a number, as it is stored, is read as the same again. One
// with zeros too many behind the calling code is not.
func isStable(n *phonenumbers.PhoneNumber, digits string) bool {
	written := phonenumbers.Format(n, phonenumbers.E164)
	if written == digits {
		return true // it was just read
	}
	again, err := phonenumbers.Parse(written, "")
	return err == nil && phonenumbers.Format(again, phonenumbers.E164) == written
}

// leastWhole is the fewest digits of a national number: short codes have 3 to 6.
const leastWhole = 7

// national checks a number that was read without a +. Where a 0 or the like begins
// one, a number without it lacks its area code, too, unless it is as long as mobile
// numbers are; one that is longer may begin with the calling code.
func national(digits string, n parsed, region string) (parsed, Problem) {
	trunk, usual := phonenumbers.GetNddPrefixForRegion(region, true), mobileLength(region)
	if trunk != "" && digits[0] != '0' {
		length := len(phonenumbers.GetNationalSignificantNumber(n.PhoneNumber))
		if length < min(usual, longArea) {
			return parsed{}, Short
		}
		if length > usual && strings.HasPrefix(digits, strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))) {
			return parse("+"+digits, region)
		}
	}
	if !n.isValid() {
		return parsed{}, Unlisted
	}
	return n, ""
}

// isPlausible reports whether a number of an unknown range is as long as those of
// its country are.
func isPlausible(n *phonenumbers.PhoneNumber) bool {
	usual := mobileLength(phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode())))
	length := len(phonenumbers.GetNationalSignificantNumber(n))
	return phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE && min(usual, longArea) <= length && length <= usual
}

// longArea is how long a number with its area code is in the countries with the
// longest ones, whose mobile numbers may be longer still.
const longArea = 10

// mobileLength is how many digits a mobile number has in the region, 0 if none has
// any.
func mobileLength(region string) int {
	example := phonenumbers.GetExampleNumberForType(region, phonenumbers.MOBILE)
	if example == nil {
		return 0
	}
	return len(phonenumbers.GetNationalSignificantNumber(example))
}

// isDigits reports whether s is ASCII digits, with a + before them or not.
func isDigits(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return s != "" && strings.Trim(s, "0123456789") == ""
}
