package whatsapp_test

import (
	_ "embed"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/whatsapp"
)

//go:embed testdata/messages.schema.json
var schema []byte

func TestDialect(t *testing.T) {
	t.Parallel()
	channeltest.RunDialect(t, channeltest.Dialect{
		On: channel.WhatsAppEnhanced, Schema: schema, Encode: whatsapp.Encode, Unchecked: whatsapp.Unchecked,
		ReadTap: whatsapp.ReadTap, Taps: whatsapp.Taps,
		// A schema cannot say that titles differ.
		Ours: []string{"OPTIONS_ALIKE", "POPUP_NOT_SHOWN"},
	})
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	options := []channel.Option{{Token: "t1", Title: "Yes", Subtitle: "Now"}, {Token: "t2", Title: "No"}}
	link := channel.Link{Title: "Our shop", URL: "https://shop.example.com", Image: &channel.Image{URL: "https://shop.example.com/i.png"}}
	bare := channel.Link{Title: "Our shop", URL: "https://shop.example.com"}
	cases := map[string]struct {
		s    channel.Structured
		want string
	}{
		"text": {channel.Structured{Format: channel.PlainText, Plain: "Hello"}, `"type":"text","text":{"body":"Hello"}`},
		"link": {
			channel.Structured{Format: channel.RichLink, Text: "Come in", Link: &link},
			`"type":"interactive","interactive":{"type":"cta_url","header":{"type":"image","image":{"link":"https://shop.example.com/i.png"}},"body":{"text":"Come in"},
			 "action":{"name":"cta_url","parameters":{"display_text":"Our shop","url":"https://shop.example.com"}}}`,
		},
		"link without words": {
			channel.Structured{Format: channel.RichLink, Link: &bare},
			`"type":"interactive","interactive":{"type":"cta_url","body":{"text":"Our shop"},
			 "action":{"name":"cta_url","parameters":{"display_text":"Our shop","url":"https://shop.example.com"}}}`,
		},
		"buttons": {
			channel.Structured{Format: channel.Buttons, Text: "Ready?", Options: options},
			`"type":"interactive","interactive":{"type":"button","body":{"text":"Ready?"},"action":{"buttons":[
			 {"type":"reply","reply":{"id":"t1","title":"Yes"}},{"type":"reply","reply":{"id":"t2","title":"No"}}]}}`,
		},
		"list": {
			channel.Structured{Format: channel.OptionList, Text: "Ready?", Label: "Answers", Options: options},
			`"type":"interactive","interactive":{"type":"list","body":{"text":"Ready?"},"action":{"button":"Answers","sections":[{"rows":[
			 {"id":"t1","title":"Yes","description":"Now"},{"id":"t2","title":"No"}]}]}}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := whatsapp.Encode("+4915112345678", c.s)
			require.NoError(t, err)
			require.JSONEq(t, `{"messaging_product":"whatsapp","recipient_type":"individual","to":"+4915112345678",`+c.want+`}`, string(got))
			require.NoError(t, channeltest.Validate(t, channeltest.Schema(t, schema), got))
		})
	}
}

func TestTapsAsTheWebhookTellsThem(t *testing.T) {
	t.Parallel()
	for _, event := range []string{
		`{"from":"4915112345678","id":"wamid.1","timestamp":"1749854575","type":"interactive","context":{"from":"15550783881","id":"wamid.0"},"interactive":{"type":"button_reply","button_reply":{"id":"t1","title":"Yes"}}}`,
		`{"from":"4915112345678","id":"wamid.1","type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t1","title":"Yes","description":"Now"}}}`,
		`{"from":"4915112345678","id":"wamid.1","type":"button","button":{"payload":"t1","text":"Yes"}}`,
	} {
		tap, ok := whatsapp.ReadTap([]byte(event))
		require.True(t, ok)
		require.Equal(t, channel.Tap{Token: "t1", Title: "Yes"}, tap)
	}
	for _, event := range []string{
		`{"type":"text","interactive":{"button_reply":{"id":"t1","title":"Yes"}}}`, `{"type":"interactive"}`,
		`{"type":"interactive","interactive":{"type":"nfm_reply"}}`, `{"type":"button"}`,
	} {
		_, ok := whatsapp.ReadTap([]byte(event))
		require.False(t, ok, event)
	}
}
