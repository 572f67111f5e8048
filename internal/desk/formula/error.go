package formula

import (
	"errors"
	"fmt"
	"strings"

	"parley/internal/ground/decimal"
	"parley/internal/ground/fault"
)

// Code says what is wrong with a formula.
type Code string

// The codes.
const (
	// Syntax: the source does not parse.
	Syntax Code = "SYNTAX"
	// UnknownField: there is no such field.
	UnknownField Code = "UNKNOWN_FIELD"
	// UnknownFunction: there is no such function.
	UnknownFunction Code = "UNKNOWN_FUNCTION"
	// Refused: the function or reference is known and deliberately not allowed.
	Refused Code = "REFUSED"
	// WrongArguments: a function has too few or too many arguments.
	WrongArguments Code = "WRONG_ARGUMENTS"
	// WrongType: a value has a type that does not fit.
	WrongType Code = "WRONG_TYPE"
	// TooLarge: source, nesting, work or result is beyond a bound.
	TooLarge Code = "TOO_LARGE"
	// DivisionByZero: a number is divided by zero.
	DivisionByZero Code = "DIVISION_BY_ZERO"
	// OutOfRange: a value is outside of what the operation takes or can hold.
	OutOfRange Code = "OUT_OF_RANGE"
	// BadValue: a text is not the number, date, time or id that it should be.
	BadValue Code = "BAD_VALUE"
	// UnknownCurrency: there is no rate for the currency.
	UnknownCurrency Code = "UNKNOWN_CURRENCY"
)

// Error is what is wrong with a formula, and where.
type Error struct {
	Code    Code
	Message string
	// Line and Column are where, both from 1 and in characters.
	Line, Column int
	// Suggestion is the name that was probably meant; it may be empty.
	Suggestion string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// At is the error as a fault of the input at field.
func (e *Error) At(field string) error {
	return fault.Input(field, "Line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// CheckCondition refuses what compiling the formula of a condition gave, as a fault of the
// input at field: an error, or a formula that is neither true nor false.
func CheckCondition(field string, p *Program, err error) error {
	var wrong *Error
	switch {
	case errors.As(err, &wrong):
		return wrong.At(field)
	case p.Type() != Boolean:
		return fault.Input(field, "The formula gives a %s, and a condition is true or false. Compare it with something.", p.Type())
	}
	return nil
}

// place is a place in a source.
type place struct{ line, column int32 }

func (p place) errorf(code Code, format string, args ...interface{}) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Line: int(p.line), Column: int(p.column)}
}

// unknown is the error for a name that nobody knows, with the one that was probably meant,
// or else none.
func (p place) unknown(code Code, what, name, meant string) *Error {
	err := p.errorf(code, "There is no %s %s.", what, name)
	if err.Suggestion = meant; meant != "" {
		err.Message += " Did you mean " + meant + "?"
	}
	return err
}

// ofNumber says what is wrong with an operation on numbers.
func (p place) ofNumber(name string, err error) *Error {
	switch {
	case errors.Is(err, decimal.ErrZero):
		return p.errorf(DivisionByZero, "%s divides by zero. Guard it, such as IF(x = 0, NULL, y / x).", name)
	case errors.Is(err, decimal.ErrDomain):
		return p.errorf(OutOfRange, "%s has no result for this number.", name)
	}
	return p.errorf(OutOfRange, "The result of %s has more than 38 digits before the point.", name)
}

// byFields is the path that names the fields of lookups, AccountId.Name or Shop__c.Name, where
// the one given names their relationships as Salesforce does, Account.Name or Shop__r.Name; empty
// if that leads to no field either.
func byFields(s Schema, path string) string {
	names := strings.Split(path, ".")
	for i, name := range names[:len(names)-1] {
		field := name + "Id"
		if n := len(name) - len("__r"); n > 0 && strings.EqualFold(name[n:], "__r") {
			field = name[:n] + "__c"
		}
		names[i] = field
		if _, found := s.Find(strings.Join(names[:i+1], ".")); !found {
			names[i] = name
		}
	}
	if f, found := s.Find(strings.Join(names, ".")); found {
		return f.Name
	}
	return ""
}

// nearest is the name most like the one given, if any is like it.
func nearest(name string, known []string) string {
	best, distance := "", max(1, min(len(name)/3, 3))+1
	lower := strings.ToLower(name)
	for _, candidate := range known {
		if d := edits(lower, strings.ToLower(candidate), distance); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// edits is how many insertions, deletions, replacements and swaps of neighbours make b of
// a; enough is as good as more.
func edits(a, b string, enough int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= enough || len(y)-len(x) >= enough || len(x) > 200 {
		return enough
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
