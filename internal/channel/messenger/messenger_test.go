package messenger_test

import (
	_ "embed"
	"strings"
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

// The media template has limits of its own, beyond which a link goes as a card or not at
// all.
func TestTheMediaTemplateAtItsLimitsAndOneBeyond(t *testing.T) {
	t.Parallel()
	longest := func(start string) string { return start + strings.Repeat("7", channel.MaxLinkURL-len(start)) }
	of := func(spoil func(*channel.Structured)) channel.Structured {
		s := channel.Structured{Format: channel.MediaCard, Link: &channel.Link{
			Title: strings.Repeat("é👍", 10), URL: longest("https://shop.example.com/"), Image: &channel.Image{URL: longest("https://www.facebook.com/photo.php?fbid=")},
		}}
		spoil(&s)
		return s
	}
	for what, c := range map[string]struct {
		spoil func(*channel.Structured)
		goes  string // by which template
	}{
		"at its limits": {func(*channel.Structured) {}, "media"},
		"at its least": {func(s *channel.Structured) {
			*s.Link = channel.Link{Title: "t", URL: "http://a.example", Image: &channel.Image{URL: "https://business.facebook.com/a/photos/1"}}
		}, "media"},
		"title":          {func(s *channel.Structured) { s.Link.Title += "x" }, "generic"},
		"words":          {func(s *channel.Structured) { s.Text = "x" }, "generic"},
		"another page":   {func(s *channel.Structured) { s.Link.Image.URL = "https://www.facebook.com/groups/1" }, "generic"},
		"not encrypted":  {func(s *channel.Structured) { s.Link.Image.URL = "http://www.facebook.com/photo.php?fbid=1" }, "generic"},
		"name of a host": {func(s *channel.Structured) { s.Link.Image.URL = "https://www.facebook.com.example/photo.php" }, "generic"},
	} {
		got, err := messenger.Encode("9001", of(c.spoil))
		require.NoError(t, err, what)
		require.Contains(t, string(got), `"template_type":"`+c.goes+`"`, what)
		require.NoError(t, channeltest.Validate(t, channeltest.Schema(t, schema), got), what)
	}
	for reason, spoil := range map[channel.MisfitReason]func(*channel.Structured){
		channel.AddressTooLong:            func(s *channel.Structured) { s.Link.URL += "7" },
		channel.AddressTooLong + " image": func(s *channel.Structured) { s.Link.Image.URL += "7" },
		channel.AddressInvalid:            func(s *channel.Structured) { s.Link.URL = "javascript:alert(1)" },
		channel.LinkMissing:               func(s *channel.Structured) { s.Link.Title = "" },
	} {
		_, err := messenger.Encode("9001", of(spoil))
		var unfit *channel.UnfitError
		require.ErrorAs(t, err, &unfit, reason)
		require.Len(t, unfit.Misfits, 1, reason)
		require.Contains(t, reason, unfit.Misfits[0].Reason)
		got, err := messenger.Unchecked("9001", of(spoil))
		require.NoError(t, err)
		require.Contains(t, string(got), `"template_type":"media"`, reason)
		require.Error(t, channeltest.Validate(t, channeltest.Schema(t, schema), got), "%s would be taken: %s", reason, got)
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
