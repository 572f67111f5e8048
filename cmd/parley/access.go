package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"parley/internal/desk/access"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// accessCmd manages access tokens, beside running servers or without any.
type accessCmd struct {
	List   listAccessCmd   `cmd:"" help:"List access tokens."`
	Add    addAccessCmd    `cmd:"" help:"Create an access token and print it. It is never shown again."`
	Revoke revokeAccessCmd `cmd:"" help:"Revoke an access token: it is refused at once, and what it opened ends."`
}

// accessLine is an access token as it is printed.
type accessLine struct {
	ID         string         `json:"id"`
	Agent      string         `json:"agent"`
	Name       string         `json:"name"`
	Scopes     []viewer.Scope `json:"scopes"`
	CreatedAt  time.Time      `json:"createdAt"`
	ExpiresAt  time.Time      `json:"expiresAt"`
	LastUsedAt *time.Time     `json:"lastUsedAt"`
	Token      string         `json:"token,omitempty"` // of a new one
}

func accessLineOf(t *access.Token, secret string) accessLine {
	line := accessLine{
		ID: t.ID(), Agent: t.Agent().Username, Name: t.Name, Scopes: t.Scopes,
		CreatedAt: t.CreatedAt.Std(), ExpiresAt: t.ExpiresAt.Std(), Token: secret,
	}
	if used := t.LastUsedAt(); used != nil {
		at := used.Std()
		line.LastUsedAt = &at
	}
	return line
}

type listAccessCmd struct{ asJSON }

// Run implements the command.
func (l *listAccessCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		tokens, err := d.Schema.Access.Tokens(ctx, nil)
		if err != nil {
			return err
		}
		lines := make([]accessLine, len(tokens))
		for i, t := range tokens {
			lines[i] = accessLineOf(t, "")
		}
		if l.JSON {
			return printJSON(out, lines)
		}
		if len(lines) == 0 {
			fmt.Fprintln(out, "There are no access tokens. Create one: parley access add USERNAME --name NAME --scope READ")
			return nil
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tAGENT\tNAME\tSCOPES\tEXPIRES\tLAST USED")
		for _, t := range lines {
			used := "never"
			if t.LastUsedAt != nil {
				used = t.LastUsedAt.Format(time.DateTime)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Agent, t.Name, scopesIn(t.Scopes), t.ExpiresAt.Format(time.DateTime), used)
		}
		return table.Flush()
	})
}

func scopesIn(scopes []viewer.Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

type addAccessCmd struct {
	asJSON
	Username string        `arg:"" help:"The agent that it acts as; for a program, a service account (parley agent add --service)."`
	Name     string        `default:"command line" help:"What it is for."`
	Scope    []string      `default:"READ" help:"READ, SEND or ADMINISTER; may be repeated."`
	Expires  time.Duration `default:"2160h" least:"1m" help:"How long it is good for; at most 366 days (8784h)."`
}

// Run implements the command.
func (a *addAccessCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		agent, err := d.agent(a.Username)
		if err != nil {
			return err
		}
		in := access.CreateInput{
			AgentID: agent.ID, Name: a.Name, ExpiresAt: clock.Of(time.Now().Add(a.Expires)), IdempotencyKey: rand.Text(),
		}
		for _, scope := range a.Scope {
			in.Scopes = append(in.Scopes, viewer.Scope(strings.ToUpper(scope)))
		}
		made, secret, err := d.Schema.Access.Create(ctx, in)
		if err != nil {
			return err
		}
		if a.JSON {
			return printJSON(out, accessLineOf(made, secret))
		}
		_, err = fmt.Fprintln(out, secret)
		return err
	})
}

type revokeAccessCmd struct {
	asJSON
	ID string `arg:"" help:"The access token's id, as parley access list prints it."`
}

// Run implements the command.
func (r *revokeAccessCmd) Run(ctx context.Context, c *cli, out io.Writer) error {
	return asOperator(ctx, c, func(ctx context.Context, d *operator) error {
		if err := d.Schema.Access.Revoke(ctx, r.ID); err != nil {
			return err
		}
		if r.JSON {
			return printJSON(out, map[string]string{"revokedId": r.ID})
		}
		_, err := fmt.Fprintf(out, "%s is revoked.\n", r.ID)
		return err
	})
}
