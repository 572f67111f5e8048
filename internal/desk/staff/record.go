package staff

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"parley/ent"
	"parley/ent/agent"
	"parley/ent/permissionset"
	"parley/internal/desk/administration"
	"parley/internal/desk/object"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// checkRecordRights refuses rights on what there is not, and puts the others in one order
// and spelling. It leaves nil as it is.
func (s *Service) checkRecordRights(rights *[]object.Right) error {
	if *rights == nil {
		return nil
	}
	checked := slices.Clone(*rights)
	for i := range checked {
		checked[i].Fields = slices.Clone(checked[i].Fields)
	}
	if err := object.CheckRights("input.recordRights", checked, s.Directory.Definitions()); err != nil {
		return err
	}
	slices.SortFunc(checked, func(a, b object.Right) int { return strings.Compare(a.Object, b.Object) })
	*rights = checked
	return nil
}

// sameRights compares the rights of permission sets.
func sameRights(a, b []object.Right) bool {
	return slices.EqualFunc(a, b, func(a, b object.Right) bool {
		return a.Object == b.Object && a.Access == b.Access && slices.Equal(a.Fields, b.Fields)
	})
}

// mayGiveSet refuses a permission set that holds a permission, or a right on records,
// which the administrator of ctx lacks.
func (s *Service) mayGiveSet(ctx context.Context, tx *store.Tx, set *ent.PermissionSet) error {
	return cmp.Or(mayGive(ctx, set.Permissions), s.mayGiveRecords(ctx, tx, set.RecordRights))
}

// mayGiveRecords refuses rights on records that the administrator of ctx lacks. What they
// have is read in the transaction: somebody may have taken it a moment ago.
func (s *Service) mayGiveRecords(ctx context.Context, tx *store.Tx, rights []object.Right) error {
	v := viewer.FromContext(ctx)
	if v.System != "" || len(rights) == 0 {
		return nil
	}
	row, err := tx.Ent.Agent.Query().Where(agent.ID(v.AgentID)).WithPermissionSets().Only(ctx)
	if err != nil {
		return err
	}
	held := slices.Clone(row.Role.Defaults())
	var own [][]object.Right
	for _, set := range row.Edges.PermissionSets {
		held, own = append(held, set.Permissions...), append(own, set.RecordRights)
	}
	if slices.Contains(held, viewer.ManageRecords) || object.Sum(own...).Covers(rights, s.Directory.Definitions()) {
		return nil
	}
	return administration.ErrNotTheirRecords
}

// mayActivate refuses to give an agent back rights on records that the administrator of
// ctx lacks.
func (s *Service) mayActivate(ctx context.Context, tx *store.Tx, key int64) error {
	sets, err := tx.Ent.PermissionSet.Query().Where(permissionset.HasAgentsWith(agent.ID(key))).All(ctx)
	if err != nil {
		return err
	}
	var rights []object.Right
	for _, set := range sets {
		rights = append(rights, set.RecordRights...)
	}
	return s.mayGiveRecords(ctx, tx, rights)
}
