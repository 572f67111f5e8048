package directory

import (
	"crypto/sha256"
	"maps"
	"slices"
	"time"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// access is what else decides who may sign in: access tokens by hash, and the keys of
// Parley's own tokens, oldest first.
type access struct {
	grants map[[sha256.Size]byte]*Grant
	keys   []*SigningKey
}

// Grant is an access token in force.
type Grant struct {
	Key     int64
	Viewer  *viewer.Viewer // its agent, narrowed to its scopes
	Expires time.Time

	isActive bool
}

// SigningKey signs and verifies Parley's own tokens. The first has no row here until it
// is retired.
type SigningKey struct {
	ID        string
	Value     []byte // none once it is retired
	CreatedAt clock.Time
	RetiredAt clock.Time
}

// FirstKey is what people call the first signing key. Tokens name it by no kid.
const FirstKey = "first"

func (s *snapshot) addAccess(rs *rows) {
	for _, row := range rs.tokens {
		if agent := s.agents[row.AgentID]; agent != nil && len(row.Hash) == sha256.Size {
			s.access.grants[[sha256.Size]byte(row.Hash)] = &Grant{row.ID, agent.rights.Narrowed(row.Scopes), row.ExpiresAt.Std(), agent.IsActive}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rs.keys)) {
		row := rs.keys[key]
		s.access.keys = append(s.access.keys, &SigningKey{row.Kid, row.Value, row.CreatedAt, row.RetiredAt})
	}
}

// Granted returns the access token with a hash: UNAUTHENTICATED for one that is unknown,
// revoked or expired, or whose agent may not sign in.
func (d *Directory) Granted(hash [sha256.Size]byte, now time.Time) (*Grant, error) {
	g := d.now.Load().access.grants[hash]
	switch {
	case g == nil:
		return nil, fault.New(fault.Unauthenticated, "The access token is unknown or was revoked. Get a new one and call again.")
	case !now.Before(g.Expires):
		return nil, fault.New(fault.Unauthenticated, "The access token has expired. Get a new one and call again.")
	case !g.isActive:
		return nil, errInactive
	}
	return g, nil
}

// Holder is the Viewer whose token says that it was issued at an instant, zero if it does
// not say, by a clock that may be ahead by the leeway: UNAUTHENTICATED if it is too old.
func (d *Directory) Holder(username string, issued time.Time, leeway time.Duration) (*viewer.Viewer, error) {
	v, err := d.Viewer(username)
	if err != nil {
		return nil, err
	}
	a := d.AgentNamed(username)
	if a.signedOut != 0 && issued.Before(a.signedOut.Std()) {
		return nil, fault.New(fault.Unauthenticated, "The agent signed out after the token was issued. Sign in again.")
	}
	if a.validFrom != 0 && issued.Add(-leeway).Before(a.validFrom.Std()) {
		return nil, fault.New(fault.Unauthenticated, "The token was revoked, or issued so soon after a revocation that the clocks cannot tell. Wait half a minute, get a new one and call again.")
	}
	return v, nil
}

// SigningKeys are the keys of Parley's own tokens that have rows, oldest first.
func (d *Directory) SigningKeys() []*SigningKey { return d.now.Load().access.keys }

// Actor is who did something: an agent, or the system.
type Actor struct {
	Kind  ActorKind
	Name  string
	Agent *Agent // nil for the system
}

// ActorKind says what an actor is.
type ActorKind string

// The kinds.
const (
	ActorPerson  ActorKind = "PERSON"
	ActorService ActorKind = "SERVICE"
	ActorSystem  ActorKind = "SYSTEM"
)

// Actor returns the agent with the key as an actor, nil when there is none.
func (d *Directory) Actor(key int64) *Actor {
	a := d.Agent(key)
	switch {
	case a == nil:
		return nil
	case a.Kind == viewer.Service:
		return &Actor{ActorService, a.Name, a}
	}
	return &Actor{ActorPerson, a.Name, a}
}

// System is Parley itself as an actor.
func System() *Actor { return &Actor{Kind: ActorSystem, Name: "Parley"} }
