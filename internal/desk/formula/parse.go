package formula

import (
	"strings"

	"parley/internal/ground/decimal"
)

// node is a part of a parsed expression.
type node struct {
	form form
	name string // of a field, function or operator; or a text
	num  decimal.Decimal
	args []*node
	at   place
}

// form is what kind of part a node is.
type form uint8

const (
	textNode form = iota
	numberNode
	truthNode // num is 1 for TRUE
	nullNode
	fieldNode
	callNode
	signNode // an operator before its operand
	pairNode // an operator between two
)

// bindings say how tightly an operator binds; operators of one strength from the left.
var bindings = map[string]int{
	"||": 1,
	"&&": 2,
	"=":  3, "==": 3, "<>": 3, "!=": 3,
	"<": 4, "<=": 4, ">": 4, ">=": 4,
	"+": 5, "-": 5, "&": 5,
	"*": 6, "/": 6,
	"^": 7,
}

// parser makes nodes of tokens.
type parser struct {
	lexer
	depth int
}

// expression reads operands joined by operators that bind as tightly as binding or more.
func (p *parser) expression(binding int) (*node, *Error) {
	left, err := p.operand()
	for err == nil {
		strength := bindings[p.token.text]
		if p.token.kind != symbol || strength < binding || strength == 0 {
			break
		}
		operator := p.token
		p.next()
		var right *node
		if right, err = p.expression(strength + 1); err == nil {
			left = &node{form: pairNode, name: operator.text, args: []*node{left, right}, at: operator.at}
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return left, err
}

// operand reads what stands between operators.
func (p *parser) operand() (*node, *Error) {
	if p.depth++; p.depth > MaxDepth {
		return nil, p.token.at.errorf(TooLarge, "Parentheses, functions and signs are nested more than %d deep. Split the formula.", MaxDepth)
	}
	defer func() { p.depth-- }()
	t := p.token
	switch t.kind {
	case quoted:
		p.next()
		return &node{form: textNode, name: t.text, at: t.at}, nil
	case digits:
		return p.number()
	case word:
		p.next()
		return p.named(t)
	case symbol:
		return p.marked(t)
	}
	if p.err != nil {
		return nil, p.err
	}
	return nil, t.at.errorf(Syntax, "The formula ends where a value is expected.")
}

func (p *parser) number() (*node, *Error) {
	t := p.token
	num, err := decimal.Parse(t.text)
	if err != nil {
		return nil, t.at.errorf(Syntax, "%s is not a number of at most 38 digits.", shortened(t.text))
	}
	p.next()
	return &node{form: numberNode, num: num, at: t.at}, nil
}

// marked reads an operand that starts with a symbol.
func (p *parser) marked(t token) (*node, *Error) {
	switch t.text {
	case "(":
		p.next()
		inner, err := p.expression(1)
		if err == nil {
			err = p.expect(")")
		}
		return inner, err
	case "-", "+", "!":
		p.next()
		inner, err := p.operand()
		return &node{form: signNode, name: t.text, args: []*node{inner}, at: t.at}, err
	case "[":
		return nil, dynamic(t.at)
	}
	return nil, t.at.errorf(Syntax, "A value is expected before %s.", t.text)
}

func dynamic(at place) *Error {
	return at.errorf(Refused, "Dynamic references in [ ] are not allowed. Name the field itself, such as Account.Name.")
}

// named reads an operand that starts with a word, which was read.
func (p *parser) named(t token) (*node, *Error) {
	called := p.token.kind == symbol && p.token.text == "("
	if p.token.kind == symbol && p.token.text == "[" {
		return nil, dynamic(p.token.at)
	}
	n := &node{form: fieldNode, name: t.text, at: t.at}
	switch strings.ToUpper(t.text) {
	case "TRUE":
		n.form, n.num = truthNode, decimal.Of(1)
	case "FALSE":
		n.form = truthNode
	case "NULL":
		n.form = nullNode
	default:
		if called {
			return p.call(n)
		}
		return n, nil
	}
	if called { // TRUE() is TRUE
		p.next()
		return n, p.expect(")")
	}
	return n, nil
}

func (p *parser) call(n *node) (*node, *Error) {
	n.form = callNode
	p.next()
	if p.token.kind == symbol && p.token.text == ")" {
		p.next()
		return n, nil
	}
	for {
		argument, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, argument)
		if p.token.kind != symbol || p.token.text != "," {
			return n, p.expect(")")
		}
		p.next()
	}
}

// expect goes past a symbol that must come.
func (p *parser) expect(text string) *Error {
	t := p.token
	if p.err != nil {
		return p.err
	}
	if t.kind == symbol && t.text == text {
		p.next()
		return nil
	}
	if t.kind == end {
		return t.at.errorf(Syntax, "The formula ends where %s is expected.", text)
	}
	if t.kind == symbol && t.text == "[" {
		return dynamic(t.at)
	}
	return t.at.errorf(Syntax, "%s is expected before %s.", text, shortened(t.text))
}

// shortened is a piece of the source as messages show it.
func shortened(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}
