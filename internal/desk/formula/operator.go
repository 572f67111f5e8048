package formula

import (
	"strings"

	"parley/internal/ground/decimal"
)

// signed compiles -x, +x and !x.
func signed(n *node, x expr) (expr, *Error) {
	if n.name == "!" {
		return negated(n, x)
	}
	if err := wants(n, x, numeric); err != nil {
		return expr{}, err
	}
	typ, num, minus := x.typ, x.numbers(), n.name == "-"
	if typ == Blank {
		typ = Number
	}
	return ofNumber(typ, func(f *frame) (decimal.Decimal, blankness) {
		d, blank := num(f)
		if minus {
			d = d.Neg()
		}
		return d, blank & asBlank // like any arithmetic
	}), nil
}

func negated(n *node, x expr) (expr, *Error) {
	if err := wants(n, x, logical); err != nil {
		return expr{}, err
	}
	is := x.truths()
	return ofTruth(func(f *frame) bool { return !is(f) }), nil
}

// wants is the error where the type of an operand is not in the set.
func wants(n *node, x expr, set types) *Error {
	if x.typ == Blank || set.has(x.typ) {
		return nil
	}
	return x.at.errorf(WrongType, "%s wants %s here, not %s.%s", n.name, set, x.typ, advice(set, x.typ))
}

// advice says how to convert a type, if there is a way.
func advice(set types, t Type) string {
	switch {
	case set.has(Text):
		if written.has(t) {
			return " Write TEXT(…)."
		}
	case set.has(Number) && textual.has(t):
		return " Write VALUE(…)."
	case set.has(Date) && (t == DateTime || textual.has(t)):
		return " Write DATEVALUE(…)."
	case set.has(DateTime) && textual.has(t):
		return " Write DATETIMEVALUE(…)."
	case set.has(Time) && (t == DateTime || textual.has(t)):
		return " Write TIMEVALUE(…)."
	}
	return ""
}

// paired compiles an operator between two operands.
func paired(n *node, a, b expr) (expr, *Error) {
	switch n.name {
	case "&":
		return concatenated(n, a, b)
	case "&&", "||":
		for _, x := range []expr{a, b} {
			if err := wants(n, x, logical); err != nil {
				return expr{}, err
			}
		}
		return connected(n.name == "&&", []expr{a, b}), nil
	case "=", "==", "<>", "!=", "<", "<=", ">", ">=":
		return compared(n, a, b)
	case "+", "-":
		return sum(n, a, b)
	}
	for _, x := range []expr{a, b} {
		if err := wants(n, x, numeric); err != nil {
			return expr{}, err
		}
	}
	return calculated(n, a, b), nil
}

func concatenated(n *node, a, b expr) (expr, *Error) {
	for _, x := range []expr{a, b} {
		if !written.has(x.typ) {
			return expr{}, x.at.errorf(WrongType, "& joins texts; a %s has none.", x.typ)
		}
	}
	return joined(n.at, []expr{a, b}), nil
}

// connected is AND, or OR where every is false; operands after the one that decides are
// not looked at.
func connected(every bool, operands []expr) expr {
	list := make([]func(*frame) bool, len(operands))
	for i, operand := range operands {
		list[i] = operand.truths()
	}
	if len(list) == 2 {
		a, b := list[0], list[1]
		return ofTruth(func(f *frame) bool {
			if a(f) != every {
				return !every
			}
			return b(f)
		})
	}
	return ofTruth(func(f *frame) bool {
		for _, is := range list {
			if is(f) != every {
				return !every
			}
		}
		return every
	})
}

func truth(is bool) Value {
	if is {
		return isTrue
	}
	return isFalse
}

func numberOf(n int64) Value { return NumberOf(decimal.Of(n)) }

// kinship says what may be compared with one another.
func kinship(a, b Type) types {
	t := a
	if a == Blank {
		t = b
	}
	switch {
	case numeric.has(t):
		return numeric
	case textual.has(t):
		return textual
	case timed.has(t) || t == Boolean || t == Blank:
		return setOf(t)
	}
	return 0
}

// compared compiles a comparison.
func compared(n *node, a, b expr) (expr, *Error) {
	holds, err := comparison(n, a, b)
	if err != nil {
		return expr{}, err
	}
	is, set := outcome(n.name), kinship(a.typ, b.typ)
	switch {
	case set.has(Text):
		return comparedTexts(is, a, b), nil
	case set.has(Number):
		return comparedNumbers(is, a, b), nil
	}
	left, right := a.run, b.run
	return ofTruth(func(f *frame) bool { return holds(left(f), right(f)) }), nil
}

