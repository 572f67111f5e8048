package component

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/formula"
	"parley/internal/ground/decimal"
)

// Values are what a component is filled in with.
type Values struct {
	// Parameters are by their path in lower case, such as $parameters.order.total.
	Parameters map[string]formula.Value
	// Missing are paths without a value, and why.
	Missing []Missing
	// Images are those of the file store, by id, with the addresses that customers get.
	Images map[string]channel.Image
	// Options are those of a dynamic question and a time selector.
	Options []Option

	Now  time.Time
	Zone *time.Location // of texts: the organisation's
	// SlotZone is that of the times of a time selector: the customer's.
	SlotZone *time.Location

	Rates  map[string]decimal.Decimal
	Charge func(work int)
}

// Option is what a customer can choose, without the token that stands for it.
type Option struct {
	Title    string         `json:"title"`
	Subtitle string         `json:"subtitle,omitempty"`
	Image    *channel.Image `json:"image,omitempty"`
	// Value is what the option stands for: the key of a record, or when a slot starts in
	// microseconds; 0 for a static one.
	Value int64 `json:"value,omitempty"`
	// Minutes is how long a slot takes.
	Minutes int `json:"minutes,omitempty"`
}

// Filled is a component with its values: all that a preview and a send are made of.
type Filled struct {
	Options []Option             `json:"options,omitempty"`
	Formats []channel.Structured `json:"formats"` // in the order in which they are tried, without options
	Missing []Missing            `json:"missing,omitempty"`
}

// Missing is a value that is not there.
type Missing struct {
	Path   string `json:"path"`
	Reason Reason `json:"reason"`
	Detail string `json:"detail,omitempty"` // in a sentence
}

// KnownReason is the reason, OtherReason for one that only a newer version knows.
func (m *Missing) KnownReason() Reason { return m.Reason.Known() }

// Reason is why a value is missing.
type Reason string

// The reasons.
const (
	NotGiven    Reason = "NOT_GIVEN"
	NotFound    Reason = "NOT_FOUND"
	NotReadable Reason = "FIELD_NOT_READABLE"
	NoOptions   Reason = "NO_OPTIONS"
	BlankText   Reason = "BLANK"
	BadURL      Reason = "BAD_URL"
	Failed      Reason = "FORMULA_FAILED"
	NoProvider  Reason = "PROVIDER_FAILED"
	// OtherReason is one that only a newer version knows.
	OtherReason Reason = "OTHER"
)

// Known is the reason, OtherReason for one that only a newer version knows.
func (r Reason) Known() Reason {
	switch r {
	case NotGiven, NotFound, NotReadable, NoOptions, BlankText, BadURL, Failed, NoProvider:
		return r
	}
	return OtherReason
}

// All are the formats with their options.
func (f *Filled) All() []channel.Structured {
	options := make([]channel.Option, len(f.Options))
	for i, o := range f.Options {
		options[i] = channel.Option{Title: o.Title, Subtitle: o.Subtitle, Image: o.Image}
	}
	all := slices.Clone(f.Formats)
	for i := range all {
		all[i].Options = slices.Clone(options)
	}
	return all
}

// Filters are what the query asks of its fields.
func (c *Compiled) Filters(v *Values) (values []string, missing []Missing) {
	f := filling{c, v, &Filled{}}
	for i, p := range c.filters {
		values = append(values, f.text("options.query.filters."+c.Options.Query.Filters[i].Field, p))
	}
	return values, f.out.Missing
}

// Option makes an option of a record, whose fields get gives beside those of the design,
// and reports whether the query's condition holds for it.
func (c *Compiled) Option(v *Values, get func(path string) formula.Value) (o Option, holds bool, missing []Missing) {
	f := filling{c, v, &Filled{}}
	run := func(name string) formula.Value {
		p := c.option[name]
		if p == nil {
			return formula.Value{}
		}
		return f.run("options."+name, p, func(path string) formula.Value {
			if isOfDesign(path) {
				return f.get(path)
			}
			return get(path)
		})
	}
	if p := c.option["condition"]; p != nil && !run("condition").Bool() {
		return o, false, f.out.Missing
	}
	text := func(name string) string { return f.written(run(name)) }
	o = Option{Title: shortened(text("title")), Subtitle: shortened(text("subtitle"))}
	o.Image = f.image("options", text("imageUrl"), text("imageAlt"))
	if o.Title == "" && c.option["title"] != nil && len(f.out.Missing) == 0 {
		f.miss("options.title", BlankText, "")
	}
	return o, true, f.out.Missing
}

