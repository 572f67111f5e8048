package directory

import (
	"time"

	"parley/ent"
	"parley/internal/desk/formula"
	"parley/internal/ground/clock"
	"parley/internal/ground/decimal"
)

// Organization is whose desk this is.
type Organization struct {
	Name     string
	TimeZone string // an IANA name
	// Locale is the language of new agents, a BCP 47 tag; nil when it is not known.
	Locale *string
	// CurrencyRates are those that formulas use, by code.
	CurrencyRates []formula.Rate

	country string
	zone    *time.Location
	rates   map[string]decimal.Decimal
}

// Country is its two letters; nil when it is not known.
func (o *Organization) Country() *string { return stated(o.country) }

// DaysBefore is when the day began that is so many days before that of an instant, in the
// organisation's zone.
func (d *Directory) DaysBefore(days int, at clock.Time) clock.Time {
	local := at.Std().In(d.Organization().zone)
	return clock.Of(time.Date(local.Year(), local.Month(), local.Day()-days, 0, 0, 0, 0, local.Location()))
}

// Organization is whose desk this is.
func (d *Directory) Organization() *Organization { return d.now.Load().organization }

// Zone is the time zone.
func (o *Organization) Zone() *time.Location { return o.zone }

// Rates are the organisation's currency rates as formulas take them, not to be changed.
func (d *Directory) Rates() map[string]decimal.Decimal { return d.Organization().rates }

func organizationOf(row *ent.Organization) *Organization {
	zone, err := time.LoadLocation(row.TimeZone)
	if err != nil { // one that only a newer version knows
		zone = time.UTC
	}
	return &Organization{
		Name: row.Name, TimeZone: row.TimeZone, Locale: stated(row.Locale), CurrencyRates: row.CurrencyRates,
		country: row.Country, zone: zone, rates: formula.Rates(row.CurrencyRates),
	}
}
