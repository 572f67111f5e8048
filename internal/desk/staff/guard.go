package staff

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/ent/permissionset"
	"parley/internal/desk/administration"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds: characters of a text, and how many there may be.
const (
	mostUsername = 64
	mostAgents   = 5_000
	mostSets     = 500
)

// mayGive refuses permissions that the administrator of ctx lacks, also where nobody
// holds them yet: in a set without agents, or for an agent who is not active. One that
// only a newer version knows takes an administrator who holds all.
func mayGive(ctx context.Context, permissions []viewer.Permission) error {
	v := viewer.FromContext(ctx)
	var lacking []viewer.Permission
	for _, p := range viewer.Permissions {
		if !v.Can(p) {
			lacking = append(lacking, p)
		}
	}
	given := slices.DeleteFunc(slices.Clone(lacking), func(p viewer.Permission) bool { return !slices.Contains(permissions, p) })
	switch {
	case len(given) > 0:
		return administration.NotTheirs(given)
	case len(lacking) > 0 && len(newer(permissions)) > 0:
		return administration.NotTheirs(lacking)
	}
	return nil
}

// mayGiveSets refuses permission sets that hold a permission, or a right on records,
// which the administrator lacks.
func (s *Service) mayGiveSets(ctx context.Context, tx *store.Tx, keys []int64) error {
	sets, err := tx.Ent.PermissionSet.Query().Where(permissionset.IDIn(keys...)).All(ctx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if err := s.mayGiveSet(ctx, tx, set); err != nil {
			return err
		}
	}
	return nil
}

func checkUsername(field, username string) error {
	odd := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == utf8.RuneError || r == '\u2800' || // a blank, in Braille
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
	}
	n := utf8.RuneCountInString(username)
	switch {
	case n < 1 || n > mostUsername:
		return fault.Input(field, "Use 1 to %d characters, not %d.", mostUsername, n)
	case strings.IndexFunc(username, odd) >= 0 || norm.NFC.String(username) != username || unicode.IsMark([]rune(username)[0]):
		return fault.Input(field, "Use visible characters only, and no spaces. The username is what the agent's token says.")
	}
	return nil
}

func checkRole(field string, role viewer.Role) error {
	if role.Known() == viewer.OtherRole {
		return fault.Input(field, "Use one of the roles %s, %s and %s.", viewer.Standard, viewer.Supervisor, viewer.Admin)
	}
	return nil
}

func checkPermissions(field string, permissions []viewer.Permission) error {
	for _, p := range permissions {
		if p.Name() == "" {
			return fault.Input(field, "There is no permission %q. The permissions are %s.", string(p), strings.Join(viewer.PermissionNames(viewer.Permissions), ", "))
		}
	}
	return nil
}
