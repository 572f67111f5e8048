package number

import (
	"slices"

	"github.com/nyaruka/phonenumbers"
)

// homes are countries with the territories that their carriers serve as home.
var homes = [][]string{
	{"US", "PR", "VI", "GU", "AS", "MP"},
	{"GB", "JE", "GG", "IM"},
}

// Within reports whether the number in E.164 is in the country (two letters), or in
// a territory that carriers serve as home with it. A number that several countries
// share, such as a toll-free one of North America, is in each of them. When the list
// of ranges does not tell, the calling code does.
func Within(e164, country string) bool { return within(question{e164, country}) }

var within = remember(func(q question) bool {
	n, err := phonenumbers.Parse(q.number, "")
	if err != nil {
		return false
	}
	if !phonenumbers.IsValidNumber(n) {
		return int(n.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(q.place)
	}
	return slices.ContainsFunc(homeOf(q.place), func(region string) bool { return phonenumbers.IsValidNumberForRegion(n, region) })
})

func homeOf(country string) []string {
	for _, home := range homes {
		if slices.Contains(home, country) {
			return home
		}
	}
	return []string{country}
}
