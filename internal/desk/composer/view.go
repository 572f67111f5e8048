package composer

import (
	"context"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/rule"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Design is what a version says, as the graph shows it.
type Design component.Design

// Options are where the options of a question come from: StaticOptions, RecordOptions,
// QueryOptions or SlotOptions.
type Options interface{ IsComponentOptions() }

// StaticOptions are the items of a constant.
type StaticOptions struct{ Constant string }

// RecordOptions are the records of a parameter.
type RecordOptions struct {
	Parameter string
	Display   *Display
}

// QueryOptions are the records that a query finds.
type QueryOptions struct {
	*component.Query
	Display *Display
}

// SlotOptions are times.
type SlotOptions struct {
	Display     *Display
	ProviderURL string // empty for none
}

// ProviderFor is what is asked for them, nil for none, and for whoever may not know.
func (o SlotOptions) ProviderFor(ctx context.Context) *string {
	if !rule.Administers(viewer.FromContext(ctx)) {
		return nil
	}
	return table.Optional(o.ProviderURL)
}

// HasProvider reports whether they come from a provider.
func (o SlotOptions) HasProvider() bool { return o.ProviderURL != "" }

// Display is how an option is made of a record or a slot.
type Display struct{ Title, Subtitle, ImageURL, ImageAlt string }

// IsComponentOptions marks a member of the union.
func (StaticOptions) IsComponentOptions() {}

// IsComponentOptions marks a member of the union.
func (RecordOptions) IsComponentOptions() {}

// IsComponentOptions marks a member of the union.
func (QueryOptions) IsComponentOptions() {}

// IsComponentOptions marks a member of the union.
func (SlotOptions) IsComponentOptions() {}

// Choices are where the options come from; nil for none.
func (d *Design) Choices() Options {
	o := d.Options
	if o == nil {
		return nil
	}
	display := &Display{o.Title, o.Subtitle, o.ImageURL, o.ImageAlt}
	switch {
	case o.Constant != "":
		return StaticOptions{o.Constant}
	case o.Parameter != "":
		return RecordOptions{o.Parameter, display}
	case o.Query != nil:
		return QueryOptions{o.Query, display}
	}
	return SlotOptions{display, o.ProviderURL}
}

// FormatDesign is a format of a component: LinkFormat, WebPageFormat, QuestionFormat,
// ListFormat, TemplateFormat or TextFormat.
type FormatDesign interface{ IsComponentFormatDesign() }

// LinkFormat is MEDIA or RICH_LINK.
type LinkFormat component.Format

// WebPageFormat is WEB_PAGE.
type WebPageFormat component.Format

// QuestionFormat is BUTTONS, QUICK_REPLIES or CARD_CAROUSEL.
type QuestionFormat component.Format

// ListFormat is LIST.
type ListFormat component.Format

// TemplateFormat is REGISTERED_TEMPLATE.
type TemplateFormat component.Format

// TextFormat is TEXT.
type TextFormat component.Format

// IsComponentFormatDesign marks a member of the union.
func (LinkFormat) IsComponentFormatDesign() {}

// IsComponentFormatDesign marks a member of the union.
func (WebPageFormat) IsComponentFormatDesign() {}

// IsComponentFormatDesign marks a member of the union.
func (QuestionFormat) IsComponentFormatDesign() {}

// IsComponentFormatDesign marks a member of the union.
func (ListFormat) IsComponentFormatDesign() {}

// IsComponentFormatDesign marks a member of the union.
func (TemplateFormat) IsComponentFormatDesign() {}

// IsComponentFormatDesign marks a member of the union.
func (TextFormat) IsComponentFormatDesign() {}

// Looks are the formats in the order in which they are tried. One that only a newer
// version knows is left out.
func (d *Design) Looks() []FormatDesign {
	looks := make([]FormatDesign, 0, len(d.Formats))
	for _, f := range d.Formats {
		switch f.Format {
		case channel.MediaCard, channel.RichLink:
			looks = append(looks, LinkFormat(f))
		case channel.WebPage:
			looks = append(looks, WebPageFormat(f))
		case channel.Buttons, channel.QuickReplies, channel.CardCarousel:
			looks = append(looks, QuestionFormat(f))
		case channel.OptionList:
			looks = append(looks, ListFormat(f))
		case channel.RegisteredTemplate:
			looks = append(looks, TemplateFormat(f))
		case channel.PlainText:
			looks = append(looks, TextFormat(f))
		}
	}
	return looks
}
