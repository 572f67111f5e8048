package selection

import (
	"context"
	"iter"
)

// Fields are what an operation selects on objects.
type Fields struct{ on []*object }

type fieldKey struct{}

// Selected tells a resolver what is selected on what it gives, so that it need
// not read more. It reports false when the executor calls: then nobody knows.
func Selected(ctx context.Context) (Fields, bool) {
	f, _ := ctx.Value(fieldKey{}).(*field)
	if f == nil {
		return Fields{}, false
	}
	return Fields{f.selections()}, true
}

func (f *field) selections() []*object {
	if f.on != nil {
		return []*object{f.on}
	}
	return f.memberList()
}

// Under are the fields that are selected on those with the name.
func (s Fields) Under(name string) Fields {
	var out Fields
	for _, o := range s.on {
		for _, f := range o.fields {
			if f.field.Name == name {
				out.on = append(out.on, f.selections()...)
			}
		}
	}
	return out
}

// And joins two.
func (s Fields) And(other Fields) Fields {
	return Fields{append(s.on[:len(s.on):len(s.on)], other.on...)}
}

// None reports whether nothing is selected.
func (s Fields) None() bool { return len(s.on) == 0 }

// Has reports whether a field with the name is selected.
func (s Fields) Has(name string) bool {
	for selected := range s.Names() {
		if selected == name {
			return true
		}
	}
	return false
}

// Names are those of the fields.
func (s Fields) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, o := range s.on {
			for _, f := range o.fields {
				if !yield(f.field.Name) {
					return
				}
			}
		}
	}
}
