package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/customer"
	"parley/internal/desk/merge"
)

// customerFlags name a customer.
type customerFlags struct {
	Customer string `arg:"" help:"The customer: an id or an address."`
	Channel  string `placeholder:"ADDRESS" help:"Channel of the address, where it is on several: its address or developer name."`
}

// customer finds a customer by id or address, also one who was merged into another.
func (d *operator) customer(ctx context.Context, name, channelName string) (*conversation.MessagingUser, error) {
	var channelKey int64
	if channelName != "" {
		ch, err := d.channel(channelName)
		if err != nil {
			return nil, err
		}
		channelKey = ch.Key
	}
	found, err := d.Schema.Customers.Named(ctx, name, channelKey)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("there is no customer %q; parley customer list --address %q lists those whose address begins so", name, name)
	case len(found) > 1:
		return nil, fmt.Errorf("%q is a customer on several channels: name one by --channel, such as --channel %s", name, found[0].Channel().Address)
	}
	return found[0], nil
}

// onCustomer does something with a customer, and prints them afterwards.
func (f *customerFlags) onCustomer(ctx context.Context, c *cli, out io.Writer, asJSON bool, do func(context.Context, *operator, string) (*conversation.MessagingUser, error)) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		u, err := d.customer(ctx, f.Customer, f.Channel)
		if err != nil {
			return err
		}
		if u, err = do(ctx, d, u.ID()); err != nil {
			return err
		}
		return sayCustomer(out, asJSON, u)
	})
}

// sayCustomer prints a customer as they are after a change.
func sayCustomer(out io.Writer, asJSON bool, u *conversation.MessagingUser) error {
	line := customerLineOf(u)
	if asJSON {
		return printJSON(out, line)
	}
	_, err := fmt.Fprintf(out, "%s on %s (%s). Name: %s. External id: %s. Consent: %s.\n",
		line.Address, line.Channel, line.ID, orNone(line.Name), orNone(line.ExternalID), line.ConsentStatus)
	return err
}

type showCustomerCmd struct {
	asJSON
	customerFlags
}

// consentLine is an entry of a consent history as it is printed.
type consentLine struct {
	At     string `json:"at"`
	Status string `json:"status"`
	Source string `json:"source"`
	By     string `json:"by"` // username; empty for the system
	Reason string `json:"reason"`
}

// shownCustomer is a customer with what belongs to them.
type shownCustomer struct {
	customerLine
	Country    string         `json:"country"`
	Locale     string         `json:"locale"`
	TimeZone   string         `json:"timeZone"`
	MergedInto *customerLine  `json:"mergedInto"`
	MergedFrom []customerLine `json:"mergedFrom"`
	Consents   []consentLine  `json:"consentHistory"` // newest first
}

// Run implements the command.
func (s *showCustomerCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		u, err := d.customer(ctx, s.Customer, s.Channel)
		if err != nil {
			return err
		}
		shown, err := d.shown(ctx, u)
		if err != nil {
			return err
		}
		if s.JSON {
			return printJSON(out, shown)
		}
		if err := sayCustomer(out, false, u); err != nil {
			return err
		}
		fmt.Fprintf(out, "Country: %s. Locale: %s. Time zone: %s.\n", orNone(shown.Country), orNone(shown.Locale), orNone(shown.TimeZone))
		if into := shown.MergedInto; into != nil {
			fmt.Fprintf(out, "Merged into %s (%s).\n", into.Address, into.ID)
		}
		for _, from := range shown.MergedFrom {
			fmt.Fprintf(out, "Merged from %s (%s).\n", from.Address, from.ID)
		}
		for _, e := range shown.Consents {
			fmt.Fprintf(out, "  %s  %s by %s: %s\n", e.At, e.Status, strings.TrimSpace(e.Source+" "+e.By), orNone(e.Reason))
		}
		return nil
	})
}

