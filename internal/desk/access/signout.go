package access

import (
	"context"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/identity"
	"parley/internal/desk/journal"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// SignOut is what an issuer says when somebody has signed out there.
type SignOut struct {
	Issuer, Subject string
	Username        string     // as the issuer names the agent; empty if it does not
	Before          clock.Time // tokens that say they were issued before are refused
}

// SignedOut refuses every JSON Web Token of the agent that says it was issued before,
// whoever issued it, and ends what they opened. Access tokens stay: programs use them. Nobody's
// sign-out, or one that is known already, changes nothing.
func (s *Service) SignedOut(ctx context.Context, out SignOut) error {
	s.Seen.flush(ctx) // they may have signed in just now
	ctx = viewer.AsSystem(ctx, "issuer "+out.Issuer)
	return s.apply(ctx, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := signedIn(ctx, tx, &out)
		if ent.IsNotFound(err) {
			return false, nil
		}
		if err != nil || row.SignedOutAt >= out.Before {
			return false, err
		}
		if err := tx.Ent.Agent.UpdateOne(row).SetSignedOutAt(out.Before).Exec(ctx); err != nil {
			return false, err
		}
		e := journal.Entry{
			Action: journal.Revoked, SubjectType: "Agent", SubjectKey: row.ID, SubjectName: row.Username,
			Detail: "The agent signed out at the issuer, so the tokens until then were revoked.",
		}
		return true, e.Write(ctx, tx)
	})
}

// signedIn is the agent whom the issuer has signed in as the subject, or else the one of
// the username.
func signedIn(ctx context.Context, tx *store.Tx, out *SignOut) (*ent.Agent, error) {
	known, err := tx.Ent.Identity.Query().Where(identity.Issuer(out.Issuer), identity.Subject(out.Subject)).Only(ctx)
	if ent.IsNotFound(err) {
		return tx.Ent.Agent.Query().Where(agent.Username(out.Username)).Only(ctx)
	}
	if err != nil {
		return nil, err
	}
	return tx.Ent.Agent.Get(ctx, known.AgentID)
}
