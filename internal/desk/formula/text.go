package formula

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"parley/internal/ground/decimal"
)

var textFunctions = []function{
	{name: "TEXT", takes: []types{written}, raw: true, build: func(n *node, args []expr) (expr, *Error) {
		return joined(n.at, args), nil
	}},
	{name: "VALUE", takes: []types{textual}, gives: Number, one: value},
	{name: "BR", gives: Text, none: func(*frame, place) Value { return TextOf("\n") }},
	{name: "LEN", takes: []types{textual}, gives: Number, one: func(_ *frame, _ place, a Value) Value {
		return numberOf(int64(utf8.RuneCountInString(a.text)))
	}},
	{name: "LEFT", takes: []types{textual, numeric}, gives: Text, two: func(_ *frame, _ place, a, b Value) Value {
		return TextOf(a.text[:offset(a.text, count(b))])
	}},
	{name: "RIGHT", takes: []types{textual, numeric}, gives: Text, two: func(_ *frame, _ place, a, b Value) Value {
		return TextOf(a.text[offset(a.text, utf8.RuneCountInString(a.text)-count(b)):])
	}},
	{name: "MID", takes: []types{textual, numeric, numeric}, gives: Text, three: func(_ *frame, _ place, a, b, c Value) Value {
		rest := a.text[offset(a.text, count(b)-1):]
		return TextOf(rest[:offset(rest, count(c))])
	}},
	{name: "BEGINS", takes: []types{textual, textual}, asks: func(_ *frame, _ place, text, part string) bool {
		return strings.HasPrefix(text, part)
	}},
	{name: "CONTAINS", takes: []types{textual, textual}, asks: func(f *frame, at place, text, part string) bool {
		return f.spend(at, len(text)) && strings.Contains(text, part)
	}},
	{name: "FIND", takes: []types{textual, textual, numeric}, least: 2, omitted: []Value{numberOf(1)}, gives: Number, three: find},
	{name: "SUBSTITUTE", takes: []types{textual, textual, textual}, gives: Text, three: substitute},
	{name: "TRIM", takes: []types{textual}, says: func(_ *frame, _ place, text string) string {
		return strings.Trim(text, " \t\r\n\u00a0")
	}},
	{name: "UPPER", takes: []types{textual, textual}, least: 1, build: func(n *node, args []expr) (expr, *Error) {
		return inCase(n.at, args, 'a', cases.Upper), nil
	}},
	{name: "LOWER", takes: []types{textual, textual}, least: 1, build: func(n *node, args []expr) (expr, *Error) {
		return inCase(n.at, args, 'A', cases.Lower), nil
	}},
	{name: "LPAD", takes: []types{textual, numeric, textual}, least: 2, omitted: []Value{TextOf(" ")}, gives: Text, three: func(f *frame, at place, a, b, c Value) Value {
		return f.padded(at, a.text, count(b), c.text, true)
	}},
	{name: "RPAD", takes: []types{textual, numeric, textual}, least: 2, omitted: []Value{TextOf(" ")}, gives: Text, three: func(f *frame, at place, a, b, c Value) Value {
		return f.padded(at, a.text, count(b), c.text, false)
	}},
	{name: "CASESAFEID", takes: []types{textual}, says: caseSafe},
}

// isNumber reports whether VALUE can read a text.
func isNumber(s string) bool {
	_, err := decimal.Parse(s)
	return err == nil
}

func value(f *frame, at place, a Value) Value {
	if a.text == "" {
		return Value{blank: asZero}
	}
	num, err := decimal.Parse(a.text)
	if err != nil {
		return f.fail(at.errorf(BadValue, "VALUE wants a number such as -12.50, not %q. Guard it with ISNUMBER.", shortened(a.text)))
	}
	return NumberOf(num)
}

// count is a number of characters, as what lies between -1 and more than any text has.
func count(v Value) int {
	n, ok := v.num.Int()
	if !ok {
		n = int64(v.num.Sign()) * (MaxText + 1)
	}
	return int(min(max(n, -MaxText-1), MaxText+1))
}

