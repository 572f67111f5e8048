// Package component is what a messaging component is: what a design may say, how it is
// filled in with values, and in which format a channel shows it. It reads and writes
// nothing; package composer does.
//
//	compiled, err := design.Compile(kind, types) // errors name fields of the input that saves it
//	filled := compiled.Fill(values)              // values as they are frozen for one customer
//	choice := component.Choose(capabilities, header, closed, kind, filled.All())
//
// Texts are templates of package formula over $Constants, $Parameters and $ListTemplates.
package component

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/formula"
)

// Bounds of a design.
const (
	MostComponents    = 2000 // of the organisation
	MostConstants     = 50
	MostParameters    = 20
	MostTemplates     = 10 // of lists
	MostFormats       = 8
	MostTranslations  = 30
	MostOptions       = 13  // of a question
	MostItems         = 13  // of a list
	MostName          = 80  // characters of a name in a template
	MostTitle         = 200 // characters of an option's title and subtitle, and of alternative texts
	MostText          = 4096
	MostTemplate      = 5000
	MostURL           = 1000
	MostConditions    = 5
	MostPlaceholders  = 50         // of a registered template
	MostURLParameters = 20         // of an address
	MostPaths         = 100        // fields of parameters that the texts read
	MostBytes         = 200 * 1024 // of a design as JSON
)

// Kind is what a component is for. It never changes.
type Kind = channel.ComponentKind

// The kinds.
const (
	EnhancedLink    = channel.EnhancedLink
	StaticQuestion  = channel.StaticQuestion
	DynamicQuestion = channel.DynamicQuestion
	TimeSelector    = channel.TimeSelector
	AutoResponse    = channel.AutoResponse
)

// Design is what a version of a component says. It is stored as JSON.
type Design struct {
	Constants     []Constant     `json:"constants,omitempty"`
	Parameters    []Parameter    `json:"parameters,omitempty"`
	ListTemplates []ListTemplate `json:"listTemplates,omitempty"`
	Options       *Options       `json:"options,omitempty"` // of a question
	Formats       []Format       `json:"formats"`           // in the order in which they are tried; TEXT is last
	Translations  []Translation  `json:"translations,omitempty"`
}

// Constant is a value that is the same for every customer: $Constants.Name.
type Constant struct {
	Name  string       `json:"name"`
	Type  ConstantType `json:"type"`
	Text  string       `json:"text,omitempty"`  // of a TEXT; the address of a URL and an IMAGE
	Alt   string       `json:"alt,omitempty"`   // what an IMAGE shows: $Constants.Name.Alt
	Items []Item       `json:"items,omitempty"` // of a LIST
	// ImageID is an IMAGE of the file store, in place of an address.
	ImageID *string `json:"imageId,omitempty"`
}

// KnownType is the type, OtherConstant for one that only a newer version knows.
func (c *Constant) KnownType() ConstantType { return c.Type.Known() }

// ConstantType is the type of a constant.
type ConstantType string

// The types of constants.
const (
	TextConstant  ConstantType = "TEXT"
	URLConstant   ConstantType = "URL"
	ImageConstant ConstantType = "IMAGE"
	ListConstant  ConstantType = "LIST"
	// OtherConstant is one that only a newer version knows.
	OtherConstant ConstantType = "OTHER"
)

// Known is the type, OtherConstant for one that only a newer version knows.
func (t ConstantType) Known() ConstantType {
	switch t {
	case TextConstant, URLConstant, ImageConstant, ListConstant:
		return t
	}
	return OtherConstant
}

// Item is one of a list.
type Item struct {
	Name     string `json:"name"`
	Subtitle string `json:"subtitle,omitempty"`
	ImageURL string `json:"imageUrl,omitempty"`
	ImageAlt string `json:"imageAlt,omitempty"`
	// ImageID is an image of the file store, in place of an address.
	ImageID *string `json:"imageId,omitempty"`
}

// Parameter is a value that comes when the component is prepared: $Parameters.Name.
type Parameter struct {
	Name       string       `json:"name"`
	Type       formula.Type `json:"type"`
	ObjectType string       `json:"objectType,omitempty"` // of a RECORD and a LIST
	Optional   bool         `json:"optional,omitempty"`   // blank when it is not given
}

// ListTemplate writes a list as text: $ListTemplates.Name.
type ListTemplate struct {
	Name     string `json:"name"`
	List     string `json:"list"`     // $Options, or a constant of type LIST
	Template string `json:"template"` // of an item, with $ListItem
}

// OptionsList is the name of a question's own options, for list templates.
const OptionsList = "$Options"

