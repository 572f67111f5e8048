package messenger_test

import (
	_ "embed"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/messenger"
)

//go:embed testdata/send.schema.json
var schema []byte

func TestDialect(t *testing.T) {
	t.Parallel()
	channeltest.RunDialect(t, channeltest.Dialect{
		On: channel.FacebookEnhanced, Schema: schema, Encode: messenger.Encode, Unchecked: messenger.Unchecked,
		ReadTap: messenger.ReadTap, Taps: messenger.Taps,
		// The platform takes a link without an image, and a quick reply alone.
		Ours: []string{"IMAGE_MISSING", "POPUP_NOT_SHOWN", "QUICK_REPLIES TOO_FEW_OPTIONS"},
	})
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	image := &channel.Image{URL: "https://shop.example.com/i.png", Alt: "A lamp"}
	options := []channel.Option{{Token: "t1", Title: "Yes", Subtitle: "Now", Image: image}, {Token: "t2", Title: "No", Image: image}, {Token: "t3", Title: "Later", Image: image}}
	cases := map[string]struct {
		s    channel.Structured
		want string
	}{
		"text": {channel.Structured{Format: channel.PlainText, Plain: "Hello"}, `{"text":"Hello"}`},
		"link": {
			channel.Structured{Format: channel.MediaCard, Text: "Our shop", Link: &channel.Link{Title: "A very long name of a shop", URL: "https://shop.example.com", Image: image}},
			`{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[{"title":"A very long name of a shop","subtitle":"Our shop",
			  "image_url":"https://shop.example.com/i.png","default_action":{"type":"web_url","url":"https://shop.example.com"}}]}}}`,
		},
		"link with an image at Facebook": {
			channel.Structured{Format: channel.MediaCard, Link: &channel.Link{Title: "Our shop", URL: "https://shop.example.com", Image: &channel.Image{URL: "https://www.facebook.com/photo.php?fbid=1"}}},
			`{"attachment":{"type":"template","payload":{"template_type":"media","elements":[{"media_type":"image","url":"https://www.facebook.com/photo.php?fbid=1",
			  "buttons":[{"type":"web_url","title":"Our shop","url":"https://shop.example.com"}]}]}}}`,
		},
		"buttons": {
			channel.Structured{Format: channel.Buttons, Text: "Ready?", Options: options[:2]},
			`{"attachment":{"type":"template","payload":{"template_type":"button","text":"Ready?","buttons":[
			  {"type":"postback","title":"Yes","payload":"t1"},{"type":"postback","title":"No","payload":"t2"}]}}}`,
		},
		"quick replies": {
			channel.Structured{Format: channel.QuickReplies, Text: "Ready?", Options: options},
			`{"text":"Ready?","quick_replies":[
			  {"content_type":"text","title":"Yes","payload":"t1","image_url":"https://shop.example.com/i.png"},
			  {"content_type":"text","title":"No","payload":"t2","image_url":"https://shop.example.com/i.png"},
			  {"content_type":"text","title":"Later","payload":"t3","image_url":"https://shop.example.com/i.png"}]}`,
		},
		"carousel": {
			channel.Structured{Format: channel.CardCarousel, Text: "Which?", Options: options[:1]},
			`{"attachment":{"type":"template","payload":{"template_type":"generic","elements":[
			  {"title":"Which?","subtitle":"Now","image_url":"https://shop.example.com/i.png","buttons":[{"type":"postback","title":"Yes","payload":"t1"}]}]}}}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := messenger.Encode("9001", c.s)
			require.NoError(t, err)
			require.JSONEq(t, `{"recipient":{"id":"9001"},"messaging_type":"RESPONSE","message":`+c.want+`}`, string(got))
			require.NoError(t, channeltest.Validate(t, channeltest.Schema(t, schema), got))
		})
	}
}

// After 24 hours a person's message has a tag, whatever its format.
func TestAPersonsMessageAfterTheCareWindow(t *testing.T) {
	t.Parallel()
	for _, s := range []channel.Structured{
		{Format: channel.PlainText, Plain: "Hello", HumanAgent: true},
		{Format: channel.Buttons, Text: "Ready?", Options: []channel.Option{{Token: "t1", Title: "Yes"}}, HumanAgent: true},
	} {
		got, err := messenger.Encode("9001", s)
		require.NoError(t, err)
		require.Contains(t, string(got), `{"recipient":{"id":"9001"},"messaging_type":"MESSAGE_TAG","tag":"HUMAN_AGENT","message":{`)
		require.NoError(t, channeltest.Validate(t, channeltest.Schema(t, schema), got))
	}
}

func TestTapsAsTheWebhookTellsThem(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		`{"sender":{"id":"9001"},"recipient":{"id":"1"},"timestamp":1458692752478,"postback":{"mid":"m","title":"Yes","payload":"t1"}}`,
		`{"sender":{"id":"9001"},"recipient":{"id":"1"},"message":{"mid":"m","text":"Yes","quick_reply":{"payload":"t1"}}}`,
	} {
		tap, ok := messenger.ReadTap([]byte(event))
		require.True(t, ok)
		require.Equal(t, channel.Tap{Token: "t1", Title: "Yes"}, tap)
	}
}
