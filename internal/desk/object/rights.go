package object

import (
	"fmt"
	"slices"
	"strings"

	"parley/internal/ground/fault"
)

// Access is what an agent may do with a record or a field.
type Access string

// The accesses. Write includes Read.
const (
	None  Access = "NONE"
	Read  Access = "READ"
	Write Access = "WRITE"
)

// order is how accesses include each other. One that only a newer version knows is none.
var order = map[Access]int{Read: 1, Write: 2}

// Includes reports whether a allows what b does.
func (a Access) Includes(b Access) bool { return order[a] >= order[b] }

// Known is the access, None for one that only a newer version knows.
func (a Access) Known() Access {
	if order[a] == 0 {
		return None
	}
	return a
}

func (a Access) isKnown() bool { return a == None || order[a] > 0 }

// Right is what a permission set gives of an object type.
type Right struct {
	Object string       `json:"objectType"`
	Access Access       `json:"access"`
	Fields []FieldRight `json:"fields,omitempty"`
}

// FieldRight is what a permission set gives of a field, in place of its access to the
// object type.
type FieldRight struct {
	Field  string `json:"field"`
	Access Access `json:"access"`
}

// Known is the access, None for one that only a newer version knows.
func (r *Right) Known() Access { return r.Access.Known() }

// Known is the access, None for one that only a newer version knows.
func (r *FieldRight) Known() Access { return r.Access.Known() }

// of is what the right gives of a field: never more than of the object type, and of a
// sensitive field only what is said of it by name.
func (r *Right) of(f *Field) Access {
	i := slices.IndexFunc(r.Fields, func(right FieldRight) bool { return strings.EqualFold(right.Field, f.Name) })
	switch {
	case i >= 0 && r.Access.Includes(r.Fields[i].Access):
		return r.Fields[i].Access
	case i < 0 && f.Sensitive:
		return None
	}
	return r.Access
}

// Rights are what an agent may do with records: the sum of their permission sets'. The
// zero value allows nothing.
type Rights struct {
	all bool
	of  []Right
}

// Everything are the rights of whoever holds MANAGE_RECORDS, and of the system.
var Everything = &Rights{all: true}

// Sum are the rights of several permission sets together.
func Sum(sets ...[]Right) *Rights { return &Rights{of: slices.Concat(sets...)} }

// Object is what the agent may do with records of an object type.
func (r *Rights) Object(name string) Access {
	if r.all {
		return Write
	}
	most := None
	for i := range r.of {
		if r.of[i].Object == name && r.of[i].Access.Includes(most) {
			most = r.of[i].Access
		}
	}
	return most
}

// Field is what the agent may do with a field of an object type.
func (r *Rights) Field(d *Definition, f *Field) Access {
	if r.all {
		return Write
	}
	most := None
	for i := range r.of {
		if r.of[i].Object != d.Name {
			continue
		}
		if access := r.of[i].of(f); access.Includes(most) {
			most = access
		}
	}
	return most
}

// Of is what the agent may do with records of an object type, as one right.
func (r *Rights) Of(d *Definition) Right {
	right := Right{Object: d.Name, Access: r.Object(d.Name)}
	for i := range d.Fields {
		f := &d.Fields[i]
		if access := r.Field(d, f); access != right.Access {
			right.Fields = append(right.Fields, FieldRight{f.Name, access})
		}
	}
	return right
}

// Readable are the object types whose records the agent may read, sorted; false when
// they may read all.
func (r *Rights) Readable() ([]string, bool) {
	var names []string
	for i := range r.of {
		if r.of[i].Access.Includes(Read) {
			names = append(names, r.of[i].Object)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), !r.all
}

// Covers reports whether r allows everything that a permission set's rights give of the
// object types. What only a newer version knows is more than any sum allows.
func (r *Rights) Covers(given []Right, types map[string]*Definition) bool {
	if r.all {
		return true
	}
	for i := range given {
		d := types[given[i].Object]
		if d == nil || !r.covers(&given[i], d) {
			return false
		}
	}
	return true
}

func (r *Rights) covers(given *Right, d *Definition) bool {
	newer := func(f FieldRight) bool { return !f.Access.isKnown() }
	if !r.Object(d.Name).Includes(given.Access) || !given.Access.isKnown() || slices.ContainsFunc(given.Fields, newer) {
		return false
	}
	for i := range d.Fields {
		if f := &d.Fields[i]; !r.Field(d, f).Includes(given.of(f)) {
			return false
		}
	}
	return true
}

// CoversAll reports whether r allows everything that others do.
func (r *Rights) CoversAll(others *Rights, types map[string]*Definition) bool {
	return r.all || !others.all && r.Covers(others.of, types)
}

// CheckRights refuses rights that are not of the object types, and spells names as these
// do. at is the input field.
func CheckRights(at string, rights []Right, types map[string]*Definition) error {
	if n := len(rights); n > MostTypes {
		return fault.Input(at, "Give rights on at most %d object types, not %d.", MostTypes, n)
	}
	for i := range rights {
		at, r := fmt.Sprintf("%s.%d", at, i), &rights[i]
		d := named(types, r.Object)
		switch {
		case d == nil:
			return fault.Input(at+".objectType", "There is no object type %q. Create it first, or correct the name.", r.Object)
		case slices.ContainsFunc(rights[:i], func(before Right) bool { return before.Object == d.Name }):
			return fault.Input(at+".objectType", "The object type %q is there twice. Give its rights once.", d.Name)
		case !r.Access.isKnown():
			return fault.Input(at+".access", "There is no access %q. Use NONE, READ or WRITE.", r.Access)
		}
		r.Object = d.Name
		if err := r.checkFields(at+".fields", d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Right) checkFields(at string, d *Definition) error {
	if n := len(r.Fields); n > MostFields {
		return fault.Input(at, "Give rights on at most %d fields, not %d.", MostFields, n)
	}
	for i := range r.Fields {
		at, right := fmt.Sprintf("%s.%d", at, i), &r.Fields[i]
		f := d.Field(right.Field)
		switch {
		case f == nil:
			return fault.Input(at+".field", "The object type %q has no field %q. Add it first, or correct the name.", d.Name, right.Field)
		case slices.ContainsFunc(r.Fields[:i], func(before FieldRight) bool { return before.Field == f.Name }):
			return fault.Input(at+".field", "The field %q is there twice. Give its rights once.", f.Name)
		case !right.Access.isKnown():
			return fault.Input(at+".access", "There is no access %q. Use NONE, READ or WRITE.", right.Access)
		case !r.Access.Includes(right.Access):
			return fault.Input(at+".access", "%s of the field %q is more than %s of its object type. Give at least as much of the object type.", right.Access, f.Name, r.Access)
		}
		right.Field = f.Name
	}
	return nil
}

// named returns the definition with the name, ignoring case; nil when there is none.
func named(types map[string]*Definition, name string) *Definition {
	if d := types[name]; d != nil {
		return d
	}
	for is, d := range types {
		if strings.EqualFold(is, name) {
			return d
		}
	}
	return nil
}
