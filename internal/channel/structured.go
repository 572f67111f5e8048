package channel

import "parley/internal/ground/clock"

// ComponentKind is what a component is for (DOMAIN 7).
type ComponentKind string

// The kinds.
const (
	EnhancedLink    ComponentKind = "ENHANCED_LINK"
	StaticQuestion  ComponentKind = "STATIC_QUESTION"
	DynamicQuestion ComponentKind = "DYNAMIC_QUESTION"
	TimeSelector    ComponentKind = "TIME_SELECTOR"
	AutoResponse    ComponentKind = "AUTO_RESPONSE"
)

// Format is how a component looks to a customer (DOMAIN 7).
type Format string

// The formats. PlainText is what every other falls back to.
const (
	MediaCard    Format = "MEDIA"         // an image with a title that is a link
	RichLink     Format = "RICH_LINK"     // text, a link and what it leads to
	WebPage      Format = "WEB_PAGE"      // text, a title and an address that opens
	Buttons      Format = "BUTTONS"       // a text with a few buttons under it
	QuickReplies Format = "QUICK_REPLIES" // a text with answers above the keyboard
	CardCarousel Format = "CARD_CAROUSEL" // cards side by side, each with an image and an option
	OptionList   Format = "LIST"          // a text with a list that opens
	// RegisteredTemplate is a text that is registered with the platform, its placeholders
	// filled in. It may be sent when the reply window is closed too.
	RegisteredTemplate Format = "REGISTERED_TEMPLATE"
	PlainText          Format = "TEXT"
)

// Structured is a component as it is sent: filled in, in one format. Nothing is left to
// be computed, so a preview and a send of it are the same.
type Structured struct {
	Format Format
	// Text is what stands above: the question, the prompt, or words about a link.
	Text string
	// Link is where a link, or a web page, leads; nil for questions.
	Link *Link
	// Options are what a customer chooses from; none for links.
	Options []Option
	// Label opens a list; empty for other formats.
	Label string
	// Template is what a RegisteredTemplate is made of; nil for other formats.
	Template *Template
	// Plain is all of it as text: what a channel without formats sends, and what lists
	// and searches show.
	Plain string
	// HumanAgent says that a person sends it after the care window, which the platform
	// must be told (Capabilities.NeedsPerson). It is of the moment of a send.
	HumanAgent bool `json:",omitempty"`
}

// Link is a link that a customer sees as more than an address.
type Link struct {
	Title string
	URL   string
	Image *Image // nil without one
	// Popup says that a web page opens over the conversation by itself.
	Popup bool
}

// Image is a picture at a public address.
type Image struct {
	URL string
	Alt string // what it shows, for those who do not see it
	// Key is that of an image of our own file store, whose address ends; 0 for others.
	Key int64 `json:",omitempty"`
}

// Template is a message that is registered with a platform, with its placeholders filled
// in. Options are its quick replies, in their order.
type Template struct {
	Name     string // at the platform
	Language string // such as en or en_US
	Header   string // for the placeholder in its header; empty for none
	// HeaderName is the name of the header's placeholder; empty for one that is counted.
	HeaderName string `json:",omitempty"`
	Image      *Image // in its header; nil for none
	// Body is for the placeholders of its text, in their order. Either each has a name,
	// where they are registered with names, or none has.
	Body []Placeholder
	// Suffix ends the address of its link; empty for none.
	Suffix string
}

// Placeholder is what stands in a template for a placeholder: one line.
type Placeholder struct {
	Name string // empty for one that is counted
	Text string
}

// MaxToken bounds a token, in bytes: the least that a platform carries (a quick reply of a
// registered WhatsApp template).
const MaxToken = 128

// Option is one answer to a question.
type Option struct {
	// Token comes back when the customer taps the option. It says nothing by itself.
	Token    string
	Title    string
	Subtitle string // empty without one
	Image    *Image // nil without one
	// StartsAt is when a time that can be chosen begins; nil for what is none.
	StartsAt *clock.Time `json:",omitempty"`
	// DurationMinutes is how long such a time takes; nil if that is not known.
	DurationMinutes *int `json:",omitempty"`
}

func (Structured) content() {}
