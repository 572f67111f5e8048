package channel

// FormatRule is what a type of channel shows in one format, within the platform's
// limits. A bound is zero where the format has no such part.
type FormatRule struct {
	Format Format
	// Kinds are the components that can be shown so.
	Kinds []ComponentKind
	// MinOptions and MaxOptions bound how many options a question has.
	MinOptions, MaxOptions int
	// Text, Title, Label, OptionTitle and OptionSubtitle bound texts, in characters
	// (Unicode code points): of a registered template a placeholder and its header.
	Text, Title, Label, OptionTitle, OptionSubtitle int
	// Images says that an image, or one for each option, is shown; RequiresImage that
	// there must be one.
	Images, RequiresImage bool
	// DistinctTitles says that no two options may have the same title.
	DistinctTitles bool
	// Popup says that a web page may open over the conversation by itself.
	Popup bool
}

// LeastOptions is MinOptions, nil where the format shows no options.
func (r *FormatRule) LeastOptions() *int { return stated(r.MinOptions) }

// MostOptions is MaxOptions, nil where the format shows no options.
func (r *FormatRule) MostOptions() *int { return stated(r.MaxOptions) }

// TitleCharacters is Title, nil where the format shows no link.
func (r *FormatRule) TitleCharacters() *int { return stated(r.Title) }

// LabelCharacters is Label, nil where nothing has to be opened.
func (r *FormatRule) LabelCharacters() *int { return stated(r.Label) }

// OptionTitleCharacters is OptionTitle, nil where the format shows no options.
func (r *FormatRule) OptionTitleCharacters() *int { return stated(r.OptionTitle) }

// OptionSubtitleCharacters is OptionSubtitle, nil where the format shows no subtitles.
func (r *FormatRule) OptionSubtitleCharacters() *int { return stated(r.OptionSubtitle) }

// FormatRule returns the rule of a format on channels of the type, nil where the format
// is not shown.
func (c *Capabilities) FormatRule(f Format) *FormatRule {
	for i := range c.Formats {
		if c.Formats[i].Format == f {
			return &c.Formats[i]
		}
	}
	return nil
}

// The kinds that share their formats.
var (
	linkKinds     = []ComponentKind{EnhancedLink}
	questionKinds = []ComponentKind{StaticQuestion, DynamicQuestion}
	choiceKinds   = []ComponentKind{StaticQuestion, DynamicQuestion, TimeSelector}
	sentKinds     = []ComponentKind{EnhancedLink, StaticQuestion, DynamicQuestion, TimeSelector}
	allKinds      = []ComponentKind{EnhancedLink, StaticQuestion, DynamicQuestion, TimeSelector, AutoResponse}
	answerKinds   = []ComponentKind{AutoResponse}
	templateKinds = []ComponentKind{EnhancedLink, StaticQuestion}
)

// The numbers of options that the domain states (DOMAIN 7), on every platform.
const (
	mostButtons       = 3
	leastQuickReplies = 3
	mostQuickReplies  = 13
)

// textFormat is the last format of every type that shows components.
func textFormat(kinds []ComponentKind, limit Limit) FormatRule {
	return FormatRule{Format: PlainText, Kinds: kinds, Text: limit.Characters}
}

func smsFormats() []FormatRule { return []FormatRule{textFormat(sentKinds, smsLimit)} }

// facebookFormats have the limits of the Send API's templates: 640 characters above
// buttons, 20 on a button or quick reply, 80 in a title or subtitle of the generic
// template, which has at most 10 cards. A card's title is the question.
func facebookFormats() []FormatRule {
	return []FormatRule{
		{Format: MediaCard, Kinds: linkKinds, Text: 80, Title: 80, Images: true, RequiresImage: true},
		{Format: Buttons, Kinds: choiceKinds, MinOptions: 1, MaxOptions: mostButtons, Text: 640, OptionTitle: 20},
		{
			Format: QuickReplies, Kinds: choiceKinds, MinOptions: leastQuickReplies, MaxOptions: mostQuickReplies,
			Text: facebookLimit.Characters, OptionTitle: 20, Images: true,
		},
		{
			Format: CardCarousel, Kinds: questionKinds, MinOptions: 1, MaxOptions: 10, Text: 80, OptionTitle: 20, OptionSubtitle: 80,
			Images: true, RequiresImage: true,
		},
		textFormat(sentKinds, facebookLimit),
	}
}

// whatsAppEnhancedFormats are the Cloud API's interactive messages, which go, like every
// free text, inside the care window only, and registered templates, whose placeholders
// take as much as a whole text may have.
func whatsAppEnhancedFormats() []FormatRule {
	const body = 1024
	return []FormatRule{
		{Format: RichLink, Kinds: linkKinds, Text: body, Title: 20, Images: true},
		{Format: Buttons, Kinds: choiceKinds, MinOptions: 1, MaxOptions: mostButtons, Text: body, OptionTitle: 20, DistinctTitles: true},
		{Format: OptionList, Kinds: choiceKinds, MinOptions: 1, MaxOptions: 10, Text: body, Label: 20, OptionTitle: 24, OptionSubtitle: 72},
		{Format: RegisteredTemplate, Kinds: templateKinds, MaxOptions: 10, Text: body, Title: 60, OptionTitle: 25, Images: true},
		textFormat(sentKinds, whatsAppEnhancedLimit),
	}
}

// webFormats have bounds of ours, as no platform states any. Only a web page can open
// another by itself.
func webFormats(popup bool) []FormatRule {
	const title, option = 200, 80
	text := webLimit.Characters
	return []FormatRule{
		{Format: RichLink, Kinds: linkKinds, Text: text, Title: title, Images: true},
		{Format: Buttons, Kinds: choiceKinds, MinOptions: 1, MaxOptions: mostButtons, Text: text, OptionTitle: option},
		{
			Format: QuickReplies, Kinds: choiceKinds, MinOptions: leastQuickReplies, MaxOptions: mostQuickReplies,
			Text: text, OptionTitle: option, Images: true,
		},
		{Format: WebPage, Kinds: answerKinds, Text: text, Title: title, Popup: popup},
		textFormat(allKinds, webLimit),
	}
}
