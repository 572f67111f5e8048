package salesforcetest

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// query is what SOQL asks for: the part of the language that SELECT, FROM, WHERE with AND,
// OR, parentheses, comparisons and IN, ORDER BY and LIMIT make.
type query struct {
	fields []string
	count  bool
	object string
	where  func(Values) bool
	orders []order
	limit  int
}

type order struct {
	field string
	desc  bool
}

var tokens = regexp.MustCompile(`\s*('(?:[^'\\]|\\.)*'|\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d)|\d{4}-\d\d-\d\d|-?\d+(?:\.\d+)?|[A-Za-z_][A-Za-z0-9_.]*|!=|<>|<=|>=|[=<>(),])`)

// parser reads SOQL, and panics with an error.
type parser struct {
	rest []string
	of   *object
}

// parse reads a query of an org's objects.
func parse(text string, objects map[string]*object) (q *query, of *object, err error) {
	defer func() {
		if is := recover(); is != nil {
			err = is.(error) //nolint:forcetypeassert // fail panics with nothing else
		}
	}()
	p := &parser{}
	for at := 0; at < len(strings.TrimRight(text, " ")); {
		found := tokens.FindStringSubmatchIndex(text[at:])
		if found == nil || found[0] != 0 {
			fail("unexpected token: '%s'", text[at:])
		}
		p.rest = append(p.rest, text[at:][found[2]:found[3]])
		at += found[1]
	}
	return p.query(objects)
}

func fail(format string, args ...any) { panic(fmt.Errorf(format, args...)) }

// is takes a word if it is next.
func (p *parser) is(word string) bool {
	if len(p.rest) > 0 && strings.EqualFold(p.rest[0], word) {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *parser) want(word string) {
	if !p.is(word) {
		fail("expecting '%s', found '%s'", word, strings.Join(p.rest[:min(1, len(p.rest))], ""))
	}
}

func (p *parser) next() string {
	if len(p.rest) == 0 {
		fail("unexpected end of query")
	}
	defer func() { p.rest = p.rest[1:] }()
	return p.rest[0]
}

func (p *parser) query(objects map[string]*object) (*query, *object, error) {
	q := &query{limit: -1, where: func(Values) bool { return true }}
	p.want("SELECT")
	for {
		name := p.next()
		if strings.EqualFold(name, "count") && p.is("(") {
			p.want(")")
			q.count = true
		} else {
			q.fields = append(q.fields, name)
		}
		if !p.is(",") {
			break
		}
	}
	p.want("FROM")
	q.object = p.next()
	if p.of = objects[strings.ToLower(q.object)]; p.of == nil {
		return nil, nil, &typeError{q.object}
	}
	for i, name := range q.fields {
		q.fields[i] = p.field(name).Name
	}
	if p.is("WHERE") {
		q.where = p.or()
	}
	if p.is("ORDER") {
		p.want("BY")
		for again := true; again; again = p.is(",") {
			o := order{field: p.field(p.next()).Name}
			o.desc = p.is("DESC")
			if !o.desc {
				p.is("ASC")
			}
			q.orders = append(q.orders, o)
		}
	}
	if p.is("LIMIT") {
		n, err := strconv.Atoi(p.next())
		if err != nil || n < 0 {
			fail("LIMIT needs a number")
		}
		q.limit = n
	}
	if len(p.rest) > 0 {
		fail("unexpected token: '%s'", p.rest[0])
	}
	return q, p.of, nil
}

// typeError is INVALID_TYPE.
type typeError struct{ name string }

func (e *typeError) Error() string { return "sObject type '" + e.name + "' is not supported." }

// fieldError is INVALID_FIELD.
type fieldError struct{ field, object string }

func (e *fieldError) Error() string {
	return fmt.Sprintf("No such column '%s' on entity '%s'.", e.field, e.object)
}

func (p *parser) field(name string) *Field {
	f := field(p.of, name)
	if f == nil {
		panic(error(&fieldError{name, p.of.name}))
	}
	return f
}

// or reads a condition. As in Salesforce, AND and OR are not mixed without parentheses.
func (p *parser) or() func(Values) bool {
	all := []func(Values) bool{p.one()}
	word := ""
	for {
		switch {
		case p.is("AND"):
			word = same(word, "AND")
		case p.is("OR"):
			word = same(word, "OR")
		default:
			return func(v Values) bool {
				holds := func(c func(Values) bool) bool { return c(v) }
				if word == "OR" {
					return slices.ContainsFunc(all, holds)
				}
				return !slices.ContainsFunc(all, func(c func(Values) bool) bool { return !c(v) })
			}
		}
		all = append(all, p.one())
	}
}

func same(word, now string) string {
	if word != "" && word != now {
		fail("unexpected token: '%s'", now)
	}
	return now
}

func (p *parser) one() func(Values) bool {
	if p.is("(") {
		c := p.or()
		p.want(")")
		return c
	}
	f := p.field(p.next())
	if p.is("IN") {
		p.want("(")
		var list []any
		for again := true; again; again = p.is(",") {
			list = append(list, p.literal(f))
		}
		p.want(")")
		return func(v Values) bool {
			return slices.ContainsFunc(list, func(x any) bool { return compare(f, v[f.Name], x) == 0 })
		}
	}
	op := p.next()
	to := p.literal(f)
	return func(v Values) bool {
		is := v[f.Name]
		if (is == nil || to == nil) && op != "=" && op != "!=" && op != "<>" {
			return false
		}
		c := compare(f, is, to)
		return map[string]bool{"=": c == 0, "!=": c != 0, "<>": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]
	}
}

// literal reads a value of a field's type.
func (p *parser) literal(f *Field) any {
	text := p.next()
	switch {
	case strings.EqualFold(text, "null"):
		return nil
	case f.Type == "boolean" && (strings.EqualFold(text, "true") || strings.EqualFold(text, "false")):
		return strings.EqualFold(text, "true")
	case f.Type == "datetime":
		if _, err := timeOf(text); err != nil {
			fail("value of filter criterion for field '%s' must be of type dateTime and should not be enclosed in quotes", f.Name)
		}
		return text
	case f.Type == "double" || f.Type == "int":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			fail("value of filter criterion for field '%s' must be a number", f.Name)
		}
		return n
	case strings.HasPrefix(text, "'"):
		return strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(text[1 : len(text)-1])
	}
	fail("value of filter criterion for field '%s' must be in quotes", f.Name)
	return nil
}

