package selection

import (
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Bounds on the plans that are kept.
const (
	// keptOperations is as many as the executor keeps documents.
	keptOperations = 1000
	// keptVariants is how many plans an operation has whose variables say by
	// @skip and @include what is selected. Further ones are the executor's.
	keptVariants = 16
)

// cache keeps plans by operation. The executor's cache of documents hands out
// the same operation for the same text.
type cache struct {
	operations *lru.Cache[*ast.OperationDefinition, *variants]
}

func newCache() *cache {
	c, err := lru.New[*ast.OperationDefinition, *variants](keptOperations)
	if err != nil {
		panic(err) // the size is not positive
	}
	return &cache{c}
}

// variants are the plans of one operation: one for each set of values that the
// variables of its @skip and @include have.
type variants struct {
	declined  bool // it has a directive that is not known here
	variables []string

	mu    sync.Mutex
	plans map[string]*plan
}

func (c *cache) of(op *ast.OperationDefinition) *variants {
	if v, ok := c.operations.Get(op); ok {
		return v
	}
	v := &variants{plans: map[string]*plan{}}
	v.walk(op.SelectionSet, map[string]bool{})
	c.operations.Add(op, v)
	return v
}

// walk notes the variables that say what is selected.
func (v *variants) walk(selections ast.SelectionSet, seen map[string]bool) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			v.directives(s.Directives)
			v.walk(s.SelectionSet, seen)
		case *ast.InlineFragment:
			v.directives(s.Directives)
			v.walk(s.SelectionSet, seen)
		case *ast.FragmentSpread:
			v.directives(s.Directives)
			if !seen[s.Name] {
				seen[s.Name] = true
				v.directives(s.Definition.Directives)
				v.walk(s.Definition.SelectionSet, seen)
			}
		}
	}
}

func (v *variants) directives(list ast.DirectiveList) {
	for _, d := range list {
		condition := d.Arguments.ForName("if")
		if d.Name != "skip" && d.Name != "include" || condition == nil {
			v.declined = true
			return
		}
		if condition.Value.Kind == ast.Variable {
			v.variables = append(v.variables, condition.Value.Raw)
		}
	}
}

// key is the values of the variables; false when the executor must answer.
func (v *variants) key(values map[string]any) (string, bool) {
	if v.declined || len(v.variables) == 0 {
		return "", !v.declined
	}
	var b strings.Builder
	for _, name := range v.variables {
		value, ok := values[name].(bool)
		if !ok {
			return "", false
		}
		if value {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String(), true
}

// get returns a plan, compiled when it is first asked for; nil when the executor
// must answer.
func (v *variants) get(key string, compile func() *plan) *plan {
	v.mu.Lock()
	defer v.mu.Unlock()
	p, found := v.plans[key]
	if !found && len(v.plans) < keptVariants {
		p = compile()
		v.plans[key] = p
	}
	return p
}
