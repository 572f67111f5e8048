// Package organization is the administration of the organisation itself: its name, its
// time zone, its locale, its country and its currency rates. New agents get zone and locale
// as theirs, national numbers of channels without a country are read in the country, and
// formulas read the rates.
//
// Package administration says how a change is made.
package organization

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/formula"
	"parley/internal/desk/object"
	"parley/internal/ground/decimal"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
)

// Service has the use case.
type Service struct{ Directory *directory.Directory }

// UpdateInput is what changes of the organisation; a nil field stays as it is.
type UpdateInput struct {
	Name     *string
	TimeZone *string
	Locale   *string // empty for an unknown one
	Country  *string // likewise
	// CurrencyRates take the place of those it has; nil leaves them.
	CurrencyRates []formula.Rate
}

// Check refuses what cannot be stored, and brings the others to their usual form.
func (in *UpdateInput) Check() error {
	if err := administration.CleanNameIn("input.name", &in.Name); err != nil {
		return err
	}
	if in.TimeZone != nil {
		if err := administration.CheckTimeZone("input.timeZone", *in.TimeZone); err != nil {
			return err
		}
	}
	if in.Locale != nil {
		locale, err := administration.CleanLocale("input.locale", *in.Locale)
		if err != nil {
			return err
		}
		in.Locale = &locale
	}
	if err := in.checkRates(); err != nil || in.Country == nil {
		return err
	}
	country, err := administration.CleanCountry("input.country", *in.Country)
	in.Country = &country
	return err
}

// checkRates refuses rates that formulas cannot use, and sorts the others by their code in
// upper case.
func (in *UpdateInput) checkRates() error {
	const field = "input.currencyRates"
	if n := len(in.CurrencyRates); n > formula.MostRates {
		return fault.Input(field, "Give at most %d, not %d.", formula.MostRates, n)
	}
	seen := map[string]bool{}
	for i := range in.CurrencyRates {
		r, at := &in.CurrencyRates[i], fmt.Sprintf("%s.%d", field, i)
		r.Code = strings.ToUpper(r.Code)
		rate, err := decimal.Parse(r.Rate)
		switch {
		case !object.IsCurrencyCode(r.Code):
			return fault.Input(at+".code", "A code is three letters, such as EUR.")
		case seen[r.Code]:
			return fault.Input(at+".code", "%s is there twice. Give it once.", r.Code)
		case err != nil || rate.Sign() <= 0:
			return fault.Input(at+".rate", "A rate is a number above zero, such as 0.92.")
		}
		seen[r.Code] = true
	}
	slices.SortFunc(in.CurrencyRates, func(a, b formula.Rate) int { return strings.Compare(a.Code, b.Code) })
	return nil
}

// Update changes the organisation. Nothing happens when nothing changes.
func (s *Service) Update(ctx context.Context, in UpdateInput) (*directory.Organization, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := in.Check(); err != nil {
		return nil, err
	}
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.Organization.Query().Only(ctx)
		if err != nil {
			return false, err
		}
		rated := in.CurrencyRates != nil && !slices.Equal(in.CurrencyRates, row.CurrencyRates)
		if !administration.Differs(in.Name, row.Name) && !administration.Differs(in.TimeZone, row.TimeZone) &&
			!administration.Differs(in.Locale, row.Locale) && !administration.Differs(in.Country, row.Country) && !rated {
			return false, nil
		}
		update := tx.Ent.Organization.UpdateOne(row).SetNillableName(in.Name).SetNillableTimeZone(in.TimeZone).
			SetNillableLocale(in.Locale).SetNillableCountry(in.Country)
		if rated {
			update.SetCurrencyRates(in.CurrencyRates)
		}
		return true, update.Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.Directory.Organization(), nil
}
