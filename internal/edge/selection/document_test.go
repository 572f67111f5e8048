package selection_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// author writes random documents that are valid. It draws evenly, which rapid
// does not: most of a schema would hardly be asked for.
type author struct {
	random *rand.Rand
	schema *ast.Schema
	world  *world

	variables   map[string]any
	declared    []string
	fragments   []string
	count, left int
}

func (a *author) name(prefix string) string {
	a.count++
	return prefix + strconv.Itoa(a.count)
}

func (a *author) chance(percent int) bool { return a.random.IntN(100) < percent }

func draw[T any](a *author, from []T) T { return from[a.random.IntN(len(from))] }

// query writes a query and the variables it is to be run with.
func (a *author) query() (document string, variables map[string]any) {
	a.variables, a.left = map[string]any{}, 20
	body := a.selections(a.schema.Query, 6, false)
	head := "query"
	if len(a.declared) > 0 {
		head += "(" + strings.Join(a.declared, ", ") + ")"
	}
	return head + " " + body + "\n" + strings.Join(a.fragments, "\n"), a.variables
}

// selections writes a selection set. Below an abstract type every field has an
// alias of its own: those of two members may differ in type.
func (a *author) selections(on *ast.Definition, depth int, aliased bool) string {
	var b strings.Builder
	b.WriteString("{ ")
	for range 1 + a.random.IntN(5) {
		b.WriteString(a.selection(on, depth, aliased) + " ")
	}
	b.WriteString("}")
	return b.String()
}

func (a *author) selection(on *ast.Definition, depth int, aliased bool) string {
	switch n := a.random.IntN(20); {
	case n == 0:
		return "__typename" + a.directives()
	case n <= 2 && a.left > 0:
		a.left--
		member, aliased := a.condition(on, aliased)
		if member == on && a.chance(40) {
			return "..." + a.directives() + " " + a.selections(on, depth, aliased)
		}
		return "... on " + member.Name + a.directives() + " " + a.selections(member, depth, aliased)
	case n == 3 && a.left > 0:
		a.left--
		member, aliased := a.condition(on, aliased)
		name := a.name("F")
		text := fmt.Sprintf("fragment %s on %s %s", name, member.Name, a.selections(member, depth, aliased))
		a.fragments = append(a.fragments, text)
		spread := "..." + name + a.directives()
		if a.chance(20) {
			spread += " ..." + name + a.directives()
		}
		return spread
	}
	return a.field(on, depth, aliased)
}

// condition is a type that a fragment may stand on within another.
func (a *author) condition(on *ast.Definition, aliased bool) (*ast.Definition, bool) {
	if on.IsAbstractType() {
		return draw(a, a.schema.GetPossibleTypes(on)), true
	}
	if len(on.Interfaces) > 0 && a.chance(30) {
		return a.schema.Types[on.Interfaces[0]], aliased
	}
	return on, aliased
}

func (a *author) field(on *ast.Definition, depth int, aliased bool) string {
	var fields []*ast.FieldDefinition
	for _, f := range on.Fields {
		leaf := a.schema.Types[f.Type.Name()].IsLeafType()
		if !strings.HasPrefix(f.Name, "__") && (leaf || depth > 0 && a.left > 0) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return "__typename"
	}
	f := draw(a, fields)
	arguments := a.arguments(f)
	text := f.Name + arguments
	if aliased || arguments != "" || a.chance(15) {
		text = a.name("a") + ": " + text
	}
	text += a.directives()
	of := a.schema.Types[f.Type.Name()]
	if of.IsLeafType() {
		return text
	}
	a.left--
	return text + " " + a.selections(of, depth-1, false)
}

func (a *author) directives() string {
	if !a.chance(12) {
		return ""
	}
	condition := draw(a, []string{"true", "false", "$"})
	if condition == "$" {
		condition = a.variable("Boolean!", a.chance(50))
	}
	return " @" + draw(a, []string{"skip", "include"}) + "(if: " + condition + ")"
}

func (a *author) variable(typeName string, value any) string {
	name := a.name("v")
	a.declared = append(a.declared, "$"+name+": "+typeName)
	a.variables[name] = value
	return "$" + name
}

// arguments writes those of a field. Pages are small.
func (a *author) arguments(f *ast.FieldDefinition) string {
	var list []string
	for _, arg := range f.Arguments {
		likely := 8
		switch arg.Name {
		case "first":
			likely = 80
		case "after", "last", "before": // most go wrong: with first, or as another list's cursor
			likely = 4
		}
		if !arg.Type.NonNull && !a.chance(likely) {
			continue
		}
		v := a.value(arg.Type, f.Name+" "+arg.Name)
		text := a.literal(arg.Type, v)
		if a.chance(40) {
			text = a.variable(arg.Type.String(), v)
		}
		list = append(list, arg.Name+": "+text)
	}
	if len(list) == 0 {
		return ""
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// prefixes are of the ids that an argument most likely has.
var prefixes = map[string]string{"conversation id": "cnv_", " channelId": "chn_", " ownerId": "agt_"}

// value is one that the argument of a field may have, or of an input object.
func (a *author) value(t *ast.Type, place string) any {
	_, name, _ := strings.Cut(place, " ")
	if !t.NonNull && a.chance(10) {
		return nil
	}
	def := a.schema.Types[t.Name()]
	switch {
	case name == "view" && a.chance(80):
		return map[string]any{"kind": draw(a, []string{"ALL", "MY_INBOX", "SENT", "UNASSIGNED"})}
	case def.Kind == ast.Enum:
		return draw(a, def.EnumValues).Name
	case def.Kind == ast.InputObject:
		object := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || a.chance(25) {
				object[f.Name] = a.value(f.Type, " "+f.Name)
			}
		}
		return object
	}
	switch t.Name() {
	case "Int":
		return draw(a, []int{1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 101})
	case "Boolean":
		return a.chance(50)
	case "ID":
		id := draw(a, a.world.ids)
		for a.chance(95) && !strings.HasPrefix(id, prefixes[place]) {
			id = draw(a, a.world.ids)
		}
		return id
	case "DateTime":
		return draw(a, []string{"2020-01-01T00:00:00Z", "2026-11-22T10:00:00+05:30", "2026-11-23T00:00:00.000001Z", "yesterday"})
	}
	switch name {
	case "after", "before":
		return draw(a, a.world.cursors)
	case "draft":
		return draw(a, []string{"", "Hello", "Grüße €", "quote \" slash \\ line \n", strings.Repeat("long ", 400)})
	}
	return draw(a, a.world.names)
}

// literal writes a value in the document.
func (a *author) literal(t *ast.Type, value any) string {
	def := a.schema.Types[t.Name()]
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		if def.Kind == ast.Enum {
			return v
		}
		return strconv.Quote(strings.ToValidUTF8(v, ""))
	case map[string]any:
		var list []string
		for _, f := range def.Fields {
			if inner, ok := v[f.Name]; ok {
				list = append(list, f.Name+": "+a.literal(f.Type, inner))
			}
		}
		slices.Sort(list)
		return "{" + strings.Join(list, ", ") + "}"
	}
	return fmt.Sprint(value)
}
