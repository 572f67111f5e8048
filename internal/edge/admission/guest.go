package admission

import (
	"context"
	"net/http"
	"time"

	"parley/internal/edge/observe"
	"parley/internal/ground/viewer"
)

// Guest is the caller at one WebSocket: a stranger until SignIn, then an agent. Only
// one goroutine at a time may call its methods, but GiveUp may be called at any time.
type Guest struct {
	place

	gate    *Gate
	greeted *identity // by the request's header, until SignIn
	attempt attempt   // until then, if there was no such header
	address string    // where it comes from; empty if that does not count
	token   string    // once signed in
}

// Knock asks, before a request becomes a WebSocket, whether its caller may come in.
// It is UNAVAILABLE if there is no place left, and LIMIT_EXCEEDED, with the time to
// wait, if too many from the same address have not signed in.
func (g *Gate) Knock(r *http.Request) (*Guest, error) {
	if g.connections.full() {
		return nil, errFull
	}
	if who, signedIn := identityOf(r.Context()); signedIn {
		return &Guest{gate: g, greeted: &who, address: g.attempts.key(r)}, nil
	}
	attempt, refused := g.attempts.begin(r, "socket")
	if refused != nil {
		return nil, refused
	}
	return &Guest{gate: g, attempt: attempt, address: attempt.address}, nil
}

// Enter takes a place: one of the agent's if the request's header named one, otherwise a
// stranger's. If the agent has no place left, it returns the refusal, and the closing
// handshake happens in a stranger's place. From now on the gate may call stop, because
// the server stops, refuse, because the token is no longer good, and drop, because
// another socket needs the place. None may block.
func (g *Guest) Enter(stop func(), refuse func(error), drop func()) error {
	g.place = place{stop: stop, refuse: refuse, drop: drop}
	if g.greeted == nil {
		return g.gate.connections.knock(&g.place, g.address)
	}
	err := g.gate.connections.admit(&g.place, *g.greeted)
	if err != nil {
		_ = g.gate.connections.knock(&g.place, g.address) // it is refused anyway
	}
	return err
}

// SignIn checks the token of connection_init, with or without its scheme, and gives
// its agent a place. An empty token means that of the request's header. SignIn returns
// when the token expires; the zero time: never.
func (g *Guest) SignIn(ctx context.Context, authorization string) (expiry time.Time, err error) {
	who, err := g.who(ctx, authorization)
	if err != nil {
		return time.Time{}, err
	}
	if err := g.gate.connections.admit(&g.place, who); err != nil {
		return time.Time{}, err
	}
	// Once more: Recheck does not find a guest who has no place yet.
	if _, err := g.gate.whose(ctx, who.token); err != nil {
		return time.Time{}, err
	}
	observe.SignedIn(ctx, who.viewer.Username)
	g.attempt.succeeded()
	g.token, g.greeted, g.attempt = who.token, nil, attempt{}
	return who.expiry, nil
}

func (g *Guest) who(ctx context.Context, authorization string) (identity, error) {
	if g.greeted != nil && authorization == "" {
		return *g.greeted, nil
	}
	return g.gate.whose(ctx, bareToken(authorization))
}

// Viewer returns whoever the token belongs to now. Every operation asks again: a
// socket outlives changes of rights.
func (g *Guest) Viewer(ctx context.Context) (*viewer.Viewer, error) {
	who, err := g.gate.whose(ctx, g.token)
	return who.viewer, err
}

// GiveUp frees the place of a guest who has not signed in in time.
func (g *Guest) GiveUp() { g.gate.connections.forget(&g.place) }

// Leave gives the place back. It is the last call, once the socket is closed.
func (g *Guest) Leave() { g.gate.connections.remove(&g.place) }
