package number

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Region is the two letters of a country that is written as its ISO 3166 code of two or three
// letters, or by its English name, whatever their case; empty for any other text.
func Region(country string) string {
	country = strings.ToLower(strings.TrimSpace(country))
	if len(country) == 2 || len(country) == 3 {
		if r, err := language.ParseRegion(country); err == nil && r.Canonicalize().IsCountry() {
			return r.Canonicalize().String()
		}
	}
	return regions()[country]
}

// regions are the two letters of countries by their English names in lower case.
var regions = sync.OnceValue(func() map[string]string {
	byName := map[string]string{}
	names := display.English.Regions()
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			r, err := language.ParseRegion(string([]rune{first, second}))
			if err != nil || !r.IsCountry() || r != r.Canonicalize() {
				continue
			}
			if name := names.Name(r); name != "" { // a former country has none
				byName[strings.ToLower(name)] = r.String()
			}
		}
	}
	for name, region := range alsoCalled {
		byName[name] = region
	}
	return byName
})

// alsoCalled are names that CRMs use beside those of the Unicode CLDR.
var alsoCalled = map[string]string{
	"bosnia and herzegovina": "BA", "burma": "MM", "cape verde": "CV", "cote d'ivoire": "CI", "czech republic": "CZ", "czechia": "CZ",
	"great britain": "GB", "holland": "NL", "hong kong": "HK", "ivory coast": "CI", "korea, republic of": "KR", "macao": "MO", "macau": "MO",
	"macedonia": "MK", "myanmar": "MM", "north macedonia": "MK", "palestine": "PS", "russian federation": "RU", "republic of korea": "KR",
	"swaziland": "SZ", "the netherlands": "NL", "trinidad and tobago": "TT", "turkey": "TR", "türkiye": "TR", "u.k.": "GB", "u.s.": "US",
	"u.s.a.": "US", "united states of america": "US", "viet nam": "VN",
}
