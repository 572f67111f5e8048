package component_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/desk/component"
)

// rules is what the domain and the platforms say, a format a line: the channels, the
// kinds, the format, options from to, then the most characters of the text, a link's
// title, the label, an option and its subtitle, where the format has them; "image" where
// there has to be one, "distinct" where options must differ, "popup" where one may be.
const rules = `
FB           link            MEDIA         0 0   80 80 - - -    image
WA           link            RICH_LINK     0 0   1024 20 - - -
WEB APP      link            RICH_LINK     0 0   4096 200 - - -
FB           question,time   BUTTONS       1 3   640 - - 20 -
WA           question,time   BUTTONS       1 3   1024 - - 20 -  distinct
WEB APP      question,time   BUTTONS       1 3   4096 - - 80 -
FB           question,time   QUICK_REPLIES 3 13  2000 - - 20 -
WEB APP      question,time   QUICK_REPLIES 3 13  4096 - - 80 -
FB           question        CARD_CAROUSEL 1 10  80 - - 20 80   image
WA           question,time   LIST          1 10  1024 - 20 24 72
WEB          auto            WEB_PAGE      0 0   4096 200 - - - popup
APP          auto            WEB_PAGE      0 0   4096 200 - - -
`

// texts is how long a text may be that a kind is sent as.
var texts = map[string]int{"SMS": 840, "FB": 2000, "WA": 4096, "WEB": 4096, "APP": 4096}

var channels = map[channel.Type]string{
	channel.SMSLongCode: "SMS", channel.SMSTollFree: "SMS", channel.SMSShortCode: "SMS", channel.FacebookEnhanced: "FB",
	channel.WhatsAppEnhanced: "WA", channel.Web: "WEB", channel.InApp: "APP", channel.Facebook: "none", channel.WhatsApp: "none",
}

var kinds = map[channel.ComponentKind]string{
	channel.EnhancedLink: "link", channel.StaticQuestion: "question", channel.DynamicQuestion: "question",
	channel.TimeSelector: "time", channel.AutoResponse: "auto",
}

// slow reads the rules line by line, for one format, and names every reason against it.
func slow(on channel.Type, kind channel.ComponentKind, s channel.Structured) []string {
	if s.Format == channel.PlainText {
		return slowText(channels[on], kinds[kind], s.Plain)
	}
	shown := false
	for _, line := range strings.Split(strings.TrimSpace(rules), "\n") {
		fields := strings.Fields(line)
		at := slices.IndexFunc(fields, func(f string) bool { return strings.ToLower(f) == f })
		if !slices.Contains(fields[:at], channels[on]) || fields[at+1] != string(s.Format) {
			continue
		}
		shown = true
		if slices.Contains(strings.Split(fields[at], ","), kinds[kind]) {
			return slowRule(fields[at+2:], s)
		}
	}
	if shown {
		return []string{"NOT_OF_KIND 0 0"}
	}
	return []string{"NOT_ON_CHANNEL 0 0"}
}

func slowText(on, kind, text string) []string {
	most, sent := texts[on]
	n := utf8.RuneCountInString(text)
	switch {
	case !sent:
		return []string{"NOT_ON_CHANNEL 0 0"}
	case kind == "auto" && on != "WEB" && on != "APP":
		return []string{"NOT_OF_KIND 0 0"}
	case strings.TrimSpace(text) == "":
		return []string{"TEXT_MISSING 0 1"}
	case n > most:
		return []string{fmt.Sprintf("TEXT_TOO_LONG %d %d", most, n)}
	case on == "SMS" && !ascii(text) && n > 6*67:
		return []string{fmt.Sprintf("TEXT_TOO_LONG 6 %d", (n+66)/67)}
	}
	return nil
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 127 })
}

func slowRule(f []string, s channel.Structured) (found []string) {
	number := func(i int) int {
		var n int
		_, _ = fmt.Sscan(f[i], &n)
		return n
	}
	has := func(word string) bool { return slices.Contains(f[7:], word) }
	say := func(reason string, limit, n int) { found = append(found, fmt.Sprintf("%s %d %d", reason, limit, n)) }
	long := func(reason string, i int, texts ...string) {
		most := 0
		for _, text := range texts {
			most = max(most, utf8.RuneCountInString(text))
		}
		if f[i] != "-" && most > number(i) {
			say(reason, number(i), most)
		}
	}
	long("TEXT_TOO_LONG", 2, s.Text)
	if f[3] != "-" {
		if s.Link == nil || s.Link.Title == "" || s.Link.URL == "" {
			say("LINK_MISSING", 0, 0)
			return found
		}
		long("TITLE_TOO_LONG", 3, s.Link.Title)
		if has("image") && s.Link.Image == nil {
			say("IMAGE_MISSING", 1, 0)
		}
		if s.Link.Popup && !has("popup") {
			say("POPUP_NOT_SHOWN", 0, 0)
		}
		return found
	}
	if s.Text == "" {
		say("TEXT_MISSING", 0, 1)
	}
	if n := len(s.Options); n < number(0) {
		say("TOO_FEW_OPTIONS", number(0), n)
	} else if n > number(1) {
		say("TOO_MANY_OPTIONS", number(1), n)
	}
	var titles, subtitles []string
	blank, pictures, again := 0, 0, 0
	for _, o := range s.Options {
		if o.Title == "" {
			blank++
		}
		if o.Image != nil {
			pictures++
		}
		if slices.Contains(titles, o.Title) {
			again++
		}
		titles, subtitles = append(titles, o.Title), append(subtitles, o.Subtitle)
	}
	if blank > 0 {
		say("OPTION_MISSING", 0, blank)
	}
	long("OPTION_TOO_LONG", 5, titles...)
	long("SUBTITLE_TOO_LONG", 6, subtitles...)
	if has("image") && pictures < len(s.Options) {
		say("IMAGE_MISSING", len(s.Options), pictures)
	}
	if has("distinct") && again > 0 {
		say("OPTIONS_ALIKE", 0, again)
	}
	if f[4] != "-" {
		if s.Label == "" {
			say("LABEL_MISSING", 0, 1)
		}
		long("LABEL_TOO_LONG", 4, s.Label)
	}
	return found
}

