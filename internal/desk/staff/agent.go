package staff

import (
	"cmp"
	"context"
	"slices"

	"parley/ent"
	"parley/ent/identity"
	"parley/ent/permissionset"
	"parley/internal/desk/administration"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CreateAgentInput is a new agent.
type CreateAgentInput struct {
	Username         string
	Name             string
	Role             viewer.Role
	IsLicensed       *bool // nil for true
	PermissionSetIDs []string
	IdempotencyKey   string
}

// UpdateAgentInput is what changes of an agent; a nil field stays as it is.
type UpdateAgentInput struct {
	ID               string
	Name             *string
	Role             *viewer.Role
	IsLicensed       *bool
	PermissionSetIDs []string // in place of those the agent has
	DefaultChannelID *string
	TimeZone         *string
	Locale           *string
}

// CreateAgent makes an active agent in the organisation's time zone, once for an
// idempotency key.
func (s *Service) CreateAgent(ctx context.Context, in CreateAgentInput) (*directory.Agent, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	name, err := in.check()
	if err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createAgent", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		if err := vacant(ctx, tx, in.Username); err != nil {
			return 0, err
		}
		sets, err := s.setKeys(ctx, tx, in.PermissionSetIDs)
		if err != nil {
			return 0, err
		}
		if err := cmp.Or(mayGive(ctx, in.Role.Defaults()), s.mayGiveSets(ctx, tx, sets)); err != nil {
			return 0, err
		}
		o := s.Directory.Organization()
		row, err := tx.Ent.Agent.Create().SetUsername(in.Username).SetName(name).SetRole(in.Role).
			SetNillableLicensed(in.IsLicensed).AddPermissionSetIDs(sets...).SetTimeZone(o.TimeZone).SetNillableLocale(o.Locale).SetCreatedAt(tx.Now).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.agent(ctx, key)
}

// Check refuses what can become no agent, and writes nothing.
func (s *Service) Check(in CreateAgentInput) error {
	if _, err := in.check(); err != nil {
		return err
	}
	usernames := []string{}
	for _, a := range s.Directory.Agents() {
		usernames = append(usernames, a.Username)
	}
	return cmp.Or(administration.Room(len(usernames), mostAgents, "agents"), administration.Unused("input.username", in.Username, usernames))
}

// check returns the name as it is stored.
func (in *CreateAgentInput) check() (name string, err error) {
	if err := checkUsername("input.username", in.Username); err != nil {
		return "", err
	}
	if err := checkRole("input.role", in.Role); err != nil {
		return "", err
	}
	return administration.CleanName("input.name", in.Name)
}

// UpdateAgent changes an agent. Nothing happens when nothing changes.
func (s *Service) UpdateAgent(ctx context.Context, in UpdateAgentInput) (*directory.Agent, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if in.Role != nil {
		if err := checkRole("input.role", *in.Role); err != nil {
			return nil, err
		}
	}
	settings := Settings{DefaultChannelID: in.DefaultChannelID, TimeZone: in.TimeZone, Locale: in.Locale}
	if err := cmp.Or(administration.CleanNameIn("input.name", &in.Name), settings.check()); err != nil {
		return nil, err
	}
	return s.change(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.Agent) (bool, error) {
		return s.update(ctx, tx, row, &in, &settings)
	})
}

