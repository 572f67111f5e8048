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
	if err != nil || len(locale) > mostLocale || len(tag.String()) > mostLocale {
		return "", fault.Input(field, "This is no language tag. Use a BCP 47 tag of up to %d characters, such as de-AT.", mostLocale)
	}
	if base, _, _ := tag.Raw(); !isLanguage(base) {
		return "", fault.Input(field, "%q stands for no single language. Use the tag of one language, such as de-AT.", tag.String())
	}
	return tag.String(), nil
}

// isLanguage reports whether the base of a tag names one language: neither an unknown one,
// nor several, nor none, nor a collection, nor one that is agreed in private.
func isLanguage(base language.Base) bool {
	return !base.IsPrivateUse() && !slices.Contains(notOne, base.String())
}

// notOne are the codes of no single language: those for special cases, and the collections
// of ISO 639-5 (https://www.loc.gov/standards/iso639-5).
var notOne = strings.Fields(`und mul mis zxx
aav afa alg alv apa aqa aql art ath auf aus awd azc bad bai bat ber bh bih bnt btk cai cau cba ccn ccs cdc cdd cel cmc cpe cpf cpp crp csu cus
day dmn dra egx esx euq fiu fox gem gme gmq gmw grk him hmx hok hyx iir ijo inc ine ira iro itc jpx kar kdo khi kro map mkh mno mun myn
nah nai ngf nic nub omq omv oto paa phi plf poz pqe pqw pra qwe roa sai sal sdv sem sgn sio sit sla smi son sqj ssa syd tai tbq trk tup tut tuw
urj wak wen xgn xnd ypk zhx zle zls zlw znd`)