// slotForm is how a slot is shown without a title of its own.
const slotForm = "2006-01-02 15:04"

// Slots are the options of the slots that are not over, each start once and the earliest
// first, as many as a question has.
func (c *Compiled) Slots(v *Values, given []Slot) (options []Option, missing []Missing) {
	shown := *v
	shown.Zone = v.SlotZone
	given = slices.SortedStableFunc(slices.Values(given), func(a, b Slot) int { return a.Start.Compare(b.Start) })
	given = slices.CompactFunc(given, func(a, b Slot) bool { return a.Start.Equal(b.Start) })
	for _, s := range given {
		if !s.Start.After(v.Now) || len(options) == MostOptions {
			continue
		}
		o, _, wrong := c.Option(&shown, s.value)
		if c.option["title"] == nil {
			o.Title = s.Start.In(v.SlotZone).Format(slotForm)
		}
		o.Value, o.Minutes = s.Start.UnixMicro(), int(s.Duration/time.Minute)
		options, missing = append(options, o), append(missing, wrong...)
	}
	return options, missing
}

// shortened cuts a title where no channel would show it.
func shortened(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= MostTitle {
		return s
	}
	return string([]rune(s)[:MostTitle-1]) + "…"
}

// filling is one filling in.
type filling struct {
	*Compiled
	values *Values
	out    *Filled
}

// Fill fills the component in. It is pure: the same values give the same result.
func (c *Compiled) Fill(v *Values) *Filled {
	f := filling{c, v, &Filled{Options: v.Options, Missing: append([]Missing{}, v.Missing...)}}
	if c.Kind == StaticQuestion {
		f.out.Options = nil
		for _, i := range c.Constant(c.Options.Constant).Items {
			f.out.Options = append(f.out.Options, f.item(&i))
		}
	}
	if c.Kind.Asks() && len(f.out.Options) == 0 {
		f.miss("options", NoOptions, "")
	}
	for i := range c.Formats {
		f.out.Formats = append(f.out.Formats, f.format(i))
	}
	plain := f.out.Formats[len(f.out.Formats)-1].Text
	for i := range f.out.Formats {
		f.out.Formats[i].Plain = plain
	}
	return f.out
}

func (f *filling) format(n int) channel.Structured {
	d, programs := &f.Formats[n], f.formats[n]
	at := string(d.Format)
	texts := map[string]string{}
	for _, name := range d.names() {
		texts[name] = strings.TrimSpace(f.text(at+"."+name, programs[name]))
		if texts[name] == "" && !strings.HasPrefix(name, parameters) {
			f.miss(at+"."+name, BlankText, "")
		}
	}
	s := channel.Structured{Format: d.Format, Text: texts["text"], Label: texts["label"]}
	if d.URL != "" {
		address := d.queried(texts)
		s.Link = &channel.Link{Title: texts["title"], URL: address, Image: f.image(at, texts["imageUrl"], texts["imageAlt"]), Popup: d.Popup}
		if texts["url"] != "" && CheckURL("", address) != nil {
			f.miss(at+".url", BadURL, "")
		}
	}
	if d.Template != nil {
		s.Template = d.Template.filled(texts)
		s.Template.Image = f.image(at, texts["imageUrl"], texts["imageAlt"])
	}
	return s
}

// queried is the address with its values, after the query that it has and before its
// fragment. A blank value is left out.
func (f *Format) queried(texts map[string]string) string {
	address, fragment, hasFragment := strings.Cut(texts["url"], "#")
	for i, q := range f.Query {
		value := texts[parameter(i)]
		if value == "" || address == "" {
			continue
		}
		between := "?"
		if strings.Contains(address, "?") {
			between = "&"
		}
		if strings.HasSuffix(address, "?") || strings.HasSuffix(address, "&") {
			between = ""
		}
		address += between + percentEncoded(q.Name) + "=" + percentEncoded(value)
	}
	if hasFragment {
		address += "#" + fragment
	}
	return address
}

