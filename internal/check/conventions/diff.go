package conventions

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// Break is a change that a document or a program written for the old schema may
// not survive.
type Break struct {
	// Path names the element: Type, Type.field, Type.field(argument), Enum.VALUE.
	Path string
	// What says what happened to it.
	What string
	// Reason is the old element's reason for deprecation, empty when it was not
	// deprecated.
	Reason string
}

// String renders the break as one line.
func (b Break) String() string { return b.Path + " " + b.What }

var deprecationForm = regexp.MustCompile(`^\S.* Since (\d{4}-\d{2}-\d{2}), removed after (\d{4}-\d{2}-\d{2})\.?$`)

// LeastNotice is how long something stays after it was deprecated.
const LeastNotice = 180 * 24 * time.Hour

// LastDay reads the last day (UTC) that a deprecated element is kept for out of
// its reason: "Use x instead. Since 2026-11-23, removed after 2027-05-23."
func LastDay(reason string) (time.Time, error) {
	found := deprecationForm.FindStringSubmatch(reason)
	if found == nil {
		return time.Time{}, fmt.Errorf("%q is not of the form: what to use instead, then Since YYYY-MM-DD, removed after YYYY-MM-DD", reason)
	}
	since, err := time.Parse(time.DateOnly, found[1])
	last, errLast := time.Parse(time.DateOnly, found[2])
	switch {
	case err != nil || errLast != nil:
		return time.Time{}, fmt.Errorf("%q holds a day that is none", reason)
	case last.Sub(since) < LeastNotice:
		return time.Time{}, fmt.Errorf("%q gives less notice than %d days", reason, LeastNotice/(24*time.Hour))
	}
	return last, nil
}

// Announced reports whether the element was deprecated in due form, and its last
// day is over.
func (b Break) Announced(now time.Time) bool {
	last, err := LastDay(b.Reason)
	return err == nil && !now.Before(last.AddDate(0, 0, 1))
}

// Diff lists the breaking changes from before to after, sorted by path. New
// types, fields, optional arguments and optional input fields, enum values,
// members of unions, and output that can no longer be null are no breaks:
// clients are told to expect more values and members.
func Diff(before, after *ast.Schema) []Break {
	d := &differ{}
	for name, old := range before.Types {
		if old.BuiltIn {
			continue
		}
		d.definition(old, after.Types[name])
	}
	slices.SortFunc(d.breaks, func(a, b Break) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.What, b.What))
	})
	return d.breaks
}

type differ struct{ breaks []Break }

func (d *differ) add(path string, deprecated ast.DirectiveList, what string, args ...any) {
	d.breaks = append(d.breaks, Break{Path: path, What: fmt.Sprintf(what, args...), Reason: reason(deprecated)})
}

// reason returns the reason of a @deprecated directive.
func reason(list ast.DirectiveList) string {
	directive := list.ForName("deprecated")
	if directive == nil {
		return ""
	}
	if argument := directive.Arguments.ForName("reason"); argument != nil {
		return argument.Value.Raw
	}
	return ""
}

// typeReason stands in for the @deprecated that GraphQL does not know on types:
// the reason of the member that goes last, when all members are deprecated with
// a date, and otherwise nothing.
func typeReason(definition *ast.Definition) string {
	var reasons []string
	for _, field := range definition.Fields {
		reasons = append(reasons, reason(field.Directives))
	}
	for _, value := range definition.EnumValues {
		reasons = append(reasons, reason(value.Directives))
	}
	last, lastDay := "", time.Time{}
	for _, text := range reasons {
		day, err := LastDay(text)
		if err != nil {
			return ""
		}
		if day.After(lastDay) {
			last, lastDay = text, day
		}
	}
	return last
}

