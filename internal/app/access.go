package app

import (
	"context"
	"time"

	"parley/internal/viewer"
	"parley/web"
)

// authenticate tells whose token it is, with the rights the agent has now.
func (a *App) authenticate(_ context.Context, bearer string) (*viewer.Viewer, time.Time, error) {
	username, expiry, err := a.Tokens.Verify(bearer)
	if err != nil {
		return nil, time.Time{}, err
	}
	v, err := a.Directory.Viewer(username)
	return v, expiry, err
}

// playgroundTTL is a working day.
const playgroundTTL = 12 * time.Hour

// mostSessions is how many agents the playground's picker offers.
const mostSessions = 20

// sessions offers the playground a token for the first agents, by name.
func (a *App) sessions(context.Context) ([]web.Session, error) {
	var out []web.Session
	for _, agent := range a.Directory.Agents() {
		if !agent.IsActive || len(out) == mostSessions {
			continue
		}
		t, err := a.Tokens.Mint(agent.Username, playgroundTTL)
		if err != nil {
			return nil, err
		}
		out = append(out, web.Session{Agent: agent.Username, Label: agent.Name, Token: t})
	}
	return out, nil
}
