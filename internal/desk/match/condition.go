package match

import (
	"strings"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/ground/fault"
)

// Environment is what conditions are evaluated in.
type Environment struct {
	formula.Environment

	Defined recordfields.Types
}

func (r *Rule) checkCondition(defined recordfields.Types) error {
	if r.Condition == "" {
		return nil
	}
	program, err := r.compile(defined)
	if err := formula.CheckCondition("input.condition", program, err); err != nil {
		return err
	}
	for _, path := range program.Fields() {
		if strings.Contains(path, ".") {
			return fault.Input("input.condition", "A linking rule looks at the record's own fields, and %s is of another record. Leave it out.", path)
		}
	}
	return nil
}

func (r *Rule) compile(defined recordfields.Types) (*formula.Program, error) {
	return formula.Expression(r.Condition, recordfields.Of(r.ObjectType, defined), formula.Options{})
}

// condition returns the function that reports whether a record meets the rule's condition. A
// record does not if the result is blank or cannot be computed, if a field of the formula is
// gone, or if what it holds was not read: a rule may get its condition after the read, and
// must not take unread fields for blank ones.
func (r *Rule) condition(env *Environment) func(*Record) bool {
	if r.Condition == "" {
		return func(*Record) bool { return true }
	}
	program, err := r.compile(env.Defined)
	def := env.Defined(r.ObjectType)
	if err != nil || def == nil {
		return func(*Record) bool { return false }
	}
	return func(record *Record) bool {
		if record.Held == nil {
			return false
		}
		run := env.Environment
		run.Values = program.Arrange(func(path string) formula.Value {
			if f := def.Field(path); f != nil {
				return recordfields.ValueOf(f.Kind, record.Held[f.Name])
			}
			return formula.Value{}
		})
		is, err := program.Run(&run)
		return err == nil && is.Bool()
	}
}
