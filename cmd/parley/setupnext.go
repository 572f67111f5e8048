package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// step says what was done, or was there already.
func step(out io.Writer, what, name string, made bool) {
	verb := "is there already"
	if made {
		verb = "created"
	}
	fmt.Fprintf(out, "%-14s %s (%s)\n", what+":", name, verb)
}

// test asks the carrier, and says what to do if the account does not work.
func (p *setupPlan) test(ctx context.Context, out io.Writer) error {
	if p.SkipTest {
		return nil
	}
	found, err := p.d.Schema.Accounts.Test(ctx, p.account.ID())
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

// next prints a token of an administrator who is new, and where to go on.
func (p *setupPlan) next(c *cli, out io.Writer, isNew bool) error {
	signIn := fmt.Sprintf("For a token for %s: parley token %s --database %s", p.admin.Username, p.admin.Username, c.Database)
	if isNew {
		token, err := p.d.Tokens.Mint(p.admin.Username, p.TTL)
		if err != nil {
			return err
		}
		signIn = fmt.Sprintf("A token for %s, valid for %s:\n  %s", p.admin.Username, p.TTL, token)
	}
	url := "https://YOUR.HOST"
	if p.PublicURL != "" {
		url = strings.TrimSuffix(p.PublicURL, "/")
	}
	fmt.Fprintf(out, `
%s

Next:
  1. Start the server:          parley serve --database %s --public-url %s
  2. Paste at the carrier:      %s%s
  3. Check everything:          parley doctor --database %s
  4. Add colleagues:            parley agent add USERNAME --name NAME --database %s
`, signIn, c.Database, url, url, "/webhooks/"+p.account.Provider+"/"+p.account.AccountID, c.Database, c.Database)
	return nil
}
