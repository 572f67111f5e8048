package limit

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/fault"
)

// domain selects the budget of a selection.
type domain int

const (
	data domain = iota
	meta        // below __schema or __type
	domains
)

// shape measures one document. It visits each selection at most once per
// operation and domain; steps counts the visits.
type shape struct {
	options   Options
	fragments map[string]*ast.FragmentDefinition
	order     []string // every fragment before those it spreads
	reached   map[string]bool
	steps     int
}

// measure applies the limits on operations, directives and expansion, and
// returns the number of selections it visited.
func (o Options) measure(doc *ast.QueryDocument) (steps int, err error) {
	if n := len(doc.Operations); n > o.Operations {
		return 0, exceeded("The document", "operations", o.Operations, n)
	}
	s := &shape{options: o, fragments: map[string]*ast.FragmentDefinition{}, reached: map[string]bool{}}
	for _, f := range doc.Fragments {
		if s.fragments[f.Name] == nil {
			s.fragments[f.Name] = f
		}
	}
	if err := s.sort(doc.Fragments); err != nil {
		return s.steps, err
	}
	for _, operation := range doc.Operations {
		if err := s.place(operation.Directives); err != nil {
			return s.steps, err
		}
		if err := s.expand(operation.SelectionSet); err != nil {
			return s.steps, err
		}
	}
	return s.steps, s.expand(s.unreached(doc.Fragments))
}

// unreached returns the fragments that no operation uses, because none spreads
// them or because their name was taken: they are invalid, but validation would
// walk them to say so.
func (s *shape) unreached(fragments ast.FragmentDefinitionList) ast.SelectionSet {
	var set ast.SelectionSet
	for _, f := range fragments {
		if !s.reached[f.Name] || s.fragments[f.Name] != f {
			set = append(set, &ast.InlineFragment{SelectionSet: f.SelectionSet, Directives: f.Directives})
		}
	}
	return set
}

// sort fills order, and refuses fragments that spread themselves.
func (s *shape) sort(fragments ast.FragmentDefinitionList) error {
	const (
		open = iota + 1
		done
	)
	state := map[string]int{}
	var visit func(name string) error
	visit = func(name string) error {
		fragment := s.fragments[name]
		if fragment == nil || state[name] == done {
			return nil
		}
		if state[name] == open {
			return fault.New(fault.LimitExceeded, "A fragment may not spread itself, directly or through other fragments. Break the cycle.")
		}
		state[name] = open
		for _, spread := range s.spreads(fragment.SelectionSet, nil) {
			if err := visit(spread); err != nil {
				return err
			}
		}
		state[name] = done
		s.order = append(s.order, name)
		return nil
	}
	for _, f := range fragments {
		if err := visit(f.Name); err != nil {
			return err
		}
	}
	slices.Reverse(s.order)
	return nil
}

// spreads appends the names of the fragments that set spreads.
func (s *shape) spreads(set ast.SelectionSet, names []string) []string {
	for _, selection := range set {
		s.steps++
		switch selection := selection.(type) {
		case *ast.Field:
			names = s.spreads(selection.SelectionSet, names)
		case *ast.InlineFragment:
			names = s.spreads(selection.SelectionSet, names)
		case *ast.FragmentSpread:
			names = append(names, selection.Name)
		}
	}
	return names
}

// expand measures one operation with its fragments.
func (s *shape) expand(set ast.SelectionSet) error {
	x := &expansion{shape: s}
	for d := range domains {
		x.names[d] = map[string]int{}
		x.entries[d] = map[string]entry{}
	}
	if err := x.selections(set, data, entry{times: 1}); err != nil {
		return err
	}
	for _, name := range s.order {
		for d := range domains {
			at, found := x.entries[d][name]
			if !found {
				continue
			}
			fragment := s.fragments[name]
			s.reached[name] = true
			if err := s.place(fragment.Directives); err != nil {
				return err
			}
			if err := x.selections(fragment.SelectionSet, d, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// place bounds the directives of one place.
func (s *shape) place(directives ast.DirectiveList) error {
	if n := len(directives); n > s.options.Directives {
		return exceeded("One place of the document", "directives", s.options.Directives, n)
	}
	return nil
}

// entry says how often a fragment occurs, and at most how deep.
type entry struct {
	times int
	depth int
}

// expansion holds the counters of one operation.
type expansion struct {
	*shape
	fields  [domains]int
	aliases [domains]int
	names   [domains]map[string]int
	entries [domains]map[string]entry
}

func (x *expansion) selections(set ast.SelectionSet, d domain, at entry) error {
	for _, selection := range set {
		x.steps++
		var err error
		switch selection := selection.(type) {
		case *ast.Field:
			err = x.field(selection, d, at)
		case *ast.InlineFragment:
			if err = x.place(selection.Directives); err == nil {
				err = x.selections(selection.SelectionSet, d, at)
			}
		case *ast.FragmentSpread:
			err = x.spread(selection, d, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *expansion) spread(spread *ast.FragmentSpread, d domain, at entry) error {
	was := x.entries[d][spread.Name]
	x.entries[d][spread.Name] = entry{times: add(was.times, at.times), depth: max(was.depth, at.depth)}
	return x.place(spread.Directives)
}

func (x *expansion) field(f *ast.Field, d domain, at entry) error {
	at.depth++
	x.fields[d] = add(x.fields[d], at.times)
	x.names[d][f.Name] = add(x.names[d][f.Name], at.times)
	if f.Alias != f.Name {
		x.aliases[d] = add(x.aliases[d], at.times)
	}
	if err := x.within(f, d, at.depth); err != nil {
		return err
	}
	if err := x.place(f.Directives); err != nil {
		return err
	}
	if introspects(f) {
		d, at.depth = meta, 1
	}
	return x.selections(f.SelectionSet, d, at)
}

// within compares the counters that f has moved with their limits.
func (x *expansion) within(f *ast.Field, d domain, depth int) error {
	budget, subject := x.options.Data, "An operation, with its fragments expanded,"
	if d == meta {
		budget, subject = x.options.Introspection, "Introspection, with its fragments expanded,"
	}
	for _, c := range []struct {
		unit          string
		limit, actual int
	}{
		{"levels of fields", budget.Depth, depth},
		{"fields", budget.Fields, x.fields[d]},
		{"aliases", budget.Aliases, x.aliases[d]},
		{"fields named " + shorten(f.Name), budget.Repeats, x.names[d][f.Name]},
	} {
		if c.actual > c.limit {
			return exceeded(subject, c.unit, c.limit, c.actual)
		}
	}
	return nil
}

func introspects(f *ast.Field) bool { return f.Name == "__schema" || f.Name == "__type" }

// shorten keeps a caller's own name from filling the message.
func shorten(name string) string {
	const most = 40
	return strings.ToValidUTF8(name[:min(len(name), most)], "")
}
