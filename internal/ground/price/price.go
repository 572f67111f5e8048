// Package price gives the cost of fields of the graph beyond the 1 that every field
// costs. A price is computed from a field's arguments before anything runs, and stands
// for the rows that the field visits. If their number is only known afterwards, Charge
// takes the rest.
package price

import (
	"context"
	"unicode/utf8"
)

// Args are a field's arguments, coerced: input objects are maps by field.
type Args map[string]any

// Price is what one field costs. The zero Price adds nothing.
type Price struct {
	// Units are what the field itself adds; nil for nothing.
	Units func(Args) int
	// Total is what the totalCount of the connection adds that the field gives: it
	// follows from the field's arguments. Equal ones at the root of a query are
	// counted once, and cost once. Nil for nothing.
	Total func(Args) int
	// Why says what the field visits, for people.
	Why string
}

// Table is the prices of fields by "Type.field".
type Table map[string]Price

// Flat is a price that no argument changes.
func Flat(units int) func(Args) int { return func(Args) int { return units } }

// Object is the input object in an argument, or in another one; empty where it is
// absent.
func (a Args) Object(name string) Args {
	switch o := a[name].(type) {
	case map[string]any:
		return o
	case Args:
		return o
	}
	return nil
}

// Has reports whether an argument was given, and not as null.
func (a Args) Has(name string) bool { return a[name] != nil }

// Is reports whether a Boolean argument is true.
func (a Args) Is(name string) bool {
	b, _ := a[name].(bool)
	return b
}

// Text is a text argument or an enum's value; empty where it is absent.
func (a Args) Text(name string) string {
	s, _ := a[name].(string)
	return s
}

// Length is how many characters a text argument has.
func (a Args) Length(name string) int { return utf8.RuneCountInString(a.Text(name)) }

// Count is how many elements a list argument has; a single value is a list of it.
func (a Args) Count(name string) int {
	switch list := a[name].(type) {
	case nil:
		return 0
	case []any:
		return len(list)
	}
	return 1
}

type meterKey struct{}

// NewContext returns a context under which Charge calls charge, and what ctx did
// before.
func NewContext(ctx context.Context, charge func(units int)) context.Context {
	before, metered := ctx.Value(meterKey{}).(func(int))
	if !metered {
		return context.WithValue(ctx, meterKey{}, charge)
	}
	return context.WithValue(ctx, meterKey{}, func(units int) {
		before(units)
		charge(units)
	})
}

// Charge takes units from whoever the work under ctx is done for, for what could
// not be known before it ran: how many rows a walk visits. Nothing is refused for
// it; the caller's next request is, when they are in debt.
func Charge(ctx context.Context, units int) {
	if charge, metered := ctx.Value(meterKey{}).(func(int)); metered && units > 0 {
		charge(units)
	}
}