// Options are what customers choose from.
type Options struct {
	Constant string `json:"constant,omitempty"` // of type LIST: a static question's
	// A dynamic question's are records: those of a parameter, or of a query.
	Parameter string `json:"parameter,omitempty"`
	Query     *Query `json:"query,omitempty"`
	// ProviderURL is what a time selector asks for its slots; empty if whoever prepares it
	// gives them.
	ProviderURL string `json:"providerUrl,omitempty"`
	// Title, Subtitle, ImageURL and ImageAlt are expressions over the fields of one record, of a
	// time selector over Start, End and Duration; beside them constants and parameters.
	Title    string `json:"title,omitempty"`
	Subtitle string `json:"subtitle,omitempty"`
	ImageURL string `json:"imageUrl,omitempty"`
	ImageAlt string `json:"imageAlt,omitempty"`
}

// Query finds records, as far as whoever prepares the component may read them.
type Query struct {
	ObjectType string   `json:"objectType"`
	Filters    []Filter `json:"filters,omitempty"`   // all hold
	Condition  string   `json:"condition,omitempty"` // an expression over a record that holds
	Order      *Order   `json:"order,omitempty"`     // by name without one
	Limit      int      `json:"limit"`
}

// Order sorts the records of a query. Those whose field is blank come last.
type Order struct {
	Field      string `json:"field,omitempty"` // filterable; empty for the name
	Descending bool   `json:"descending,omitempty"`
}

// Filter chooses records by a filterable field: Value is a template over constants and
// parameters.
type Filter struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// Format is one way in which the component can be shown. Its texts are templates.
type Format struct {
	Format   channel.Format `json:"format"`
	Text     string         `json:"text,omitempty"`
	Title    string         `json:"title,omitempty"` // of the link
	URL      string         `json:"url,omitempty"`
	ImageURL string         `json:"imageUrl,omitempty"`
	ImageAlt string         `json:"imageAlt,omitempty"`
	Label    string         `json:"label,omitempty"` // that opens a list
	Popup    bool           `json:"popup,omitempty"` // a web page that opens by itself, on web only
	// Query is what the URL is given as its query, percent-encoded.
	Query []URLParameter `json:"parameters,omitempty"`
	// Template is what a REGISTERED_TEMPLATE is filled in with; ImageURL is of its header.
	Template *Template `json:"template,omitempty"`
}

// URLParameter is a value that a URL is given in its query.
type URLParameter struct {
	Name  string `json:"name"`
	Value string `json:"value"` // a template; left out of the URL where it comes out blank
}

// Template names a message that is registered with a platform, and says what stands in it
// for placeholders.
type Template struct {
	Name     string `json:"name"`
	Language string `json:"language"` // $Constants.Language may be translated
	Header   string `json:"header,omitempty"`
	// HeaderName is the name of the header's placeholder; empty for one that is counted.
	HeaderName string        `json:"headerName,omitempty"`
	Body       []Placeholder `json:"placeholders,omitempty"`
	Suffix     string        `json:"linkSuffix,omitempty"` // of a link's address
}

// Placeholder is what stands in a template for a placeholder.
type Placeholder struct {
	Name string `json:"name,omitempty"` // empty for one that is counted
	Text string `json:"text"`
}

// Translation replaces texts of constants for customers with a language.
type Translation struct {
	Locale    string       `json:"locale"` // BCP 47, such as de or de-AT
	Constants []Translated `json:"constants"`
}

// Translated is a constant in another language. What is empty stays as it is.
type Translated struct {
	Name  string `json:"name"`
	Text  string `json:"text,omitempty"`
	Alt   string `json:"alt,omitempty"`
	Items []Item `json:"items,omitempty"`
	// ImageID is an image of the file store.
	ImageID *string `json:"imageId,omitempty"`
}

// of is the constant in the other language.
func (t *Translated) of(c Constant) Constant {
	if t.Text != "" {
		c.Text, c.ImageID = t.Text, nil
	}
	if t.ImageID != nil {
		c.Text, c.ImageID = t.Text, t.ImageID
	}
	if t.Alt != "" {
		c.Alt = t.Alt
	}
	if len(t.Items) == len(c.Items) { // a list keeps its places: they are its answers
		c.Items = t.Items
	}
	return c
}

// Used is an image of the file store that a design uses, and the field that names it.
type Used struct{ At, ID string }

