package channel

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MisfitReason is why content cannot be shown in a format.
type MisfitReason string

// The reasons. The first two are of the channel and the kind of component, TokenUnfit is
// of whoever made the tokens, WindowClosed of the time, all others of what was filled in.
const (
	NotOnChannel    MisfitReason = "NOT_ON_CHANNEL"
	NotOfKind       MisfitReason = "NOT_OF_KIND"
	TextMissing     MisfitReason = "TEXT_MISSING"
	TextTooLong     MisfitReason = "TEXT_TOO_LONG"
	LinkMissing     MisfitReason = "LINK_MISSING"
	TitleTooLong    MisfitReason = "TITLE_TOO_LONG"
	AddressTooLong  MisfitReason = "ADDRESS_TOO_LONG"
	AddressInvalid  MisfitReason = "ADDRESS_INVALID"
	ImageNotPublic  MisfitReason = "IMAGE_NOT_PUBLIC"
	ImageMissing    MisfitReason = "IMAGE_MISSING"
	LabelMissing    MisfitReason = "LABEL_MISSING"
	LabelTooLong    MisfitReason = "LABEL_TOO_LONG"
	TooFewOptions   MisfitReason = "TOO_FEW_OPTIONS"
	TooManyOptions  MisfitReason = "TOO_MANY_OPTIONS"
	OptionMissing   MisfitReason = "OPTION_MISSING"
	OptionTooLong   MisfitReason = "OPTION_TOO_LONG"
	SubtitleTooLong MisfitReason = "SUBTITLE_TOO_LONG"
	OptionsAlike    MisfitReason = "OPTIONS_ALIKE"
	PopupNotShown   MisfitReason = "POPUP_NOT_SHOWN"
	TokenUnfit      MisfitReason = "TOKEN_UNFIT"
	TemplateInvalid MisfitReason = "TEMPLATE_INVALID"
	WindowClosed    MisfitReason = "WINDOW_CLOSED"
)

// Misfit is one reason why content cannot be shown in a format, with the limit that it
// breaks and the number found: of characters of the longest text, of options, or of what
// is missing or repeated. Both are zero where the reason has no number.
type Misfit struct {
	Reason       MisfitReason
	Limit, Found int
}

// UnfitError says that content cannot be shown in its format.
type UnfitError struct {
	Format  Format
	Misfits []Misfit
}

// Error implements error.
func (e *UnfitError) Error() string {
	first := e.Misfits[0]
	if first.Limit == 0 && first.Found == 0 {
		return fmt.Sprintf("the format %s does not fit: %s", e.Format, first.Reason)
	}
	return fmt.Sprintf("the format %s does not fit: %s, limit %d, found %d", e.Format, first.Reason, first.Limit, first.Found)
}

// Check refuses, by an *UnfitError, what channels of the type cannot show as it is.
func (c *Capabilities) Check(s Structured) error {
	rule := c.FormatRule(s.Format)
	if rule == nil {
		return &UnfitError{s.Format, []Misfit{{Reason: NotOnChannel}}}
	}
	misfits := rule.Misfits(s)
	if rule.MaxOptions > 0 {
		misfits = append(misfits, tokenMisfits(s.Options)...)
	}
	if len(misfits) > 0 {
		return &UnfitError{s.Format, misfits}
	}
	return nil
}

// tokenMisfits finds tokens that a platform would not bring back as they are, or that
// stand for two options.
func tokenMisfits(options []Option) []Misfit {
	seen := map[string]bool{}
	for _, o := range options {
		if IsBlank(o.Token) || CleanText(o.Token) != o.Token || len(o.Token) > MaxToken || seen[o.Token] {
			return []Misfit{{TokenUnfit, MaxToken, len(o.Token)}}
		}
		seen[o.Token] = true
	}
	return nil
}

// MaxLinkURL bounds the address of a link or an image, in bytes; ours, and what
// platforms take.
const MaxLinkURL = 2000

// Misfits returns every reason why s cannot be shown by the rule; none when it can. The
// kind of component is not looked at. A text that is sent over SMS has a bound more,
// which Limit.Allows judges.
func (r *FormatRule) Misfits(s Structured) []Misfit {
	if r.Format == PlainText {
		return collected(missing(TextMissing, s.Plain), tooLong(TextTooLong, r.Text, s.Plain))
	}
	if r.Format == RegisteredTemplate {
		return r.templateMisfits(s)
	}
	found := collected(tooLong(TextTooLong, r.Text, s.Text))
	if r.Title > 0 {
		found = append(found, r.linkMisfits(s.Link)...)
	}
	if r.MaxOptions > 0 {
		found = append(found, missing(TextMissing, s.Text)...)
		found = append(found, r.optionMisfits(s.Options)...)
	}
	if r.Label > 0 {
		found = append(found, missing(LabelMissing, s.Label)...)
		found = append(found, tooLong(LabelTooLong, r.Label, s.Label)...)
	}
	return found
}

