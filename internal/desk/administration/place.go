package administration

import (
	"time"
	_ "time/tzdata" // zones are named the same everywhere

	"golang.org/x/text/language"

	"parley/internal/ground/fault"
)

const mostTimeZone = 64 // bytes

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