// percentEncoded is a text as a query holds it, with spaces that are read as such everywhere.
func percentEncoded(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// filled is the template with its texts, each in one line, as platforms want them.
func (t *Template) filled(texts map[string]string) *channel.Template {
	line := func(name string) string { return channel.OneLine(texts[name]) }
	out := &channel.Template{
		Name: line("template.name"), Language: line("template.language"), Header: line("template.header"), HeaderName: t.HeaderName, Suffix: line("template.linkSuffix"),
	}
	for i, p := range t.Body {
		out.Body = append(out.Body, channel.Placeholder{Name: p.Name, Text: line(placeholder(i))})
	}
	return out
}

// image is the picture at an address, nil for none. What is no address of the web is left
// out, and missed.
func (f *filling) image(at, address, alt string) *channel.Image {
	for _, stored := range f.values.Images {
		if stored.URL == address {
			stored.Alt = alt
			return &stored
		}
	}
	if address != "" && CheckURL("", address) != nil {
		f.miss(at+".imageUrl", BadURL, "")
		return nil
	}
	return imageOf(address, alt)
}

// item is the option that an item of a list is.
func (f *filling) item(i *Item) Option {
	o := Option{Title: i.Name, Subtitle: i.Subtitle, Image: imageOf(i.ImageURL, i.ImageAlt)}
	if i.ImageID != nil {
		o.Image = f.image("options", f.stored(i.ImageID), i.ImageAlt)
	}
	return o
}

// stored is the address of an image of the file store; one that is gone is missed.
func (f *filling) stored(id *string) string {
	if f.values.Images[*id].Key == 0 {
		f.miss("images."+*id, NotFound, "")
	}
	return f.values.Images[*id].URL
}

func imageOf(address, alt string) *channel.Image {
	if address == "" {
		return nil
	}
	return &channel.Image{URL: address, Alt: alt}
}

func (f *filling) miss(path string, reason Reason, detail string) {
	for _, m := range f.out.Missing {
		if m.Path == path && m.Reason == reason {
			return
		}
	}
	f.out.Missing = append(f.out.Missing, Missing{path, reason, detail})
}

func (f *filling) text(at string, p *formula.Program) string {
	return channel.CleanText(f.written(f.run(at, p, f.get)))
}

// written is the value as a merge field shows it.
func (f *filling) written(v formula.Value) string {
	if v.Type() == formula.DateTime {
		return v.Moment().In(f.values.Zone).Format("2006-01-02 15:04:05Z07:00")
	}
	return v.String()
}

func (f *filling) run(at string, p *formula.Program, get func(path string) formula.Value) formula.Value {
	v, err := p.Run(&formula.Environment{
		Values: p.Arrange(get), Now: f.values.Now, Zone: f.values.Zone, Rates: f.values.Rates, Charge: f.values.Charge,
	})
	var wrong *formula.Error
	if errors.As(err, &wrong) {
		f.miss(at, Failed, wrong.Error())
	}
	return v
}

// get is the value of a field of a design's texts.
func (f *filling) get(path string) formula.Value {
	lower := strings.ToLower(path)
	switch {
	case path == linkAddress:
		return formula.TextOf(f.linkAddress())
	case strings.HasPrefix(lower, constantsPrefix):
		name, of, _ := strings.Cut(path[len(constantsPrefix):], ".")
		c := f.Constant(name)
		switch {
		case of != "":
			return formula.TextOf(c.Alt)
		case c.ImageID != nil:
			return formula.TextOf(f.stored(c.ImageID))
		}
		return formula.TextOf(c.Text)
	case strings.HasPrefix(lower, listsPrefix):
		return f.list(path[len(listsPrefix):])
	}
	return f.values.Parameters[lower]
}

// linkAddress is the address of the first link, of those before TEXT.
func (f *filling) linkAddress() string {
	for _, s := range f.out.Formats {
		if s.Link != nil {
			return s.Link.URL
		}
	}
	return ""
}

// list are the items of the list that a list template writes.
func (f *filling) list(name string) formula.Value {
	options := f.out.Options
	for i := range f.ListTemplates {
		t := &f.ListTemplates[i]
		if c := f.constantAt(t.List); strings.EqualFold(t.Name, name) && c != nil {
			options = nil
			for _, i := range c.Items {
				options = append(options, f.item(&i))
			}
		}
	}
	items := make([]formula.Value, len(options))
	for i, o := range options {
		item := map[string]formula.Value{"Name": formula.TextOf(o.Title), "Subtitle": formula.TextOf(o.Subtitle)}
		if o.Image != nil {
			item["Image"], item["Image.Alt"] = formula.TextOf(o.Image.URL), formula.TextOf(o.Image.Alt)
		}
		items[i] = formula.RecordOf(item)
	}
	return formula.ListOf(items...)
}