// Images are the images of the file store that a design uses.
func (d *Design) Images() (used []Used) {
	add := func(id *string, at string, args ...any) {
		if id != nil {
			used = append(used, Used{fmt.Sprintf("input.design."+at+".imageId", args...), *id})
		}
	}
	for i, c := range d.Constants {
		add(c.ImageID, "constants.%d", i)
		for j, item := range c.Items {
			add(item.ImageID, "constants.%d.items.%d", i, j)
		}
	}
	for i, t := range d.Translations {
		for j, c := range t.Constants {
			add(c.ImageID, "translations.%d.constants.%d", i, j)
			for k, item := range c.Items {
				add(item.ImageID, "translations.%d.constants.%d.items.%d", i, j, k)
			}
		}
	}
	return used
}

// properties are what a format takes, and needs, besides its kind's options.
type properties struct{ takes, needs []string }

// What the formats of links, auto-responses and questions take.
var linked = map[channel.Format]properties{
	channel.RegisteredTemplate: {
		takes: []string{"template.name", "template.language", "template.header", "template.linkSuffix", "imageUrl", "imageAlt"},
		needs: []string{"template.name", "template.language"},
	},
	channel.MediaCard: {takes: []string{"title", "url", "imageUrl", "imageAlt"}, needs: []string{"title", "url", "imageUrl"}},
	channel.RichLink:  {takes: []string{"text", "title", "url", "imageUrl", "imageAlt"}, needs: []string{"title", "url"}},
	channel.PlainText: {takes: []string{"text"}, needs: []string{"text"}},
}

var opened = map[channel.Format]properties{
	channel.WebPage:   {takes: []string{"text", "title", "url", "popup"}, needs: []string{"title", "url"}},
	channel.PlainText: {takes: []string{"text"}, needs: []string{"text"}},
}

var asked = map[channel.Format]properties{
	channel.RegisteredTemplate: {
		takes: []string{"template.name", "template.language", "template.header", "imageUrl", "imageAlt"},
		needs: []string{"template.name", "template.language"},
	},
	channel.Buttons:      {takes: []string{"text"}, needs: []string{"text"}},
	channel.QuickReplies: {takes: []string{"text"}, needs: []string{"text"}},
	channel.CardCarousel: {takes: []string{"text"}, needs: []string{"text"}},
	channel.OptionList:   {takes: []string{"text", "label"}, needs: []string{"text", "label"}},
	channel.PlainText:    {takes: []string{"text"}, needs: []string{"text"}},
}

// chosen are those of time selectors, whose options have no pictures, and offered those of
// dynamic questions: a registered template has its options registered with it.
var (
	offered = without(asked, channel.RegisteredTemplate)
	chosen  = without(offered, channel.CardCarousel)
)

func without(formats map[channel.Format]properties, f channel.Format) map[channel.Format]properties {
	rest := maps.Clone(formats)
	delete(rest, f)
	return rest
}

// formatsOf are the formats that a kind of component can have, with their properties.
func formatsOf(k Kind) map[channel.Format]properties {
	switch k {
	case EnhancedLink:
		return linked
	case AutoResponse:
		return opened
	case TimeSelector:
		return chosen
	case DynamicQuestion:
		return offered
	}
	return asked
}

// Constant returns the constant with the name, ignoring case; nil when there is none.
func (d *Design) Constant(name string) *Constant {
	if i := slices.IndexFunc(d.Constants, func(c Constant) bool { return strings.EqualFold(c.Name, name) }); i >= 0 {
		return &d.Constants[i]
	}
	return nil
}

// Parameter returns the parameter with the name, ignoring case; nil when there is none.
func (d *Design) Parameter(name string) *Parameter {
	if i := slices.IndexFunc(d.Parameters, func(p Parameter) bool { return strings.EqualFold(p.Name, name) }); i >= 0 {
		return &d.Parameters[i]
	}
	return nil
}

// In is the design with its constants in the language of a customer: in their locale, else
// in its language, else as it was written.
func (d *Design) In(locale string) *Design {
	translation := d.translation(locale)
	if translation == nil {
		return d
	}
	in := *d
	in.Constants = slices.Clone(d.Constants)
	for _, t := range translation.Constants {
		if c := in.Constant(t.Name); c != nil {
			*c = t.of(*c)
		}
	}
	return &in
}

func (d *Design) translation(locale string) *Translation {
	for ; locale != ""; locale = parent(locale) {
		if i := slices.IndexFunc(d.Translations, func(t Translation) bool { return strings.EqualFold(t.Locale, locale) }); i >= 0 {
			return &d.Translations[i]
		}
	}
	return nil
}

// parent is a locale without its last part; empty for a language.
func parent(locale string) string {
	return locale[:max(strings.LastIndexByte(locale, '-'), 0)]
}
