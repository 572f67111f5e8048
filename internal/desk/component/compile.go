package component

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/ground/fault"
)

// Compiled is a design whose texts were parsed and checked. It is safe for concurrent use.
type Compiled struct {
	*Design
	Kind Kind

	formats []map[string]*formula.Program // by the name of the property
	filters []*formula.Program
	option  map[string]*formula.Program // title, subtitle, imageUrl, imageAlt and condition
}

// compiler compiles the texts of a design, and keeps the first error.
type compiler struct {
	schema fields
	err    error
}

// Compile parses and checks every text of a design that Check let pass. The error names
// the field of the input, the line and the column.
func (d *Design) Compile(kind Kind, types Types) (*Compiled, error) {
	c := compiler{schema: fields{design: d, types: types}}
	out := &Compiled{Design: d, Kind: kind, option: map[string]*formula.Program{}}
	for i := range d.ListTemplates { // each by itself, so that one in no text is checked too
		t := &d.ListTemplates[i]
		c.template(fmt.Sprintf("input.design.listTemplates.%d.template", i), "{!$ListTemplates."+t.Name+"}")
	}
	for i := range d.Formats {
		programs := map[string]*formula.Program{}
		c.schema.plain = d.Formats[i].Format == channel.PlainText
		for name, source := range d.Formats[i].properties() {
			if source != "" {
				programs[name] = c.template(fmt.Sprintf("input.design.formats.%d.%s", i, name), source)
			}
		}
		out.formats = append(out.formats, programs)
	}
	c.schema.plain = false
	if d.Options != nil {
		c.options(out, types)
	}
	return out, c.err
}

func (c *compiler) options(out *Compiled, types Types) {
	o := out.Options
	of := formula.Schema(slots)
	if q := o.Query; q != nil {
		for i, f := range q.Filters {
			out.filters = append(out.filters, c.template(fmt.Sprintf("input.design.options.query.filters.%d.value", i), f.Value))
		}
		of = recordfields.Of(q.ObjectType, types)
		if q.Condition != "" {
			p := c.expression("input.design.options.query.condition", q.Condition, of)
			if p != nil && p.Type() != formula.Boolean && c.err == nil {
				c.err = fault.Input("input.design.options.query.condition", "A condition is true or false, and this one is a %s.", p.Type())
			}
			out.option["condition"] = p
		}
	} else if p := out.Parameter(o.Parameter); p != nil {
		of = recordfields.Of(p.ObjectType, types)
	}
	for name, source := range o.expressions() {
		if source != "" {
			out.option[name] = c.expression("input.design.options."+name, source, of)
		}
	}
}

func (f *Format) properties() map[string]string {
	texts := map[string]string{"text": f.Text, "title": f.Title, "url": f.URL, "imageUrl": f.ImageURL, "imageAlt": f.ImageAlt, "label": f.Label}
	for i, q := range f.Query {
		texts[parameter(i)] = q.Value
	}
	if t := f.Template; t != nil {
		texts["template.name"], texts["template.language"], texts["template.header"], texts["template.linkSuffix"] = t.Name, t.Language, t.Header, t.Suffix
		for i, p := range t.Body {
			texts[placeholder(i)] = p.Text
		}
	}
	return texts
}

// placeholder is the name of the property that a placeholder is.
func placeholder(i int) string { return placeholders + strconv.Itoa(i) + ".text" }

const placeholders = "template.placeholders."

// parameter is the name of the property that a value in an address's query is.
func parameter(i int) string { return parameters + strconv.Itoa(i) + ".value" }

const parameters = "parameters."

// names are those of properties that have a text, in a fixed order.
func (f *Format) names() (names []string) {
	for name, source := range f.properties() {
		if source != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (o *Options) expressions() map[string]string {
	return map[string]string{"title": o.Title, "subtitle": o.Subtitle, "imageUrl": o.ImageURL, "imageAlt": o.ImageAlt}
}

func (c *compiler) template(at, source string) *formula.Program {
	p, err := formula.Template(source, c.schema, formula.Options{})
	return c.kept(at, p, err)
}

func (c *compiler) expression(at, source string, of formula.Schema) *formula.Program {
	p, err := formula.Expression(source, beside{of, c.schema}, formula.Options{})
	return c.kept(at, p, err)
}

func (c *compiler) kept(at string, p *formula.Program, err error) *formula.Program {
	var wrong *formula.Error
	if errors.As(err, &wrong) && c.err == nil {
		c.err = wrong.At(at)
	}
	return p
}

// Paths are the fields of parameters that the texts read, such as $Parameters.Order.Total,
// each once.
func (c *Compiled) Paths() (paths []string) {
	for _, p := range c.programs() {
		for _, path := range p.Fields() {
			if strings.HasPrefix(strings.ToLower(path), parametersPrefix) && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths
}

func (c *Compiled) programs() []*formula.Program {
	all := slices.AppendSeq(slices.Clone(c.filters), maps.Values(c.option))
	for _, programs := range c.formats {
		for _, p := range programs {
			all = append(all, p)
		}
	}
	return all
}

// OptionPaths are the fields of a record, or of a slot, that an option is made of.
func (c *Compiled) OptionPaths() (paths []string) {
	for _, p := range c.option {
		for _, path := range p.Fields() {
			if !isOfDesign(path) && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths
}

// complete adds what a design can be without: TEXT, made of the first format that has a
// text of its own, with the list template that numbers the options.
func (d *Design) complete(kind Kind) {
	first := slices.IndexFunc(d.Formats, func(f Format) bool { return f.Format != channel.RegisteredTemplate })
	if first < 0 || slices.ContainsFunc(d.Formats, func(f Format) bool { return f.Format == channel.PlainText }) {
		return
	}
	f := d.Formats[first]
	address := f.URL
	if len(f.Query) > 0 {
		address = "{!" + linkAddress + "}"
	}
	var lines []string
	for _, line := range []string{f.Text, f.Title, address} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	if kind.Asks() {
		const name = "Options"
		if !slices.ContainsFunc(d.ListTemplates, func(t ListTemplate) bool { return strings.EqualFold(t.Name, name) }) {
			d.ListTemplates = append(d.ListTemplates, ListTemplate{name, OptionsList, "{!$ListItem.Index}. {!$ListItem.Value.Name}\n"})
		}
		lines = append(lines, "{!$ListTemplates."+name+"}")
	}
	d.Formats = append(d.Formats, Format{Format: channel.PlainText, Text: strings.Join(lines, "\n")})
}
