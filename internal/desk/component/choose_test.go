package component_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/desk/component"
)

// requireSlow compares a choice with the slow reading of the rules. In a closed window a
// registered template alone may be sent.
func requireSlow(t require.TestingT, on channel.Type, closed bool, kind channel.ComponentKind, filled []channel.Structured) {
	got := component.Choose(channel.CapabilitiesOf(on), channel.Header6, closed, kind, filled)
	var want *channel.Structured
	var rejected []string
	try := func(text bool) {
		for _, s := range filled {
			if want != nil || (s.Format == channel.PlainText) != text {
				continue
			}
			against := slow(on, kind, s)
			if closed && s.Format != channel.RegisteredTemplate {
				against = append(against, "WINDOW_CLOSED 0 0")
			}
			if len(against) > 0 {
				rejected = append(rejected, string(s.Format)+": "+strings.Join(against, ", "))
			} else {
				want = &s
			}
		}
	}
	try(false)
	try(true)
	require.Equal(t, want, got.Chosen, "%s %s %v, closed: %t", on, kind, filled, closed)
	var said []string
	for _, r := range got.Rejected {
		var against []string
		for _, m := range r.Misfits {
			against = append(against, fmt.Sprintf("%s %d %d", m.Reason, m.Limit, m.Found))
		}
		said = append(said, string(r.Format)+": "+strings.Join(against, ", "))
	}
	require.Equal(t, rejected, said, "%s %s, closed: %t", on, kind, closed)
}

var formats = []channel.Format{
	channel.MediaCard, channel.RichLink, channel.WebPage, channel.Buttons, channel.QuickReplies, channel.CardCarousel, channel.OptionList,
	channel.RegisteredTemplate, channel.PlainText,
}

// shown is content with n options that fits everywhere it may, but for their number.
func shown(f channel.Format, n int) channel.Structured {
	image := &channel.Image{URL: "https://shop.example.com/i.png"}
	s := channel.Structured{
		Format: f, Text: "Which?", Label: "Open", Plain: "Which?",
		Link:     &channel.Link{Title: "Our shop", URL: "https://shop.example.com", Image: image},
		Template: &channel.Template{Name: "ready", Language: "de", Body: []channel.Placeholder{{Text: "Zoë"}}},
	}
	for i := range n {
		s.Options = append(s.Options, channel.Option{Title: fmt.Sprint("Option ", i), Subtitle: "Below", Image: image})
	}
	return s
}

// TestEveryOrder is the table: type of channel, kind, number of options, and every order
// of every two formats with text, and all of them in both directions; with the reply window
// open and closed.
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
					requireSlow(t, on, false, kind, filled)
					requireSlow(t, on, true, kind, filled)
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
		requireSlow(t, on, rapid.Bool().Draw(t, "closed"), kind, filled)
	})
}

// near are lengths about the limits.
var near = []int{0, 1, 19, 20, 21, 24, 25, 26, 60, 61, 72, 73, 80, 81, 200, 201, 402, 403, 640, 641, 840, 841, 1024, 1025, 2000, 2001, 4096, 4097}

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
	if rapid.Bool().Draw(t, "template") {
		s.Template = &channel.Template{Name: rapid.SampledFrom([]string{"ready", "ready", "Not ready"}).Draw(t, "name"), Language: "de", Header: text("header")}
		for range rapid.IntRange(0, 3).Draw(t, "placeholders") {
			s.Template.Body = append(s.Template.Body, channel.Placeholder{Text: text("placeholder")})
		}
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
