package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"parley/internal/desk/directory"
	"parley/internal/desk/formula"
	"parley/internal/desk/organization"
)

// organisationCmd manages the organisation, beside running servers or without any.
type organisationCmd struct {
	Show showOrganisationCmd `cmd:"" help:"Show the organisation."`
	Set  setOrganisationCmd  `cmd:"" help:"Change the organisation: name, time zone, locale, country, currency rates. What is left out stays."`
}

type showOrganisationCmd struct{ asJSON }

// Run implements the command.
func (s *showOrganisationCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(_ context.Context, d *operator) error {
		return sayOrganisation(out, s.JSON, d.Directory.Organization())
	})
}

type setOrganisationCmd struct {
	asJSON
	Name     *string           `help:"Name of the organisation."`
	TimeZone *string           `aliases:"zone" help:"Time zone in which its days begin, such as Europe/Berlin. New agents get it as theirs."`
	Locale   *string           `help:"Language of new agents, a BCP 47 tag such as de-AT; empty for none."`
	Country  *string           `help:"Two letters, such as US: where national numbers of channels without a country are read; empty for none."`
	Rates    map[string]string `name:"currency-rate" placeholder:"EUR=0.92" help:"Rate of a currency for CURRENCYRATE in formulas; an empty one, such as EUR=, takes it away. Others stay."`
}

// Run implements the command.
func (s *setOrganisationCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.Name == nil && s.TimeZone == nil && s.Locale == nil && s.Country == nil && len(s.Rates) == 0 {
		return errors.New("nothing to change: give --name, --time-zone, --locale, --country or --currency-rate")
	}
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		o, err := d.Schema.Organization.Update(ctx, organization.UpdateInput{
			Name: s.Name, TimeZone: s.TimeZone, Locale: s.Locale, Country: s.Country, CurrencyRates: s.rates(d.Directory.Organization().CurrencyRates),
		})
		if err != nil {
			return err
		}
		return sayOrganisation(out, s.JSON, o)
	})
}

// rates are those there are with what is given in their place; nil if none is given.
func (s *setOrganisationCmd) rates(are []formula.Rate) []formula.Rate {
	if len(s.Rates) == 0 {
		return nil
	}
	given := make(map[string]string, len(s.Rates))
	for code, rate := range s.Rates {
		given[strings.ToUpper(code)] = rate
	}
	rates := []formula.Rate{}
	for _, r := range are {
		if _, again := given[r.Code]; !again {
			rates = append(rates, r)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(given)) {
		if given[code] != "" {
			rates = append(rates, formula.Rate{Code: code, Rate: given[code]})
		}
	}
	return rates
}

// organisationLine is the organisation as it is printed.
type organisationLine struct {
	Name     string         `json:"name"`
	TimeZone string         `json:"timeZone"`
	Locale   string         `json:"locale"`
	Country  string         `json:"country"`
	Rates    []formula.Rate `json:"currencyRates"`
}

func sayOrganisation(out io.Writer, asJSON bool, o *directory.Organization) error {
	line := organisationLine{o.Name, o.TimeZone, orEmpty(o.Locale), orEmpty(o.Country()), append([]formula.Rate{}, o.CurrencyRates...)}
	if asJSON {
		return printJSON(out, line)
	}
	_, err := fmt.Fprintf(out, "%s. Time zone: %s. Locale: %s. Country: %s.\n", line.Name, line.TimeZone, orNone(line.Locale), orNone(line.Country))
	for _, r := range line.Rates {
		fmt.Fprintf(out, "  %s %s\n", r.Code, r.Rate)
	}
	return err
}
