package main

import (
	"context"
	"fmt"
	"time"

	"parley/internal/app"
)

// tokenCmd prints a token, alone, so that scripts can take it.
type tokenCmd struct {
	Agent string        `arg:"" help:"Username of the agent."`
	TTL   time.Duration `default:"1h" help:"How long the token is good for; 30 days at most."`
}

// Run implements the command.
func (t *tokenCmd) Run(ctx context.Context, c *cli) error {
	a, err := app.Open(ctx, app.Config{Database: c.Database})
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := a.Directory.Viewer(t.Agent); err != nil {
		return fmt.Errorf("there is no active agent %q in this database; its agents are: %s", t.Agent, agentNames(a))
	}
	minted, err := a.Tokens.Mint(t.Agent, t.TTL)
	if err != nil {
		return err
	}
	fmt.Println(minted)
	return nil
}

func agentNames(a *app.App) string {
	names := ""
	for i, agent := range a.Directory.Agents() {
		if i == 20 {
			return names + ", …"
		}
		if i > 0 {
			names += ", "
		}
		names += agent.Username
	}
	if names == "" {
		return "none yet; run parley seed"
	}
	return names
}
