package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"time"

	"parley/internal/desk/access"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/viewer"
	"parley/web"
)

// authenticate tells whose token it is, with the rights the agent has now.
func (a *App) authenticate(ctx context.Context, bearer string) (*viewer.Viewer, time.Time, error) {
	if access.IsToken(bearer) {
		return a.Schema.Access.SignIn(bearer)
	}
	claims, err := a.verifier.Verify(ctx, bearer)
	if err != nil {
		return nil, time.Time{}, err
	}
	v, err := a.Directory.Holder(claims.Username, claims.IssuedAt)
	return v, claims.Expiry, err
}

// observe reads the directory again when an event says that it changed, and has the
// tokens of sockets and streams checked again.
func (a *App) observe(ctx context.Context, e *feed.Event) {
	a.Directory.Observe(ctx, e)
	if e.Cause != feed.DirectoryChanged {
		return
	}
	if err := a.useKeys(); err != nil {
		slog.ErrorContext(ctx, "cannot use the signing keys; tokens are judged by the former ones", "error", err)
	}
	select {
	case a.recheck <- struct{}{}:
	default: // one is due already
	}
}

// rechecks ends sockets and streams whose tokens have become bad. It runs beside the
// events, which it must not hold up.
func (a *App) rechecks(ctx context.Context) {
	for {
		select {
		case <-a.recheck:
			a.Server.Recheck(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// useKeys gives the authority the signing keys that the directory knows.
func (a *App) useKeys() error {
	keys := token.Keys{ByID: map[string][]byte{"": a.firstKey}}
	for _, k := range a.Directory.SigningKeys() {
		switch {
		case k.RetiredAt == 0:
			keys.Signing, keys.ByID[k.ID] = k.ID, k.Value
		case k.ID == directory.FirstKey:
			delete(keys.ByID, "")
		}
	}
	return a.Tokens.Use(keys)
}

// OldestAgents are the first n active people: in a database with demo data, the
// four that its documents speak of.
func (a *App) OldestAgents(n int) []*directory.Agent {
	active := true
	agents := a.Directory.People(&active)
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
