package server

import (
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// validation returns the parser's rules, with its rule for subscriptions corrected:
// that one counts field names instead of response names, so that two aliases of one
// field pass.
func validation() *rules.Rules {
	all := rules.NewDefaultRules()
	all.ReplaceRule(rules.SingleFieldSubscriptionsRule.Name, singleRootField)
	return all
}

// singleRootField is rule 5.2.4.1 of the specification, "Single Root Field": a
// subscription has exactly one root field, not of introspection, and without @skip or
// @include.
func singleRootField(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(_ *core.Walker, op *ast.OperationDefinition) {
		if op.Operation != ast.Subscription {
			return
		}
		name := "Anonymous Subscription"
		if op.Name != "" {
			name = "Subscription " + strconv.Quote(op.Name)
		}
		roots := rootsOf(op.SelectionSet)
		if len(roots.answers) > 1 {
			addError(core.Message("%s must select only one top level field.", name), core.At(roots.second))
		}
		for _, at := range roots.introspection {
			addError(core.Message("%s must not select an introspection top level field.", name), core.At(at))
		}
		for _, at := range roots.conditional {
			addError(core.Message("%s must not use @skip or @include on its top level.", name), core.At(at))
		}
	})
}

// roots are the selections at the top level of an operation, with fragments expanded.
type roots struct {
	answers       map[string]bool // by response name
	second        *ast.Position   // of the field with the second such name
	introspection []*ast.Position
	conditional   []*ast.Position
	seen          map[*ast.FragmentDefinition]bool
}

func rootsOf(set ast.SelectionSet) *roots {
	r := &roots{answers: map[string]bool{}, seen: map[*ast.FragmentDefinition]bool{}}
	r.collect(set)
	return r
}

func (r *roots) collect(set ast.SelectionSet) {
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			r.check(selection.Directives)
			r.field(selection)
		case *ast.InlineFragment:
			r.check(selection.Directives)
			r.collect(selection.SelectionSet)
		case *ast.FragmentSpread:
			r.check(selection.Directives)
			if d := selection.Definition; d != nil && !r.seen[d] {
				r.seen[d] = true
				r.collect(d.SelectionSet)
			}
		}
	}
}

func (r *roots) field(f *ast.Field) {
	if strings.HasPrefix(f.Name, "__") {
		r.introspection = append(r.introspection, f.Position)
	}
	if r.answers[f.Alias] = true; len(r.answers) == 2 && r.second == nil {
		r.second = f.Position
	}
}

func (r *roots) check(directives ast.DirectiveList) {
	for _, d := range directives {
		if d.Name == "skip" || d.Name == "include" {
			r.conditional = append(r.conditional, d.Position)
		}
	}
}
