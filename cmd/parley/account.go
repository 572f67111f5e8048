package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"parley/internal/channel"
	"parley/internal/desk/account"
)

// accountCmd manages accounts at carriers, beside running servers or without any.
type accountCmd struct {
	List        listAccountsCmd      `cmd:"" help:"List all accounts, and what is wrong with them."`
	Add         addAccountCmd        `cmd:"" help:"Create an account. Credentials that are not given are asked for."`
	Set         setAccountCmd        `cmd:"" help:"Change the name or the base URL of an account."`
	Credentials credentialsCmd       `cmd:"" help:"Replace an account's credentials. Those that are not given are asked for."`
	Test        testAccountCmd       `cmd:"" help:"Ask the carrier whether an account works; sends nothing to anybody."`
	Deactivate  deactivateAccountCmd `cmd:"" help:"Deactivate an account: nothing is sent from it, and its webhooks are answered 404."`
	Activate    activateAccountCmd   `cmd:"" help:"Activate an account again."`
}

type listAccountsCmd struct{ asJSON }

// Run implements the command.
func (l *listAccountsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		all, err := d.Schema.Accounts.Accounts(ctx)
		if err != nil {
			return err
		}
		lines := make([]accountLine, len(all))
		for i, a := range all {
			lines[i] = accountLineOf(a)
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintf(out, "There are no accounts yet. Create one: parley account add PROVIDER --name NAME\nThe providers are %s.\n", strings.Join(d.providers(ctx), ", "))
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ACCOUNT\tPROVIDER\tNAME\tSTATE\tENCRYPTED\tFINGERPRINT\tUNSENT\tPROBLEM")
		for _, a := range lines {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", a.Account, a.Provider, a.Name, state(a.Active), yes(a.Encrypted), a.Fingerprint, a.Unsent, a.Problem)
		}
		return table.Flush()
	})
}

type addAccountCmd struct {
	asJSON
	givenCredentials
	Provider string  `arg:"" help:"The carrier, such as twilio or sandbox."`
	Name     string  `required:"" help:"Name of the account."`
	Account  *string `placeholder:"ACCOUNT" help:"Last element of the webhook URL: small letters, digits and hyphens; drawn by default. It never changes."`
	BaseURL  *string `name:"base-url" help:"Replaces the carrier's own API address."`
}

// Run implements the command.
func (a *addAccountCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		credentials, err := a.read(ctx, d, a.Provider)
		if err != nil {
			return err
		}
		made, err := d.Schema.Accounts.Create(ctx, account.CreateInput{
			Provider: a.Provider, Name: a.Name, AccountID: a.Account, BaseURL: a.BaseURL, Credentials: credentials, IdempotencyKey: rand.Text(),
		})
		if err != nil {
			return err
		}
		return sayAccount(out, a.JSON, made)
	})
}

type setAccountCmd struct {
	asJSON
	Account string  `arg:"" help:"The account: the last element of its webhook URL."`
	Name    *string `help:"Name of the account."`
	BaseURL *string `name:"base-url" help:"Replaces the carrier's own API address; empty for that."`
}

// Run implements the command.
func (s *setAccountCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	if s.Name == nil && s.BaseURL == nil {
		return errors.New("nothing to change: give --name or --base-url")
	}
	return onAccount(ctx, c, s.Account, func(ctx context.Context, d *operator, a *account.Account) error {
		a, err := d.Schema.Accounts.Update(ctx, account.UpdateInput{ID: a.ID(), Name: s.Name, BaseURL: s.BaseURL})
		if err != nil {
			return err
		}
		return sayAccount(out, s.JSON, a)
	})
}

type credentialsCmd struct {
	asJSON
	givenCredentials
	Account        string `arg:"" help:"The account: the last element of its webhook URL."`
	PreviousHours  int    `default:"24" least:"0" help:"For how many hours webhooks signed by the credentials before are still taken; at most 168."`
	RetirePrevious bool   `help:"Change nothing but end that time now."`
}

// Run implements the command.
func (r *credentialsCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return onAccount(ctx, c, r.Account, func(ctx context.Context, d *operator, a *account.Account) error {
		a, err := r.change(ctx, d, a)
		if err != nil {
			return err
		}
		return sayAccount(out, r.JSON, a)
	})
}

