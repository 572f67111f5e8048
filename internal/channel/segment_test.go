package channel_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
)

func TestSegment(t *testing.T) {
	t.Parallel()
	const six, seven = channel.Header6, channel.Header7
	gsm := func(chars, units, segments, limit, remaining int) channel.Segments {
		return channel.Segments{Encoding: channel.GSM7, Characters: chars, Units: units, Segments: segments, Limit: limit, Remaining: remaining}
	}
	ucs := func(chars, units, segments, limit, remaining int) channel.Segments {
		return channel.Segments{Encoding: channel.UCS2, Characters: chars, Units: units, Segments: segments, Limit: limit, Remaining: remaining}
	}
	cases := []struct {
		name   string
		text   string
		header channel.Header
		want   channel.Segments
	}{
		{"empty", "", six, gsm(0, 0, 0, 160, 160)},
		{"one letter", "a", six, gsm(1, 1, 1, 160, 159)},
		{"160 letters", strings.Repeat("a", 160), six, gsm(160, 160, 1, 160, 0)},
		{"161 letters", strings.Repeat("a", 161), six, gsm(161, 161, 2, 153, 145)},
		{"161 letters, long header", strings.Repeat("a", 161), seven, gsm(161, 161, 2, 152, 143)},
		{"two full segments", strings.Repeat("a", 306), six, gsm(306, 306, 2, 153, 0)},
		{"two full segments, long header", strings.Repeat("a", 304), seven, gsm(304, 304, 2, 152, 0)},
		{"one more", strings.Repeat("a", 305), seven, gsm(305, 305, 3, 152, 151)},
		{"extension", "€{}[]~|^\\\f", six, gsm(10, 20, 1, 160, 140)},
		{"80 euros", strings.Repeat("€", 80), six, gsm(80, 160, 1, 160, 0)},
		{"81 euros, none split", strings.Repeat("€", 81), six, gsm(81, 162, 2, 153, 153-10)},
		{"euro at the edge", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), six, gsm(305, 306, 3, 153, 152)},
		{"national letters of the alphabet", "ÄÖÑÜ§¿äöñüàΔΦΩ@£$¥èéùìòÇØøÅåÆæßÉ¤¡", six, gsm(34, 34, 1, 160, 126)},
		{"letters that only look alike", "Ç", six, gsm(1, 1, 1, 160, 159)},
		{"small c cedilla is not in it", "ç", six, ucs(1, 1, 1, 70, 69)},
		{"ESC is no character", "\x1b", six, ucs(1, 1, 1, 70, 69)},
		{"one foreign letter makes all wide", strings.Repeat("a", 69) + "你", six, ucs(70, 70, 1, 70, 0)},
		{"71 units", strings.Repeat("你", 71), six, ucs(71, 71, 2, 67, 63)},
		{"71 units, long header", strings.Repeat("你", 71), seven, ucs(71, 71, 2, 66, 61)},
		{"35 emoji", strings.Repeat("👋", 35), six, ucs(35, 70, 1, 70, 0)},
		{"36 emoji, no pair split", strings.Repeat("👋", 36), six, ucs(36, 72, 2, 67, 61)},
		{"invalid UTF-8", "a\xff", six, ucs(2, 2, 1, 70, 68)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, channel.Segment(c.text, c.header))
		})
	}
}

// texts draws from what makes segments differ: plain, extension, wide and
// paired characters.
func texts() *rapid.Generator[string] {
	letters := rapid.SampledFrom([]rune("aaaaaaaa €{|éÇç你👋\n"))
	return rapid.Custom(func(t *rapid.T) string {
		plain := rapid.IntRange(0, 400).Draw(t, "plain")
		return strings.Repeat("x", plain) + rapid.StringOfN(letters, 0, 400, -1).Draw(t, "mixed")
	})
}

func TestSegmentProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkSegments(t, texts().Draw(t, "text"), rapid.SampledFrom([]channel.Header{6, 7}).Draw(t, "header"))
	})
}

