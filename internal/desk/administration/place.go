package administration

import (
	"time"
	_ "time/tzdata" // zones are named the same everywhere

	"golang.org/x/text/language"

	"parley/internal/ground/fault"
)

// In bytes.
const (
	mostTimeZone = 64
	mostLocale   = 35
)

// CheckTimeZone refuses what is no IANA name of a time zone.
func CheckTimeZone(field, zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || len(zone) > mostTimeZone || zone == "Local" {
		return fault.Input(field, "There is no such time zone. Use an IANA name of up to %d characters, such as Europe/Berlin.", mostTimeZone)
	}
	return nil
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

// CleanLocale brings a BCP 47 tag to its usual form; the empty text, for an unknown one,
// stays.
func CleanLocale(field, locale string) (string, error) {
	if locale == "" {
		return "", nil
	}
	tag, err := language.Parse(locale)
	if err != nil || tag == language.Und || len(locale) > mostLocale || len(tag.String()) > mostLocale {
		return "", fault.Input(field, "This is no language tag. Use a BCP 47 tag of up to %d characters, such as de-AT.", mostLocale)
	}
	return tag.String(), nil
}
