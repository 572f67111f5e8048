package hostile_test

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"parley/graph"
)

// walk goes through every argument of the schema, also those that come later.
type walk struct {
	schema *ast.Schema
	// own are ids of the attacker's, by the last word of a place, for what a document
	// needs besides the place that is tried.
	own map[string]string
}

func newWalk(own map[string]string) *walk {
	return &walk{graph.NewExecutableSchema(graph.Config{}).Schema(), own}
}

// spot is a place of the schema where a caller puts a value.
type spot struct {
	root  *ast.Definition
	field *ast.FieldDefinition
	path  string // such as "input.selection.ids"
}

func (s spot) String() string { return s.root.Name + "." + s.field.Name + "." + s.path }

// spots are those of the types: of root fields' arguments, and below them of what
// input objects hold.
func (w *walk) spots(types ...string) (all []spot) {
	for _, root := range []*ast.Definition{w.schema.Query, w.schema.Mutation, w.schema.Subscription} {
		for _, field := range root.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			for _, arg := range field.Arguments {
				w.into(arg.Name, arg.Type, types, func(path string) { all = append(all, spot{root, field, path}) })
			}
		}
	}
	return all
}

func (w *walk) into(path string, typ *ast.Type, types []string, found func(path string)) {
	def := w.schema.Types[typ.Name()]
	if def.Kind != ast.InputObject {
		if slices.Contains(types, def.Name) {
			found(path)
		}
		return
	}
	for _, f := range def.Fields {
		w.into(path+"."+f.Name, f.Type, types, found)
	}
}

// document asks for the spot's field with all its arguments by variables.
func (w *walk) document(s spot) string {
	var declared, passed []string
	for _, arg := range s.field.Arguments {
		declaration := "$" + arg.Name + ": " + arg.Type.String()
		if arg.DefaultValue != nil {
			declaration += " = " + arg.DefaultValue.String()
		}
		declared = append(declared, declaration)
		passed = append(passed, arg.Name+": $"+arg.Name)
	}
	return strings.ToLower(s.root.Name) + "(" + strings.Join(declared, ", ") + ") { " +
		s.field.Name + "(" + strings.Join(passed, ", ") + ") " + w.selection(w.schema.Types[s.field.Type.Name()], 3, "") + " }"
}

// selection is everything that a type shows, so deep. Below an interface or a
// union names are made unique, since fields of one name may differ in type.
func (w *walk) selection(def *ast.Definition, deep int, prefix string) string {
	if def.Kind == ast.Scalar || def.Kind == ast.Enum {
		return ""
	}
	out := []string{"__typename"}
	for _, possible := range w.schema.GetPossibleTypes(def) {
		if def.Kind != ast.Object {
			out = append(out, "... on "+possible.Name+" "+w.selection(possible, deep, prefix+possible.Name+"_"))
		}
	}
	for _, f := range def.Fields {
		below := w.schema.Types[f.Type.Name()]
		isLeaf := below.Kind == ast.Scalar || below.Kind == ast.Enum
		if def.Kind != ast.Object || strings.HasPrefix(f.Name, "__") || f.Name == "inboxes" || !isLeaf && deep == 0 {
			continue
		}
		name := f.Name
		if prefix != "" {
			name = prefix + f.Name + ": " + f.Name
		}
		if f.Arguments.ForName("first") != nil {
			name += "(first: 2)"
		}
		out = append(out, name+" "+w.selection(below, deep-1, prefix))
	}
	return "{ " + strings.Join(out, " ") + " }"
}

// variables are those of document, with a value at the spot and the least that is
// needed besides. The view is of a kind where the value is its subject.
func (w *walk) variables(s spot, value any, view string) vars {
	v := vars{}
	for _, arg := range s.field.Arguments {
		p := part{walk: w, spot: s, value: value, view: view}
		if x, is := p.of(arg.Name, arg.Type, arg.DefaultValue != nil); is {
			v[arg.Name] = x
		}
	}
	return v
}

type part struct {
	*walk
	spot  spot
	value any
	view  string
}

// of is the value at a path, if there has to be one.
func (p part) of(path string, typ *ast.Type, hasDefault bool) (value any, is bool) {
	leads := strings.HasPrefix(p.spot.path+".", path+".")
	if !leads && !p.needed(path) && (!typ.NonNull || hasDefault) {
		return nil, false
	}
	switch def := p.schema.Types[typ.Name()]; {
	case path == p.spot.path:
		value = p.value
	case def.Kind == ast.InputObject:
		fields := vars{}
		for _, f := range def.Fields {
			if x, is := p.of(path+"."+f.Name, f.Type, f.DefaultValue != nil); is {
				fields[f.Name] = x
			}
		}
		value = fields
	default:
		value = p.usual(path, def)
	}
	if typ.Elem != nil {
		value = []any{value}
	}
	return value, true
}

// needed are those that the schema does not ask for, but the use case.
func (p part) needed(path string) bool {
	target := p.spot.path
	switch path {
	case "input.dryRun":
		return true
	case "input.selection.ids":
		return !strings.Contains(target, ".view.") && !strings.HasSuffix(target, ".search")
	case "input.number":
		return p.spot.field.Name == "startConversation" && target != "input.recordId"
	case "input.agentId":
		return p.spot.field.Name == "assignConversations" || p.spot.field.Name == "bulkAssignConversations"
	}
	return false
}

func (p part) usual(path string, def *ast.Definition) any {
	name := path[strings.LastIndexByte(path, '.')+1:]
	switch {
	case def.Name == "Int":
		return 1
	case def.Name == "Boolean":
		return true
	case def.Name == "ViewKind" && p.view != "":
		return p.view
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case name == "idempotencyKey":
		return key()
	case p.own[name] != "" && p.spot.field.Name != "revokeTokens": // which would end the attacker's own
		return p.own[name]
	}
	return "the"
}
