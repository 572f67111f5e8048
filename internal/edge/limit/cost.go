package limit

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/price"
)

// CostOf returns the cost of a validated operation. A field costs 1 and its price in
// Prices. Selections below the edges and nodes of a connection, or below a plain list
// that takes first or last, are multiplied by the page size: the larger of first and
// last, or PageSize without either. Lists without pages are short by a rule of the
// schema and count once; so does introspection, which has its own budget. Fields that
// @skip excludes count too.
func (o Options) CostOf(doc *ast.QueryDocument, op *ast.OperationDefinition, variables map[string]any) int {
	c := &coster{
		pageSize:  o.withDefaults().PageSize,
		doc:       doc,
		variables: variables,
		fragments: map[string]cost{},
		prices:    o.Prices,
		counted:   map[string]bool{},
	}
	return c.set(op.SelectionSet).total(1)
}

// Introspects reports whether an operation asks for __schema or __type.
func Introspects(doc *ast.QueryDocument, op *ast.OperationDefinition) bool {
	return introspectsIn(doc, op.SelectionSet, map[string]bool{})
}

// introspectsIn looks at the root fields; seen holds the fragments looked into.
func introspectsIn(doc *ast.QueryDocument, set ast.SelectionSet, seen map[string]bool) bool {
	return slices.ContainsFunc(set, func(selection ast.Selection) bool {
		switch selection := selection.(type) {
		case *ast.Field:
			return introspects(selection)
		case *ast.InlineFragment:
			return introspectsIn(doc, selection.SelectionSet, seen)
		case *ast.FragmentSpread:
			fragment := doc.Fragments.ForName(selection.Name)
			if fragment == nil || seen[selection.Name] {
				return false
			}
			seen[selection.Name] = true
			return introspectsIn(doc, fragment.SelectionSet, seen)
		}
		return false
	})
}

// RootFields counts an operation's root fields, fragments expanded.
func RootFields(doc *ast.QueryDocument, op *ast.OperationDefinition) (n int) {
	EachRootField(doc, op.SelectionSet, func(*ast.Field) { n++ })
	return n
}

// EachRootField calls do with each field of an operation's own set, fragments expanded.
func EachRootField(doc *ast.QueryDocument, set ast.SelectionSet, do func(*ast.Field)) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			do(selection)
		case *ast.InlineFragment:
			EachRootField(doc, selection.SelectionSet, do)
		case *ast.FragmentSpread:
			if fragment := doc.Fragments.ForName(selection.Name); fragment != nil {
				EachRootField(doc, fragment.SelectionSet, do)
			}
		}
	}
}

// cost is linear in the page of the connection around it, so that a fragment on a
// connection is computed once for all page sizes.
type cost struct {
	once    int // paid once
	perPage int // paid for each item of the page
	totals  int // how often the connection's totalCount is selected
}

func (c cost) total(page int) int { return add(c.once, multiply(page, c.perPage)) }

func (c cost) plus(other cost) cost {
	return cost{add(c.once, other.once), add(c.perPage, other.perPage), add(c.totals, other.totals)}
}

type coster struct {
	pageSize  int
	doc       *ast.QueryDocument
	variables map[string]any
	fragments map[string]cost
	prices    price.Table
	counted   map[string]bool // the counts that the query's root has paid for
	steps     int
}

func (c *coster) set(set ast.SelectionSet) cost {
	var sum cost
	for _, selection := range set {
		c.steps++
		var part cost
		switch selection := selection.(type) {
		case *ast.Field:
			part = c.field(selection)
		case *ast.InlineFragment:
			part = c.set(selection.SelectionSet)
		case *ast.FragmentSpread:
			part = c.fragment(selection.Name)
		}
		sum = sum.plus(part)
	}
	return sum
}

func (c *coster) fragment(name string) cost {
	if known, found := c.fragments[name]; found {
		return known
	}
	fragment := c.doc.Fragments.ForName(name)
	if fragment == nil {
		return cost{}
	}
	c.fragments[name] = cost{} // validation has refused cycles; this keeps one from looping
	sum := c.set(fragment.SelectionSet)
	c.fragments[name] = sum
	return sum
}

func (c *coster) field(f *ast.Field) cost {
	if introspects(f) {
		return cost{once: 1}
	}
	below := c.set(f.SelectionSet)
	var arguments price.Args
	if f.Definition != nil && len(f.Definition.Arguments) > 0 {
		arguments = f.ArgumentMap(c.variables)
	}
	var n int
	switch {
	case f.Definition == nil:
		n = below.total(1)
	case isConnection(f.Definition.Type.Name()):
		n = below.total(c.page(arguments))
	case f.Definition.Type.Elem != nil && isPaged(f.Definition):
		n = multiply(c.page(arguments), below.total(1))
	default:
		n = below.total(1)
	}
	n = add(add(n, 1), c.priced(f, arguments, below))
	switch {
	case isItems(f):
		return cost{perPage: n}
	case f.Name == "totalCount" && isOnConnection(f):
		return cost{once: n, totals: 1}
	}
	return cost{once: n}
}

// priced returns what the field's price adds, including the totals below it.
func (c *coster) priced(f *ast.Field, arguments price.Args, below cost) (units int) {
	if f.ObjectDefinition == nil {
		return 0
	}
	var room [64]byte
	name := append(append(append(room[:0], f.ObjectDefinition.Name...), '.'), f.Name...)
	p := c.prices[string(name)] // a lookup that allocates nothing
	if p.Units == nil && p.Total == nil {
		return 0
	}
	if p.Units != nil {
		units = clamp(int64(p.Units(arguments)))
	}
	if p.Total == nil || below.totals == 0 || f.ObjectDefinition.Name == "Query" && c.paid(string(name), arguments) {
		return units
	}
	return add(units, p.Total(arguments))
}

// paid reports whether the same count has been paid for, and notes that it is now.
func (c *coster) paid(name string, arguments price.Args) bool {
	key, err := json.Marshal([]any{name, arguments["view"], arguments["filterBy"]})
	was := c.counted[string(key)]
	c.counted[string(key)] = true
	return was && err == nil
}

// isItems reports whether f holds a connection's items.
func isItems(f *ast.Field) bool {
	return (f.Name == "edges" || f.Name == "nodes") && isOnConnection(f)
}

func isOnConnection(f *ast.Field) bool {
	return f.ObjectDefinition != nil && isConnection(f.ObjectDefinition.Name)
}

func isConnection(typeName string) bool { return strings.HasSuffix(typeName, "Connection") }

func isPaged(d *ast.FieldDefinition) bool {
	return d.Arguments.ForName("first") != nil || d.Arguments.ForName("last") != nil
}

// page returns the page size that arguments ask for.
func (c *coster) page(arguments price.Args) int {
	size := max(integer(arguments["first"]), integer(arguments["last"]))
	if size <= 0 {
		return c.pageSize
	}
	return size
}

// integer reads a coerced Int: a literal is an int64, a variable what its JSON
// decoder made of it. Anything else is 0.
func integer(v any) int {
	switch v := v.(type) {
	case int:
		return clamp(int64(v))
	case int32:
		return int(v)
	case int64:
		return clamp(v)
	case float64:
		return clamp(int64(min(v, saturated)))
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return saturated
		}
		return clamp(n)
	}
	return 0
}

func clamp(n int64) int { return int(min(max(n, 0), saturated)) }
