package action

import (
	"bytes"
	"slices"

	"parley/internal/desk/object"
	"parley/internal/ground/fault"
)

// Operator compares a field.
type Operator string

// The operators.
const (
	Equals     Operator = "EQUALS"
	NotEquals  Operator = "NOT_EQUALS"
	LessThan   Operator = "LESS_THAN"
	AtMost     Operator = "AT_MOST"
	MoreThan   Operator = "MORE_THAN"
	AtLeast    Operator = "AT_LEAST"
	StartsWith Operator = "STARTS_WITH"
	IsBlank    Operator = "IS_BLANK"
	IsNotBlank Operator = "IS_NOT_BLANK"
	// IsTrue is a formula, which compares no single field.
	IsTrue Operator = "FORMULA"
	// OtherOperator is one that only a newer version knows. It never holds here.
	OtherOperator Operator = "OTHER"
)

// Operators lists every operator.
var Operators = []Operator{Equals, NotEquals, LessThan, AtMost, MoreThan, AtLeast, StartsWith, IsBlank, IsNotBlank, IsTrue}

// Known is the operator, OtherOperator for one that only a newer version knows.
func (o Operator) Known() Operator { return known(o, Operators, OtherOperator) }

// Condition is a comparison of a field of the record, or a formula over its fields.
type Condition struct {
	Object   string   `json:"object"`
	Path     string   `json:"field"` // empty for a formula
	Operator Operator `json:"operator"`
	Value    string   `json:"value,omitempty"` // of IsTrue the formula
}

// Place is a field that a condition reads: a path from an object type, or from the
// conversation.
type Place struct {
	Object string
	Path   Path
}

// Reads are the fields that the condition reads. A formula that the object types do not
// allow any more reads one that is not there.
func (c *Condition) Reads(types Types) []Place {
	if c.Operator != IsTrue {
		return []Place{{c.Object, PathOf(c.Path)}}
	}
	program, err := c.compile(types)
	if err != nil {
		return []Place{{c.Object, PathOf("")}}
	}
	return places(c.Object, program)
}

// Counts reports whether the condition is asked of a record of an object type.
func (c *Condition) Counts(objectType string) bool {
	return c.Object == objectType || !IsRecord(c.Object)
}

// Holds reports whether a value meets the condition. f is the field that it was read
// from, nil where the path led nowhere: then it is blank.
func (c *Condition) Holds(f *object.Field, v object.Value) bool {
	switch c.Operator {
	case IsBlank:
		return v.IsBlank()
	case IsNotBlank:
		return !v.IsBlank()
	}
	if f == nil || v.IsBlank() {
		return c.Operator == NotEquals
	}
	wanted, err := f.Parse(c.Value, nil)
	if err != nil { // a choice that was taken away
		return c.Operator == NotEquals
	}
	return c.compare(f, v, wanted)
}

func (c *Condition) compare(f *object.Field, v, wanted object.Value) bool {
	keys, to := f.Keys(v), f.Keys(wanted)
	if len(to) == 0 {
		return false
	}
	switch c.Operator {
	case Equals, NotEquals:
		has := slices.ContainsFunc(keys, func(key []byte) bool { return bytes.Equal(key, to[0]) })
		return has == (c.Operator == Equals)
	case StartsWith:
		return slices.ContainsFunc(keys, func(key []byte) bool { return bytes.HasPrefix(key, object.Prefix(c.Value)) })
	}
	n := bytes.Compare(keys[0], to[0])
	switch c.Operator {
	case LessThan:
		return n < 0
	case AtMost:
		return n <= 0
	case MoreThan:
		return n > 0
	case AtLeast:
		return n >= 0
	}
	return false
}

func (c *Condition) check(at string, types Types) error {
	if c.Operator == IsTrue {
		return c.checkFormula(at, types)
	}
	if !slices.Contains(Operators, c.Operator) {
		return fault.Input(at+".operator", "This version knows no operator %q. Use another.", c.Operator)
	}
	if types(c.Object) == nil {
		return fault.Input(at+".object", "There is no object type %q. Use one that is defined, or %s.", c.Object, ConversationObject)
	}
	ends, err := PathOf(c.Path).check(at+".field", types, c.Object)
	if err != nil {
		return err
	}
	isUnary := c.Operator == IsBlank || c.Operator == IsNotBlank
	if isUnary != (c.Value == "") {
		return fault.Input(at+".value", "IS_BLANK and IS_NOT_BLANK take no value; the other operators need one.")
	}
	for _, f := range ends {
		if err := c.suits(at, f); err != nil {
			return err
		}
	}
	return nil
}

// suits refuses an operator, or a value, that a field does not take.
func (c *Condition) suits(at string, f *object.Field) error {
	switch c.Operator {
	case IsBlank, IsNotBlank:
		return nil
	case StartsWith:
		if !f.IsText() {
			return fault.Input(at+".operator", "STARTS_WITH is for texts, and %s is a %s. Use another operator.", f.Name, f.Kind)
		}
		return nil
	case LessThan, AtMost, MoreThan, AtLeast:
		if f.Kind == object.MultiPicklist || f.Kind == object.Geolocation || f.Kind == object.Boolean {
			return fault.Input(at+".operator", "A %s such as %s has no order. Use EQUALS or NOT_EQUALS.", f.Kind, f.Name)
		}
	}
	if _, err := f.Parse(c.Value, nil); err != nil {
		return fault.At(at+".value", err)
	}
	return nil
}