// checkSegments states what holds for every text.
func checkSegments(t require.TestingT, text string, header channel.Header) {
	s := channel.Segment(text, header)
	require.Equal(t, utf8.RuneCountInString(text), s.Characters)
	require.GreaterOrEqual(t, s.Units, s.Characters)
	require.LessOrEqual(t, s.Units, 2*s.Characters)
	atLeast := (s.Units + s.Limit - 1) / s.Limit
	require.GreaterOrEqual(t, s.Segments, atLeast, "fewer segments than the units need")
	// Only a unit a segment can be lost, to a character that did not fit whole.
	atMost := (s.Units + s.Limit - 2) / (s.Limit - 1)
	require.LessOrEqual(t, s.Segments, atMost)
	used := s.Segments*s.Limit - s.Remaining
	if s.Segments > 0 {
		require.GreaterOrEqual(t, used, s.Units)
		require.Less(t, used, s.Units+s.Segments)
		require.Less(t, s.Remaining, s.Limit)
	}
	require.Equal(t, s.Units <= 160 && s.Encoding == channel.GSM7 || s.Units <= 70, s.Segments <= 1)
	require.LessOrEqual(t, s.Segments, channel.Segment(text+"x", header).Segments, "a longer text takes fewer segments")
	require.LessOrEqual(t, channel.Segment(text, 6).Segments, channel.Segment(text, 7).Segments)
}

func FuzzSegment(f *testing.F) {
	f.Add("hello €", 6)
	f.Add(strings.Repeat("👋", 40), 7)
	f.Add("\xff\xfe\x00", -5)
	f.Fuzz(func(t *testing.T, text string, header int) {
		if header == 6 || header == 7 {
			checkSegments(t, text, channel.Header(header))
		}
		s := channel.Segment(text, channel.Header(header))
		require.Positive(t, s.Limit)
		require.GreaterOrEqual(t, s.Remaining, 0)
	})
}

func TestTextLimits(t *testing.T) {
	t.Parallel()
	a, wide := strings.Repeat("a", 1), "你"
	cases := []struct {
		name   string
		kind   channel.Type
		text   string
		header channel.Header
		want   bool
	}{
		{"SMS, 840 characters", channel.SMSLongCode, strings.Repeat(a, 840), 7, true},
		{"SMS, 841 characters in six segments", channel.SMSLongCode, strings.Repeat(a, 841), 7, false},
		{"SMS, six wide segments", channel.SMSTollFree, strings.Repeat(wide, 6*66), 7, true},
		{"SMS, seven wide segments", channel.SMSTollFree, strings.Repeat(wide, 6*66+1), 7, false},
		{"SMS, the same at Twilio", channel.SMSTollFree, strings.Repeat(wide, 6*66+1), 6, true},
		{"SMS, extension counts twice in segments", channel.SMSShortCode, strings.Repeat("€", 456), 7, true},
		{"SMS, one euro more", channel.SMSShortCode, strings.Repeat("€", 457), 7, false},
		{"WhatsApp", channel.WhatsApp, strings.Repeat(wide, 1600), 7, true},
		{"WhatsApp, one more", channel.WhatsApp, strings.Repeat(wide, 1601), 7, false},
		{"WhatsApp enhanced", channel.WhatsAppEnhanced, strings.Repeat("👋", 4096), 7, true},
		{"WhatsApp enhanced, one more", channel.WhatsAppEnhanced, strings.Repeat("👋", 4097), 7, false},
		{"Facebook enhanced", channel.FacebookEnhanced, strings.Repeat(a, 2000), 7, true},
		{"Facebook enhanced, one more", channel.FacebookEnhanced, strings.Repeat(a, 2001), 7, false},
		{"empty", channel.Web, "", 7, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, channel.TextLimit(c.kind).Allows(c.text, c.header))
		})
	}
}

func TestCleanText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a\uFFFDb \U0001F44B\n", channel.CleanText("a\xff\x00b \U0001F44B\n"))
}
