package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/account"
	"parley/internal/desk/directory"
	"parley/internal/desk/organization"
	"parley/internal/desk/staff"
	"parley/internal/desk/switchboard"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// setupCmd makes the least with which somebody can work: the organisation's name, an
// administrator, an account at a carrier and a sender ID. What is there already stays, so
// it can be run again. Everything is asked and checked before anything is written or the
// database is made.
type setupCmd struct {
	givenCredentials
	Organisation string        `placeholder:"NAME" help:"Name of the organisation."`
	TimeZone     string        `aliases:"zone" help:"Time zone of the organisation and the administrator, such as Europe/Berlin; UTC by default."`
	Locale       string        `help:"Language of new agents, a BCP 47 tag such as de-AT."`
	Country      string        `help:"Two letters, such as US: where the organisation's national numbers are read."`
	Username     string        `help:"Sign-in name of the first administrator."`
	Name         string        `help:"Display name of the first administrator."`
	Provider     string        `help:"The carrier: twilio, or sandbox to try things without one, whose secret is drawn at random."`
	Sender       string        `help:"The first sender ID: a phone number of the carrier account."`
	Type         string        `default:"SMS_LONG_CODE" help:"Type of the sender ID, as in parley channel add."`
	SkipTest     bool          `help:"Do not ask the carrier whether the account works."`
	TTL          time.Duration `default:"12h" least:"1m" help:"Lifetime of the token that is printed for a new administrator; at most 30 days."`
	PublicURL    string        `name:"public-url" env:"PARLEY_PUBLIC_URL" placeholder:"URL" help:"Where carriers and browsers will reach the server, for the next steps."`

	prompt  func(label string, secret bool) (string, error) // prompt, but in tests
	missing []string                                        // flags that were not given, and nobody answers
}

// Run implements the command.
func (s *setupCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.prompt == nil {
		s.prompt = prompt
	}
	if s.PublicURL != "" {
		if err := channel.CheckPublicURL(s.PublicURL); err != nil {
			return fmt.Errorf("--public-url: %w", err)
		}
	}
	err := operate(ctx, c.config(), func(ctx context.Context, d *operator) error {
		p, err := s.plan(ctx, d)
		if err != nil {
			return err
		}
		return p.do(ctx, c, out)
	})
	if errors.Is(err, store.ErrNoDatabase) {
		return s.first(ctx, c, out)
	}
	return err
}

