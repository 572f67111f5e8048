package formula

import (
	"cmp"
	"strings"

	"parley/internal/ground/decimal"
)

// compiler turns nodes into code and checks types.
type compiler struct {
	schema Schema
	null   blankness
	*slots
}

// slots are where values of fields lie, and how large the formula is.
type slots struct {
	fields []string
	byPath map[string]int
	nodes  int
}

func newCompiler(schema Schema, o Options) *compiler {
	c := &compiler{schema: schema, null: asZero, slots: &slots{byPath: map[string]int{}}}
	if o.KeepsBlank {
		c.null = asBlank
	}
	return c
}

func (c *compiler) program(e expr) *Program {
	return &Program{typ: e.typ, run: e.run, fields: c.fields}
}

func (c *compiler) compile(n *node) (e expr, err *Error) {
	if c.nodes++; c.nodes > MaxParts {
		return expr{}, n.at.errorf(TooLarge, "The formula and its lists have more than %d parts. Split it.", MaxParts)
	}
	switch n.form {
	case textNode:
		e = constant(TextOf(n.name))
	case numberNode:
		e = constant(NumberOf(n.num))
	case truthNode:
		e = constant(Value{typ: Boolean, num: n.num})
	case nullNode:
		e = constant(Value{typ: Blank, blank: c.null})
	case fieldNode:
		e, err = c.field(n)
	default:
		e, err = c.operation(n)
	}
	e.at = n.at
	return e, err
}

// operation compiles what has arguments.
func (c *compiler) operation(n *node) (expr, *Error) {
	args := make([]expr, len(n.args))
	fn := (*function)(nil)
	if n.form == callNode {
		var err *Error
		if fn, err = functionOf(n); err != nil {
			return expr{}, err
		}
	}
	for i, arg := range n.args {
		var err *Error
		if args[i], err = c.compile(arg); err != nil {
			return expr{}, err
		}
	}
	switch n.form {
	case callNode:
		return fn.call(n, args)
	case signNode:
		return signed(n, args[0])
	}
	return paired(n, args[0], args[1])
}

// field compiles a reference to a field.
func (c *compiler) field(n *node) (expr, *Error) {
	lower := lowered(n.name)
	if strings.Count(lower, ".") >= MaxPath || strings.HasSuffix(lower, ".") || strings.Contains(lower, "..") {
		return expr{}, n.at.errorf(Syntax, "%s is not a path of 1 to %d names.", shortened(n.name), MaxPath)
	}
	_, inside := c.schema.(item)
	field, ok := c.schema.Find(n.name)
	switch {
	case !ok && !inside && strings.HasPrefix(lower, itemPrefix):
		return expr{}, n.at.errorf(UnknownField, "%s is known only in the template of a list.", shortened(n.name))
	case !ok:
		return expr{}, n.at.unknown(UnknownField, "field", shortened(n.name), cmp.Or(byFields(c.schema, n.name), nearest(n.name, c.schema.Names())))
	}
	if inside && strings.HasPrefix(lower, itemPrefix) {
		return itemField(n, lower, field), nil
	}
	slot, ok := c.byPath[lower]
	if !ok {
		if slot = len(c.fields); slot == MaxFields {
			return expr{}, n.at.errorf(TooLarge, "The formula uses more than %d fields. Split it.", MaxFields)
		}
		c.fields, c.byPath[lower] = append(c.fields, field.Name), slot
	}
	if field.Template != "" {
		if inside {
			return expr{}, n.at.errorf(Refused, "The template of a list cannot use another list template.")
		}
		return c.list(n, field, slot)
	}
	return stored(n, field, slot), nil
}

// stored is the value of a field that lies in a slot.
func stored(n *node, field Field, slot int) expr {
	e, typ := loaded(n, field, func(f *frame) Value {
		if slot >= len(f.values) {
			return Value{}
		}
		return f.values[slot]
	}), field.Type
	run := e.run
	e.text = func(f *frame) string {
		if v := f.ready(slot, typ); v != nil {
			return v.text
		}
		return run(f).text
	}
	e.truth = func(f *frame) bool {
		if v := f.ready(slot, typ); v != nil {
			return v.Bool()
		}
		return run(f).Bool()
	}
	e.num = func(f *frame) (decimal.Decimal, blankness) {
		if v := f.ready(slot, typ); v != nil {
			return v.num, present
		}
		other := run(f)
		return other.num, other.blank
	}
	return e
}

// ready is the value in a slot, if it is there and needs no further look.
func (f *frame) ready(slot int, typ Type) *Value {
	if slot < len(f.values) {
		if v := &f.values[slot]; v.typ == typ && v.blank == present {
			return v
		}
	}
	return nil
}

// loaded is the value of a field as its definition has it.
func loaded(n *node, field Field, load code) expr {
	missing := Value{typ: field.Type, blank: asZero}
	switch {
	case textual.has(field.Type) || field.Type == MultiPicklist || field.Type == Boolean:
		missing.blank = present
	case field.KeepsBlank:
		missing.blank = asBlank
	}
	typ, at := field.Type, n.at
	return expr{typ: typ, run: func(f *frame) Value {
		v := load(f)
		switch {
		case v.typ == typ && v.blank == present:
			return v
		case v.typ == typ || v.typ == Blank:
			return missing
		}
		return f.fail(at.errorf(WrongType, "%s is defined as %s, but its value is a %s.", field.Name, typ, v.typ))
	}}
}

// itemField is a field of the item whose template is written.
func itemField(n *node, lower string, field Field) expr {
	switch lower {
	case itemPrefix + "index":
		return loaded(n, field, func(f *frame) Value { return numberOf(int64(f.item.index + 1)) })
	case itemPrefix + "isfirst":
		return loaded(n, field, func(f *frame) Value { return BooleanOf(f.item.index == 0) })
	case itemPrefix + "islast":
		return loaded(n, field, func(f *frame) Value { return BooleanOf(f.item.index == f.item.count-1) })
	case itemValue:
		return loaded(n, field, func(f *frame) Value { return f.item.value })
	}
	name := strings.TrimPrefix(lower, itemValue+".")
	return loaded(n, field, func(f *frame) Value {
		if f.item.value.more == nil {
			return Value{}
		}
		return f.item.value.more.fields[name]
	})
}
