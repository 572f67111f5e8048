package object

import (
	"fmt"
	"slices"
	"strings"

	"parley/internal/ground/fault"
)

// Bounds of mappings.
const (
	MostMappings = 20 // of an object type
	MostSteps    = 5  // of a mapping
)

// Mapping relates other records, and so their conversations, to each record of an object
// type: those that a path of lookups leads to.
type Mapping struct {
	Label string `json:"label"` // unique in its object type ignoring case
	Path  []Step `json:"path"`
}

// Step goes from records along a lookup: a field by which records reference others.
type Step struct {
	Direction Direction `json:"direction"`
	Object    string    `json:"objectType"` // that has the field
	Field     string    `json:"field"`
}

// Direction is which way a step takes a lookup.
type Direction string

// The directions: Up to the record that the field references, Down to those whose field
// references the record.
const (
	Up   Direction = "UP"
	Down Direction = "DOWN"
)

// Equal reports whether two mappings have the same label and path.
func (m Mapping) Equal(n Mapping) bool { return m.Label == n.Label && slices.Equal(m.Path, n.Path) }

// Walks reports whether the agent may read every step of a path: the object type whose
// field it takes, and the field.
func (r *Rights) Walks(path []Step, definition func(name string) *Definition) bool {
	return !slices.ContainsFunc(path, func(s Step) bool {
		d := definition(s.Object)
		if d == nil || !r.Object(s.Object).Includes(Read) {
			return true
		}
		f := d.Field(s.Field)
		return f == nil || f.Kind != Reference || !r.Field(d, f).Includes(Read)
	})
}

// CheckMappings refuses mappings that do not go from record to record by references of the
// object types, and spells names as these do.
func (d *Definition) CheckMappings(types map[string]*Definition) error {
	if n := len(d.Related); n > MostMappings {
		return fault.Input("input.relatedConversationMappings", "An object type has at most %d mappings, not %d.", MostMappings, n)
	}
	for i := range d.Related {
		at, m := fmt.Sprintf("input.relatedConversationMappings.%d", i), &d.Related[i]
		if err := d.checkPath(at+".path", m.Path, types); err != nil {
			return err
		}
		for _, other := range d.Related[:i] {
			switch {
			case strings.EqualFold(other.Label, m.Label):
				return fault.Input(at+".label", "The label %q is there twice, whatever the case of its letters. Choose another.", m.Label)
			case slices.Equal(other.Path, m.Path):
				return fault.Input(at+".path", "%q has the same path. Remove one of the two.", other.Label)
			}
		}
	}
	return nil
}

func (d *Definition) checkPath(at string, path []Step, types map[string]*Definition) error {
	if n := len(path); n == 0 || n > MostSteps {
		return fault.Input(at, "A path has 1 to %d steps, not %d.", MostSteps, n)
	}
	from := []string{d.Name}
	for i := range path {
		to, err := path[i].check(fmt.Sprintf("%s.%d", at, i), from, types)
		if err != nil {
			return err
		}
		from = to
	}
	return nil
}

// check checks a step from records of one of some object types, and returns the types of
// the records that it leads to.
func (s *Step) check(at string, from []string, types map[string]*Definition) (to []string, err error) {
	d := named(types, s.Object)
	if d == nil {
		return nil, fault.Input(at+".objectType", "There is no object type %q. Create it first, or correct the name.", s.Object)
	}
	f := d.Field(s.Field)
	if f == nil || f.Kind != Reference {
		return nil, fault.Input(at+".field", "%s has no field %q of type REFERENCE. Add it, or name another.", d.Name, s.Field)
	}
	s.Object, s.Field = d.Name, f.Name
	among := func(name string) bool {
		return slices.ContainsFunc(from, func(t string) bool { return strings.EqualFold(t, name) })
	}
	switch {
	case s.Direction == Up && !among(d.Name):
		return nil, fault.Input(at+".objectType", "The path is at %s here, so UP takes a field of that, not of %s. Correct the object type or the direction.", strings.Join(from, " or "), d.Name)
	case s.Direction == Up:
		return f.Targets, nil
	case s.Direction == Down && !slices.ContainsFunc(f.Targets, among):
		return nil, fault.Input(at+".field", "%s.%s does not reference %s, where the path is here. Name a field that does.", d.Name, f.Name, strings.Join(from, " or "))
	case s.Direction == Down:
		return []string{d.Name}, nil
	}
	return nil, fault.Input(at+".direction", "There is no direction %q. Use UP or DOWN.", s.Direction)
}
