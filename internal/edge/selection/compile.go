package selection

import (
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// mostFields bounds a plan, which holds the selections on a union once for each
// of its members.
const mostFields = 5000

var (
	errNotWritten = errors.New("selection: the executor must answer")
	errResults    = errors.New("selection: a batch resolver gave another number of results")
	errUnknown    = errors.New("selection: not in the tables")
)

// plan is a compiled operation.
type plan struct {
	root   *object
	slots  int
	rights Rights
}

// object is a compiled selection on objects of one type.
type object struct {
	fields []*field
	staged []*field // those of fields that need a resolver, here or below
	end    string
}

// field is a compiled field.
type field struct {
	*Field
	field graphql.CollectedField // for its arguments
	key   string                 // as it is written, with what parts it from the field before
	// on is the selection on its objects; members, those on its type's members.
	on      *object
	of      *Abstract
	members map[string]*object
	// shared says which subscribers share what is selected below.
	shared Sharing
	// slot is where a run keeps what was fetched for it; -1 when it is read
	// where it is written.
	slot int
}

type compiler struct {
	tables Tables
	op     *graphql.OperationContext
	fields int
	slots  int
}

// compile makes the plan of an operation with the values its variables have;
// nil when it is the executor's.
func compile(tables Tables, rights Rights, op *graphql.OperationContext) (p *plan) {
	defer func() {
		if recover() != nil {
			p = nil
		}
	}()
	var name string
	switch op.Operation.Operation {
	case ast.Query:
		name = "Query"
	case ast.Subscription:
		name = "Subscription"
	default:
		return nil
	}
	c := &compiler{tables: tables, op: op}
	root, err := c.object(name, op.Operation.SelectionSet)
	if err != nil {
		return nil
	}
	if op.Operation.Operation == ast.Subscription {
		for _, f := range root.fields {
			f.share()
		}
	}
	return &plan{root, c.slots, rights}
}

func (c *compiler) object(typeName string, selections ast.SelectionSet) (*object, error) {
	table := c.tables.Objects[typeName]
	if table == nil {
		return nil, errUnknown
	}
	o := &object{end: "}"}
	separator, written := "{", map[string]bool{}
	for _, collected := range graphql.CollectFields(c.op, selections, table.Satisfies) {
		// Of a union and of its member, __typename is collected twice.
		if written[collected.Alias] {
			continue
		}
		written[collected.Alias] = true
		f, err := c.field(table, collected)
		if err != nil {
			return nil, err
		}
		f.key = separator + quoted(collected.Alias) + ":"
		separator = ","
		o.fields = append(o.fields, f)
		if f.slot >= 0 {
			o.staged = append(o.staged, f)
		}
	}
	if len(o.fields) == 0 {
		o.end = "{}"
	}
	return o, nil
}

func (c *compiler) field(table *Object, collected graphql.CollectedField) (*field, error) {
	c.fields++
	if c.fields > mostFields || len(collected.Deferrables) > 0 {
		return nil, errUnknown
	}
	f := &field{field: collected, slot: -1}
	if collected.Name == "__typename" {
		name := quoted(table.Name)
		f.Field = &Field{Write: func(w *Writer, _ any) { w.b = append(w.b, name...) }}
		return f, nil
	}
	if f.Field = table.Fields[collected.Name]; f.Field == nil {
		return nil, errUnknown
	}
	err := c.below(f)
	if f.Resolve != nil || f.Batch != nil || f.stagedBelow() {
		f.slot = c.slots
		c.slots++
	}
	return f, err
}

// below compiles what is selected on a field's objects.
func (c *compiler) below(f *field) (err error) {
	if f.Of == "" {
		return nil
	}
	if f.of = c.tables.Abstracts[f.Of]; f.of == nil {
		f.on, err = c.object(f.Of, f.field.Selections)
		return err
	}
	f.members = make(map[string]*object, len(f.of.Members))
	for _, member := range f.of.Members {
		if f.members[member], err = c.object(member, f.field.Selections); err != nil {
			return err
		}
	}
	return nil
}

func (f *field) stagedBelow() bool {
	if f.on != nil {
		return len(f.on.staged) > 0
	}
	return slices.ContainsFunc(f.memberList(), func(o *object) bool { return len(o.staged) > 0 })
}

func (f *field) memberList() []*object {
	if f.of == nil {
		return nil
	}
	out := make([]*object, 0, len(f.members))
	for _, name := range f.of.Members {
		out = append(out, f.members[name])
	}
	return out
}

// pick tells which selection applies to a value, and gives the value as it takes
// it; nil for null.
func (f *field) pick(v any) (*object, any) {
	if f.of == nil || v == nil {
		return f.on, v
	}
	name, v := f.of.Member(v)
	return f.members[name], v
}

// share marks what subscribers of an event share, of a stream's values.
func (f *field) share() {
	for _, o := range f.selections() {
		for _, f := range o.fields {
			f.shared = f.shareable()
		}
	}
}

// variable reports whether a field's arguments hold a variable.
func variable(f graphql.CollectedField) bool {
	var holds func(v *ast.Value) bool
	holds = func(v *ast.Value) bool {
		return v.Kind == ast.Variable || slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return holds(c.Value) })
	}
	return f.Field != nil && slices.ContainsFunc(f.Arguments, func(a *ast.Argument) bool { return holds(a.Value) })
}

func quoted(s string) string {
	w := &Writer{}
	w.String(s)
	return string(w.b)
}
