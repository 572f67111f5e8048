package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/account"
	"parley/internal/desk/directory"
	"parley/internal/desk/staff"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/viewer"
)

// setupCmd makes the least with which somebody can work: an administrator, an account at
// a carrier and a sender ID. What is there already stays, so it can be run again.
type setupCmd struct {
	givenCredentials
	Username string        `help:"Sign-in name of the first administrator."`
	Name     string        `help:"Display name of the first administrator."`
	Country  string        `help:"Two letters: where the organisation's national numbers are read, such as US."`
	Zone     string        `help:"Time zone of the administrator, such as Europe/Berlin."`
	Provider string        `help:"The carrier: twilio, or sandbox to try things without one."`
	Sender   string        `help:"The first sender ID: a phone number of the carrier account."`
	Type     string        `default:"SMS_LONG_CODE" help:"Type of the sender ID, as in parley channel add."`
	SkipTest bool          `help:"Do not ask the carrier whether the account works."`
	TTL      time.Duration `default:"12h" least:"1m" help:"Lifetime of the token that is printed; at most 30 days."`
}

// Run implements the command.
func (s *setupCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return operate(ctx, c.creating(true), func(ctx context.Context, d *operator) error {
		admin, err := s.administrator(ctx, d, out)
		if err != nil {
			return err
		}
		used, err := s.account(ctx, d, out)
		if err != nil {
			return err
		}
		if err := s.senderID(ctx, d, used, admin, out); err != nil {
			return err
		}
		return s.next(c, d, admin, used, out)
	})
}

// step says what was done, or was there already.
func step(out io.Writer, what, name string, made bool) {
	verb := "is there already"
	if made {
		verb = "created"
	}
	fmt.Fprintf(out, "%-14s %s (%s)\n", what+":", name, verb)
}

// answered returns what a flag gives, or else what somebody answers.
func answered(given, flag, question string) (string, error) {
	if given != "" {
		return given, nil
	}
	answer, err := prompt(question, false)
	if err != nil {
		return "", fmt.Errorf("--%s is missing: give it, or run parley setup on a terminal to be asked", flag)
	}
	return strings.TrimSpace(answer), nil
}

// administrator finds or makes an active agent who may set up everything.
func (s *setupCmd) administrator(ctx context.Context, d *operator, out io.Writer) (*directory.Agent, error) {
	for _, a := range d.OldestAgents(len(d.Directory.Agents())) {
		if a.Rights().Can(viewer.ConfigureMessaging) {
			if s.Username != "" && s.Username != a.Username {
				return nil, fmt.Errorf("%s administers this database already: leave --username out, or create %s with parley agent add %s --role ADMIN", a.Username, s.Username, s.Username)
			}
			step(out, "Administrator", a.Username, false)
			return a, nil
		}
	}
	username, err := answered(s.Username, "username", "Username of the first administrator")
	if err != nil {
		return nil, err
	}
	name, err := answered(s.Name, "name", "Their name")
	if err != nil {
		return nil, err
	}
	zone, err := answered(s.Zone, "zone", "Their time zone, such as Europe/Berlin")
	if err != nil {
		return nil, err
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return nil, fmt.Errorf("--zone: there is no time zone %q", zone)
	}
	made, err := d.Schema.Staff.CreateAgent(ctx, staff.CreateAgentInput{Username: username, Name: name, Role: viewer.Admin, IdempotencyKey: rand.Text()})
	if err != nil {
		return nil, err
	}
	step(out, "Administrator", made.Username, true)
	return d.Schema.Staff.UpdateAgent(ctx, staff.UpdateAgentInput{ID: made.ID, TimeZone: &zone})
}

// account finds or makes an active account at a carrier, and asks whether it works.
func (s *setupCmd) account(ctx context.Context, d *operator, out io.Writer) (*account.Account, error) {
	all, err := d.Schema.Accounts.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.IsActive && (s.Provider == "" || s.Provider == a.Provider) {
			step(out, "Account", a.Name, false)
			return a, s.test(ctx, d, a, out)
		}
	}
	provider, err := answered(s.Provider, "provider", "Carrier ("+strings.Join(d.providers(ctx), " or ")+")")
	if err != nil {
		return nil, err
	}
	credentials, err := s.read(ctx, d, provider)
	if err != nil {
		return nil, err
	}
	if keys, err := d.Schema.Accounts.Keys(ctx); err != nil || len(keys) == 0 {
		if _, err := d.Schema.Accounts.CreateKey(ctx, false); err != nil {
			return nil, err
		}
	}
	made, err := d.Schema.Accounts.Create(ctx, account.CreateInput{Provider: provider, Name: provider, Credentials: credentials, IdempotencyKey: rand.Text()})
	if err != nil {
		return nil, err
	}
	step(out, "Account", made.Name, true)
	return made, s.test(ctx, d, made, out)
}

// test asks the carrier, and says what to do if the account does not work.
func (s *setupCmd) test(ctx context.Context, d *operator, a *account.Account, out io.Writer) error {
	if s.SkipTest {
		return nil
	}
	found, err := d.Schema.Accounts.Test(ctx, a.ID())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-14s %s\n", "Test:", found.Message)
	if found.IsOK {
		return nil
	}
	do := "Correct the account, then run parley setup again; --skip-test goes on without."
	if found.WhatToDo != nil {
		do = *found.WhatToDo + " " + do
	}
	return errors.New(do)
}

// senderID finds or makes a channel of the account, with the administrator as its
// member.
func (s *setupCmd) senderID(ctx context.Context, d *operator, of *account.Account, admin *directory.Agent, out io.Writer) error {
	for _, ch := range d.Directory.Channels() {
		if ch.Account.ID == of.Key {
			if s.Sender != "" && s.Sender != ch.Address {
				return fmt.Errorf("the account has the sender ID %s already: leave --sender out, or add yours with parley channel add %q --account %s", ch.Address, s.Sender, of.AccountID)
			}
			step(out, "Sender ID", ch.Address, false)
			return nil
		}
	}
	address, err := answered(s.Sender, "sender", "First sender ID: a phone number of the account, such as +12025550100")
	if err != nil {
		return err
	}
	var country *string
	if !strings.HasPrefix(address, "+") || s.Country != "" {
		answer, err := answered(s.Country, "country", "Country of the number, two letters")
		if err != nil {
			return err
		}
		answer = strings.ToUpper(answer)
		country = &answer
	}
	made, err := d.Schema.Switchboard.CreateChannel(ctx, switchboard.CreateChannelInput{
		ProviderAccountID: of.ID(), Type: channel.Type(strings.ToUpper(s.Type)), Address: address, Name: "Main", Country: country,
		MemberIDs: []string{admin.ID}, IdempotencyKey: rand.Text(),
	})
	if err != nil {
		return err
	}
	step(out, "Sender ID", made.Address, true)
	return nil
}

// next prints a token and where to go on.
func (s *setupCmd) next(c *cli, d *operator, admin *directory.Agent, of *account.Account, out io.Writer) error {
	token, err := d.Tokens.Mint(admin.Username, s.TTL)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `
A token for %s, valid for %s:
  %s

Next:
  1. Start the server:          parley serve --database %s --public-url https://YOUR.HOST
  2. Paste at the carrier:      https://YOUR.HOST%s
  3. Check everything:          parley doctor --database %s
  4. Add colleagues:            parley agent add USERNAME --name NAME --database %s
`, admin.Username, s.TTL, token, c.Database, "/webhooks/"+of.Provider+"/"+of.AccountID, c.Database, c.Database)
	return nil
}
