package administration

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a machine without zone files knows the zones too

	"golang.org/x/text/language"

	"parley/internal/ground/fault"
)

// In bytes.
const (
	mostTimeZone = 64
	mostLocale   = 35
)

// CheckTimeZone refuses what is no IANA name of a time zone, and names that depend on the
// machine: its files may have them, but another's may not, or mean another zone.
func CheckTimeZone(field, zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || len(zone) > mostTimeZone || isOfMachine(zone) {
		return fault.Input(field, "There is no such time zone. Use an IANA name of up to %d characters, such as Europe/Berlin.", mostTimeZone)
	}
	return nil
}

func isOfMachine(zone string) bool {
	return slices.Contains([]string{"Local", "localtime", "posixrules", "Factory"}, zone) ||
		strings.HasPrefix(zone, "posix/") || strings.HasPrefix(zone, "right/")
}

// CleanCountry brings the two letters of a country to their usual form; the empty text,
// for an unknown one, stays.
func CleanCountry(field, country string) (string, error) {
	if country == "" {
		return "", nil
	}
	region, err := language.ParseRegion(country)
	if err != nil || len(country) != 2 || !region.IsCountry() {
		return "", fault.Input(field, "%q is not a country: use its two letters, such as US.", country)
	}
	return region.String(), nil
}

// CleanLocale brings a BCP 47 tag of one language to its usual form; the empty text, for
// an unknown one, stays.
func CleanLocale(field, locale string) (string, error) {
	if locale == "" {
		return "", nil
	}
	tag, err := language.Parse(locale)
	if err != nil || !isLanguage(tag) || len(locale) > mostLocale || len(tag.String()) > mostLocale {
		return "", fault.Input(field, "This is no language tag. Use a BCP 47 tag of up to %d characters, such as de-AT.", mostLocale)
	}
	return tag.String(), nil
}

// isLanguage reports whether the tag names a language: neither an unknown one, nor
// several, nor none, nor one that is agreed in private.
func isLanguage(tag language.Tag) bool {
	base, _, _ := tag.Raw()
	return !base.IsPrivateUse() && !slices.Contains([]string{"und", "mul", "mis", "zxx"}, base.String())
}
