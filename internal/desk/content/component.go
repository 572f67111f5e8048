package content

import (
	"encoding/json"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/ground/clock"
)

// ComponentContent is a component as it was sent.
type ComponentContent struct {
	Text        string // all of it as plain text
	IsTruncated bool

	Component int64 // key
	Name      string
	Version   int
	// Sent is what the customer got, without tokens and without Plain, which is Text.
	Sent channel.Structured
	// Values are what the options stand for, by option: the key of a record, or when a slot
	// starts in microseconds; 0 for static ones.
	Values []int64

	kind component.Kind
}

// ComponentOf is the content of a component that was prepared, in the format chosen.
func ComponentOf(p *component.Prepared, chosen channel.Structured) ComponentContent {
	c := ComponentContent{Text: chosen.Plain, Component: p.Component, Name: p.Name, Version: p.Version, Sent: chosen, kind: p.Kind}
	if chosen.Plain = ""; chosen.Format == channel.PlainText {
		chosen.Text = "" // is the same
	}
	c.Sent = chosen
	for _, o := range p.Options {
		c.Values = append(c.Values, o.Value)
	}
	return c
}

// Kind is what the component is for.
func (c ComponentContent) Kind() component.Kind { return c.kind.Known() }

// Format is how it looked.
func (c ComponentContent) Format() channel.Format { return c.Sent.Format }

// Structured is what goes to the carrier, without tokens.
func (c ComponentContent) Structured() channel.Structured {
	s := c.Sent
	if s.Plain = c.Text; s.Format == channel.PlainText {
		s.Text = c.Text
	}
	return s
}

// Shape is its parts.
func (c ComponentContent) Shape() Shape { return ShapeOf(c.Structured()) }

// Titles are the titles of its options.
func (c ComponentContent) Titles() []string {
	titles := make([]string, len(c.Sent.Options))
	for i, o := range c.Sent.Options {
		titles[i] = o.Title
	}
	return titles
}

// IsOver reports whether an option, from 1, is a time that has begun.
func (c ComponentContent) IsOver(option int, now clock.Time) bool {
	return c.kind == component.TimeSelector && option <= len(c.Values) && clock.Time(c.Values[option-1]) <= now
}

// AreOver reports whether it offers times and each of them has begun.
func (c ComponentContent) AreOver(now clock.Time) bool {
	for i := range c.Values {
		if !c.IsOver(i+1, now) {
			return false
		}
	}
	return len(c.Values) > 0
}

// AnswerContent is the option that a customer chose.
type AnswerContent struct {
	Text        string // the option's title
	IsTruncated bool

	Component  int64 // key
	Name       string
	Version    int
	Question   int64 // key of the message that asked
	Option     int   // from 1
	IsTyped    bool  // they wrote it, and did not tap
	IsRepeated bool  // the question had an answer
	IsOver     bool  // the time that they chose had begun
	// StartsAt and DurationMinutes are of the time that they chose; nil for what is none, and
	// where an older version stored none.
	StartsAt        *clock.Time
	DurationMinutes *int
}

// IsMessageContent marks a member of the union.
func (ComponentContent) IsMessageContent() {}

// IsMessageContent marks a member of the union.
func (AnswerContent) IsMessageContent() {}

// componentRest is what is stored of a ComponentContent beside its text.
type componentRest struct {
	Component int64          `json:"component"`
	Name      string         `json:"name"`
	Kind      component.Kind `json:"kind"`
	Version   int            `json:"version"`
	Format    channel.Format `json:"format"`
	Text      string         `json:"text,omitempty"` // what stands above
	Label     string         `json:"label,omitempty"`
	Link      *linkRest      `json:"link,omitempty"`
	Template  *templateRest  `json:"template,omitempty"`
	Options   []optionRest   `json:"options,omitempty"`
}

type templateRest struct {
	Name       string            `json:"name"`
	Language   string            `json:"language"`
	Header     string            `json:"header,omitempty"`
	HeaderName string            `json:"headerName,omitempty"`
	Image      *imageRest        `json:"image,omitempty"`
	Body       []placeholderRest `json:"placeholders,omitempty"`
	Suffix     string            `json:"linkSuffix,omitempty"`
}

type placeholderRest struct {
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

type linkRest struct {
	Title string     `json:"title"`
	URL   string     `json:"url"`
	Image *imageRest `json:"image,omitempty"`
	Popup bool       `json:"popup,omitempty"`
}

type imageRest struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
	Key int64  `json:"key,omitempty"` // of an image of the file store
}

type optionRest struct {
	Title    string     `json:"title"`
	Subtitle string     `json:"subtitle,omitempty"`
	Image    *imageRest `json:"image,omitempty"`
	Value    int64      `json:"value,omitempty"`
	Minutes  *int       `json:"minutes,omitempty"`
}

func (c ComponentContent) rest() ([]byte, error) {
	r := componentRest{
		Component: c.Component, Name: c.Name, Kind: c.kind, Version: c.Version, Format: c.Sent.Format, Text: c.Sent.Text, Label: c.Sent.Label,
	}
	if l := c.Sent.Link; l != nil {
		r.Link = &linkRest{l.Title, l.URL, (*imageRest)(l.Image), l.Popup}
	}
	if t := c.Sent.Template; t != nil {
		r.Template = &templateRest{Name: t.Name, Language: t.Language, Header: t.Header, HeaderName: t.HeaderName, Image: (*imageRest)(t.Image), Suffix: t.Suffix}
		for _, p := range t.Body {
			r.Template.Body = append(r.Template.Body, placeholderRest(p))
		}
	}
	for i, o := range c.Sent.Options {
		option := optionRest{Title: o.Title, Subtitle: o.Subtitle, Image: (*imageRest)(o.Image), Minutes: o.DurationMinutes}
		if i < len(c.Values) {
			option.Value = c.Values[i]
		}
		r.Options = append(r.Options, option)
	}
	return json.Marshal(r)
}

