package live_test

import (
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/desk/object"
	"parley/internal/desk/related"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// kin are the records of an office as it was told of them, to be walked one by one.
type kin struct {
	records  map[string]*told
	mappings []object.Mapping
	changes  int
}

// told is a record as the CRM told of it.
type told struct {
	kind, id    string
	known, gone bool
	into        *told // what has its place
	refers      map[string]*told
}

func (k *kin) record(kind, id string) *told {
	name := kind + " " + id
	if k.records[name] == nil {
		k.records[name] = &told{kind: kind, id: id, refers: map[string]*told{}}
	}
	return k.records[name]
}

// place is the record that has the place of t.
func (t *told) place() *told {
	if t.into != nil {
		return t.into
	}
	return t
}

func (k *kin) upsert(kind, id string, texts map[string]string) {
	t := k.record(kind, id)
	if t.place().kind == kind && t.into != nil {
		return // it was merged into its like
	}
	if t.into == nil {
		t.known, t.gone = true, false
	}
	targets := map[string]string{"AccountId": "Account", "ConvertedAccountId": "Account", "ReportsToId": "Contact", "ConvertedOpportunityId": "Opportunity"}
	for _, field := range references[kind] {
		if delete(t.refers, field); texts[field] != "" {
			t.refers[field] = k.record(targets[field], texts[field]).place()
		}
	}
}

func (k *kin) remove(kind, id string) {
	if t := k.record(kind, id); t.known && t.into == nil {
		t.gone, t.refers = true, map[string]*told{}
	}
}

func (k *kin) unite(kind, id, intoKind, into string) {
	t, root := k.record(kind, id), k.record(intoKind, into).place()
	if t.place() == root || t.into != nil {
		return
	}
	t.into = root
	if t.kind == root.kind {
		t.refers = map[string]*told{}
	}
	for _, other := range k.records {
		if other.into == t {
			other.into = root
		}
		for field, target := range other.refers {
			if target == t {
				other.refers[field] = root
			}
		}
	}
}

// trail is what a walk finds that looks at one record after the other: the label by which
// each is related, in the order of the mappings.
func (k *kin) trail(root *told, rights *object.Rights, definition func(string) *object.Definition) map[string]string {
	if root.place().gone {
		return map[string]string{root.kind + " " + root.id: "itself"}
	}
	root = root.place()
	by := map[string]string{root.kind + " " + root.id: "itself"}
	reads := func(t *told) bool { return !t.gone && rights.Object(t.kind).Includes(object.Read) }
	if root.kind != "Contact" {
		return by
	}
	for _, m := range k.mappings {
		if !rights.Walks(m.Path, definition) {
			continue
		}
		at := []*told{root}
		for _, s := range m.Path {
			var next []*told
			for _, t := range at {
				next = append(next, k.follow(s, t)...)
			}
			at = slices.DeleteFunc(next, func(t *told) bool { return !reads(t) })
		}
		for _, t := range at {
			name := t.place().kind + " " + t.place().id
			if by[name] == "" && reads(t.place()) {
				by[name] = m.Label
			}
		}
	}
	return by
}

// follow takes a step from a record.
func (k *kin) follow(s object.Step, t *told) (to []*told) {
	if s.Direction == object.Up {
		if target := t.refers[s.Field]; target != nil && t.kind == s.Object {
			return []*told{target}
		}
		return nil
	}
	for _, from := range k.records {
		if from.kind == s.Object && from.refers[s.Field] == t {
			to = append(to, from)
		}
	}
	return to
}

// requireWalked requires that the trail of the first record is what a walk finds.
func (o *office) requireWalked(r *rapid.T, username string) {
	v, err := o.Directory.Viewer(username)
	if err != nil {
		return // switched off
	}
	key, ok := o.Conversations.IDs.Decode(publicid.Record, o.records[0])
	require.True(o.T, ok)
	ctx := viewer.NewContext(o.T.Context(), v)
	trail, err := related.Read(ctx, o.Store, o.Directory, key)
	require.NoError(o.T, err)
	got := map[string]string{}
	for _, row := range o.Store.Ent.Record.Query().AllX(o.System()) {
		if trail.Has(row.ID) {
			got[row.ObjectType+" "+row.ExternalID] = "itself"
			if m := trail.By(row.ID); m != nil {
				got[row.ObjectType+" "+row.ExternalID] = m.Label
			}
		}
	}
	if want := o.kin.trail(o.kin.record("Contact", "0"), o.Directory.RecordRights(v), o.Directory.Definition); !maps.Equal(want, got) {
		r.Fatalf("%s walks to %v, and the trail is %v", username, want, got)
	}
}
