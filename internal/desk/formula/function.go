package formula

import (
	"slices"
	"strings"
)

// function is a function of the language. It has its way of computing by the number of
// its arguments, or compiles itself.
type function struct {
	name  string
	takes []types // of each parameter
	least int     // arguments that it needs; 0 for as many as parameters
	many  bool    // the last parameter may be repeated
	gives Type
	like  bool // gives what is common to all arguments instead
	first bool // gives the type of the first argument instead
	raw   bool // sees what is blank
	work  int

	// omitted are the values of parameters that were left out, from the last.
	omitted []Value
	none    func(f *frame, at place) Value
	one     func(f *frame, at place, a Value) Value
	two     func(f *frame, at place, a, b Value) Value
	three   func(f *frame, at place, a, b, c Value) Value
	says    func(f *frame, at place, text string) string     // of one text, another
	asks    func(f *frame, at place, text, part string) bool // of two texts
	build   func(n *node, args []expr) (expr, *Error)
}

// functions are all functions by their name in upper case.
var functions = func() map[string]*function {
	all := map[string]*function{}
	for _, list := range [][]function{logicFunctions, textFunctions, numberFunctions, momentFunctions, placeFunctions} {
		for i := range list {
			all[list[i].name] = &list[i]
		}
	}
	all["NULLVAL"] = all["NULLVALUE"]
	return all
}()

// Functions lists the names of all functions.
func Functions() []string {
	names := []string{"TRUE", "FALSE", "NULL"}
	for name := range functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// refused are functions that other products have, and why there are none here.
var refused = map[string]string{
	"IMAGE":        "A text holds no images: use an image of the component.",
	"HYPERLINK":    "A text holds no links: write the URL itself, or use an enhanced link.",
	"GETSESSIONID": "Formulas have no access to sessions.",
	"PREDICT":      "Formulas make no predictions.",
}

func functionOf(n *node) (*function, *Error) {
	name := strings.ToUpper(n.name)
	if fn, ok := functions[name]; ok {
		return fn, nil
	}
	if why, ok := refused[name]; ok {
		return nil, n.at.errorf(Refused, "%s is not allowed. %s", name, why)
	}
	return nil, n.at.unknown(UnknownFunction, "function", shortened(n.name), nearest(n.name, Functions()))
}

// call compiles a call.
func (fn *function) call(n *node, args []expr) (expr, *Error) {
	if err := fn.counted(n, len(args)); err != nil {
		return expr{}, err
	}
	called := &node{name: fn.name, at: n.at}
	gives := fn.gives
	for i, arg := range args {
		takes := fn.takes[min(i, len(fn.takes)-1)]
		if err := wants(called, arg, takes); err != nil {
			return expr{}, err
		}
		if fn.first && i == 0 && arg.typ != Blank {
			gives = arg.typ
		}
		if fn.like && takes != logical {
			together, ok := common(gives, arg.typ)
			if !ok {
				return expr{}, arg.at.errorf(WrongType, "%s cannot result in both %s and %s. Convert one of them.", fn.name, gives, arg.typ)
			}
			gives = together
		}
	}
	if fn.build != nil {
		e, err := fn.build(called, args)
		if fn.like {
			e.typ = gives
		}
		return e, err
	}
	switch at := n.at; {
	case fn.says != nil:
		text := args[0].texts()
		return ofText(func(f *frame) string { return fn.says(f, at, text(f)) }), nil
	case fn.asks != nil:
		text, part := args[0].texts(), args[1].texts()
		return ofTruth(func(f *frame) bool { return fn.asks(f, at, text(f), part(f)) }), nil
	}
	return expr{typ: gives, run: fn.strict(n.at, args)}, nil
}

// counted is the error for too few or too many arguments.
func (fn *function) counted(n *node, given int) *Error {
	most, least := len(fn.takes), fn.least
	if least == 0 {
		least = most
	}
	if given >= least && (given <= most || fn.many) {
		return nil
	}
	wanted := plural(least)
	switch {
	case fn.many:
		wanted += " or more"
	case least < most:
		wanted = plural(least)[:strings.IndexByte(plural(least), ' ')] + " to " + plural(most)
	}
	return n.at.errorf(WrongArguments, "%s takes %s, not %d.", fn.name, wanted, given)
}

func plural(n int) string {
	words := []string{"no", "1", "2", "3", "4"}
	if n == 1 {
		return "1 argument"
	}
	return words[n] + " arguments"
}

// operand is an argument, and which blanks make the result blank.
type operand struct {
	run  code
	void blankness
}

// strict computes a function of its arguments, unless one of them makes it blank.
func (fn *function) strict(at place, args []expr) code {
	operands := make([]operand, len(fn.takes))
	for i := range operands {
		if i < len(args) {
			operands[i] = operand{args[i].run, fn.voids(fn.takes[i])}
			continue
		}
		omitted := fn.omitted[len(fn.omitted)-len(fn.takes)+i]
		operands[i].run = func(*frame) Value { return omitted }
	}
	switch len(operands) {
	case 0:
		return func(f *frame) Value { return fn.none(f, at) }
	case 1:
		return fn.ofOne(at, operands[0])
	case 2:
		return fn.ofTwo(at, operands[0], operands[1])
	}
	return fn.ofThree(at, operands[0], operands[1], operands[2])
}

// voids are the blanks that make the result blank: any date, and a number that keeps
// its blank. A blank text is empty.
func (fn *function) voids(takes types) blankness {
	switch {
	case fn.raw:
		return present
	case takes&timed != 0 || takes.has(Geolocation):
		return asZero | asBlank
	case takes&numeric != 0:
		return asBlank
	}
	return present
}

func (fn *function) ofOne(at place, a operand) code {
	one, work := fn.one, fn.work
	return func(f *frame) Value {
		x := a.run(f)
		if x.blank&a.void != 0 || work > 0 && !f.spend(at, work) {
			return Value{blank: x.blank}
		}
		return one(f, at, x)
	}
}

func (fn *function) ofTwo(at place, a, b operand) code {
	two, work := fn.two, fn.work
	return func(f *frame) Value {
		x, y := a.run(f), b.run(f)
		if x.blank&a.void != 0 || y.blank&b.void != 0 || work > 0 && !f.spend(at, work) {
			return Value{blank: x.blank | y.blank}
		}
		return two(f, at, x, y)
	}
}

func (fn *function) ofThree(at place, a, b, c operand) code {
	return func(f *frame) Value {
		x, y, z := a.run(f), b.run(f), c.run(f)
		if x.blank&a.void != 0 || y.blank&b.void != 0 || z.blank&c.void != 0 {
			return Value{blank: x.blank | y.blank | z.blank}
		}
		return fn.three(f, at, x, y, z)
	}
}
