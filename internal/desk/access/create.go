package access

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/ent"
	"parley/ent/accesstoken"
	"parley/internal/desk/administration"
	"parley/internal/desk/directory"
	"parley/internal/desk/journal"
	"parley/internal/desk/rule"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of access tokens.
const (
	MostTokens  = 1_000                // of an organisation
	mostOfAgent = 50                   // of an agent
	MaxLife     = 366 * 24 * time.Hour // of a token
	leastLife   = time.Minute
)

// CreateInput is a new access token.
type CreateInput struct {
	AgentID        string
	Name           string
	Scopes         []viewer.Scope
	ExpiresAt      clock.Time
	IdempotencyKey string
}

// Create makes an access token, once for an idempotency key. The secret is what its
// bearer presents; it is known now and never again, so a repeat has none.
func (s *Service) Create(ctx context.Context, in CreateInput) (t *Token, secret string, err error) {
	name, err := s.check(viewer.FromContext(ctx), &in)
	if err != nil {
		return nil, "", err
	}
	key, _ := s.IDs.Decode(publicid.Agent, in.AgentID)
	var made int64
	err = s.Directory.Apply(ctx, directory.Edit{
		Key: in.IdempotencyKey, Allow: s.allow(viewer.FromContext(ctx), key),
		Do: func(ctx context.Context, tx *store.Tx) (bool, error) {
			var repeated bool
			made, repeated, err = idempotency.Do(ctx, tx, "createAccessToken", in.IdempotencyKey, in, func() (int64, error) {
				var row *ent.AccessToken
				if row, secret, err = s.insert(ctx, tx, key, name, &in); err != nil {
					return 0, err
				}
				return row.ID, entry(journal.Created, row).Write(ctx, tx)
			})
			return !repeated, err
		},
	})
	if err != nil {
		return nil, "", err
	}
	found, err := s.ByKey(ctx, []int64{made})
	if err == nil && found[made] == nil {
		err = fault.Missing("access token") // it was revoked since
	}
	return found[made], secret, err
}

// check returns the name as it is stored.
func (s *Service) check(v *viewer.Viewer, in *CreateInput) (name string, err error) {
	if err := idempotency.CheckKey(in.IdempotencyKey); err != nil {
		return "", err
	}
	if err := checkScopes(v, in.Scopes); err != nil {
		return "", err
	}
	if life := in.ExpiresAt.Sub(s.Clock.Now()); life < leastLife || life > MaxLife {
		return "", fault.Input("input.expiresAt", "The token must expire between 1 minute and 366 days from now.")
	}
	return administration.CleanName("input.name", in.Name)
}

func checkScopes(v *viewer.Viewer, scopes []viewer.Scope) error {
	for i, scope := range scopes {
		switch {
		case !slices.Contains(viewer.Scopes, scope):
			return fault.Input("input.scopes", "There is no scope %q. The scopes are READ, SEND and ADMINISTER.", string(scope))
		case slices.Contains(scopes[:i], scope):
			return fault.Input("input.scopes", "Give each of READ, SEND and ADMINISTER once at most.")
		case !v.Allows(scope):
			return fault.New(fault.Forbidden, "A token cannot create one with a scope that it lacks, and yours lacks %s. Use a token that has it.", scope)
		}
	}
	if len(scopes) == 0 {
		return fault.Input("input.scopes", "Give at least one of READ, SEND and ADMINISTER.")
	}
	return nil
}

// allow judges, by the rights of this moment, who creates a token for whom: nobody for
// another person, and for a service account only administrators who may do all that it
// may.
func (s *Service) allow(v *viewer.Viewer, agent int64) func(before, after directory.Rights) error {
	return func(before, _ directory.Rights) error {
		by, as := holder(v, before), before[agent]
		switch {
		case as == nil:
			return &fault.Error{Code: fault.Conflict, Field: "input.agentId", Message: "This agent is not active, so the token would be refused. Activate the agent first."}
		case by.System != "", by.AgentID == agent:
			return nil
		case !as.IsService:
			return fault.New(fault.Forbidden, "Only the person can create access tokens that act as a person. For a program, create a service account.")
		case !rule.Administers(by):
			return fault.New(fault.Forbidden, "Only administrators create access tokens for service accounts: it needs CONFIGURE_MESSAGING. Ask an administrator.")
		}
		return administration.Within(s.Directory, by, as)
	}
}

func (s *Service) insert(ctx context.Context, tx *store.Tx, agent int64, name string, in *CreateInput) (*ent.AccessToken, string, error) {
	if _, err := tx.Ent.Agent.Get(ctx, agent); ent.IsNotFound(err) {
		return nil, "", fault.At("input.agentId", fault.Missing("agent"))
	} else if err != nil {
		return nil, "", err
	}
	if err := s.stillSignedIn(ctx, tx); err != nil {
		return nil, "", err
	}
	if err := s.room(asSystem(ctx), tx, agent); err != nil {
		return nil, "", err
	}
	secret, hash := draw()
	row, err := tx.Ent.AccessToken.Create().SetAgentID(agent).SetName(name).SetHash(hash[:]).SetScopes(in.Scopes).SetExpiresAt(in.ExpiresAt).
		SetCreatorID(viewer.FromContext(ctx).AgentID).SetIssuedAt(s.Clock.Now()).SetCreatedAt(tx.Now).Save(asSystem(ctx))
	return row, secret, err
}

// stillSignedIn refuses an agent whose tokens were revoked while the request waited: who
// holds a stolen one is not to make another of it.
func (s *Service) stillSignedIn(ctx context.Context, tx *store.Tx) error {
	v := viewer.FromContext(ctx)
	if v.System != "" {
		return nil
	}
	row, err := tx.Ent.Agent.Get(ctx, v.AgentID)
	if err == nil && max(row.TokensValidFrom, row.SignedOutAt) != v.ValidFrom {
		err = fault.New(fault.Conflict, "Your tokens were revoked just now. Sign in again.")
	}
	return err
}

// room removes the tokens that have expired, and refuses one more than there may be.
func (s *Service) room(ctx context.Context, tx *store.Tx, agent int64) error {
	if _, err := tx.Ent.AccessToken.Delete().Where(accesstoken.ExpiresAtLTE(s.Clock.Now())).Exec(ctx); err != nil {
		return err
	}
	all, err := tx.Ent.AccessToken.Query().Count(ctx)
	if err != nil {
		return err
	}
	own, err := tx.Ent.AccessToken.Query().Where(accesstoken.AgentID(agent)).Count(ctx)
	return cmp.Or(err, tooMany(all, MostTokens, "The organisation"), tooMany(own, mostOfAgent, "The agent"))
}

func tooMany(have, most int, who string) error {
	if have < most {
		return nil
	}
	return fault.New(fault.LimitExceeded, "%s has %d access tokens, which is the limit. Revoke those that are no longer used, then try again.", who, have)
}
