// Package organization is the administration of the organisation itself: its name, its
// time zone, its locale and its country. New agents get zone and locale as theirs, and
// national numbers of channels without a country are read in the country.
//
// Package administration says how a change is made.
package organization

import (
	"context"

	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
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
	if in.Country == nil {
		return nil
	}
	country, err := administration.CleanCountry("input.country", *in.Country)
	in.Country = &country
	return err
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
		if !administration.Differs(in.Name, row.Name) && !administration.Differs(in.TimeZone, row.TimeZone) &&
			!administration.Differs(in.Locale, row.Locale) && !administration.Differs(in.Country, row.Country) {
			return false, nil
		}
		return true, tx.Ent.Organization.UpdateOne(row).SetNillableName(in.Name).SetNillableTimeZone(in.TimeZone).
			SetNillableLocale(in.Locale).SetNillableCountry(in.Country).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return s.Directory.Organization(), nil
}
