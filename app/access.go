package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"time"

	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/edge/server"
	"parley/internal/ground/viewer"
	"parley/web"
)

// authenticate tells whose token it is, with the rights the agent has now.
func (a *App) authenticate(ctx context.Context, bearer string) (*viewer.Viewer, time.Time, error) {
	username, expiry, err := a.verifier.Verify(ctx, bearer)
	if err != nil {
		return nil, time.Time{}, err
	}
	v, err := a.Directory.Viewer(username)
	return v, expiry, err
}

// observe reads the directory again when an event says that it changed, and ends the
// sockets of agents who may no longer sign in. Their streams end by the event itself.
func (a *App) observe(ctx context.Context, e *feed.Event) {
	a.Directory.Observe(ctx, e)
	if e.Cause != feed.DirectoryChanged {
		return
	}
	inactive := false
	for _, agent := range a.Directory.AgentsBy(&inactive) {
		if _, err := a.Directory.Viewer(agent.Username); err != nil && e.MayMoveRights(agent.Key) {
			a.Server.Dismiss(agent.Rights(), err)
		}
	}
}

// OldestAgents are the first n active agents: in a database with demo data, the
// four that its documents speak of.
func (a *App) OldestAgents(n int) []*directory.Agent {
	agents := slices.DeleteFunc(slices.Clone(a.Directory.Agents()), func(agent *directory.Agent) bool { return !agent.IsActive })
	slices.SortFunc(agents, func(a, b *directory.Agent) int { return cmp.Compare(a.Key, b.Key) })
	return agents[:min(n, len(agents))]
}

// newPlaygroundKey draws what the playground must show to be handed tokens, for this
// run; nothing where none are.
func newPlaygroundKey(mode string) string {
	if mode != server.Development {
		return ""
	}
	return rand.Text()
}

// PlaygroundURL is where to open the playground. In development it holds the secret by
// which the page gets tokens: it is for the terminal, not for the log.
func (a *App) PlaygroundURL() string { return web.Address(a.PublicURL(), a.playgroundKey) }

// playgroundTTL is a working day.
const playgroundTTL = 12 * time.Hour

// mostSessions is how many agents the playground's picker offers.
const mostSessions = 20

// sessions offers the playground a token for each of the oldest agents.
func (a *App) sessions(context.Context) ([]web.Session, error) {
	var out []web.Session
	for _, agent := range a.OldestAgents(mostSessions) {
		t, err := a.Tokens.Mint(agent.Username, playgroundTTL)
		if err != nil {
			return nil, err
		}
		out = append(out, web.Session{Agent: agent.Username, Label: agent.Name, Token: t})
	}
	return out, nil
}
