// Package access is how programs sign in, and how sign-in is taken back: access tokens,
// the revocation of all of an agent's tokens, and the keys that sign Parley's own.
//
// Every change is one write of the directory (directory.Apply), so every process knows
// within a second. What a token is good for is decided from the directory in memory.
package access

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"parley/ent"
	"parley/ent/accesstoken"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Service has the use cases. All fields but Unseen are required.
type Service struct {
	Store     *store.Store
	Directory *directory.Directory
	IDs       *publicid.Codec
	// Clock is the time of sign-ins, which is the system's even where the domain's is not.
	Clock clock.Clock
	// Uses and Seen are written by their Run.
	Uses *Uses
	Seen *Seen
	// Unseen says whose agents are deactivated after a time; nil for nobody's.
	Unseen []Unseen
}

// Token is an access token as it was read, without what its bearer knows.
type Token struct {
	Key       int64
	Name      string
	Scopes    []viewer.Scope
	ExpiresAt clock.Time
	CreatedAt clock.Time

	agent, creator int64
	lastUsed       clock.Time
	service        *Service
}

// IsNode marks a GraphQL Node.
func (*Token) IsNode() {}

// ID is the opaque id.
func (t *Token) ID() string { return t.service.IDs.Encode(publicid.AccessToken, t.Key) }

// Agent is as whom the token acts.
func (t *Token) Agent() *directory.Agent { return t.service.Directory.Agent(t.agent) }

// CreatedBy is who created it, nil for an operator.
func (t *Token) CreatedBy() *directory.Agent { return t.service.Directory.Agent(t.creator) }

// LastUsedAt is when it was last used, to the minute; nil for never.
func (t *Token) LastUsedAt() *clock.Time {
	if t.lastUsed.IsZero() {
		return nil
	}
	return &t.lastUsed
}

func (s *Service) of(row *ent.AccessToken) *Token {
	return &Token{
		Key: row.ID, Name: row.Name, Scopes: known(row.Scopes), ExpiresAt: row.ExpiresAt, CreatedAt: row.CreatedAt,
		agent: row.AgentID, creator: row.CreatorID, lastUsed: row.LastUsedAt, service: s,
	}
}

// known are the scopes that this version knows, in one order.
func known(scopes []viewer.Scope) []viewer.Scope {
	return slices.DeleteFunc(slices.Clone(viewer.Scopes), func(s viewer.Scope) bool { return !slices.Contains(scopes, s) })
}

// Tokens are the access tokens that the viewer sees, the newest first: an agent's own, and
// to administrators those of all or of one agent.
func (s *Service) Tokens(ctx context.Context, agentID *string) ([]*Token, error) {
	query := s.Store.Ent.AccessToken.Query()
	if agentID != nil {
		key, _ := s.IDs.Decode(publicid.Agent, *agentID)
		query.Where(accesstoken.AgentID(key))
	}
	return s.read(ctx, query)
}

func (s *Service) read(ctx context.Context, query *ent.AccessTokenQuery) ([]*Token, error) {
	rows, err := query.Order(ent.Desc(accesstoken.FieldID)).All(ctx)
	tokens := make([]*Token, len(rows))
	for i, row := range rows {
		tokens[i] = s.of(row)
	}
	return tokens, err
}

// ByKey reads access tokens by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Token, error) {
	tokens, err := s.read(ctx, s.Store.Ent.AccessToken.Query().Where(accesstoken.IDIn(keys...)))
	found := make(map[int64]*Token, len(tokens))
	for _, t := range tokens {
		found[t.Key] = t
	}
	return found, err
}

// SignIn returns whose access token it is, with the rights that are left under its
// scopes, and until when. It reads nothing from the database.
func (s *Service) SignIn(bearer string) (*viewer.Viewer, time.Time, error) {
	hash, ok := hashOf(bearer)
	if !ok {
		return nil, time.Time{}, errMalformed
	}
	g, err := s.Directory.Granted(hash, s.Clock.Now().Std())
	if err != nil {
		return nil, time.Time{}, err
	}
	s.Uses.add(g.Key)
	return g.Viewer, g.Expires, nil
}