func (r *credentialsCmd) change(ctx context.Context, d *operator, a *account.Account) (*account.Account, error) {
	if r.RetirePrevious {
		return d.Schema.Accounts.RetirePrevious(ctx, a.ID())
	}
	credentials, err := r.read(ctx, d, a.Provider)
	if err != nil {
		return nil, err
	}
	return d.Schema.Accounts.SetCredentials(ctx, account.CredentialsInput{ID: a.ID(), Credentials: credentials, PreviousValidHours: &r.PreviousHours})
}

type testAccountCmd struct {
	asJSON
	Account string `arg:"" help:"The account: the last element of its webhook URL."`
}

var errAccountFails = errors.New("the account does not work: see above")

// Run implements the command.
func (t *testAccountCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return onAccount(ctx, c, t.Account, func(ctx context.Context, d *operator, a *account.Account) error {
		found, err := d.Schema.Accounts.Test(ctx, a.ID())
		if err != nil {
			return err
		}
		line := testLine{OK: found.IsOK, Message: found.Message}
		if found.WhatToDo != nil {
			line.Do = *found.WhatToDo
		}
		if t.JSON {
			err = printJSON(out, line)
		} else {
			fmt.Fprintln(out, strings.TrimSpace(line.Message+" "+line.Do))
		}
		if err == nil && !found.IsOK {
			err = errAccountFails
		}
		return err
	})
}

// testLine is what a test found, as it is printed.
type testLine struct {
	OK      bool   `json:"ok"`
	Message string `json:"message"`
	Do      string `json:"do,omitempty"`
}

type deactivateAccountCmd struct {
	asJSON
	Account    string `arg:"" help:"The account: the last element of its webhook URL."`
	FailUnsent bool   `help:"Fail messages that are not sent yet. Without it the command refuses while there are any."`
}

// Run implements the command.
func (x *deactivateAccountCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return onAccount(ctx, c, x.Account, func(ctx context.Context, d *operator, a *account.Account) error {
		if a.UnsentMessages > 0 && !x.FailUnsent {
			return fmt.Errorf("messages of this account that are not sent yet: %d; wait until there are none, or give --fail-unsent", a.UnsentMessages)
		}
		choice := account.Refuse
		if x.FailUnsent {
			choice = account.Fail
		}
		a, err := d.Schema.Accounts.Deactivate(ctx, a.ID(), choice)
		if err != nil {
			return err
		}
		return sayAccount(out, x.JSON, a)
	})
}

type activateAccountCmd struct {
	asJSON
	Account string `arg:"" help:"The account: the last element of its webhook URL."`
}

// Run implements the command.
func (x *activateAccountCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return onAccount(ctx, c, x.Account, func(ctx context.Context, d *operator, a *account.Account) error {
		a, err := d.Schema.Accounts.Activate(ctx, a.ID())
		if err != nil {
			return err
		}
		return sayAccount(out, x.JSON, a)
	})
}

// onAccount opens the database for the operator and finds an account.
func onAccount(ctx context.Context, c *cli, accountID string, do func(context.Context, *operator, *account.Account) error) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		all, err := d.Schema.Accounts.Accounts(ctx)
		if err != nil {
			return err
		}
		ids := make([]string, len(all))
		for i, a := range all {
			if ids[i] = a.AccountID; ids[i] == accountID {
				return do(ctx, d, a)
			}
		}
		return fmt.Errorf("there is no account %q in this database; its accounts are: %s", accountID, strings.Join(ids, ", "))
	})
}

func (d *operator) providers(ctx context.Context) (names []string) {
	for _, p := range d.Schema.Accounts.Known(ctx) {
		names = append(names, p.Name)
	}
	return names
}

// givenCredentials are those of the command line. Other users of the machine can read
// it, and shells remember it, so secrets come from elsewhere.
type givenCredentials struct {
	Credential []string `placeholder:"NAME=@FILE" sep:"none" help:"A part of the credentials: NAME=@FILE reads a file, NAME=env:VARIABLE the environment; NAME=VALUE is for what is no secret. May be repeated."`
}

