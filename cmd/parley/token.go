package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/app"
)

// tokenCmd prints a token, alone, so that scripts can take it.
type tokenCmd struct {
	Agent string        `arg:"" help:"Username of the agent."`
	TTL   time.Duration `default:"1h" least:"1s" help:"Lifetime of the token; at most 30 days."`
}

// Run implements the command.
func (t *tokenCmd) Run(ctx context.Context, c *cli, out io.Writer) (err error) {
	a, err := app.Open(ctx, c.config())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if _, err := a.Directory.Viewer(t.Agent); err != nil {
		if agent := a.Directory.AgentNamed(t.Agent); agent != nil && !agent.IsActive {
			return fmt.Errorf("agent %q is deactivated: parley agent activate %s lets them sign in again", t.Agent, t.Agent)
		}
		return fmt.Errorf("there is no active agent %q in this database; its agents are: %s", t.Agent, agentNames(a))
	}
	minted, err := a.Tokens.Mint(t.Agent, t.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, minted)
	return err
}

// otherDatabase helps whoever left --database out and is in an empty database.
const otherDatabase = "none; give --database the server's value (make run: data/parley.db), create the first agent with parley setup, or run parley seed in a separate database to try things"

// agentNames lists who there is to choose from.
func agentNames(a *app.App) string {
	const most = 20
	var names []string
	for _, agent := range a.Directory.Agents() {
		names = append(names, agent.Username)
	}
	switch {
	case len(names) == 0:
		return otherDatabase
	case len(names) > most:
		names = append(names[:most], "…")
	}
	return strings.Join(names, ", ")
}