// requireSlow compares a choice with the slow reading of the rules.
func requireSlow(t require.TestingT, on channel.Type, kind channel.ComponentKind, filled []channel.Structured) {
	got := component.Choose(channel.CapabilitiesOf(on), channel.Header6, false, kind, filled)
	var want *channel.Structured
	var rejected []string
	try := func(text bool) {
		for _, s := range filled {
			if want != nil || (s.Format == channel.PlainText) != text {
				continue
			}
			if against := slow(on, kind, s); len(against) > 0 {
				rejected = append(rejected, string(s.Format)+": "+strings.Join(against, ", "))
			} else {
				want = &s
			}
		}
	}
	try(false)
	try(true)
	require.Equal(t, want, got.Chosen, "%s %s %v", on, kind, filled)
	var said []string
	for _, r := range got.Rejected {
		var against []string
		for _, m := range r.Misfits {
			against = append(against, fmt.Sprintf("%s %d %d", m.Reason, m.Limit, m.Found))
		}
		said = append(said, string(r.Format)+": "+strings.Join(against, ", "))
	}
	require.Equal(t, rejected, said, "%s %s", on, kind)
}

var formats = []channel.Format{
	channel.MediaCard, channel.RichLink, channel.WebPage, channel.Buttons, channel.QuickReplies, channel.CardCarousel, channel.OptionList, channel.PlainText,
}

// shown is content with n options that fits everywhere it may, but for their number.
func shown(f channel.Format, n int) channel.Structured {
	image := &channel.Image{URL: "https://shop.example.com/i.png"}
	s := channel.Structured{
		Format: f, Text: "Which?", Label: "Open", Plain: "Which?",
		Link: &channel.Link{Title: "Our shop", URL: "https://shop.example.com", Image: image},
	}
	for i := range n {
		s.Options = append(s.Options, channel.Option{Title: fmt.Sprint("Option ", i), Subtitle: "Below", Image: image})
	}
	return s
}

// TestEveryOrder is the table: type of channel, kind, number of options, and every order
// of every two formats with text, and all of them in both directions.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	orders := [][]channel.Format{formats, slices.Clone(formats)}
	slices.Reverse(orders[1])
	for _, a := range formats {
		for _, b := range formats {
			if a != b {
				orders = append(orders, []channel.Format{a, b, channel.PlainText}, []channel.Format{channel.PlainText, a, b})
			}
		}
	}
	for on := range channels {
		for kind := range kinds {
			for n := range 15 {
				for _, order := range orders {
					var filled []channel.Structured
					for _, f := range order {
						if !slices.ContainsFunc(filled, func(s channel.Structured) bool { return s.Format == f }) {
							filled = append(filled, shown(f, n))
						}
					}
					requireSlow(t, on, kind, filled)
				}
			}
		}
	}
}

// TestAnyContent compares the choice among contents of any length.
func TestAnyContent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		on := rapid.SampledFrom(channel.Types()).Draw(t, "on")
		kind := rapid.SampledFrom([]channel.ComponentKind{channel.EnhancedLink, channel.StaticQuestion, channel.DynamicQuestion, channel.TimeSelector, channel.AutoResponse}).Draw(t, "kind")
		order := rapid.Permutation(formats).Draw(t, "order")
		n := rapid.IntRange(0, len(order)).Draw(t, "formats")
		filled := make([]channel.Structured, n)
		for i, f := range order[:n] {
			filled[i] = anyContent(t, f)
		}
		requireSlow(t, on, kind, filled)
	})
}

// near are lengths about the limits.
var near = []int{0, 1, 19, 20, 21, 24, 25, 72, 73, 80, 81, 200, 201, 402, 403, 640, 641, 840, 841, 1024, 1025, 2000, 2001, 4096, 4097}

