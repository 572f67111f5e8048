package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"parley/ent"
	"parley/internal/desk/object"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// ObjectType is a type of CRM records as it is defined now.
type ObjectType struct {
	object.Definition

	Key int64
	ID  string
}

// objects are the object types and what agents may do with their records.
type objects struct {
	types  []*ObjectType // by name
	byName map[string]*ObjectType
	byKey  map[int64]*ObjectType
}

func (s *snapshot) addObjects(ids *publicid.Codec, rs *rows) {
	s.objects = objects{byName: make(map[string]*ObjectType, len(rs.objects)), byKey: make(map[int64]*ObjectType, len(rs.objects))}
	for _, row := range rs.objects {
		t := &ObjectType{Definition: Definition(row), Key: row.ID, ID: ids.Encode(publicid.ObjectType, row.ID)}
		s.objects.types = append(s.objects.types, t)
		s.objects.byName[t.Name], s.objects.byKey[t.Key] = t, t
	}
	slices.SortFunc(s.objects.types, func(a, b *ObjectType) int { return strings.Compare(a.Name, b.Name) })
}

// Definition is an object type as a row has it.
func Definition(row *ent.ObjectType) object.Definition {
	return object.Definition{
		Name: row.Name, Label: row.Label, PluralLabel: row.PluralLabel, Icon: row.Icon, Description: row.Description,
		Fields: row.Fields, Messaging: row.Messaging, Related: row.Related,
	}
}

// ObjectTypes are all object types, by name.
func (d *Directory) ObjectTypes() []*ObjectType { return d.now.Load().objects.types }

// ObjectType returns the object type with the name, as the CRM writes it; nil when there
// is none.
func (d *Directory) ObjectType(name string) *ObjectType { return d.now.Load().objects.byName[name] }

// Definition returns the definition of the object type with the name; nil when there is none.
func (d *Directory) Definition(name string) *object.Definition {
	if t := d.ObjectType(name); t != nil {
		return &t.Definition
	}
	return nil
}

// ObjectTypeByKey returns the object type with the key, nil when there is none.
func (d *Directory) ObjectTypeByKey(key int64) *ObjectType { return d.now.Load().objects.byKey[key] }

// Definitions are the definitions of all object types, by name.
func (d *Directory) Definitions() map[string]*object.Definition {
	types := d.ObjectTypes()
	definitions := make(map[string]*object.Definition, len(types))
	for _, t := range types {
		definitions[t.Name] = &t.Definition
	}
	return definitions
}

// RecordRights are what v may do with records: everything for holders of MANAGE_RECORDS
// and the system, for other agents the sum of their permission sets.
func (d *Directory) RecordRights(v *viewer.Viewer) *object.Rights {
	if v == nil {
		return &object.Rights{}
	}
	if v.Can(viewer.ManageRecords) {
		return object.Everything
	}
	if a := d.Agent(v.AgentID); a != nil {
		return a.records
	}
	return &object.Rights{}
}

// profiles are what agents may do with records, made once for all agents with the same
// permission sets.
type profiles struct {
	digests map[int64]string // of a permission set's record rights, by its key
	sums    map[string]profile
}

// profile is what a combination of permission sets gives.
type profile struct {
	rights   *object.Rights
	readable []string
	digest   string
}

func newProfiles() *profiles {
	return &profiles{digests: map[int64]string{}, sums: map[string]profile{}}
}

// of is what permission sets give together.
func (p *profiles) of(sets []*ent.PermissionSet) profile {
	sets = slices.DeleteFunc(sets, func(set *ent.PermissionSet) bool { return len(set.RecordRights) == 0 })
	slices.SortFunc(sets, func(a, b *ent.PermissionSet) int { return cmp.Compare(p.digest(a), p.digest(b)) })
	sets = slices.CompactFunc(sets, func(a, b *ent.PermissionSet) bool { return p.digest(a) == p.digest(b) })
	var key strings.Builder
	for _, set := range sets {
		key.WriteString(p.digest(set))
	}
	sum, known := p.sums[key.String()]
	if !known {
		sum = profileOf(sets)
		if len(sets) > 0 {
			sum.digest = digest([]byte(key.String()))
		}
		p.sums[key.String()] = sum
	}
	return sum
}

func profileOf(sets []*ent.PermissionSet) profile {
	all := make([][]object.Right, len(sets))
	for i, set := range sets {
		all[i] = set.RecordRights
	}
	rights := object.Sum(all...)
	readable, _ := rights.Readable()
	return profile{rights: rights, readable: readable}
}

func (p *profiles) digest(set *ent.PermissionSet) string {
	if known, is := p.digests[set.ID]; is {
		return known
	}
	encoded, err := json.Marshal(set.RecordRights)
	if err != nil {
		panic(err) // texts alone
	}
	p.digests[set.ID] = digest(encoded)
	return p.digests[set.ID]
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
