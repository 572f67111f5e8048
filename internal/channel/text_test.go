package channel_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// unseen are characters that show nothing by themselves.
var unseen = []rune{
	' ', '\t', '\n', '\r', '\u00A0', '\u2003', '\u3000', '\u2028', '\u2029', // spaces and ends of lines
	'\u0001', '\u007F', '\u0085', // controls
	'\u00AD', '\u061C', '\u180E', '\u200B', '\u200C', '\u200D', '\u200E', '\u200F', '\u202A', '\u202E', '\u2060', '\u2066', '\u2069', '\uFEFF', '\U000E0041', // format
	'\u180B', '\uFE00', '\uFE0F', '\U000E0100', // variation selectors
	'\u034F', '\u115F', '\u1160', '\u17B4', '\u3164', '\uFFA0', '\uFFF0', '\U000E0FFF', // fillers and joiners
	'\u2800', // the Braille pattern without a dot
}

func TestBlankTexts(t *testing.T) {
	t.Parallel()
	require.True(t, channel.IsBlank(""))
	require.True(t, channel.IsBlank(string(unseen)), "all of them together")
	for _, r := range unseen {
		require.True(t, channel.IsBlank(strings.Repeat(string(r), 3)), fmt.Sprintf("%U", r))
		require.False(t, channel.IsBlank(string(r)+"a"+string(r)), fmt.Sprintf("%U", r))
		require.Empty(t, channel.CleanName(" "+string(r)), fmt.Sprintf("%U", r))
	}
	for _, text := range []string{
		"a", ".", "0", "\u0301", "👍", "👩\u200D🚒", "❤\uFE0F", "\u200D👍", "🏴\U000E0067\U000E0062\U000E007F", "\U0001F3FB", "1\uFE0F\u20E3",
		"한", "\u2801", "\u0600", "\uFFFD", "\uE000", "اَ", "क्\u200Dष",
	} {
		require.False(t, channel.IsBlank(text), "%q", text)
		require.Equal(t, text, channel.CleanName(text))
	}
}

func TestTextsOfArgumentsCanBeStored(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb", "é 👋": "é 👋", "": ""} {
		got, err := channel.UnmarshalText(given)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := channel.UnmarshalText([]string{"a"})
	require.Error(t, err)
}
