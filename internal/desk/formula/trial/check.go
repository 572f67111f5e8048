package trial

import (
	"context"
	"errors"
	"strings"

	"parley/internal/desk/formula"
	"parley/internal/ground/clock"
	"parley/internal/ground/decimal"
	"parley/internal/ground/fault"
	"parley/internal/ground/price"
	"parley/internal/ground/viewer"
)

// Service checks formulas for those who are signed in.
type Service struct {
	Clock clock.Clock
	// Rates are the organisation's, for formulas that are given none.
	Rates func() map[string]decimal.Decimal
}

// Input is a trial as the graph takes it.
type Input struct {
	Expression *string
	Template   *string
	Fields     []*FieldInput
	Now        *clock.Time
	TimeZone   *string
	KeepsBlank *bool
	Rates      []*RateInput
}

// FieldInput is a field with its value.
type FieldInput struct {
	Name     string
	Type     formula.Type
	Value    *string
	Template *string
	Items    []*ItemInput
}

// ItemInput is an item of a list.
type ItemInput struct {
	Fields []*ItemFieldInput
}

// ItemFieldInput is a field of an item, or without a name the item itself.
type ItemFieldInput struct {
	Name  *string
	Type  formula.Type
	Value *string
}

// RateInput is the rate of a currency.
type RateInput struct {
	Code string
	Rate string
}

// Check is what a trial came to: a result, or an error.
type Check struct {
	Type  *formula.Type
	Value *string
	Error *Failure
}

// Failure is what is wrong with a formula, and where.
type Failure struct {
	Code         formula.Code
	Message      string
	Line, Column *int
	Suggestion   *string
}

const (
	mostZone = 64
)

// workOfUnit is how much work of a formula takes as long as a unit of cost.
const workOfUnit = 10_000

// Check checks and runs a formula. What it takes is charged to the viewer.
func (s *Service) Check(ctx context.Context, in Input) (*Check, error) {
	if viewer.FromContext(ctx) == nil {
		return nil, fault.New(fault.Unauthenticated, "Sign in to check formulas.")
	}
	if (in.Expression == nil) == (in.Template == nil) {
		return nil, fault.Input("input", "Give either an expression or a template.")
	}
	t, err := s.trial(in)
	if err == nil {
		t.Charge = func(work int) { price.Charge(ctx, work/workOfUnit) }
		var result Result
		if result, err = t.Run(); err == nil {
			return succeeded(result), nil
		}
	}
	var failed *formula.Error
	if !errors.As(err, &failed) {
		return nil, err
	}
	return &Check{Error: &Failure{
		Code: failed.Code, Message: failed.Message,
		Line: known(failed.Line), Column: known(failed.Column), Suggestion: known(failed.Suggestion),
	}}, nil
}

func succeeded(r Result) *Check {
	check := &Check{Type: &r.Type}
	if r.Type != formula.Blank {
		text := Write(r.Value)
		check.Value = &text
	}
	return check
}

// known is v, nil where it is not known.
func known[T comparable](v T) *T {
	var none T
	if v == none {
		return nil
	}
	return &v
}

func (s *Service) trial(in Input) (Trial, error) {
	t := Trial{Now: s.Clock.Now().Std(), IsTemplate: in.Template != nil, Rates: s.Rates()}
	t.Source, t.Zone = or(in.Expression, or(in.Template, "")), or(in.TimeZone, "")
	t.KeepsBlank = or(in.KeepsBlank, false)
	if in.Now != nil {
		t.Now = in.Now.Std()
	}
	for _, field := range in.Fields {
		t.Fields = append(t.Fields, field.field())
	}
	if len(in.Rates) > formula.MostRates || len(t.Zone) > mostZone {
		return t, refuse("At most %d rates and a zone of %d characters are allowed.", formula.MostRates, mostZone)
	}
	if in.Rates != nil {
		t.Rates = make(map[string]decimal.Decimal, len(in.Rates))
	}
	for _, given := range in.Rates {
		if len(given.Code) > mostName {
			return t, refuse("The code %.60q is longer than %d bytes.", given.Code, mostName)
		}
		rate, err := decimal.Parse(given.Rate)
		if err != nil {
			return t, refuse("The rate of %.60q is not a number.", given.Code)
		}
		t.Rates[strings.ToUpper(given.Code)] = rate
	}
	return t, nil
}

// or is what p points to, other where it is nil.
func or[T any](p *T, other T) T {
	if p == nil {
		return other
	}
	return *p
}

func (in *FieldInput) field() Field {
	field := Field{Name: in.Name, Type: in.Type, Value: in.Value, Template: or(in.Template, "")}
	for _, item := range in.Items {
		var fields []Field
		for _, f := range item.Fields {
			fields = append(fields, Field{Name: or(f.Name, ""), Type: f.Type, Value: f.Value})
		}
		field.Items = append(field.Items, fields)
	}
	return field
}
