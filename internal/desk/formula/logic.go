package formula

import (
	"strings"

	"parley/internal/ground/decimal"
)

var logicFunctions = []function{
	{name: "IF", takes: []types{logical, anything, anything}, like: true, build: chosen},
	{name: "CASE", takes: []types{anything}, least: 4, many: true, build: cased},
	{name: "AND", takes: []types{logical}, many: true, gives: Boolean, build: func(_ *node, args []expr) (expr, *Error) {
		return connected(true, args), nil
	}},
	{name: "OR", takes: []types{logical}, many: true, gives: Boolean, build: func(_ *node, args []expr) (expr, *Error) {
		return connected(false, args), nil
	}},
	{name: "NOT", takes: []types{logical}, build: func(n *node, args []expr) (expr, *Error) { return negated(n, args[0]) }},
	{name: "ISBLANK", takes: []types{anything}, build: func(_ *node, args []expr) (expr, *Error) {
		return missing(args[0], true), nil
	}},
	{name: "ISNULL", takes: []types{anything}, build: func(_ *node, args []expr) (expr, *Error) {
		return missing(args[0], false), nil
	}},
	{name: "BLANKVALUE", takes: []types{anything, anything}, like: true, build: func(_ *node, args []expr) (expr, *Error) {
		return substituted(args[0], args[1], true), nil
	}},
	{name: "NULLVALUE", takes: []types{anything, anything}, like: true, build: func(_ *node, args []expr) (expr, *Error) {
		return substituted(args[0], args[1], false), nil
	}},
	{name: "ISPICKVAL", takes: []types{textual, textual}, asks: func(_ *frame, _ place, text, part string) bool { return text == part }},
	{name: "INCLUDES", takes: []types{setOf(MultiPicklist), textual}, asks: includes},
	{name: "ISNUMBER", takes: []types{textual | numeric}, raw: true, gives: Boolean, one: func(_ *frame, _ place, a Value) Value {
		if a.typ == Text || a.typ == Picklist || a.typ == ID {
			return truth(isNumber(a.text))
		}
		return truth(a.blank == present)
	}},
}

func includes(f *frame, at place, chosen, one string) bool {
	return one != "" && f.spend(at, len(chosen)) && strings.Contains(";"+chosen+";", ";"+one+";")
}

// chosen compiles IF: only the branch that is taken is computed.
func chosen(_ *node, args []expr) (expr, *Error) {
	is, then, otherwise := args[0].truths(), args[1], args[2]
	e := expr{run: func(f *frame) Value {
		if is(f) {
			return then.run(f)
		}
		return otherwise.run(f)
	}}
	typ, _ := common(then.typ, otherwise.typ)
	switch a, b := then.texts(), otherwise.texts(); {
	case textual.has(typ):
		// NULL has the empty text, and is told apart by its blank: see run.
		e.text = func(f *frame) string {
			if is(f) {
				return a(f)
			}
			return b(f)
		}
	case typ == Boolean:
		yes, no := then.truths(), otherwise.truths()
		e.truth = func(f *frame) bool {
			if is(f) {
				return yes(f)
			}
			return no(f)
		}
	case numeric.has(typ):
		x, y := then.numbers(), otherwise.numbers()
		e.num = func(f *frame) (decimal.Decimal, blankness) {
			if is(f) {
				return x(f)
			}
			return y(f)
		}
	}
	return e, nil
}

// cased compiles CASE(value, a, result of a, b, result of b, …, other result).
func cased(n *node, args []expr) (expr, *Error) {
	if len(args)%2 != 0 {
		return expr{}, n.at.errorf(WrongArguments, "CASE takes a value, pairs of a value and its result, and the result for all others: one argument is missing or too many.")
	}
	other := args[len(args)-1]
	typ := other.typ
	var branches []branch
	for i := 1; i < len(args)-1; i += 2 {
		holds, err := comparison(&node{name: "CASE", at: args[i].at}, args[0], args[i])
		if err != nil {
			return expr{}, err
		}
		together, ok := common(typ, args[i+1].typ)
		if !ok {
			return expr{}, args[i+1].at.errorf(WrongType, "CASE cannot result in both %s and %s. Convert one of them.", typ, args[i+1].typ)
		}
		typ, branches = together, append(branches, branch{holds, args[i].run, args[i+1].run})
	}
	return expr{typ: typ, run: func(f *frame) Value {
		v := args[0].run(f)
		for i := range branches {
			if b := &branches[i]; b.holds(v, b.of(f)) {
				return b.result(f)
			}
		}
		return other.run(f)
	}}, nil
}

// branch is a pair of CASE.
type branch struct {
	holds      func(x, y Value) bool
	of, result code
}

// missing compiles ISBLANK, for which an empty text is blank, and ISNULL, for which no
// text is.
func missing(x expr, emptyToo bool) expr {
	run := x.run
	if textual.has(x.typ) || x.typ == MultiPicklist {
		return expr{typ: Boolean, run: func(f *frame) Value { return truth(run(f).text == "" && emptyToo) }}
	}
	return expr{typ: Boolean, run: func(f *frame) Value { return truth(run(f).blank != present) }}
}

// substituted compiles BLANKVALUE and NULLVALUE.
func substituted(x, instead expr, emptyToo bool) expr {
	run, other := x.run, instead.run
	if textual.has(x.typ) || x.typ == MultiPicklist {
		return expr{run: func(f *frame) Value {
			if v := run(f); v.text != "" || !emptyToo {
				return v
			}
			return other(f)
		}}
	}
	return expr{run: func(f *frame) Value {
		if v := run(f); v.blank == present {
			return v
		}
		return other(f)
	}}
}
