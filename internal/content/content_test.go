package content_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"parley/internal/channel"
	"parley/internal/content"
)

func TestContentComesBackAsItWasStored(t *testing.T) {
	t.Parallel()
	for _, c := range []content.Content{
		content.TextContent{Text: "Hi"},
		content.NoteContent{Text: "Careful"},
		content.EventContent{Text: "A sticker"},
		content.MediaContent{Text: "Look", Files: []channel.Media{{ContentType: "image/png"}}},
	} {
		kind, text, rest, err := content.Encode(c)
		require.NoError(t, err)
		got, err := content.Decode(kind, text, rest)
		require.NoError(t, err)
		require.Equal(t, c, got)
	}
	_, _, _, err := content.Encode(nil)
	require.Error(t, err)
	_, err = content.Decode("SONG", "", nil)
	require.Error(t, err)
	_, err = content.Decode(content.MediaKind, "", []byte("{"))
	require.Error(t, err)
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