func (d *differ) definition(old, now *ast.Definition) {
	switch {
	case now == nil:
		d.breaks = append(d.breaks, Break{Path: old.Name, What: "was removed", Reason: typeReason(old)})
	case old.Kind != now.Kind:
		d.add(old.Name, nil, "was of kind %s and is %s", old.Kind, now.Kind)
	default:
		d.members(old, now)
		d.values(old, now)
		d.fields(old, now)
	}
}

// members compares the interfaces of an object and the members of a union.
func (d *differ) members(old, now *ast.Definition) {
	for _, name := range old.Interfaces {
		if !slices.Contains(now.Interfaces, name) {
			d.add(old.Name, nil, "no longer implements %s", name)
		}
	}
	for _, name := range old.Types {
		if !slices.Contains(now.Types, name) {
			d.add(old.Name, nil, "no longer holds %s", name)
		}
	}
}

func (d *differ) values(old, now *ast.Definition) {
	for _, value := range old.EnumValues {
		if now.EnumValues.ForName(value.Name) == nil {
			d.add(old.Name+"."+value.Name, value.Directives, "was removed")
		}
	}
}

func (d *differ) fields(old, now *ast.Definition) {
	input := old.Kind == ast.InputObject
	for _, field := range old.Fields {
		path, next := old.Name+"."+field.Name, now.Fields.ForName(field.Name)
		switch {
		case next == nil:
			d.add(path, field.Directives, "was removed")
		case input:
			d.input(path, field.Directives, given(field.Type, field.DefaultValue), given(next.Type, next.DefaultValue))
		default:
			d.output(path, field, next)
		}
	}
	if !input {
		return
	}
	for _, field := range now.Fields {
		if old.Fields.ForName(field.Name) == nil && given(field.Type, field.DefaultValue).required() {
			d.add(old.Name+"."+field.Name, nil, "is new and required")
		}
	}
}

func (d *differ) output(path string, old, now *ast.FieldDefinition) {
	if !narrows(old.Type, now.Type) {
		d.add(path, old.Directives, "was %s and is %s", old.Type, now.Type)
	}
	for _, argument := range old.Arguments {
		at, next := path+"("+argument.Name+")", now.Arguments.ForName(argument.Name)
		if next == nil {
			d.add(at, argument.Directives, "was removed")
			continue
		}
		d.input(at, argument.Directives, given(argument.Type, argument.DefaultValue), given(next.Type, next.DefaultValue))
	}
	for _, argument := range now.Arguments {
		if old.Arguments.ForName(argument.Name) == nil && given(argument.Type, argument.DefaultValue).required() {
			d.add(path+"("+argument.Name+")", nil, "is new and required")
		}
	}
}

// value is an argument or input field: its type, and its default as written.
type value struct {
	kind    *ast.Type
	deflt   string
	hasDflt bool
}

func given(t *ast.Type, deflt *ast.Value) value {
	if deflt == nil {
		return value{kind: t}
	}
	return value{kind: t, deflt: deflt.String(), hasDflt: true}
}

func (v value) required() bool { return v.kind.NonNull && !v.hasDflt }

// input compares what a caller gives: it may come to accept more, never less.
func (d *differ) input(path string, deprecated ast.DirectiveList, old, now value) {
	switch {
	case !widens(old, now):
		d.add(path, deprecated, "was %s and is %s", old.kind, now.kind)
	case old.hasDflt && (!now.hasDflt || old.deflt != now.deflt):
		d.add(path, deprecated, "had the default %s and has another or none", old.deflt)
	}
}

// narrows reports whether every value of type now fits where old was read.
func narrows(old, now *ast.Type) bool {
	if old.NonNull && !now.NonNull {
		return false
	}
	if old.Elem == nil || now.Elem == nil {
		return old.Elem == nil && now.Elem == nil && old.NamedType == now.NamedType
	}
	return narrows(old.Elem, now.Elem)
}

// widens reports whether everything a caller could write or bind for old is
// still accepted. A variable of the old type must fit too, so a type that turns
// from nullable to not is a break even with a default.
func widens(old, now value) bool { return narrows(now.kind, old.kind) }
