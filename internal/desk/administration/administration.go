// Package administration is what all use cases of administrators share: who may, how a
// change is made, and which names are taken.
//
// Every change is one write of the directory (directory.Apply): every process reads the
// directory again, and streams of agents whose rights moved begin anew or end. At least
// one active agent always holds CONFIGURE_MESSAGING, and nobody gives a permission that
// they do not hold.
package administration

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/idempotency"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of inputs.
const (
	MostName   = 200 // characters of a name
	MostListed = 500 // ids in a list
)

var errNoAdministrator = fault.New(fault.Forbidden, "Only administrators set up the organisation: it needs CONFIGURE_MESSAGING. Ask an administrator.")

// Admitted refuses whoever is no administrator, before anything else is looked at.
func Admitted(ctx context.Context) error {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return errNoAdministrator
	}
	return nil
}

// Do writes a change, and reports whether anything changed. It may run more than once.
type Do func(ctx context.Context, tx *store.Tx) (changed bool, err error)

// Apply makes a change for the administrator of ctx.
func Apply(ctx context.Context, d *directory.Directory, do Do) error {
	return apply(ctx, d, "", do)
}

func apply(ctx context.Context, d *directory.Directory, key string, do Do) error {
	return d.Apply(ctx, directory.Edit{Do: do, Allow: allowTo(viewer.FromContext(ctx)), Key: key})
}

// Create makes something for the administrator of ctx, once for an idempotency key of a
// mutation with an input, and returns what create returned the first time: its key.
func Create(ctx context.Context, d *directory.Directory, mutation, key string, in any, create func(ctx context.Context, tx *store.Tx) (int64, error)) (made int64, err error) {
	if err := idempotency.CheckKey(key); err != nil {
		return 0, err
	}
	err = apply(ctx, d, key, func(ctx context.Context, tx *store.Tx) (bool, error) {
		first, repeated, err := idempotency.Do(ctx, tx, mutation, key, in, func() (int64, error) { return create(ctx, tx) })
		made = first
		return !repeated, err
	})
	return made, err
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
			return NotTheirs(given)
		case administrators(before) > 0 && administrators(after) == 0:
			return fault.New(fault.Conflict, "This would leave no active agent with CONFIGURE_MESSAGING, so that nobody could manage agents any more. Give it to another active agent first.")
		}
		return nil
	}
}

// NotTheirs refuses to give permissions that the administrator lacks.
func NotTheirs(lacking []viewer.Permission) error {
	return fault.New(fault.Forbidden, "You can only give permissions that you hold yourself, and you lack %s. Ask an administrator who holds them.",
		strings.Join(viewer.PermissionNames(lacking), ", "))
}

// ErrNotTheirRecords refuses to give rights on records that the administrator lacks.
var ErrNotTheirRecords = fault.New(fault.Forbidden, "You can only give rights on records that you have yourself, and you lack some of these. Ask an administrator who holds MANAGE_RECORDS.")

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

// Within refuses what would let somebody act as an agent who may do more than they may.
func Within(d *directory.Directory, by, agent *viewer.Viewer) error {
	lacking := slices.DeleteFunc(slices.Clone(agent.Permissions), by.Can)
	if len(lacking) > 0 {
		return NotTheirs(lacking)
	}
	if !d.RecordRights(by).CoversAll(d.RecordRights(agent), d.Definitions()) {
		return ErrNotTheirRecords
	}
	return SeesAll(by, agent.Channels, agent.Queues)
}

// SeesAll refuses channels and queues whose conversations the administrator does not see.
func SeesAll(by *viewer.Viewer, channels, queues []int64) error {
	if by.Can(viewer.ViewAllData) {
		return nil
	}
	foreign := func(key int64) bool { return !by.HasChannel(key) }
	if slices.ContainsFunc(channels, foreign) || slices.ContainsFunc(queues, func(key int64) bool { return !by.HasQueue(key) }) {
		return fault.New(fault.Forbidden, "You can only give sender IDs and queues that you work yourself, unless you hold VIEW_ALL_DATA. Ask an administrator who does.")
	}
	return nil
}

// administrators counts the people among them: a program is no way back.
func administrators(rights directory.Rights) (n int) {
	for _, v := range rights {
		if rule.Administers(v) && !v.IsService {
			n++
		}
	}
	return n
}

// Find is what find finds in the directory, or in the directory as it is read again:
// another process may have created it, and its event is on the way. what names it, for
// whoever asked for what is not there.
func Find[T any](ctx context.Context, d *directory.Directory, what string, find func() *T) (*T, error) {
	if found := find(); found != nil {
		return found, nil
	}
	if err := d.Refresh(ctx); err != nil {
		return nil, err
	}
	if found := find(); found != nil {
		return found, nil
	}
	return nil, fault.Missing(what)
}

// CleanName makes a name fit for storage: 1 to MostName characters, one of them visible.
func CleanName(field, name string) (string, error) {
	clean := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control) { // would move or hide what stands beside it in a list
			return -1
		}
		return r
	}, channel.CleanText(name))
	if channel.IsBlank(clean) {
		return "", fault.Input(field, "Enter at least one visible character.")
	}
	if n := utf8.RuneCountInString(clean); n > MostName {
		return "", fault.Input(field, "Use at most %d characters, not %d.", MostName, n)
	}
	return clean, nil
}

// CleanNameIn is CleanName for a name that an update may leave out.
func CleanNameIn(field string, name **string) error {
	if *name == nil {
		return nil
	}
	clean, err := CleanName(field, **name)
	*name = &clean
	return err
}

// Room refuses one more than most.
func Room(have, most int, what string) error {
	if have >= most {
		return fault.New(fault.LimitExceeded, "The organisation has %d %s, which is the limit. Reuse an old one.", have, what)
	}
	return nil
}

// Unused refuses a name that differs from one of these in case at most.
func Unused(field, name string, names []string) error {
	if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
		return fault.Input(field, "The name %q is taken, whatever the case of its letters. Choose another.", names[i])
	}
	return nil
}

// Keys decodes up to MostListed ids of a kind, each once and ascending; 0, which nothing
// has, for what is no such id.
func Keys(c *publicid.Codec, kind publicid.Kind, field string, ids []string) ([]int64, error) {
	if len(ids) > MostListed {
		return nil, fault.Input(field, "Give at most %d ids, not %d.", MostListed, len(ids))
	}
	keys := make([]int64, len(ids))
	for i, id := range ids {
		keys[i], _ = c.Decode(kind, id)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// Without are the keys that are not among others.
func Without(keys, others []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(keys), func(key int64) bool { return slices.Contains(others, key) })
}

// Differs reports whether an update gives a value other than the present one; nil leaves
// it as it is.
func Differs[T comparable](to *T, is T) bool { return to != nil && *to != is }

// Set gives a field the value of an update; nil leaves it as it is.
func Set[T any](is, to *T) {
	if to != nil {
		*is = *to
	}
}

// Same reports whether two definitions are the same as JSON, as they are stored.
func Same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