func anyContent(t *rapid.T, f channel.Format) channel.Structured {
	text := func(label string) string {
		letter := rapid.SampledFrom([]string{"a", "ü", "я"}).Draw(t, label+" letter")
		if label == "plain" && letter == "ü" {
			letter = "я" // ü is in the SMS alphabet
		}
		return strings.Repeat(letter, rapid.SampledFrom(near).Draw(t, label))
	}
	image := func(label string) *channel.Image {
		if rapid.Bool().Draw(t, label) {
			return &channel.Image{URL: "https://shop.example.com/i.png"}
		}
		return nil
	}
	s := channel.Structured{Format: f, Text: text("text"), Label: text("label"), Plain: text("plain")}
	if rapid.Bool().Draw(t, "link") {
		s.Link = &channel.Link{Title: text("title"), URL: "https://shop.example.com", Image: image("link image"), Popup: rapid.Bool().Draw(t, "popup")}
	}
	for range rapid.IntRange(0, 15).Draw(t, "options") {
		s.Options = append(s.Options, channel.Option{Title: text("option"), Subtitle: text("subtitle"), Image: image("option image")})
	}
	return s
}

// TestTheSeedsExample is a question of five options with buttons first: on Messenger it
// has quick replies, and with three options buttons.
func TestTheSeedsExample(t *testing.T) {
	t.Parallel()
	choose := func(n int) component.Choice {
		filled := []channel.Structured{shown(channel.Buttons, n), shown(channel.QuickReplies, n), shown(channel.PlainText, n)}
		return component.Choose(channel.CapabilitiesOf(channel.FacebookEnhanced), channel.DefaultHeader, false, channel.StaticQuestion, filled)
	}
	five := choose(5)
	require.Equal(t, channel.QuickReplies, five.Chosen.Format)
	require.Equal(t, []component.Rejected{{Format: channel.Buttons, Misfits: []channel.Misfit{{Reason: channel.TooManyOptions, Limit: 3, Found: 5}}}}, five.Rejected)
	require.Equal(t, channel.Buttons, choose(3).Chosen.Format)
	require.Empty(t, choose(3).Rejected)
	require.Equal(t, channel.PlainText, choose(14).Chosen.Format)
}

// TestTheCarriersHeaderCounts is a text that fits with Twilio's segments alone.
func TestTheCarriersHeaderCounts(t *testing.T) {
	t.Parallel()
	s := []channel.Structured{{Format: channel.PlainText, Plain: strings.Repeat("я", 6*67)}}
	on := channel.CapabilitiesOf(channel.SMSLongCode)
	require.NotNil(t, component.Choose(on, channel.Header6, false, channel.StaticQuestion, s).Chosen)
	wide := component.Choose(on, channel.Header7, false, channel.StaticQuestion, s)
	require.Nil(t, wide.Chosen)
	require.Equal(t, []channel.Misfit{{Reason: channel.TextTooLong, Limit: 6, Found: 7}}, wide.Rejected[0].Misfits)
}

// TestWhatIsChosenIsSent checks that no carrier's document refuses what was chosen.
func TestWhatIsChosenIsSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		on := rapid.SampledFrom(channel.Types()).Draw(t, "on")
		c := channel.CapabilitiesOf(on)
		s := anyContent(t, rapid.SampledFrom(formats).Draw(t, "format"))
		for i := range s.Options {
			s.Options[i].Token = fmt.Sprint(i)
		}
		for _, kind := range []channel.ComponentKind{channel.EnhancedLink, channel.StaticQuestion, channel.AutoResponse} {
			if chosen := component.Choose(c, channel.Header6, false, kind, []channel.Structured{s}).Chosen; chosen != nil {
				require.NoError(t, c.Check(*chosen))
			}
		}
	})
}

// TestOnlyARegisteredTemplateNeedsNoOpenWindow is the table of types of channels and kinds,
// with the reply window open and closed.
func TestOnlyARegisteredTemplateNeedsNoOpenWindow(t *testing.T) {
	t.Parallel()
	template := shown(channel.RegisteredTemplate, 3)
	template.Template = &channel.Template{Name: "ready", Language: "de", Body: []channel.Placeholder{{Text: "Zoë"}}}
	for on := range channels {
		for kind := range kinds {
			fits := on == channel.WhatsAppEnhanced && (kind == channel.EnhancedLink || kind == channel.StaticQuestion)
			alone := component.Choose(channel.CapabilitiesOf(on), channel.Header6, true, kind, []channel.Structured{template})
			require.Equal(t, fits, alone.Chosen != nil, "%s %s", on, kind)
			for _, f := range formats {
				both := []channel.Structured{shown(f, 3), template}
				open := component.Choose(channel.CapabilitiesOf(on), channel.Header6, false, kind, both)
				require.Equal(t, slow(on, kind, both[0]) == nil && (f != channel.PlainText || !fits), open.Chosen != nil && open.Chosen.Format == f, "%s %s %s", on, kind, f)
				closed := component.Choose(channel.CapabilitiesOf(on), channel.Header6, true, kind, both)
				require.Equal(t, fits, closed.Chosen != nil)
				if f != channel.PlainText {
					require.Contains(t, closed.Rejected[0].Misfits, channel.Misfit{Reason: channel.WindowClosed})
				}
			}
		}
	}
}
