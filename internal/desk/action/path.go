package action

import (
	"slices"
	"strings"

	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// Path is a field of a record, or of one that it references: AccountId.Owner.Name.
type Path []string

// PathOf reads a path.
func PathOf(text string) Path { return strings.Split(text, ".") }

// walk visits the fields that a path can lead through from an object type, the last one
// with last set. It reports whether there is a last one.
func (p Path) walk(types Types, from string, visit func(d *object.Definition, f *object.Field, last bool)) bool {
	reached, at := false, []string{from}
	for i, name := range p {
		var next []string
		last := i == len(p)-1
		for _, objectType := range at {
			d := types(objectType)
			if d == nil {
				continue
			}
			f := d.Field(name)
			if f == nil || f.Retired || !last && f.Kind != object.Reference {
				continue
			}
			visit(d, f, last)
			reached = reached || last
			for _, target := range f.Targets {
				if !slices.Contains(next, target) {
					next = append(next, target)
				}
			}
		}
		at = next
	}
	return reached
}

// check refuses a path that leads to no field, and returns the fields that it can end at.
func (p Path) check(at string, types Types, from string) (ends []*object.Field, err error) {
	if len(p) > MostSteps+1 {
		return nil, fault.Input(at, "A path follows at most %d lookups before its field, not %d.", MostSteps, len(p)-1)
	}
	if !p.walk(types, from, func(_ *object.Definition, f *object.Field, last bool) {
		if last {
			ends = append(ends, f)
		}
	}) {
		return nil, fault.Input(at, "There is no field %q to read from %s: write the name of a field, after the names of the lookups that lead to its record, with points between.", strings.Join(p, "."), from)
	}
	return ends, nil
}

// Readable reports whether rights give every field that the path can lead through.
func (p Path) Readable(types Types, rights *object.Rights, from string) bool {
	may := true
	found := p.walk(types, from, func(d *object.Definition, f *object.Field, _ bool) {
		may = may && (!IsRecord(d.Name) || rights.Field(d, f).Includes(object.Read))
	})
	return may && found
}
