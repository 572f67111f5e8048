package webchat_test

import (
	_ "embed"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/webchat"
	"parley/internal/ground/clock"
)

//go:embed testdata/component.schema.json
var schema []byte

func TestDialect(t *testing.T) {
	t.Parallel()
	for _, on := range []channel.Type{channel.Web, channel.InApp} {
		channeltest.RunDialect(t, channeltest.Dialect{
			On: on, Schema: schema, Unchecked: webchat.Unchecked, ReadTap: webchat.ReadTap, Taps: webchat.Taps,
			Encode: func(to string, s channel.Structured) ([]byte, error) { return webchat.Encode(on, to, s) },
			// The schema is that of both types.
			Ours: []string{"WEB_PAGE POPUP_NOT_SHOWN"},
		})
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	image := &channel.Image{URL: "https://shop.example.com/i.png", Alt: "A lamp"}
	options := []channel.Option{{Token: "t1", Title: "Yes", Image: image}, {Token: "t2", Title: "No"}, {Token: "t3", Title: "Later"}}
	at, minutes := clock.Of(time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)), 45
	cases := map[string]struct {
		s    channel.Structured
		want string
	}{
		"text": {channel.Structured{Format: channel.PlainText, Text: "ignored", Plain: "Hello"}, `"format":"TEXT","plain":"Hello"`},
		"link": {
			channel.Structured{Format: channel.RichLink, Text: "Come in", Plain: "p", Link: &channel.Link{Title: "Our shop", URL: "https://shop.example.com", Image: image}},
			`"format":"RICH_LINK","text":"Come in","plain":"p","link":{"title":"Our shop","url":"https://shop.example.com","image":{"url":"https://shop.example.com/i.png","alt":"A lamp"}}`,
		},
		"page": {
			channel.Structured{Format: channel.WebPage, Plain: "p", Link: &channel.Link{Title: "Survey", URL: "https://shop.example.com/s", Image: image, Popup: true}},
			`"format":"WEB_PAGE","plain":"p","link":{"title":"Survey","url":"https://shop.example.com/s","popup":true}`,
		},
		"buttons": {
			channel.Structured{Format: channel.Buttons, Text: "Ready?", Plain: "p", Options: options[:2]},
			`"format":"BUTTONS","text":"Ready?","plain":"p","options":[{"token":"t1","title":"Yes"},{"token":"t2","title":"No"}]`,
		},
		"times": {
			channel.Structured{Format: channel.Buttons, Text: "When?", Plain: "p", Options: []channel.Option{{Token: "t1", Title: "Nine", StartsAt: &at, DurationMinutes: &minutes}}},
			`"format":"BUTTONS","text":"When?","plain":"p","options":[{"token":"t1","title":"Nine","startsAt":"2026-11-30T09:00:00.000000Z","durationMinutes":45}]`,
		},
		"quick replies": {
			channel.Structured{Format: channel.QuickReplies, Text: "Ready?", Plain: "p", Options: options},
			`"format":"QUICK_REPLIES","text":"Ready?","plain":"p","options":[{"token":"t1","title":"Yes","image":{"url":"https://shop.example.com/i.png","alt":"A lamp"}},{"token":"t2","title":"No"},{"token":"t3","title":"Later"}]`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := webchat.Encode(channel.Web, "visitor-1", c.s)
			require.NoError(t, err)
			require.JSONEq(t, `{"recipient":"visitor-1",`+c.want+`}`, string(got))
			require.NoError(t, channeltest.Validate(t, channeltest.Schema(t, schema), got))
		})
	}
}