func (s *Service) update(ctx context.Context, tx *store.Tx, row *ent.Agent, in *UpdateAgentInput, settings *Settings) (changed bool, err error) {
	update := tx.Ent.Agent.UpdateOne(row).SetNillableName(in.Name).SetNillableRole(in.Role).SetNillableLicensed(in.IsLicensed)
	if in.Role != nil {
		if row.Kind.Known() == viewer.Service && *in.Role != viewer.Standard {
			return false, fault.Input("input.role", "A service account has the role STANDARD. Give it permission sets instead.")
		}
		gained := slices.DeleteFunc(slices.Clone(in.Role.Defaults()), func(p viewer.Permission) bool { return slices.Contains(row.Role.Defaults(), p) })
		if err := mayGive(ctx, gained); err != nil {
			return false, err
		}
	}
	changed = administration.Differs(in.Name, row.Name) || administration.Differs(in.Role, row.Role) || administration.Differs(in.IsLicensed, row.Licensed)
	if in.PermissionSetIDs != nil {
		sets, err := s.setKeys(ctx, tx, in.PermissionSetIDs)
		if err != nil {
			return false, err
		}
		has, err := row.QueryPermissionSets().IDs(viewer.AsSystem(ctx, "staff"))
		if err != nil {
			return false, err
		}
		if err := s.mayGiveSets(ctx, tx, administration.Without(sets, has)); err != nil {
			return false, err
		}
		slices.Sort(has)
		if !slices.Equal(has, sets) {
			changed = true
			update.RemovePermissionSetIDs(administration.Without(has, sets)...).AddPermissionSetIDs(administration.Without(sets, has)...)
		}
	}
	set, err := settings.apply(ctx, s.IDs, row, update)
	if err != nil || !changed && !set {
		return false, err
	}
	return true, update.Exec(ctx)
}

// change changes the agent with an id.
func (s *Service) change(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.Agent) (changed bool, err error)) (*directory.Agent, error) {
	key, _ := s.IDs.Decode(publicid.Agent, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.Agent.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("agent"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.agent(ctx, key)
}

// agent returns the agent as colleagues see them now.
func (s *Service) agent(ctx context.Context, key int64) (*directory.Agent, error) {
	return administration.Find(ctx, s.Directory, "agent", func() *directory.Agent { return s.Directory.Agent(key) })
}

// Activate makes an agent active, who may sign in again.
func (s *Service) Activate(ctx context.Context, id string) (*directory.Agent, error) {
	return s.setActive(ctx, id, true)
}

// Owned is the conversations that an agent owns and the viewer sees, and how to select
// them in a bulk operation.
type Owned struct {
	Count   int64
	View    conversation.ViewKind
	OwnerID string
}

// Deactivate makes an agent inactive: tokens are refused, sockets and streams end, and
// bulk operations stop. It also returns what they still own.
func (s *Service) Deactivate(ctx context.Context, id string) (*directory.Agent, *Owned, error) {
	a, err := s.setActive(ctx, id, false)
	if err != nil {
		return nil, nil, err
	}
	owned := &Owned{View: conversation.All, OwnerID: a.ID}
	scope, err := s.Conversations.Scope(ctx, viewer.FromContext(ctx), conversation.View{Kind: owned.View}, &conversation.Filter{OwnerID: &a.ID})
	if err != nil {
		return nil, nil, err
	}
	counts, _, err := s.Conversations.Count(ctx, scope)
	owned.Count = counts.Total
	return a, owned, err
}

func (s *Service) setActive(ctx context.Context, id string, active bool) (*directory.Agent, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	return s.change(ctx, id, func(ctx context.Context, tx *store.Tx, row *ent.Agent) (bool, error) {
		if row.Active == active {
			return false, nil
		}
		if active {
			if err := s.mayActivate(ctx, tx, row.ID); err != nil {
				return false, err
			}
			// Whoever comes back counts as unseen from now.
			if err := tx.Ent.Identity.Update().Where(identity.AgentID(row.ID)).SetCountsFrom(tx.Now).Exec(viewer.AsSystem(ctx, "staff")); err != nil {
				return false, err
			}
		}
		return true, tx.Ent.Agent.UpdateOne(row).SetActive(active).Exec(ctx)
	})
}

// setKeys are the keys of permission sets by their ids, each once and ascending.
func (s *Service) setKeys(ctx context.Context, tx *store.Tx, ids []string) ([]int64, error) {
	keys, err := administration.Keys(s.IDs, publicid.PermissionSet, "input.permissionSetIds", ids)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	n, err := tx.Ent.PermissionSet.Query().Where(permissionset.IDIn(keys...)).Count(ctx)
	if err == nil && n < len(keys) {
		err = fault.At("input.permissionSetIds", fault.Missing("permission set"))
	}
	return keys, err
}
