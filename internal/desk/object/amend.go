package object

import (
	"fmt"
	"slices"
	"strings"

	"parley/internal/ground/fault"
)

// Amend changes fields by name: those that the definition has take the new values in
// their place, the others are added behind. Fields that are not named stay. Names and
// kinds never change, and no field is ever removed: its number is its place. The fault
// names the input field at fault, such as input.fields.3.name.
func (d *Definition) Amend(fields []Field) error {
	for i := range fields {
		at, f := fmt.Sprintf("input.fields.%d", i), &fields[i]
		if err := f.check(at); err != nil {
			return err
		}
		if slices.ContainsFunc(fields[:i], func(before Field) bool { return strings.EqualFold(before.Name, f.Name) }) {
			return fault.Input(at+".name", "The field %q is there twice, whatever the case of its letters. Remove one.", f.Name)
		}
		if err := d.amend(at, f); err != nil {
			return err
		}
	}
	return nil
}

func (d *Definition) amend(at string, f *Field) error {
	is := d.Field(f.Name)
	switch {
	case is == nil:
		d.Fields = append(d.Fields, *f)
		return nil
	case is.Name != f.Name:
		return fault.Input(at+".name", "The field is called %q, and names never change. Write it so, or choose another name.", is.Name)
	case is.Kind != f.Kind:
		return fault.Input(at+".type", "The field %q has the type %s, which never changes. Retire the field, and add one of another name.", is.Name, is.Kind)
	}
	*is = *f
	return nil
}

// Clone is a copy that shares nothing that Amend and Check write to.
func (d *Definition) Clone() *Definition {
	c := *d
	c.Fields = slices.Clone(d.Fields)
	c.Messaging.Phones = slices.Clone(d.Messaging.Phones)
	c.Related = slices.Clone(d.Related)
	return &c
}

// Reindexes reports whether records of the definition before have to be read again for
// their names, numbers and filterable values to follow this one.
func (d *Definition) Reindexes(before *Definition) bool {
	for i := range before.Fields {
		if d.Fields[i].indexed() != before.Fields[i].indexed() {
			return true
		}
	}
	a, b := d.Messaging, before.Messaging
	same := func(p, q PhoneField) bool { return p.Field == q.Field }
	return a.Name != b.Name || a.Country != b.Country || a.OptedOut != b.OptedOut || !slices.EqualFunc(a.Phones, b.Phones, same)
}

func (f *Field) indexed() bool { return f.Filterable && !f.Retired }
