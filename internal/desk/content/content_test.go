package content_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/ground/clock"
	"parley/internal/ground/word"
)

func TestContentComesBackAsItWasStored(t *testing.T) {
	t.Parallel()
	at, minutes := clock.Time(1_000_000), 45
	selector := &component.Prepared{Kind: component.TimeSelector, Filled: component.Filled{
		Options: []component.Option{{Title: "Nine", Value: int64(at), Minutes: minutes}}, Formats: []channel.Structured{{Format: channel.Buttons, Text: "When?"}},
	}}
	require.Equal(t, minutes, *selector.All()[0].Options[0].DurationMinutes)
	for _, c := range []content.Content{
		content.ComponentOf(selector, selector.All()[0]),
		content.AnswerContent{Text: "Nine", Option: 1, StartsAt: &at, DurationMinutes: &minutes},
		content.TextContent{Text: "Hi"},
		content.NoteContent{Text: "Careful"},
		content.EventContent{Text: "A sticker"},
		content.MediaContent{Text: "Look", Files: []channel.Media{{ContentType: "image/png"}}},
		content.AnswerContent{Text: "Billing", Component: 1, Name: "Topics", Version: 2, Question: 3, Option: 1, IsTyped: true, IsRepeated: true, IsOver: true},
		content.ComponentOf(&component.Prepared{Component: 1, Name: "Topics", Kind: component.DynamicQuestion, Version: 2, Filled: component.Filled{Options: []component.Option{{Title: "A", Value: 7}}}},
			channel.Structured{Format: channel.Buttons, Text: "Which?", Options: []channel.Option{{Title: "A", Image: &channel.Image{URL: "https://example.com/", Alt: "a"}}}, Plain: "Which? 1. A"}),
		content.ComponentOf(&component.Prepared{Component: 1, Kind: component.EnhancedLink}, channel.Structured{Format: channel.RichLink, Link: &channel.Link{Title: "Home", URL: "https://example.com/"}, Plain: "Home"}),
	} {
		kind, text, rest, err := content.Encode(c)
		require.NoError(t, err)
		require.Equal(t, c, content.Decode(kind, text, rest))
	}
	_, _, _, err := content.Encode(nil)
	require.Error(t, err)
}

// Messages that were stored before times had durations have none.
func TestATimeThatWasStoredWithoutItsDurationHasNone(t *testing.T) {
	t.Parallel()
	sent, is := content.Decode(content.Component, "When?", []byte(`{"component":1,"name":"Times","kind":"TIME_SELECTOR","version":1,"format":"BUTTONS","options":[{"title":"Nine","value":1000000}]}`)).(content.ComponentContent)
	require.True(t, is)
	require.Equal(t, clock.Time(1_000_000), *sent.Sent.Options[0].StartsAt)
	require.Nil(t, sent.Sent.Options[0].DurationMinutes)
	require.Equal(t, content.AnswerContent{Text: "Nine", Component: 1, Option: 1}, content.Decode(content.Answer, "Nine", []byte(`{"component":1,"name":"","version":0,"question":0,"option":1}`)))
}

// What a newer version stored costs no page: it is a line that says so.
func TestWhatCannotBeReadIsALine(t *testing.T) {
	t.Parallel()
	const sentence = "This version of Parley cannot show this message"
	for _, c := range []struct {
		kind       content.Kind
		text, rest string
		want       string
	}{
		{"SONG", "", "", sentence + "."},
		{"SONG", "\u200B", `{"notes":3}`, sentence + "."},
		{"SONG", "La la", `{"notes":3}`, sentence + " as it was sent. Its text: La la"},
		{content.Component, "Pick a time", `{}`, sentence + " as it was sent. Its text: Pick a time"},
		{content.Template, "Hi Nora", ``, sentence + " as it was sent. Its text: Hi Nora"},
		{content.MediaKind, "Look", `{"files":[]}`, sentence + " as it was sent. Its text: Look"},
		{content.MediaKind, "", ``, sentence + "."},
	} {
		require.Equal(t, content.EventContent{Text: c.want}, content.Decode(c.kind, c.text, []byte(c.rest)), "%s %s", c.kind, c.rest)
	}
	require.Equal(t, content.MediaContent{Text: "Look"}, content.Decode(content.MediaKind, "Look", []byte("null")))
}

func TestAPreviewIsOneShortLine(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]content.Content{
		"one two three":                content.TextContent{Text: " one\n\ttwo   three "},
		"late":                         content.TextContent{Text: strings.Repeat(" ", 5_000) + "late"},
		"[1 file]":                     content.MediaContent{Files: make([]channel.Media, 1)},
		"[2 files]":                    content.MediaContent{Files: make([]channel.Media, 2)},
		"look":                         content.MediaContent{Text: "look", Files: make([]channel.Media, 2)},
		"gone":                         content.EventContent{Text: "gone"},
		"":                             content.NoteContent{Text: "a note is no preview"},
		strings.Repeat("é", 119) + "…": content.TextContent{Text: strings.Repeat("é", 121)},
		strings.Repeat("💬", 120):       content.TextContent{Text: strings.Repeat("💬", 120)},
	} {
		require.Equal(t, want, content.Preview(c))
	}
	rapid.Check(t, func(t *rapid.T) {
		p := content.Preview(content.TextContent{Text: rapid.String().Draw(t, "text")})
		require.True(t, utf8.ValidString(p))
		require.LessOrEqual(t, utf8.RuneCountInString(p), content.PreviewLength)
		require.NotContains(t, p, "\n")
	})
}

func TestOnlyPeopleOwnByWriting(t *testing.T) {
	t.Parallel()
	for source, person := range map[content.Source]bool{
		content.Desk: true, content.API: true, content.Customer: false, content.Automation: false, content.Broadcast: false,
		content.SendRequest: false, content.AutoResponse: false, content.Bot: false, content.System: false,
	} {
		require.Equal(t, person, source.ByPerson(), source)
	}
}

func TestALongTextIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.Repeat("a", content.MostListed):        "",
		strings.Repeat("a", content.MostListed) + "b":  strings.Repeat("a", content.MostListed),
		strings.Repeat("😀", content.MostListed):        "",
		strings.Repeat("😀", content.MostListed) + "é…": strings.Repeat("😀", content.MostListed),
	} {
		got, longer := content.Cut(text)
		require.Equal(t, want != "", longer)
		if !longer {
			want = text
		}
		require.Equal(t, want, got)
	}
	for _, c := range []content.Content{content.TextContent{}, content.NoteContent{}, content.EventContent{}, content.MediaContent{}} {
		require.NotEqual(t, c, content.Truncated(c))
	}
}

func TestWhatSearchHighlightsIsListed(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, content.MostListed, word.MostText)
}