func (r *FormatRule) linkMisfits(l *Link) []Misfit {
	if l == nil || IsBlank(l.URL) || IsBlank(l.Title) {
		return []Misfit{{Reason: LinkMissing}}
	}
	found := collected(tooLong(TitleTooLong, r.Title, l.Title), addressMisfits(l.URL, r.shown(l.Image)))
	if r.RequiresImage && r.shown(l.Image) == "" {
		found = append(found, Misfit{Reason: ImageMissing, Limit: 1})
	}
	if l.Popup && !r.Popup {
		found = append(found, Misfit{Reason: PopupNotShown})
	}
	return found
}

func (r *FormatRule) optionMisfits(options []Option) (found []Misfit) {
	switch n := len(options); {
	case n < r.MinOptions:
		found = append(found, Misfit{TooFewOptions, r.MinOptions, n})
	case n > r.MaxOptions:
		found = append(found, Misfit{TooManyOptions, r.MaxOptions, n})
	}
	var titles, subtitles, images []string
	for _, o := range options {
		titles, subtitles, images = append(titles, o.Title), append(subtitles, o.Subtitle), append(images, r.shown(o.Image))
	}
	found = append(found, missing(OptionMissing, titles...)...)
	found = append(found, tooLong(OptionTooLong, r.OptionTitle, titles...)...)
	if r.OptionSubtitle > 0 {
		found = append(found, tooLong(SubtitleTooLong, r.OptionSubtitle, subtitles...)...)
	}
	found = append(found, addressMisfits(images...)...)
	if bare := len(slices.DeleteFunc(images, func(i string) bool { return i != "" })); r.RequiresImage && bare > 0 {
		found = append(found, Misfit{ImageMissing, len(options), len(options) - bare})
	}
	if alike := repeated(titles); r.DistinctTitles && alike > 0 {
		found = append(found, Misfit{Reason: OptionsAlike, Found: alike})
	}
	return found
}

var (
	templateName     = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	templateLanguage = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?$`)
)

func (r *FormatRule) templateMisfits(s Structured) (found []Misfit) {
	t := s.Template
	if t == nil || !t.IsNamed() || !t.isOneLiners() {
		return []Misfit{{Reason: TemplateInvalid}}
	}
	var texts []string
	for _, p := range t.Body {
		texts = append(texts, p.Text)
	}
	found = collected(missing(TextMissing, texts...), tooLong(TextTooLong, r.Text, texts...), tooLong(TitleTooLong, r.Title, t.Header),
		addressMisfits(r.shown(t.Image)))
	if n := len(t.Suffix); n > MaxLinkURL {
		found = append(found, Misfit{AddressTooLong, MaxLinkURL, n})
	}
	return append(found, r.optionMisfits(s.Options)...)
}

// IsNamed reports whether a platform can have such a template in such a language.
func (t *Template) IsNamed() bool {
	return templateName.MatchString(t.Name) && templateLanguage.MatchString(t.Language)
}

// isOneLiners reports whether each placeholder is a line, and all have names or none has.
func (t *Template) isOneLiners() bool {
	named := 0
	for _, p := range t.Body {
		if p.Name != "" {
			named++
		}
		if p.Text != OneLine(p.Text) {
			return false
		}
	}
	return t.Header == OneLine(t.Header) && (named == 0 || named == len(t.Body))
}

// OneLine is a text in one line, with one space wherever there was white space.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// shown is the address of an image, empty where the format shows none.
func (r *FormatRule) shown(i *Image) string {
	if i == nil || !r.Images {
		return ""
	}
	return i.URL
}

func collected(parts ...[]Misfit) (all []Misfit) {
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// missing counts the texts that are blank.
func missing(reason MisfitReason, texts ...string) []Misfit {
	n := 0
	for _, text := range texts {
		if IsBlank(text) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []Misfit{{Reason: reason, Found: n}}
}

// tooLong finds the longest text, in characters.
func tooLong(reason MisfitReason, limit int, texts ...string) []Misfit {
	longest := 0
	for _, text := range texts {
		longest = max(longest, utf8.RuneCountInString(text))
	}
	if longest <= limit {
		return nil
	}
	return []Misfit{{reason, limit, longest}}
}

// addressMisfits finds the longest address, and those that lead nowhere on the web; an
// empty one is none. A path alone is an image of ours while nobody knows where we are.
func addressMisfits(addresses ...string) (found []Misfit) {
	longest, invalid, paths := 0, 0, 0
	for _, address := range addresses {
		longest = max(longest, len(address))
		switch {
		case address == "" || OnTheWeb(address):
		case address[0] == '/' && !strings.HasPrefix(address, "//"):
			paths++
		default:
			invalid++
		}
	}
	if longest > MaxLinkURL {
		found = append(found, Misfit{AddressTooLong, MaxLinkURL, longest})
	}
	if invalid > 0 {
		found = append(found, Misfit{Reason: AddressInvalid, Found: invalid})
	}
	if paths > 0 {
		found = append(found, Misfit{Reason: ImageNotPublic, Found: paths})
	}
	return found
}

// OnTheWeb reports whether an address is an absolute one of the web: nothing else, such
// as a script, is ever sent as a link.
func OnTheWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http") && CleanText(address) == address
}

// repeated counts the texts that stood before.
func repeated(texts []string) (n int) {
	seen := map[string]bool{}
	for _, text := range texts {
		if seen[text] {
			n++
		}
		seen[text] = true
	}
	return n
}
