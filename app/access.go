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
	"parley/internal/desk/staff"
	"parley/internal/edge/server"
	"parley/internal/edge/token"
	"parley/internal/ground/clock"
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
	if claims.Outside != nil {
		if err := a.welcome(ctx, &claims); err != nil {
			return nil, time.Time{}, err
		}
	}
	v, err := a.Directory.Holder(claims.Username, claims.IssuedAt, claims.Leeway)
	if err == nil && claims.Outside != nil {
		a.Schema.Access.Seen.Add(claims.Outside.Issuer, claims.Outside.Subject, v.AgentID)
	}
	return v, claims.Expiry, err
}

// arrivalTime bounds the making of an agent, which goes on for others who wait when the
// first of them leaves.
const arrivalTime = 10 * time.Second

// welcome makes an agent of somebody whom the directory does not know, if their issuer
// makes agents: once for all requests that a client begins with.
func (a *App) welcome(ctx context.Context, claims *token.Claims) error {
	if !claims.Outside.Makes || a.Directory.AgentNamed(claims.Username) != nil {
		return nil
	}
	if err := claims.Outside.Unmapped(); err != nil {
		return err
	}
	_, err, _ := a.arriving.Do(claims.Outside.Issuer+"\x00"+claims.Username, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), arrivalTime)
		defer cancel()
		is := claims.Outside.Newcomer
		return nil, a.Schema.Staff.Arrive(ctx, staff.Newcomer{
			Issuer: claims.Outside.Issuer, Subject: claims.Outside.Subject, Username: claims.Username, Name: is.Name,
			TimeZone: is.TimeZone, Locale: is.Locale, Role: is.Role, IsLicensed: is.IsLicensed, PermissionSets: is.PermissionSets,
		})
	})
	return err
}

// signedOut ends the sessions that an issuer has ended.
func (a *App) signedOut(ctx context.Context, out token.Logout) error {
	return a.Schema.Access.SignedOut(ctx, access.SignOut{
		Issuer: out.Issuer, Subject: out.Subject, Username: out.Username, Before: clock.Of(out.Before),
	})
}

// unseen says which issuers' agents are deactivated after a time.
func unseen(issuers []token.Issuer) (out []access.Unseen) {
	for _, i := range issuers {
		if i.UnseenDays > 0 {
			out = append(out, access.Unseen{Issuer: i.Issuer, Days: i.UnseenDays})
		}
	}
	return out
}

// observe reads the directory again when an event says that it changed, and has the
// tokens of sockets and streams checked again.
func (a *App) observe(ctx context.Context, e *feed.Event) {
	a.Directory.Observe(ctx, e)
	if e.Cause != feed.DirectoryChanged {
		return
	}
	if err := a.useKeys(); err != nil {
		slog.ErrorContext(ctx, "cannot use the signing keys; tokens are judged by the former ones, so a retired key may still be accepted; run parley signing list", "error", err)
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
	err := a.Tokens.Use(keys)
	a.staleKeys.Store(err != nil)
	return err
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
