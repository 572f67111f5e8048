package component_test

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
)

// rules is what the domain and the platforms say, a format a line: the channels, the
// kinds, the format, options from to, then the most characters of the text, a link's
// title, the label, an option and its subtitle, where the format has them; "image" where
// there has to be one, "distinct" where options must differ, "popup" where one may be. Of
// a template, the text is a placeholder and the title its header.
var rules = fields(`
FB           link                 MEDIA         0 0   80 80 - - -    image
WA           link                 RICH_LINK     0 0   1024 20 - - -
WEB APP      link                 RICH_LINK     0 0   4096 200 - - -
FB           static,dynamic,time  BUTTONS       1 3   640 - - 20 -
WA           static,dynamic,time  BUTTONS       1 3   1024 - - 20 -  distinct
WEB APP      static,dynamic,time  BUTTONS       1 3   4096 - - 80 -
FB           static,dynamic,time  QUICK_REPLIES 3 13  2000 - - 20 -
WEB APP      static,dynamic,time  QUICK_REPLIES 3 13  4096 - - 80 -
FB           static,dynamic       CARD_CAROUSEL 1 10  80 - - 20 80   image
WA           static,dynamic,time  LIST          1 10  1024 - 20 24 72
WEB          auto                 WEB_PAGE      0 0   4096 200 - - - popup
APP          auto                 WEB_PAGE      0 0   4096 200 - - -
WA           link,static          REGISTERED_TEMPLATE 0 10 1024 60 - 25 - template
`)

func fields(table string) (lines [][]string) {
	for line := range strings.Lines(strings.TrimSpace(table)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

// texts is how long a text may be that a kind is sent as.
var texts = map[string]int{"SMS": 840, "FB": 2000, "WA": 4096, "WEB": 4096, "APP": 4096}

var channels = map[channel.Type]string{
	channel.SMSLongCode: "SMS", channel.SMSTollFree: "SMS", channel.SMSShortCode: "SMS", channel.FacebookEnhanced: "FB",
	channel.WhatsAppEnhanced: "WA", channel.Web: "WEB", channel.InApp: "APP", channel.Facebook: "none", channel.WhatsApp: "none",
}

var kinds = map[channel.ComponentKind]string{
	channel.EnhancedLink: "link", channel.StaticQuestion: "static", channel.DynamicQuestion: "dynamic",
	channel.TimeSelector: "time", channel.AutoResponse: "auto",
}

// slow reads the rules line by line, for one format, and names every reason against it.
func slow(on channel.Type, kind channel.ComponentKind, s channel.Structured) []string {
	if s.Format == channel.PlainText {
		return slowText(channels[on], kinds[kind], s.Plain)
	}
	shown := false
	for _, fields := range rules {
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

// line reads one line of the rules, from the options' number on.
type line struct {
	of    []string
	found []string // against the content
}

func (l *line) number(i int) int {
	var n int
	_, _ = fmt.Sscan(l.of[i], &n)
	return n
}

func (l *line) has(word string) bool { return slices.Contains(l.of[7:], word) }

func (l *line) say(reason string, limit, n int) {
	l.found = append(l.found, fmt.Sprintf("%s %d %d", reason, limit, n))
}

func (l *line) missing(reason string, texts ...string) {
	blank := 0
	for _, text := range texts {
		if text == "" {
			blank++
		}
	}
	if blank > 0 {
		l.say(reason, 0, blank)
	}
}

func (l *line) long(reason string, i int, texts ...string) {
	most := 0
	for _, text := range texts {
		most = max(most, utf8.RuneCountInString(text))
	}
	if l.of[i] != "-" && most > l.number(i) {
		l.say(reason, l.number(i), most)
	}
}

func slowRule(f []string, s channel.Structured) []string {
	l := &line{of: f}
	switch {
	case l.has("template"):
		if l.template(s.Template) {
			l.options(s.Options)
		}
	case f[3] != "-":
		l.long("TEXT_TOO_LONG", 2, s.Text)
		l.link(s.Link)
	default:
		l.long("TEXT_TOO_LONG", 2, s.Text)
		l.missing("TEXT_MISSING", s.Text)
		l.options(s.Options)
		if f[4] != "-" {
			l.missing("LABEL_MISSING", s.Label)
			l.long("LABEL_TOO_LONG", 4, s.Label)
		}
	}
	return l.found
}

// template reports whether it is one at all.
func (l *line) template(t *channel.Template) bool {
	if t == nil || t.Name != "ready" {
		l.say("TEMPLATE_INVALID", 0, 0)
		return false
	}
	var texts []string
	for _, p := range t.Body {
		texts = append(texts, p.Text)
	}
	l.missing("TEXT_MISSING", texts...)
	l.long("TEXT_TOO_LONG", 2, texts...)
	l.long("TITLE_TOO_LONG", 3, t.Header)
	return true
}

func (l *line) link(of *channel.Link) {
	if of == nil || of.Title == "" || of.URL == "" {
		l.say("LINK_MISSING", 0, 0)
		return
	}
	l.long("TITLE_TOO_LONG", 3, of.Title)
	if l.has("image") && of.Image == nil {
		l.say("IMAGE_MISSING", 1, 0)
	}
	if of.Popup && !l.has("popup") {
		l.say("POPUP_NOT_SHOWN", 0, 0)
	}
}

func (l *line) options(options []channel.Option) {
	if n := len(options); n < l.number(0) {
		l.say("TOO_FEW_OPTIONS", l.number(0), n)
	} else if n > l.number(1) {
		l.say("TOO_MANY_OPTIONS", l.number(1), n)
	}
	var titles, subtitles []string
	pictures, again := 0, 0
	for _, o := range options {
		if o.Image != nil {
			pictures++
		}
		if slices.Contains(titles, o.Title) {
			again++
		}
		titles, subtitles = append(titles, o.Title), append(subtitles, o.Subtitle)
	}
	l.missing("OPTION_MISSING", titles...)
	l.long("OPTION_TOO_LONG", 5, titles...)
	l.long("SUBTITLE_TOO_LONG", 6, subtitles...)
	if l.has("image") && pictures < len(options) {
		l.say("IMAGE_MISSING", len(options), pictures)
	}
	if l.has("distinct") && again > 0 {
		l.say("OPTIONS_ALIKE", 0, again)
	}
}