// Revoke removes an access token: the agent's own, or any for an administrator. It is
// refused at once.
func (s *Service) Revoke(ctx context.Context, id string) error {
	key, _ := s.IDs.Decode(publicid.AccessToken, id)
	return s.apply(ctx, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.AccessToken.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("access token"))
		}
		if err != nil {
			return false, err
		}
		if err := tx.Ent.AccessToken.DeleteOne(row).Exec(asSystem(ctx)); err != nil {
			return false, err
		}
		return true, entry(journal.Revoked, row).Write(ctx, tx)
	})
}

func entry(action journal.Action, row *ent.AccessToken) *journal.Entry {
	e := &journal.Entry{Action: action, SubjectType: "AccessToken", SubjectKey: row.ID, SubjectName: row.Name}
	e.Changes = []rule.Change{{Field: "agent", Of: "Agent", Gained: []int64{row.AgentID}}}
	if action == journal.Revoked {
		e.Changes[0].Gained, e.Changes[0].Lost = nil, e.Changes[0].Gained
		return e
	}
	scopes := make([]string, len(row.Scopes))
	for i, s := range row.Scopes {
		scopes[i] = string(s)
	}
	listed, expires := strings.Join(scopes, ", "), row.ExpiresAt.String()
	e.Compare("scopes", "", &listed)
	e.Compare("expiresAt", "", &expires)
	return e
}

// RevokeAll refuses every token of an agent that was issued before an instant, now for
// nil, whoever issued it. Agents do it for themselves, and administrators for everybody.
func (s *Service) RevokeAll(ctx context.Context, agentID string, before *clock.Time) (*directory.Agent, error) {
	key, _ := s.IDs.Decode(publicid.Agent, agentID)
	v, now := viewer.FromContext(ctx), s.Clock.Now()
	from := now
	if before != nil {
		from = *before
	}
	if v.AgentID != key && !rule.Administers(v) {
		return nil, fault.New(fault.Forbidden, "Only administrators revoke the tokens of others: it needs CONFIGURE_MESSAGING. Ask an administrator.")
	}
	if from > now {
		return nil, fault.Input("input.before", "The instant must not be in the future. Leave it out for now.")
	}
	err := s.apply(ctx, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.Agent.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.agentId", fault.Missing("agent"))
		}
		if before == nil {
			from = s.Clock.Now() // no token is created between this and the commit
		}
		if err != nil || row.TokensValidFrom >= from {
			return false, err
		}
		return true, revokeAll(ctx, tx, row, from, before == nil)
	})
	return s.Directory.Agent(key), err
}

// revokeAll refuses tokens that were issued before an instant; access tokens of any age
// with every, for servers' clocks differ.
func revokeAll(ctx context.Context, tx *store.Tx, row *ent.Agent, from clock.Time, every bool) error {
	if err := tx.Ent.Agent.UpdateOne(row).SetTokensValidFrom(from).Exec(asSystem(ctx)); err != nil {
		return err
	}
	revoked := tx.Ent.AccessToken.Delete().Where(accesstoken.AgentID(row.ID))
	if !every {
		revoked.Where(accesstoken.IssuedAtLT(from))
	}
	if _, err := revoked.Exec(asSystem(ctx)); err != nil {
		return err
	}
	e := journal.Entry{
		Action: journal.Revoked, SubjectType: "Agent", SubjectKey: row.ID, SubjectName: row.Username,
		Detail: "All tokens issued before " + from.String() + " were revoked.",
	}
	return e.Write(ctx, tx)
}

// apply makes a change that moves no rights. The caller has judged it.
func (s *Service) apply(ctx context.Context, do func(ctx context.Context, tx *store.Tx) (bool, error)) error {
	return s.Directory.Apply(ctx, directory.Edit{Do: do})
}

func asSystem(ctx context.Context) context.Context { return viewer.AsSystem(ctx, "access") }

// holder is the agent whose rights count, as they are just before a change.
func holder(v *viewer.Viewer, rights directory.Rights) *viewer.Viewer {
	if v.System != "" {
		return v
	}
	return cmp.Or(rights[v.AgentID], &viewer.Viewer{})
}
