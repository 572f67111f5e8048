package formula

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/internal/ground/decimal"
)

// Options say how a formula is read.
type Options struct {
	// KeepsBlank says that NULL stays blank in arithmetic and comparison, where it
	// otherwise counts as zero. What fields do, their own definitions say.
	KeepsBlank bool
}

// Environment is what a program runs on.
type Environment struct {
	// Values are those of Program.Fields, in that order; Program.Arrange makes them.
	Values []Value
	// Now is the time for NOW, TODAY and TIMENOW.
	Now time.Time
	// Zone is that of the organisation; nil for UTC.
	Zone *time.Location
	// Rates are those of CURRENCYRATE, by code in upper case.
	Rates map[string]decimal.Decimal
	// Charge, if it is not nil, takes how much work was done, up to MaxWork.
	Charge func(work int)
}

// Program is a formula that was checked. It is safe for concurrent use.
type Program struct {
	typ    Type
	run    code
	fields []string
}

// Expression reads an expression and checks it against the schema.
func Expression(source string, schema Schema, o Options) (*Program, error) {
	if err := bounded(source, "expression", MaxExpression); err != nil {
		return nil, err
	}
	p := parser{lexer: lexer{source: source, at: place{1, 1}}}
	p.next()
	root, err := p.expression(1)
	if err == nil && p.token.kind != end {
		err = p.unexpected()
	}
	if err != nil {
		return nil, err
	}
	c := newCompiler(schema, o)
	e, err := c.compile(root)
	if err != nil {
		return nil, err
	}
	return c.program(e), nil
}

// unexpected is the error for a token after a whole expression.
func (p *parser) unexpected() *Error {
	switch {
	case p.err != nil:
		return p.err
	case p.token.text == "[":
		return dynamic(p.token.at)
	}
	return p.token.at.errorf(Syntax, "An operator is expected before %s.", shortened(p.token.text))
}

// Template reads a text with merge fields, such as "Your case is {!CaseNumber}.", and
// checks it against the schema. Its result is a text.
func Template(source string, schema Schema, o Options) (*Program, error) {
	if err := bounded(source, "template", MaxTemplate); err != nil {
		return nil, err
	}
	c := newCompiler(schema, o)
	e, err := c.template(source)
	if err != nil {
		return nil, err
	}
	return c.program(e), nil
}

func bounded(source, what string, most int) *Error {
	start := place{1, 1}
	if !utf8.ValidString(source) {
		return start.errorf(Syntax, "The %s is not valid UTF-8.", what)
	}
	if length := utf8.RuneCountInString(source); length > most {
		return start.errorf(TooLarge, "The %s has %d characters; at most %d are allowed. Split it.", what, length, most)
	}
	return nil
}

// Type is the type of the result.
func (p *Program) Type() Type { return p.typ }

// Fields are the paths of the fields that the program reads, in the order in which it
// takes their values. Lists are among them, what is in their items is not.
func (p *Program) Fields() []string { return p.fields }

// Arrange brings values into the order of Fields; get returns the value of a field.
func (p *Program) Arrange(get func(path string) Value) []Value {
	values := make([]Value, len(p.fields))
	for i, path := range p.fields {
		values[i] = get(path)
	}
	return values
}

// Run computes the result. The error is an *Error.
func (p *Program) Run(env *Environment) (Value, error) {
	f, _ := frames.Get().(*frame)
	f.env, f.values, f.zone, f.work, f.err = env, env.Values, env.Zone, 0, nil
	if f.zone == nil {
		f.zone = time.UTC
	}
	result, err := p.run(f), f.err
	if env.Charge != nil {
		env.Charge(f.work)
	}
	f.env, f.values, f.buffer = nil, nil, f.buffer[:0]
	frames.Put(f)
	if err != nil {
		return Value{}, err
	}
	result.typ = p.typ
	if numeric.has(p.typ) {
		result.num = result.num.Settle()
	}
	return result, nil
}

// frame is one run of a program.
type frame struct {
	env    *Environment
	values []Value
	zone   *time.Location
	item   current
	work   int
	err    *Error
	buffer []byte // a stack of texts in the making
}

// current is the item whose template is written.
type current struct {
	value        Value
	index, count int
}

var frames = sync.Pool{New: func() interface{} { return &frame{buffer: make([]byte, 0, 512)} }}

// fail notes the first error of a run, which then goes on with blanks to its end.
func (f *frame) fail(err *Error) Value {
	if f.err == nil {
		f.err = err
	}
	return Value{blank: asBlank}
}

// spend reports whether a run may do so much more work.
func (f *frame) spend(at place, work int) bool {
	if f.err != nil {
		return false
	}
	if f.work += work; f.work > MaxWork {
		f.fail(at.errorf(TooLarge, "The formula takes more work than is allowed. Shorten its texts or lists."))
		return false
	}
	return true
}

// fits reports whether a text of so many bytes may be made.
func (f *frame) fits(at place, length int) bool {
	if length > MaxText && f.err == nil {
		f.fail(at.errorf(TooLarge, "The text gets longer than %d bytes. Shorten it.", MaxText))
	}
	return f.spend(at, length)
}

// now is the time in the organisation's zone.
func (f *frame) now() time.Time { return f.env.Now.In(f.zone) }

// lowered is a path as maps have it.
func lowered(path string) string { return strings.ToLower(path) }