// shown reads what belongs to a customer.
func (d *operator) shown(ctx context.Context, u *conversation.MessagingUser) (*shownCustomer, error) {
	one := []*conversation.MessagingUser{u}
	from, err := d.Schema.ConversationService.MergedFrom(ctx, one)
	if err != nil {
		return nil, err
	}
	history, err := d.Schema.Customers.History(ctx, one)
	if err != nil {
		return nil, err
	}
	shown := &shownCustomer{customerLine: customerLineOf(u), Country: orEmpty(u.Country()), Locale: orEmpty(u.Locale()), TimeZone: orEmpty(u.TimeZone()), MergedFrom: []customerLine{}, Consents: []consentLine{}}
	if u.MergedInto != 0 {
		winners, err := d.Schema.ConversationService.Users(ctx, []int64{u.MergedInto})
		if err != nil {
			return nil, err
		}
		line := customerLineOf(winners[u.MergedInto])
		shown.MergedInto = &line
	}
	for _, f := range from[0] {
		shown.MergedFrom = append(shown.MergedFrom, customerLineOf(f))
	}
	for _, e := range history[0] {
		line := consentLine{At: e.At.String(), Status: string(e.Status()), Source: string(e.Source()), Reason: e.Reason}
		if e.Agent != nil {
			line.By = e.Agent.Username
		}
		shown.Consents = append(shown.Consents, line)
	}
	return shown, nil
}

// detailFlags are what can be said of a customer.
type detailFlags struct {
	Name       *string `help:"Name, up to 200 characters; empty for none."`
	Locale     *string `help:"Language tag, such as en-US; empty for none."`
	TimeZone   *string `help:"Time zone, such as Europe/Berlin, in which components show times; empty for none."`
	ExternalID *string `help:"Id in another system, up to 200 characters; empty for none."`
}

type addCustomerCmd struct {
	asJSON
	detailFlags
	Address string `arg:"" help:"Phone number; on Messenger, web and in-app the platform's id of the customer."`
	Channel string `required:"" placeholder:"ADDRESS" help:"The channel: its address or developer name."`
}

// Run implements the command.
func (a *addCustomerCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		ch, err := d.channel(a.Channel)
		if err != nil {
			return err
		}
		made, err := d.Schema.Customers.Create(ctx, customer.CreateInput{
			ChannelID: ch.ID, Address: a.Address, Name: a.Name, Locale: a.Locale, TimeZone: a.TimeZone, ExternalID: a.ExternalID,
			IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return sayCustomer(out, a.JSON, made)
	})
}

type setCustomerCmd struct {
	asJSON
	customerFlags
	detailFlags
}

// Run implements the command.
func (s *setCustomerCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.Name == nil && s.Locale == nil && s.TimeZone == nil && s.ExternalID == nil {
		return errors.New("nothing to change: give --name, --locale, --time-zone or --external-id")
	}
	return s.onCustomer(ctx, c, out, s.JSON, func(ctx context.Context, d *operator, id string) (*conversation.MessagingUser, error) {
		return d.Schema.Customers.Update(ctx, customer.UpdateInput{ID: id, Name: s.Name, Locale: s.Locale, TimeZone: s.TimeZone, ExternalID: s.ExternalID})
	})
}

type consentCustomerCmd struct {
	asJSON
	customerFlags
	Status string `arg:"" help:"OPT_OUT, IMPLICIT_OPT_IN, EXPLICIT_OPT_IN or DOUBLE_OPT_IN."`
	Reason string `required:"" help:"The proof: how the customer agreed or refused, in 1 to 500 characters."`
}

// Run implements the command.
func (s *consentCustomerCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return s.onCustomer(ctx, c, out, s.JSON, func(ctx context.Context, d *operator, id string) (*conversation.MessagingUser, error) {
		return d.Schema.Customers.SetConsent(ctx, customer.SetConsentInput{ID: id, Status: channel.Consent(strings.ToUpper(s.Status)), Reason: s.Reason})
	})
}

type mergeCustomersCmd struct {
	asJSON
	customerFlags
	Other string `arg:"" help:"The other customer on the channel: an id or an address. Whoever became known first is whom both are afterwards."`
}

// Run implements the command.
func (m *mergeCustomersCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return m.onCustomer(ctx, c, out, m.JSON, func(ctx context.Context, d *operator, id string) (*conversation.MessagingUser, error) {
		other, err := d.customer(ctx, m.Other, m.Channel)
		if err != nil {
			return nil, err
		}
		return d.Schema.Merger.Merge(ctx, merge.Input{IDs: []string{id, other.ID()}, IdempotencyKey: rand.Text()})
	})
}

type unmergeCustomerCmd struct {
	asJSON
	customerFlags
}

// Run implements the command.
func (m *unmergeCustomerCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return m.onCustomer(ctx, c, out, m.JSON, func(ctx context.Context, d *operator, id string) (*conversation.MessagingUser, error) {
		return d.Schema.Merger.Unmerge(ctx, id)
	})
}
