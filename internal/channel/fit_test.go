package channel_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

func misfits(on channel.Type, s channel.Structured) []channel.Misfit {
	return channel.CapabilitiesOf(on).FormatRule(s.Format).Misfits(s)
}

func TestLinksLeadToTheWebAlone(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://shop.example.com/a?b=c#d": true, "http://10.0.0.1:8080": true, "HTTPS://SHOP.EXAMPLE.COM": true,
		"javascript:alert(1)": false, "java\nscript:alert(1)": false, "data:text/html,x": false, "//shop.example.com": false, "/a": false,
		"shop.example.com": false, "https://": false, "https:///a": false, "ftp://shop.example.com": false, "mailto:a@shop.example.com": false,
		"https://shop.example.com/\x00": false, "https://shop.example.com/\xff": false, " https://shop.example.com": false, "%zz": false,
	} {
		require.Equal(t, want, channel.OnTheWeb(address), "%q", address)
		got := misfits(channel.Web, channel.Structured{Format: channel.RichLink, Link: &channel.Link{Title: "t", URL: address}})
		require.Equal(t, want, len(got) == 0, "%q: %v", address, got)
	}
	image := &channel.Image{URL: "javascript:alert(1)"}
	link := channel.Structured{Format: channel.RichLink, Link: &channel.Link{Title: "t", URL: "https://a.example", Image: image}}
	require.Equal(t, []channel.Misfit{{Reason: channel.AddressInvalid, Found: 1}}, misfits(channel.Web, link))
	page := link
	page.Format = channel.WebPage
	require.Empty(t, misfits(channel.Web, page), "an image that is not shown")
}

func TestEveryReasonIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 5000)
	s := channel.Structured{Format: channel.CardCarousel, Text: long, Options: []channel.Option{
		{Title: long, Subtitle: long}, {Title: " \u200b", Image: &channel.Image{URL: "https://a.example/" + long}},
	}}
	require.Equal(t, []channel.Misfit{
		{channel.TextTooLong, 80, 5000},
		{Reason: channel.OptionMissing, Found: 1},
		{channel.OptionTooLong, 20, 5000},
		{channel.SubtitleTooLong, 80, 5000},
		{channel.AddressTooLong, channel.MaxLinkURL, 10_018},
		{channel.ImageMissing, 2, 1},
	}, misfits(channel.FacebookEnhanced, s))
	require.Equal(t, []channel.Misfit{{Reason: channel.TextMissing, Found: 1}, {Reason: channel.TooFewOptions, Limit: 1}, {Reason: channel.LabelMissing, Found: 1}},
		misfits(channel.WhatsAppEnhanced, channel.Structured{Format: channel.OptionList}))
}

func TestTokensComeBackAsTheyAre(t *testing.T) {
	t.Parallel()
	check := func(tokens ...string) error {
		s := channel.Structured{Format: channel.Buttons, Text: "?"}
		for i, token := range tokens {
			s.Options = append(s.Options, channel.Option{Token: token, Title: strings.Repeat("o", i+1)})
		}
		return channel.CapabilitiesOf(channel.WhatsAppEnhanced).Check(s)
	}
	most := strings.Repeat("t", channel.MaxToken)
	require.NoError(t, check("1", "2", most))
	for _, tokens := range [][]string{{""}, {" "}, {"1", "1"}, {most + "t"}, {"a\x00b"}, {"\xff"}} {
		var unfit *channel.UnfitError
		require.ErrorAs(t, check(tokens...), &unfit)
		require.Equal(t, channel.TokenUnfit, unfit.Misfits[0].Reason, "%q", tokens)
		if len(tokens) == 1 {
			_, ok := channel.TapOf(tokens[0], "title")
			require.False(t, ok)
		}
	}
	tap, ok := channel.TapOf(most, "a\x00\xff")
	require.True(t, ok)
	require.Equal(t, channel.Tap{Token: most, Title: "a\uFFFD"}, tap)
}

func TestAnUnfitFormatSaysWhy(t *testing.T) {
	t.Parallel()
	c := channel.CapabilitiesOf(channel.FacebookEnhanced)
	require.EqualError(t, c.Check(channel.Structured{Format: channel.OptionList}), "the format LIST does not fit: NOT_ON_CHANNEL")
	require.EqualError(t, c.Check(channel.Structured{Format: channel.Buttons, Text: "?"}), "the format BUTTONS does not fit: TOO_FEW_OPTIONS, limit 1, found 0")
}

// Text is the last format wherever there are components, and nowhere else.
func TestTextIsTheLastFormat(t *testing.T) {
	t.Parallel()
	for _, c := range channel.AllCapabilities() {
		require.Equal(t, c.Components == channel.NoComponents, len(c.Formats) == 0, c.Type)
		seen := map[channel.Format]bool{}
		for i, r := range c.Formats {
			require.Equal(t, i == len(c.Formats)-1, r.Format == channel.PlainText, c.Type)
			require.False(t, seen[r.Format], "%s twice on %s", r.Format, c.Type)
			seen[r.Format] = true
			require.NotEmpty(t, r.Kinds)
		}
	}
}