// first plans in a database of its own, which it removes, so that nothing is left behind
// where an answer is missing or wrong; then it makes the real one.
func (s *setupCmd) first(ctx context.Context, c *cli, out io.Writer) (err error) {
	if key := c.keyOptions(); key.Key == "" && key.File == "" {
		return errors.New("say where the key is to be that encrypts credentials: set --key-file or PARLEY_KEY_FILE")
	}
	folder, err := os.MkdirTemp("", "parley-setup-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	trial := c.creating(true)
	trial.Database = filepath.Join(folder, "trial.db")
	var p *setupPlan
	if err := operate(ctx, trial, func(ctx context.Context, d *operator) (err error) {
		p, err = s.plan(ctx, d)
		return err
	}); err != nil {
		return err
	}
	return operate(ctx, c.creating(true), func(ctx context.Context, d *operator) error {
		p.d = d
		return p.do(ctx, c, out)
	})
}

// required is answered, and notes the flag as missing where nobody answers.
func (s *setupCmd) required(given, flag, question string, check func(string) error) (string, error) {
	answer, err := s.answered(given, flag, question, check)
	if errors.Is(err, errNobodyToAsk) {
		s.missing = append(s.missing, "--"+flag)
		return "", nil
	}
	return answer, err
}

// answered returns what a flag gives, or else what somebody answers: they are asked until
// the answer passes check.
func (s *setupCmd) answered(given, flag, question string, check func(string) error) (string, error) {
	if given != "" {
		if err := check(given); err != nil {
			return "", underFlag(flag, err)
		}
		return given, nil
	}
	for {
		answer, err := s.prompt(question, false)
		if err != nil {
			return "", errNobodyToAsk
		}
		answer = strings.TrimSpace(answer)
		if err = check(answer); err == nil {
			return answer, nil
		}
		fmt.Fprintln(os.Stderr, plain(err))
	}
}

// underFlag names the flag whose value was refused, unless another field was.
func underFlag(flag string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Field == "input.type" {
		flag = "type"
	}
	var r *refusedError
	if errors.As(plain(err), &r) {
		return fmt.Errorf("--%s: %s", flag, r.message)
	}
	return err
}

// offered is answered for what may be left out: nil if it is.
func (s *setupCmd) offered(given, flag, question string, check func(string) error) (*string, error) {
	answer, err := s.answered(given, flag, question, func(answer string) error {
		if answer == "" {
			return nil
		}
		return check(answer)
	})
	switch {
	case errors.Is(err, errNobodyToAsk):
		return nil, nil
	case err != nil || answer == "":
		return nil, err
	}
	return &answer, nil
}

// setupPlan is what there is, or else what to make of it.
type setupPlan struct {
	*setupCmd
	d            *operator
	organization organization.UpdateInput
	admin        *directory.Agent
	newAdmin     staff.CreateAgentInput
	account      *account.Account
	newAccount   account.CreateInput
	sender       *directory.Channel
	newSender    switchboard.CreateChannelInput
}

// plan finds what there is, asks for what is missing, and checks everything.
func (s *setupCmd) plan(ctx context.Context, d *operator) (*setupPlan, error) {
	p := &setupPlan{setupCmd: s, d: d}
	for _, a := range d.OldestAgents(len(d.Directory.Agents())) {
		if p.admin == nil && a.Rights().Can(viewer.ConfigureMessaging) {
			p.admin = a
		}
	}
	for _, step := range []func() error{
		p.planOrganisation, p.planAdministrator,
		func() error { return p.planAccount(ctx) },
		p.planSender,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if len(s.missing) > 0 {
		return nil, fmt.Errorf("missing: %s; give them, or run parley setup on a terminal to be asked", strings.Join(s.missing, ", "))
	}
	return p, nil
}

// planOrganisation asks in a new database only. In another, it refuses what differs.
func (p *setupPlan) planOrganisation() error {
	o := p.d.Directory.Organization()
	for _, q := range []struct {
		given, flag, question, is string
		of                        func(*organization.UpdateInput) **string
	}{
		{p.Organisation, "organisation", "Name of the organisation (may be left out)", o.Name, func(in *organization.UpdateInput) **string { return &in.Name }},
		{p.TimeZone, "time-zone", "Its time zone, such as Europe/Berlin (UTC if left out)", o.TimeZone, func(in *organization.UpdateInput) **string { return &in.TimeZone }},
		{p.Locale, "locale", "Its language, a tag such as de-AT (may be left out)", orEmpty(o.Locale), func(in *organization.UpdateInput) **string { return &in.Locale }},
		{p.Country, "country", "Its country, two letters such as US (may be left out)", orEmpty(o.Country()), func(in *organization.UpdateInput) **string { return &in.Country }},
	} {
		if q.given == "" && p.admin != nil {
			continue
		}
		answer, err := p.offered(q.given, q.flag, q.question, func(answer string) error {
			var in organization.UpdateInput
			*q.of(&in) = &answer
			err := in.Check()
			if clean := *q.of(&in); err == nil && p.admin != nil && *clean != q.is {
				return fmt.Errorf("the organisation is set up already, with %q: leave --%s out, or change it with parley organisation set", q.is, q.flag)
			}
			return err
		})
		if err != nil {
			return err
		}
		*q.of(&p.organization) = answer
	}
	return p.organization.Check()
}

func (p *setupPlan) planAdministrator() (err error) {
	if a := p.admin; a != nil {
		if p.Username != "" && p.Username != a.Username {
			return fmt.Errorf("%s administers this database already: leave --username out, or create %s with parley agent add %s --role ADMIN", a.Username, p.Username, p.Username)
		}
		return nil
	}
	in := &p.newAdmin
	*in = staff.CreateAgentInput{Name: "Name", Role: viewer.Admin, IdempotencyKey: rand.Text()}
	check := func(set *string) func(string) error {
		return func(answer string) error {
			*set = answer
			return p.d.Schema.Staff.Check(*in)
		}
	}
	if _, err = p.required(p.Username, "username", "Username of the first administrator", check(&in.Username)); err != nil {
		return err
	}
	_, err = p.required(p.Name, "name", "Their name", check(&in.Name))
	return err
}

func (p *setupPlan) planAccount(ctx context.Context) error {
	all, err := p.d.Schema.Accounts.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.IsActive && (p.Provider == "" || p.Provider == a.Provider) {
			p.account = a
			return nil
		}
	}
	providers := p.d.providers(ctx)
	known := func(answer string) error {
		if slices.Contains(providers, answer) {
			return nil
		}
		return fault.Input("provider", "there is no provider %q; the providers are: %s", answer, strings.Join(providers, ", "))
	}
	provider, err := p.required(p.Provider, "provider", "Carrier ("+strings.Join(providers, " or ")+")", known)
	if err != nil || provider == "" {
		return err
	}
	in := &p.newAccount
	*in = account.CreateInput{Provider: provider, Name: provider, IdempotencyKey: rand.Text()}
	if provider == "sandbox" && len(p.Credential) == 0 {
		in.Credentials = []account.CredentialInput{{Name: "secret", Value: rand.Text()}}
	} else if in.Credentials, err = p.read(ctx, p.d, provider); err != nil {
		var missing missingError
		if !errors.As(err, &missing) {
			return err
		}
		for _, f := range missing {
			p.missing = append(p.missing, "--credential "+f.Name+"=@FILE")
		}
		return nil
	}
	return p.d.Schema.Accounts.Check(ctx, *in)
}

func (p *setupPlan) planSender() error {
	provider := p.newAccount.Provider
	if p.account != nil {
		provider = p.account.Provider
		for _, ch := range p.d.Directory.Channels() {
			if ch.Account.ID != p.account.Key {
				continue
			}
			if p.Sender != "" && p.Sender != ch.Address {
				return fmt.Errorf("the account has the sender ID %s already: leave --sender out, or add yours with parley channel add %q --account %s", ch.Address, p.Sender, p.account.AccountID)
			}
			p.sender = ch
			return nil
		}
	}
	in := &p.newSender
	*in = switchboard.CreateChannelInput{Type: channel.Type(strings.ToUpper(p.Type)), Name: "Main", IdempotencyKey: rand.Text()}
	check := func(answer string) error {
		if provider == "" { // which is missing
			return nil
		}
		in.Address, in.Country = answer, nil
		if !strings.HasPrefix(answer, "+") {
			in.Country = p.organization.Country // which the organisation does not have yet
		}
		return p.d.Schema.Switchboard.Check(*in, provider)
	}
	_, err := p.required(p.Sender, "sender", "First sender ID: a phone number of the account, such as +12025550100", check)
	return err
}

// do makes what there is not, tests the account, and says where to go on.
func (p *setupPlan) do(ctx context.Context, c *cli, out io.Writer) (err error) {
	o, err := p.d.Schema.Organization.Update(ctx, p.organization)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-14s %s (%s)\n", "Organisation:", o.Name, o.TimeZone)
	made := p.admin == nil
	if made {
		if p.admin, err = p.d.Schema.Staff.CreateAgent(ctx, p.newAdmin); err != nil {
			return err
		}
	}
	step(out, "Administrator", p.admin.Username, made)
	isFirst := made
	if err := p.makeAccount(ctx, out); err != nil {
		return err
	}
	if made = p.sender == nil; made {
		p.newSender.ProviderAccountID, p.newSender.MemberIDs = p.account.ID(), []string{p.admin.ID}
		if p.sender, err = p.d.Schema.Switchboard.CreateChannel(ctx, p.newSender); err != nil {
			return err
		}
	}
	step(out, "Sender ID", p.sender.Address, made)
	return p.next(c, out, isFirst)
}

// makeAccount makes the account if there is none, with the key that encrypts its
// credentials, and asks the carrier.
func (p *setupPlan) makeAccount(ctx context.Context, out io.Writer) error {
	made := p.account == nil
	if made {
		keys, err := p.d.Schema.Accounts.Keys(ctx)
		if err == nil && len(keys) == 0 {
			_, err = p.d.Schema.Accounts.CreateKey(ctx, false)
		}
		if err != nil {
			return err
		}
		if p.account, err = p.d.Schema.Accounts.Create(ctx, p.newAccount); err != nil {
			return err
		}
	}
	step(out, "Account", p.account.Name, made)
	return p.test(ctx, out)
}
