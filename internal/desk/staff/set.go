package staff

import (
	"cmp"
	"context"
	"slices"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/permissionset"
	"parley/internal/desk/administration"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// CreatePermissionSetInput is a new permission set.
type CreatePermissionSetInput struct {
	Name           string
	Permissions    []viewer.Permission
	RecordRights   []object.Right
	IdempotencyKey string
}

// UpdatePermissionSetInput is what changes of a permission set; a nil field stays as it
// is.
type UpdatePermissionSetInput struct {
	ID          string
	Name        *string
	Permissions []viewer.Permission // in place of those it has
	// RecordRights are what it gives of CRM records from now on.
	RecordRights []object.Right
}

// GrantInput names a permission set, and agents who are to have it or to lose it.
type GrantInput struct {
	ID       string
	AgentIDs []string
}

// CreatePermissionSet makes a permission set, once for an idempotency key. Nobody has it
// yet.
func (s *Service) CreatePermissionSet(ctx context.Context, in CreatePermissionSetInput) (*PermissionSet, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	name, err := administration.CleanName("input.name", in.Name)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(checkPermissions("input.permissions", in.Permissions), s.checkRecordRights(&in.RecordRights)); err != nil {
		return nil, err
	}
	key, err := administration.Create(ctx, s.Directory, "createPermissionSet", in.IdempotencyKey, in, func(ctx context.Context, tx *store.Tx) (int64, error) {
		names, err := tx.Ent.PermissionSet.Query().Select(permissionset.FieldName).Strings(ctx)
		if err != nil {
			return 0, err
		}
		if err := cmp.Or(administration.Room(len(names), mostSets, "permission sets"), administration.Unused("input.name", name, names), mayGive(ctx, in.Permissions), s.mayGiveRecords(ctx, tx, in.RecordRights)); err != nil {
			return 0, err
		}
		row, err := tx.Ent.PermissionSet.Create().SetName(name).SetPermissions(known(in.Permissions)).SetRecordRights(in.RecordRights).Save(ctx)
		if err != nil {
			return 0, err
		}
		return row.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

// UpdatePermissionSet renames a permission set or replaces its permissions, for all
// agents who have it. Nothing happens when nothing changes.
func (s *Service) UpdatePermissionSet(ctx context.Context, in UpdatePermissionSetInput) (*PermissionSet, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	if err := cmp.Or(checkPermissions("input.permissions", in.Permissions), s.checkRecordRights(&in.RecordRights), administration.CleanNameIn("input.name", &in.Name)); err != nil {
		return nil, err
	}
	return s.changeSet(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.PermissionSet) (bool, error) {
		return s.updateSet(ctx, tx, row, &in)
	})
}

// DeletePermissionSet deletes a permission set that nobody has.
func (s *Service) DeletePermissionSet(ctx context.Context, id string) error {
	if err := administration.Admitted(ctx); err != nil {
		return err
	}
	key, _ := s.IDs.Decode(publicid.PermissionSet, id)
	return administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		n, err := tx.Ent.Agent.Query().Where(agent.HasPermissionSetsWith(permissionset.ID(key))).Count(ctx)
		if err != nil {
			return false, err
		}
		if n > 0 {
			return false, fault.New(fault.Conflict, "Agents who have this permission set: %d, deactivated ones too. Take it from them first.", n)
		}
		err = tx.Ent.PermissionSet.DeleteOneID(key).Exec(ctx)
		if ent.IsNotFound(err) {
			err = fault.At("input.id", fault.Missing("permission set"))
		}
		return true, err
	})
}

func (s *Service) updateSet(ctx context.Context, tx *store.Tx, row *ent.PermissionSet, in *UpdatePermissionSetInput) (bool, error) {
	renamed, changed := administration.Differs(in.Name, row.Name), in.Permissions != nil && !slices.Equal(known(in.Permissions), known(row.Permissions))
	if renamed {
		others, err := tx.Ent.PermissionSet.Query().Where(permissionset.IDNEQ(row.ID)).Select(permissionset.FieldName).Strings(ctx)
		if err != nil {
			return false, err
		}
		if err := administration.Unused("input.name", *in.Name, others); err != nil {
			return false, err
		}
	}
	entitled := in.RecordRights != nil && !sameRights(in.RecordRights, row.RecordRights)
	if !renamed && !changed && !entitled {
		return false, nil
	}
	update := tx.Ent.PermissionSet.UpdateOne(row).SetNillableName(in.Name)
	if changed {
		added := slices.DeleteFunc(known(in.Permissions), func(p viewer.Permission) bool { return slices.Contains(row.Permissions, p) })
		if err := mayGive(ctx, added); err != nil {
			return false, err
		}
		update.SetPermissions(append(known(in.Permissions), newer(row.Permissions)...))
	}
	if entitled {
		if err := s.mayGiveRecords(ctx, tx, in.RecordRights); err != nil {
			return false, err
		}
		update.SetRecordRights(in.RecordRights)
	}
	return true, update.Exec(ctx)
}

// newer are the permissions that only a newer version knows: they stay in their set.
func newer(permissions []viewer.Permission) []viewer.Permission {
	return slices.DeleteFunc(slices.Clone(permissions), func(p viewer.Permission) bool { return p.Name() != "" })
}

// Grant gives agents a permission set. Those who have it keep it.
func (s *Service) Grant(ctx context.Context, in GrantInput) (*PermissionSet, error) {
	return s.give(ctx, in, func(ctx context.Context, tx *store.Tx, row *ent.PermissionSet, update *ent.PermissionSetUpdateOne, agents, having []int64) (bool, error) {
		lacking := administration.Without(agents, having)
		if len(lacking) == 0 {
			return false, nil
		}
		update.AddAgentIDs(lacking...)
		return true, s.mayGiveSet(ctx, tx, row)
	})
}

// Revoke takes a permission set from agents, as far as they have it.
func (s *Service) Revoke(ctx context.Context, in GrantInput) (*PermissionSet, error) {
	return s.give(ctx, in, func(_ context.Context, _ *store.Tx, _ *ent.PermissionSet, update *ent.PermissionSetUpdateOne, agents, having []int64) (bool, error) {
		losing := administration.Without(agents, administration.Without(agents, having))
		update.RemoveAgentIDs(losing...)
		return len(losing) > 0, nil
	})
}

// giving prepares an update for the agents of an input, some of whom have the set, and
// reports whether it changes anything.
type giving func(ctx context.Context, tx *store.Tx, row *ent.PermissionSet, update *ent.PermissionSetUpdateOne, agents, having []int64) (bool, error)

func (s *Service) give(ctx context.Context, in GrantInput, do giving) (*PermissionSet, error) {
	if err := administration.Admitted(ctx); err != nil {
		return nil, err
	}
	keys, err := administration.Keys(s.IDs, publicid.Agent, "input.agentIds", in.AgentIDs)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fault.Input("input.agentIds", "Give 1 to %d ids of agents.", administration.MostListed)
	}
	return s.changeSet(ctx, in.ID, func(ctx context.Context, tx *store.Tx, row *ent.PermissionSet) (bool, error) {
		n, err := tx.Ent.Agent.Query().Where(agent.IDIn(keys...)).Count(ctx)
		if err == nil && n < len(keys) {
			err = fault.At("input.agentIds", fault.Missing("agent"))
		}
		if err != nil {
			return false, err
		}
		having, err := row.QueryAgents().IDs(ctx)
		if err != nil {
			return false, err
		}
		update := tx.Ent.PermissionSet.UpdateOne(row)
		if changes, err := do(ctx, tx, row, update, keys, having); err != nil || !changes {
			return false, err
		}
		return true, update.Exec(ctx)
	})
}

// changeSet changes the permission set with an id.
func (s *Service) changeSet(ctx context.Context, id string, do func(context.Context, *store.Tx, *ent.PermissionSet) (changed bool, err error)) (*PermissionSet, error) {
	key, _ := s.IDs.Decode(publicid.PermissionSet, id)
	err := administration.Apply(ctx, s.Directory, func(ctx context.Context, tx *store.Tx) (bool, error) {
		row, err := tx.Ent.PermissionSet.Get(ctx, key)
		if ent.IsNotFound(err) {
			return false, fault.At("input.id", fault.Missing("permission set"))
		}
		if err != nil {
			return false, err
		}
		return do(ctx, tx, row)
	})
	if err != nil {
		return nil, err
	}
	return s.reread(ctx, key)
}

// reread reads a permission set as it is now. An administrator may have lost the sight
// of it by the change itself.
func (s *Service) reread(ctx context.Context, key int64) (*PermissionSet, error) {
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		err = fault.Missing("permission set")
	}
	return found[key], err
}