// read returns the credentials for a provider. It asks for what was not given where
// somebody is there to answer.
func (g *givenCredentials) read(ctx context.Context, d *operator, provider string) ([]account.CredentialInput, error) {
	all := d.Schema.Accounts.Known(ctx)
	at := slices.IndexFunc(all, func(p *account.Provider) bool { return p.Name == provider })
	if at < 0 {
		return nil, fmt.Errorf("there is no provider %q; the providers are: %s", provider, strings.Join(d.providers(ctx), ", "))
	}
	given := map[string]bool{}
	var read []account.CredentialInput
	for _, text := range g.Credential {
		name, source, found := strings.Cut(text, "=")
		if !found {
			return nil, errors.New("write --credential NAME=@FILE or NAME=env:VARIABLE")
		}
		secret := true
		for _, f := range all[at].CredentialFields {
			secret = secret && (f.Name != name || f.Secret)
		}
		value, err := valueFrom(name, source, secret)
		if err != nil {
			return nil, err
		}
		given[name] = true
		read = append(read, account.CredentialInput{Name: name, Value: value})
	}
	var missing missingError
	for _, f := range all[at].CredentialFields {
		if given[f.Name] || !f.Required {
			continue
		}
		value, err := prompt(f.Label, f.Secret)
		if err != nil {
			missing = append(missing, f)
		}
		read = append(read, account.CredentialInput{Name: f.Name, Value: value})
	}
	if len(missing) > 0 {
		return nil, missing
	}
	return read, nil
}

// missingError is the parts of credentials that were not given, and nobody answers.
type missingError []channel.CredentialField

// Error says how to give each.
func (m missingError) Error() string {
	says := make([]string, len(m))
	for i, f := range m {
		says[i] = fmt.Sprintf("%s is missing: give --credential %s=@FILE or %s=env:VARIABLE. %s", f.Name, f.Name, f.Name, f.Help)
	}
	return strings.Join(says, "\n")
}

func valueFrom(name, source string, secret bool) (string, error) {
	if file, ok := strings.CutPrefix(source, "@"); ok {
		text, err := os.ReadFile(file)
		return string(text), err
	}
	if variable, ok := strings.CutPrefix(source, "env:"); ok {
		text, set := os.LookupEnv(variable)
		if !set {
			return "", fmt.Errorf("the environment has no %s", variable)
		}
		return text, nil
	}
	if secret {
		return "", fmt.Errorf("a command line can be read by others: give --credential %s=@FILE or %s=env:VARIABLE, or leave it out to be asked", name, name)
	}
	return source, nil
}

var errNobodyToAsk = errors.New("standard input is no terminal")

// prompt asks on the terminal, without an echo for a secret.
func prompt(label string, secret bool) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", errNobodyToAsk
	}
	fmt.Fprintf(os.Stderr, "%s: ", label)
	if secret {
		text, err := term.ReadPassword(in)
		fmt.Fprintln(os.Stderr)
		return string(text), err
	}
	text, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return strings.TrimSpace(text), err
}

// accountLine is an account as it is printed.
type accountLine struct {
	ID            string `json:"id"`
	Account       string `json:"account"`
	Provider      string `json:"provider"`
	Name          string `json:"name"`
	Active        bool   `json:"active"`
	BaseURL       string `json:"baseUrl,omitempty"`
	WebhookPath   string `json:"webhookPath"`
	Encrypted     bool   `json:"encrypted"`
	Fingerprint   string `json:"fingerprint,omitempty"`
	PreviousUntil string `json:"previousValidUntil,omitempty"`
	Unsent        int64  `json:"unsentMessages"`
	Problem       string `json:"problem,omitempty"`
}

func accountLineOf(a *account.Account) accountLine {
	line := accountLine{
		ID: a.ID(), Account: a.AccountID, Provider: a.Provider, Name: a.Name, Active: a.IsActive, BaseURL: a.BaseURL,
		WebhookPath: "/webhooks/" + a.Provider + "/" + a.AccountID, Encrypted: a.IsEncrypted, Unsent: a.UnsentMessages,
	}
	if f := a.Fingerprint(); f != nil {
		line.Fingerprint = *f
	}
	if p := a.Previous(); p != nil {
		line.PreviousUntil = p.ValidUntil.String()
	}
	if p := a.Problem(); p != nil {
		line.Problem = *p
	}
	return line
}

// sayAccount prints an account as it is after a change.
func sayAccount(out io.Writer, asJSON bool, a *account.Account) error {
	l := accountLineOf(a)
	if asJSON {
		return printJSON(out, l)
	}
	fmt.Fprintf(out, "%s (%s, %s): %s. Credentials %s.\nIts webhook URL is the public URL and %s.\n", l.Account, l.Name, l.Provider, state(l.Active), cmp.Or(l.Fingerprint, "unreadable"), l.WebhookPath)
	if l.PreviousUntil != "" {
		fmt.Fprintf(out, "Webhooks signed by the credentials before are taken until %s; parley account credentials %s --retire-previous ends that.\n", l.PreviousUntil, l.Account)
	}
	if l.Problem != "" {
		fmt.Fprintln(out, l.Problem)
	}
	return nil
}
