package formula

import "strings"

// Field is what a formula is checked against: a field that it may use.
type Field struct {
	// Name is the whole path, such as Subject, Account.Name, $Constants.Title or
	// $Parameters.MyCase.Subject.
	Name string
	// Type is the type of its values.
	Type Type
	// KeepsBlank says that a blank number stays blank in arithmetic and comparison, where
	// it otherwise counts as zero.
	KeepsBlank bool
	// Template says how an item of a list is written, for a $ListTemplates field.
	Template string
	// Items are what $ListItem.Value has in that template: a field with an empty Name for
	// a list of plain values, or the fields of its records.
	Items Schema
}

// Schema knows the fields that a formula may use.
type Schema interface {
	// Find finds a field by its path, whatever its case.
	Find(path string) (Field, bool)
	// Names lists the paths, for suggestions.
	Names() []string
}

// Fields is a Schema of fields that are listed.
type Fields struct {
	byPath map[string]Field
	names  []string
}

// NewFields makes a Schema of the fields listed; of two with one name the last.
func NewFields(list ...Field) *Fields {
	f := &Fields{byPath: make(map[string]Field, len(list))}
	for _, field := range list {
		f.byPath[strings.ToLower(field.Name)] = field
		f.names = append(f.names, field.Name)
	}
	return f
}

// Find implements Schema.
func (f *Fields) Find(path string) (Field, bool) {
	field, ok := f.byPath[strings.ToLower(path)]
	return field, ok
}

// Names implements Schema.
func (f *Fields) Names() []string { return f.names }

// item is the schema inside a list template: everything outside, and the item.
type item struct {
	outer Schema
	value Schema
}

const (
	itemPrefix = "$listitem."
	itemValue  = itemPrefix + "value"
)

var itemFields = NewFields(
	Field{Name: "$ListItem.Index", Type: Number},
	Field{Name: "$ListItem.IsFirst", Type: Boolean},
	Field{Name: "$ListItem.IsLast", Type: Boolean},
)

// Find implements Schema.
func (s item) Find(path string) (Field, bool) {
	lower := strings.ToLower(path)
	if !strings.HasPrefix(lower, itemPrefix) {
		return s.outer.Find(path)
	}
	if rest, ok := strings.CutPrefix(lower, itemValue); ok && s.value != nil {
		return s.value.Find(strings.TrimPrefix(rest, "."))
	}
	return itemFields.Find(path)
}

// Names implements Schema.
func (s item) Names() []string {
	names := append(itemFields.Names(), s.outer.Names()...)
	if s.value == nil {
		return names
	}
	for _, name := range s.value.Names() {
		names = append(names, strings.TrimSuffix("$ListItem.Value."+name, "."))
	}
	return names
}
