package object

import (
	"slices"
	"strings"
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

// Right is what a permission set gives of an object type.
type Right struct {
	Object string       `json:"object"`
	Access Access       `json:"access"`
	Fields []FieldRight `json:"fields,omitempty"`
}

// FieldRight is what a permission set gives of a field, in place of its access to the
// object type.
type FieldRight struct {
	Field  string `json:"field"`
	Access Access `json:"access"`
}

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
