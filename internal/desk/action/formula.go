package action

import (
	"errors"
	"slices"
	"strings"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// recordAndBeside is what formulas of an object type may use: the fields of its records, and
// $Conversation.Name, $Answer.Value and so on.
type recordAndBeside struct {
	record formula.Schema
	beside map[string]formula.Schema
}

func schemaOf(objectType string, types Types) formula.Schema {
	of := recordfields.Types(types.WithBeside())
	s := recordAndBeside{recordfields.Of(objectType, of), map[string]formula.Schema{}}
	for name := range beside {
		s.beside[name] = recordfields.Of(name, of)
	}
	return s
}

// Find implements formula.Schema.
func (s recordAndBeside) Find(path string) (formula.Field, bool) {
	object, rest, _ := strings.Cut(path, ".")
	for name, fields := range s.beside {
		if strings.EqualFold(object, name) {
			f, ok := fields.Find(rest)
			f.Name = name + "." + f.Name
			return f, ok
		}
	}
	return s.record.Find(path)
}

// Names implements formula.Schema.
func (s recordAndBeside) Names() []string {
	names := s.record.Names()
	for object, fields := range s.beside {
		for _, name := range fields.Names() {
			names = append(names, object+"."+name)
		}
	}
	slices.Sort(names)
	return names
}

// compile reads the formula of the condition.
func (c *Condition) compile(types Types) (*formula.Program, error) {
	return formula.Expression(c.Value, schemaOf(c.Object, types), formula.Options{})
}

// places are the fields that a program reads, in its order.
func places(objectType string, program *formula.Program) []Place {
	out := make([]Place, len(program.Fields()))
	for i, path := range program.Fields() {
		if object, rest, _ := strings.Cut(path, "."); !IsRecord(object) {
			out[i] = Place{object, PathOf(rest)}
		} else {
			out[i] = Place{objectType, PathOf(path)}
		}
	}
	return out
}

func (c *Condition) checkFormula(at string, types Types) error {
	if types(c.Object) == nil {
		return fault.Input(at+".object", "There is no object type %q. Use one that is defined, or %s.", c.Object, ConversationObject)
	}
	if c.Path != "" {
		return fault.Input(at+".field", "A formula names its fields itself: leave this empty.")
	}
	program, err := c.compile(types)
	if err := formula.CheckCondition(at+".value", program, err); err != nil {
		return err
	}
	for _, p := range places(c.Object, program) {
		if len(p.Path) > MostSteps+1 {
			return fault.Input(at+".value", "A path follows at most %d lookups before its field, not %d.", MostSteps, len(p.Path)-1)
		}
	}
	return nil
}

// Found is what a path led to: a field with its value, or no field.
type Found struct {
	Field *object.Field
	Value object.Value
}

// Met reports whether the condition holds for what its Reads led to, in that order. The
// error is a fault if its formula cannot be computed of these values; it tells none.
func (c *Condition) Met(types Types, read []Found, env formula.Environment) (bool, error) {
	if c.Operator != IsTrue {
		return c.Holds(read[0].Field, read[0].Value), nil
	}
	program, err := c.compile(types)
	if err != nil || len(program.Fields()) != len(read) { // the object types have changed since
		return false, fault.New(fault.Conflict, "A condition's formula names fields that are not there any more. Correct it.")
	}
	schema := schemaOf(c.Object, types)
	env.Values = make([]formula.Value, len(read))
	for i, path := range program.Fields() {
		if f := read[i].Field; f != nil {
			env.Values[i] = recordfields.ValueOf(f.Kind, read[i].Value)
		} else if f, ok := schema.Find(path); ok {
			env.Values[i] = f.Type.Of()
		}
	}
	is, err := program.Run(&env)
	var wrong *formula.Error
	if errors.As(err, &wrong) {
		return false, fault.New(fault.Conflict, "A condition cannot be computed here: %s at line %d, column %d of its formula. Correct it.", wrong.Code, wrong.Line, wrong.Column)
	}
	return is.Bool(), err
}
