package switchboard

import (
	"cmp"
	"regexp"
	"strings"

	"parley/ent"
	"parley/internal/channel"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/number"
)

var (
	shortCode     = regexp.MustCompile(`^[0-9]{3,8}$`)
	pageID        = regexp.MustCompile(`^[0-9]{1,32}$`)
	siteKey       = regexp.MustCompile(`^[!-~]{1,200}$`)
	developerName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
)

// place is where a channel is reached.
type place struct {
	kind    channel.Type
	address string
	country string // two letters; empty when it is unknown
}

// placeOf reads an address and a country as a channel of type t stores them. A national
// number and a short code without a country are the organisation's.
func placeOf(t channel.Type, address string, country *string, of *directory.Organization) (p place, err error) {
	p = place{kind: t, address: strings.TrimSpace(address)}
	if country == nil && p.isNational() {
		country = of.Country()
	}
	if country != nil {
		if p.country, err = administration.CleanCountry("input.country", *country); err != nil {
			return p, err
		}
	}
	return p, p.check()
}

// isNational reports whether the address means something in one country only.
func (p *place) isNational() bool {
	switch network(p.kind) {
	case "SMS", string(channel.WhatsApp):
		return !strings.HasPrefix(p.address, "+")
	}
	return false
}

func (p *place) check() error {
	refuse := func(message string, args ...any) error { return fault.Input("input.address", message, args...) }
	switch p.kind {
	case channel.SMSShortCode:
		if !shortCode.MatchString(p.address) {
			return refuse("A short code has 3 to 8 digits and nothing else.")
		}
		if p.country == "" {
			return fault.Input("input.country", "A short code belongs to a country: give its two letters, such as US.")
		}
	case channel.Facebook, channel.FacebookEnhanced:
		if !pageID.MatchString(p.address) {
			return refuse("The address of a Facebook channel is the page's id: 1 to 32 digits.")
		}
	case channel.Web, channel.InApp:
		if !siteKey.MatchString(p.address) {
			return refuse("Use a key of 1 to 200 visible ASCII characters without spaces.")
		}
	case channel.SMSLongCode, channel.SMSTollFree, channel.WhatsApp, channel.WhatsAppEnhanced:
		return p.checkNumber()
	default:
		return fault.Input("input.type", "This version does not know channels of type %q. Choose another type.", string(p.kind))
	}
	return nil
}

// checkNumber brings a phone number to E.164 and completes its country.
func (p *place) checkNumber() error {
	n, err := number.Read(p.address, p.country, number.Person)
	if err != nil {
		return fault.Input("input.address", "The address has to be a phone number: %s.", err)
	}
	if p.country != "" && !number.Within(n.E164, p.country) {
		return fault.Input("input.country", "The number %s is not in %s. Correct one of them, or leave the country out.", n.E164, p.country)
	}
	p.address, p.country = n.E164, cmp.Or(p.country, n.Country)
	return nil
}

// network is where an address means the same: all texts, for example, go over one.
func network(t channel.Type) string {
	switch {
	case t.IsSMS():
		return "SMS"
	case t == channel.WhatsAppEnhanced:
		return string(channel.WhatsApp)
	case t == channel.FacebookEnhanced:
		return string(channel.Facebook)
	}
	return string(t)
}

// free refuses an address that another channel has: in the account whichever it is, in
// the organisation an active one on the same network. A short code is another one in
// another country.
func (p *place) free(account int64, channels []*ent.Channel) error {
	for _, c := range channels {
		if c.Address != p.address {
			continue
		}
		if c.ProviderAccountID == account {
			return fault.At("input.address", fault.New(fault.Conflict, "The channel %q of this account has the address %s already. Change or activate that one.", c.Name, p.address))
		}
		elsewhere := p.kind == channel.SMSShortCode && c.Country != p.country
		if c.Active && network(c.Type) == network(p.kind) && !elsewhere {
			return fault.At("input.address", fault.New(fault.Conflict, "The active channel %q has the address %s already. Deactivate it first.", c.Name, p.address))
		}
	}
	return nil
}
