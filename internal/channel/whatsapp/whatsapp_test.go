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
		// A schema cannot say that titles differ, and the options of a template are registered with it.
		Ours: []string{"OPTIONS_ALIKE", "POPUP_NOT_SHOWN", "REGISTERED_TEMPLATE OPTION_MISSING", "REGISTERED_TEMPLATE OPTION_TOO_LONG", "TOKEN_UNFIT"},
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
		"template of a question": {
			channel.Structured{Format: channel.RegisteredTemplate, Options: options, Template: &channel.Template{
				Name: "ready", Language: "de", Header: "Order 7", HeaderName: "order", Body: []channel.Placeholder{{Name: "first", Text: "Zoë"}, {Name: "day", Text: "24 December"}},
			}},
			`"type":"template","template":{"name":"ready","language":{"policy":"deterministic","code":"de"},"components":[
			 {"type":"header","parameters":[{"type":"text","parameter_name":"order","text":"Order 7"}]},
			 {"type":"body","parameters":[{"type":"text","parameter_name":"first","text":"Zoë"},{"type":"text","parameter_name":"day","text":"24 December"}]},
			 {"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"t1"}]},
			 {"type":"button","sub_type":"quick_reply","index":"1","parameters":[{"type":"payload","payload":"t2"}]}]}`,
		},
		"template of a link": {
			channel.Structured{Format: channel.RegisteredTemplate, Template: &channel.Template{
				Name: "shop", Language: "en_US", Image: link.Image, Suffix: "orders/7",
			}},
			`"type":"template","template":{"name":"shop","language":{"policy":"deterministic","code":"en_US"},"components":[
			 {"type":"header","parameters":[{"type":"image","image":{"link":"https://shop.example.com/i.png"}}]},
			 {"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"orders/7"}]}]}`,
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