func timeOf(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("no time")
}

// compare orders values of a field: blank ones first.
func compare(f *Field, a, b any) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(boolean(a != nil), boolean(b != nil))
	case f.Type == "datetime":
		x, _ := timeOf(fmt.Sprint(a))
		y, _ := timeOf(fmt.Sprint(b))
		return x.Compare(y)
	case f.Type == "boolean":
		return cmp.Compare(boolean(a == true), boolean(b == true))
	case f.Type == "double" || f.Type == "int":
		x, _ := strconv.ParseFloat(fmt.Sprint(a), 64)
		y, _ := strconv.ParseFloat(fmt.Sprint(b), 64)
		return cmp.Compare(x, y)
	case f.Type == "id" || f.Type == "reference":
		return strings.Compare(long(fmt.Sprint(a)), long(fmt.Sprint(b)))
	}
	return strings.Compare(strings.ToLower(fmt.Sprint(a)), strings.ToLower(fmt.Sprint(b)))
}

// long is an id without its check characters.
func long(id string) string { return id[:min(len(id), 15)] }

func boolean(is bool) int {
	if is {
		return 1
	}
	return 0
}

// run answers a query. Without ORDER BY, records have no order: here that of chance.
func (q *query) run(of *object, deleted bool) (found []*record) {
	for _, r := range of.records {
		if (deleted || r.values["IsDeleted"] == false) && q.where(r.values) {
			found = append(found, r)
		}
	}
	if len(q.orders) > 0 {
		slices.SortFunc(found, func(a, b *record) int {
			for _, o := range q.orders {
				c := compare(field(of, o.field), a.values[o.field], b.values[o.field])
				if o.desc {
					c = -c
				}
				if c != 0 {
					return c
				}
			}
			return 0
		})
	}
	if q.limit >= 0 && len(found) > q.limit {
		found = found[:q.limit]
	}
	return found
}