// offset is where in a text so many characters end, in bytes.
func offset(s string, characters int) int {
	if characters <= 0 {
		return 0
	}
	for i := range s {
		if characters == 0 {
			return i
		}
		characters--
	}
	return len(s)
}

func find(f *frame, at place, a, b, c Value) Value {
	start := count(c)
	if a.text == "" || start < 1 || !f.spend(at, len(b.text)) {
		return numberOf(0)
	}
	from := offset(b.text, start-1)
	i := strings.Index(b.text[from:], a.text)
	if i < 0 {
		return numberOf(0)
	}
	return numberOf(int64(utf8.RuneCountInString(b.text[:from+i]) + 1))
}

func substitute(f *frame, at place, a, b, c Value) Value {
	if b.text == "" {
		return a
	}
	times := strings.Count(a.text, b.text)
	if !f.fits(at, len(a.text)+times*(len(c.text)-len(b.text))) || !f.spend(at, len(a.text)) {
		return Value{}
	}
	return TextOf(strings.ReplaceAll(a.text, b.text, c.text))
}

// inCase is a text in upper or lower case, by the full mapping of Unicode (ß is SS in upper
// case) and the rules of a locale if there is one. Of the letters that change, first is the first.
func inCase(at place, args []expr, first byte, by func(language.Tag, ...cases.Option) cases.Caser) expr {
	plainly := func(given string) string { return by(language.Und).String(given) } // a Caser is for one goroutine
	text, locale := args[0].texts(), func(*frame) string { return "" }
	if len(args) > 1 {
		locale = args[1].texts()
	}
	e := ofText(func(f *frame) string {
		given, name := text(f), locale(f)
		if !f.spend(at, len(given)) {
			return ""
		}
		changed := ""
		if name == "" {
			changed = plainly(given)
		} else if tag, err := language.Parse(name); err == nil {
			changed = by(tag).String(given)
		} else {
			f.fail(at.errorf(BadValue, "%q is not a locale; write one such as tr or de_AT.", shortened(name)))
		}
		if !f.fits(at, len(changed)) {
			return ""
		}
		return changed
	})
	if len(args) == 1 {
		e.write = func(f *frame) {
			if given := text(f); f.spend(at, len(given)) {
				f.writeInCase(given, plainly, first)
			}
		}
	}
	return e
}

// writeInCase writes a text in another case, letter by letter as long as it is in ASCII.
func (f *frame) writeInCase(given string, plainly func(string) string, first byte) {
	start := len(f.buffer)
	for i := range len(given) {
		c := given[i]
		if c >= utf8.RuneSelf {
			f.buffer = append(f.buffer[:start], plainly(given)...)
			return
		}
		if c-first < 26 { // a byte below it wraps around
			c ^= 'a' ^ 'A'
		}
		f.buffer = append(f.buffer, c)
	}
}

// padded is a text of exactly so many characters, unless there is nothing to fill it with.
func (f *frame) padded(at place, text string, length int, fill string, left bool) Value {
	missing := length - utf8.RuneCountInString(text)
	if missing <= 0 || fill == "" {
		return TextOf(text[:offset(text, length)])
	}
	times := missing/utf8.RuneCountInString(fill) + 1
	if !f.fits(at, len(text)+len(fill)*times) {
		return Value{}
	}
	padding := strings.Repeat(fill, times)
	padding = padding[:offset(padding, missing)]
	if left {
		return TextOf(padding + text)
	}
	return TextOf(text + padding)
}

const (
	shortID  = 15
	longID   = 18
	checksum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)

// caseSafe appends to an id of 15 characters three that say which of its letters are
// capitals, a bit for each of five.
func caseSafe(f *frame, at place, id string) string {
	if id == "" || len(id) == longID {
		return id
	}
	if len(id) != shortID || strings.ContainsFunc(id, func(r rune) bool { return !isDigit(r) && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }) {
		f.fail(at.errorf(BadValue, "CASESAFEID wants an id of 15 letters and digits, not %q.", shortened(id)))
		return ""
	}
	for block := 0; block < shortID; block += 5 {
		bits := 0
		for i := range 5 {
			if c := id[block+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id += checksum[bits : bits+1]
	}
	return id
}