func (r *componentRest) content(text string) ComponentContent {
	c := ComponentContent{Text: text, Component: r.Component, Name: r.Name, Version: r.Version, kind: r.Kind}
	c.Sent = channel.Structured{Format: r.Format, Text: r.Text, Label: r.Label}
	if l := r.Link; l != nil {
		c.Sent.Link = &channel.Link{Title: l.Title, URL: l.URL, Image: (*channel.Image)(l.Image), Popup: l.Popup}
	}
	if t := r.Template; t != nil {
		c.Sent.Template = &channel.Template{Name: t.Name, Language: t.Language, Header: t.Header, HeaderName: t.HeaderName, Image: (*channel.Image)(t.Image), Suffix: t.Suffix}
		for _, p := range t.Body {
			c.Sent.Template.Body = append(c.Sent.Template.Body, channel.Placeholder(p))
		}
	}
	for _, o := range r.Options {
		option := channel.Option{Title: o.Title, Subtitle: o.Subtitle, Image: (*channel.Image)(o.Image)}
		if r.Kind == component.TimeSelector {
			option.StartsAt, option.DurationMinutes = (*clock.Time)(&o.Value), o.Minutes
		}
		c.Sent.Options = append(c.Sent.Options, option)
		c.Values = append(c.Values, o.Value)
	}
	return c
}

// answerRest is what is stored of an AnswerContent beside its text.
type answerRest struct {
	Component int64  `json:"component"`
	Name      string `json:"name"`
	Version   int    `json:"version"`
	Question  int64  `json:"question"`
	Option    int    `json:"option"`
	Typed     bool   `json:"typed,omitempty"`
	Repeated  bool   `json:"repeated,omitempty"`
	Over      bool   `json:"over,omitempty"`
	// StartsAt is in microseconds.
	StartsAt *int64 `json:"startsAt,omitempty"`
	Minutes  *int   `json:"minutes,omitempty"`
}

func (c AnswerContent) rest() answerRest {
	return answerRest{c.Component, c.Name, c.Version, c.Question, c.Option, c.IsTyped, c.IsRepeated, c.IsOver, (*int64)(c.StartsAt), c.DurationMinutes}
}

func (r *answerRest) content(text string) AnswerContent {
	return AnswerContent{
		Text: text, Component: r.Component, Name: r.Name, Version: r.Version, Question: r.Question, Option: r.Option, IsTyped: r.Typed, IsRepeated: r.Repeated,
		IsOver: r.Over, StartsAt: (*clock.Time)(r.StartsAt), DurationMinutes: r.Minutes,
	}
}

// Shape is the parts of a component as a customer sees them: LinkShape, ChoiceShape,
// TemplateShape or TextShape.
type Shape interface{ IsComponentShape() }

// LinkShape is a link, or a page that opens.
type LinkShape struct {
	Format           channel.Format
	Text, Title, URL string
	Image            *channel.Image
	IsPopup          bool
}

// ChoiceShape is a question with options.
type ChoiceShape struct {
	Format      channel.Format
	Text, Label string
	Options     []*channel.Option
}

// TemplateShape is a message that is registered with the platform.
type TemplateShape struct {
	Format channel.Format
	*channel.Template
	Text    string // all of it in other words, as lists show it
	Options []*channel.Option
}

// Placeholders are what stands in its text.
func (s TemplateShape) Placeholders() []*channel.Placeholder { return pointers(s.Body) }

// TextShape is plain text.
type TextShape struct {
	Format channel.Format
	Text   string
}

// IsComponentShape marks a member of the union.
func (LinkShape) IsComponentShape() {}

// IsComponentShape marks a member of the union.
func (ChoiceShape) IsComponentShape() {}

// IsComponentShape marks a member of the union.
func (TemplateShape) IsComponentShape() {}

// IsComponentShape marks a member of the union.
func (TextShape) IsComponentShape() {}

// ShapeOf is the parts of a component in a format.
func ShapeOf(s channel.Structured) Shape {
	switch s.Format {
	case channel.MediaCard, channel.RichLink, channel.WebPage:
		shape := LinkShape{Format: s.Format, Text: s.Text}
		if l := s.Link; l != nil {
			shape.Title, shape.URL, shape.Image, shape.IsPopup = l.Title, l.URL, l.Image, l.Popup
		}
		return shape
	case channel.Buttons, channel.QuickReplies, channel.CardCarousel, channel.OptionList:
		return ChoiceShape{Format: s.Format, Text: s.Text, Label: s.Label, Options: pointers(s.Options)}
	case channel.RegisteredTemplate:
		if s.Template != nil {
			return TemplateShape{s.Format, s.Template, s.Plain, pointers(s.Options)}
		}
	}
	return TextShape{channel.PlainText, s.Plain}
}

func pointers[T any](all []T) []*T {
	to := make([]*T, len(all))
	for i := range all {
		to[i] = &all[i]
	}
	return to
}