func comparedNumbers(is [3]bool, a, b expr) expr {
	left, right := a.numbers(), b.numbers()
	if b.literal != nil && b.literal.blank == present {
		num, equality := b.literal.num, is[0] == is[2]
		return ofTruth(func(f *frame) bool {
			x, missing := left(f)
			if missing&asBlank == 0 {
				return is[x.Cmp(num)+1]
			}
			return equality && !is[1]
		})
	}
	return ofTruth(func(f *frame) bool {
		x, missing := left(f)
		y, alsoMissing := right(f)
		if (missing|alsoMissing)&asBlank == 0 {
			return is[x.Cmp(y)+1]
		}
		return is[0] == is[2] && (missing&alsoMissing&asBlank != 0) == is[1]
	})
}

func comparedTexts(is [3]bool, a, b expr) expr {
	left, right := a.texts(), b.texts()
	switch {
	case is[0] != is[2]:
		return ofTruth(func(f *frame) bool { return is[strings.Compare(left(f), right(f))+1] })
	case b.literal != nil:
		text := b.literal.text
		return ofTruth(func(f *frame) bool { return (left(f) == text) == is[1] })
	}
	return ofTruth(func(f *frame) bool { return (left(f) == right(f)) == is[1] })
}

// comparison says whether a comparison holds of two values of these types. Nothing is
// less or more than what is blank, and only what is blank is equal to it.
func comparison(n *node, a, b expr) (func(x, y Value) bool, *Error) {
	set, is := kinship(a.typ, b.typ), outcome(n.name)
	equality := is[0] == is[2]
	if set == 0 || set.has(Boolean) && !equality {
		return nil, n.at.errorf(WrongType, "%s cannot compare values of type %s.%s", n.name, a.typ, chosenAdvice(a.typ))
	}
	if err := wants(n, b, set); err != nil {
		return nil, err
	}
	if set.has(Text) {
		return func(x, y Value) bool { return is[strings.Compare(x.text, y.text)+1] }, nil
	}
	missing := asBlank
	if !set.has(Number) && !set.has(Boolean) {
		missing |= asZero
	}
	return func(x, y Value) bool {
		if (x.blank|y.blank)&missing == 0 {
			return is[x.num.Cmp(y.num)+1]
		}
		both := x.blank&missing != 0 && y.blank&missing != 0
		return equality && both == is[1]
	}, nil
}

func chosenAdvice(t Type) string {
	if t == MultiPicklist {
		return " Use INCLUDES."
	}
	return ""
}

// outcome says whether a comparison holds of less, equal and more.
func outcome(operator string) [3]bool {
	switch operator {
	case "<":
		return [3]bool{true, false, false}
	case "<=":
		return [3]bool{true, true, false}
	case ">":
		return [3]bool{false, false, true}
	case ">=":
		return [3]bool{false, true, true}
	case "<>", "!=":
		return [3]bool{true, false, true}
	}
	return [3]bool{false, true, false}
}

// operations are those on two numbers.
var operations = map[string]func(a, b decimal.Decimal) (decimal.Decimal, error){
	"+": decimal.Decimal.Add, "-": decimal.Decimal.Sub, "*": decimal.Decimal.Mul,
	"/": decimal.Decimal.Quo, "^": decimal.Decimal.Pow,
}

// slow is the work of a function that takes many steps.
const slow = 20_000

// calculated compiles an operation on two numbers.
func calculated(n *node, a, b expr) expr {
	at, name, power := n.at, n.name, n.name == "^"
	operate, left, right := operations[name], a.numbers(), b.numbers()
	return ofNumber(kindOf(name, a.typ, b.typ), func(f *frame) (decimal.Decimal, blankness) {
		x, missing := left(f)
		y, alsoMissing := right(f)
		if (missing|alsoMissing)&asBlank != 0 || power && !y.IsFew() && !f.spend(at, slow) {
			return decimal.Decimal{}, asBlank
		}
		num, err := operate(x, y)
		if err != nil {
			f.fail(at.ofNumber(name, err))
			return decimal.Decimal{}, asBlank
		}
		return num, present
	})
}

// kindOf is the kind of number that an operation results in.
func kindOf(operator string, a, b Type) Type {
	switch {
	case operator == "^" || operator == "/" && a == b:
		return Number
	case a == Currency || b == Currency && operator != "/":
		return Currency
	case (operator == "+" || operator == "-") && a == b && a != Blank:
		return a
	}
	return Number
}
