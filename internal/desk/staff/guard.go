package staff

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"parley/ent/permissionset"
	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds: characters of a text, and how many there may be.
const (
	mostUsername = 64
	mostName     = 200
	mostAgents   = 5_000
	mostSets     = 500
	mostListed   = 500 // agents or permission sets in an input
)

var errNoAdministrator = fault.New(fault.Forbidden, "Only administrators manage agents and permission sets: it needs CONFIGURE_MESSAGING. Ask an administrator.")

// admitted refuses whoever is no administrator, before anything else is looked at.
func admitted(ctx context.Context) error {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return errNoAdministrator
	}
	return nil
}

// apply makes a change for the administrator of ctx.
func (s *Service) apply(ctx context.Context, key string, do func(ctx context.Context, tx *store.Tx) (changed bool, err error)) error {
	return s.Directory.Apply(ctx, directory.Edit{Do: do, Allow: allowTo(viewer.FromContext(ctx)), Key: key})
}

// allowTo judges a change by v, with the rights they had just before it: somebody else
// may have changed these meanwhile.
func allowTo(v *viewer.Viewer) func(before, after directory.Rights) error {
	return func(before, after directory.Rights) error {
		by := v
		if v.System == "" {
			by = before[v.AgentID]
		}
		switch given := unheld(by, before, after); {
		case !rule.Administers(by):
			return errNoAdministrator
		case len(given) > 0:
			return notTheirs(given)
		case administrators(before) > 0 && administrators(after) == 0:
			return fault.New(fault.Conflict, "This would leave no active agent with CONFIGURE_MESSAGING, so that nobody could manage agents any more. Give it to another active agent first.")
		}
		return nil
	}
}

func notTheirs(lacking []viewer.Permission) error {
	return fault.New(fault.Forbidden, "You can only give permissions that you hold yourself, and you lack %s. Ask an administrator who holds them.",
		strings.Join(viewer.PermissionNames(lacking), ", "))
}

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
		return notTheirs(given)
	case len(lacking) > 0 && len(newer(permissions)) > 0:
		return notTheirs(lacking)
	}
	return nil
}

// mayGiveSets refuses permission sets that hold a permission which the administrator
// lacks.
func mayGiveSets(ctx context.Context, tx *store.Tx, keys []int64) error {
	sets, err := tx.Ent.PermissionSet.Query().Where(permissionset.IDIn(keys...)).All(ctx)
	if err != nil {
		return err
	}
	for _, set := range sets {
		if err := mayGive(ctx, set.Permissions); err != nil {
			return err
		}
	}
	return nil
}

// unheld are the permissions that a change gives somebody although by lacks them.
func unheld(by *viewer.Viewer, before, after directory.Rights) (lacking []viewer.Permission) {
	for _, p := range viewer.Permissions {
		if by != nil && by.Can(p) {
			continue
		}
		for key, now := range after {
			if was := before[key]; now.Can(p) && (was == nil || !was.Can(p)) {
				lacking = append(lacking, p)
				break
			}
		}
	}
	return lacking
}

func administrators(rights directory.Rights) (n int) {
	for _, v := range rights {
		if rule.Administers(v) {
			n++
		}
	}
	return n
}

// cleanName makes the name of an input fit for storage.
func cleanName(name string) (string, error) {
	clean := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control) { // would move or hide what stands beside it in a list
			return -1
		}
		return r
	}, channel.CleanText(name))
	if channel.IsBlank(clean) {
		return "", fault.Input("input.name", "Enter at least one visible character.")
	}
	if n := utf8.RuneCountInString(clean); n > mostName {
		return "", fault.Input("input.name", "Use at most %d characters, not %d.", mostName, n)
	}
	return clean, nil
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

// free refuses one more than most, and a name that differs from one of these in case at
// most.
func free(field, name string, names []string, most int, what string) error {
	if len(names) >= most {
		return fault.New(fault.LimitExceeded, "The organisation has %d %s, which is the limit. Nothing can be deleted: reuse an old one.", len(names), what)
	}
	return unused(field, name, names)
}

func unused(field, name string, names []string) error {
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
		return fault.Input(field, "The name %q is taken, whatever the case of its letters. Choose another.", names[i])
	}
	return nil
}
