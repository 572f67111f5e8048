package formula

import "strings"

const opening = "{!"

// template compiles a text with merge fields. A line break right after {!BR()} is the
// same break.
func (c *compiler) template(source string) (expr, *Error) {
	p := parser{lexer: lexer{source: source, at: place{1, 1}}}
	var parts []expr
	broken := false
	for p.rest() != "" {
		length := strings.Index(p.rest(), opening)
		if length < 0 {
			length = len(p.rest())
		}
		if literal := p.rest()[:length]; literal != "" {
			if broken {
				literal = strings.TrimPrefix(strings.TrimPrefix(literal, "\r"), "\n")
			}
			parts = append(parts, constant(TextOf(literal)))
		}
		if p.step(length); p.rest() == "" {
			break
		}
		n, err := p.merge()
		if err != nil {
			return expr{}, err
		}
		part, err := c.compile(n)
		if err == nil && !written.has(part.typ) {
			err = n.at.errorf(WrongType, "A %s has no text; a merge field wants %s.", part.typ, written)
		}
		if err != nil {
			return expr{}, err
		}
		parts, broken = append(parts, part), n.form == callNode && strings.EqualFold(n.name, "BR")
	}
	c.nodes += len(parts)
	return joined(place{1, 1}, parts), nil
}

// merge reads a merge field, which is in front.
func (p *parser) merge() (*node, *Error) {
	start := p.at
	p.step(len(opening))
	p.next()
	n, err := p.expression(1)
	switch open := p.err == nil && p.token.kind == end; {
	case open && (err == nil || err.Code == Syntax):
		return nil, start.errorf(Syntax, "The merge field has no end: close it with }.")
	case err != nil:
		return nil, err
	case p.token.kind != symbol || p.token.text != "}":
		return nil, p.unexpected()
	}
	return n, nil
}

// joined is the text of all parts, one after the other.
func joined(at place, list []expr) expr {
	var parts []expr
	for _, e := range list {
		if e.parts != nil {
			parts = append(parts, e.parts...)
		} else {
			parts = append(parts, e)
		}
	}
	writers := writersOf(parts)
	e := ofText(func(f *frame) string {
		start := len(f.buffer)
		for _, write := range writers {
			if write(f); len(f.buffer)-start > MaxText {
				break
			}
		}
		var text string
		if f.fits(at, len(f.buffer)-start) {
			text = string(f.buffer[start:])
		}
		f.buffer = f.buffer[:start]
		return text
	})
	e.parts = parts
	return e
}

func writersOf(parts []expr) []func(*frame) {
	writers := make([]func(*frame), len(parts))
	for i, part := range parts {
		writers[i] = part.writer()
	}
	return writers
}

// writer is code that writes the text of a part into the buffer.
func (e expr) writer() func(*frame) {
	switch {
	case e.write != nil:
		return e.write
	case e.literal != nil && e.typ == Text:
		text := e.literal.text
		return func(f *frame) { f.buffer = append(f.buffer, text...) }
	case textual.has(e.typ) && e.text != nil:
		return func(f *frame) {
			text := e.text(f) // which may write into the buffer too, and clear it away
			f.buffer = append(f.buffer, text...)
		}
	}
	return func(f *frame) {
		v := e.run(f)
		f.buffer = v.append(f.buffer, e.typ, f.zone)
	}
}

// perNode is the work for each part of the template of a list, for every item.
const perNode = 100

// list compiles a list template: the text of each item, one after the other.
func (c *compiler) list(n *node, field Field, slot int) (expr, *Error) {
	inner := &compiler{schema: item{c.schema, field.Items}, null: c.null, slots: c.slots}
	if err := bounded(field.Template, "template of a list", MaxTemplate); err != nil {
		return expr{}, err
	}
	before := c.nodes
	template, err := inner.template(field.Template)
	if err != nil {
		err.Message = "In the list template " + field.Name + ": " + err.Message
		return expr{}, err
	}
	writers := writersOf(template.parts)
	each := (c.nodes - before) * perNode
	return ofText(func(f *frame) string {
		if slot >= len(f.values) || f.values[slot].more == nil {
			return ""
		}
		items, start := f.values[slot].more.items, len(f.buffer)
		if len(items) > MaxItems {
			f.fail(n.at.errorf(TooLarge, "%s has %d items; at most %d are allowed.", field.Name, len(items), MaxItems))
			return ""
		}
		for i, value := range items {
			if !f.spend(n.at, each) {
				break
			}
			f.item = current{value, i, len(items)}
			for _, write := range writers {
				write(f)
			}
			if !f.fits(n.at, len(f.buffer)-start) {
				break
			}
		}
		text := string(f.buffer[start:])
		f.buffer, f.item = f.buffer[:start], current{}
		return text
	}), nil
}
