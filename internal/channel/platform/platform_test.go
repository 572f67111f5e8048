package platform_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/platform"
)

// Every format that the capabilities name has a document, and its options can be tapped.
func TestEveryFormatOfEveryTypeHasADocument(t *testing.T) {
	t.Parallel()
	for _, c := range channel.AllCapabilities() {
		for _, r := range c.Formats {
			s := channeltest.Full(&r, r.MaxOptions)
			document, err := platform.Encode(c.Type, "4915112345678", s)
			require.NoError(t, err, "%s on %s", r.Format, c.Type)
			require.True(t, json.Valid(document))
			taps, err := platform.Taps(c.Type, document)
			require.NoError(t, err)
			require.Len(t, taps, len(s.Options))
			for i, event := range taps {
				tap, ok := platform.ReadTap(c.Type, event)
				require.True(t, ok)
				require.Equal(t, s.Options[i].Token, tap.Token)
			}
		}
	}
}

func TestTypesWithoutComponentsHaveNone(t *testing.T) {
	t.Parallel()
	for _, on := range []channel.Type{channel.WhatsApp, channel.Facebook, channel.OtherType, ""} {
		var unfit *channel.UnfitError
		_, err := platform.Encode(on, "1", channel.Structured{Format: channel.PlainText, Plain: "Hello"})
		require.ErrorAs(t, err, &unfit)
		require.Equal(t, []channel.Misfit{{Reason: channel.NotOnChannel}}, unfit.Misfits)
		_, ok := platform.ReadTap(on, []byte(`{"type":"answer","token":"t1"}`))
		require.False(t, ok)
		taps, err := platform.Taps(on, []byte("{}"))
		require.NoError(t, err)
		require.Empty(t, taps)
	}
}

// texts is what takes texts of SMS: no more characters than a message has (840).
const texts = `{
  "type": "object",
  "additionalProperties": false,
  "required": ["to", "text"],
  "properties": {"to": {"type": "string", "pattern": "^\\+?[0-9]{5,15}$"}, "text": {"type": "string", "minLength": 1, "maxLength": 840}}
}`

func TestDialectOfSMS(t *testing.T) {
	t.Parallel()
	for _, on := range []channel.Type{channel.SMSLongCode, channel.SMSTollFree, channel.SMSShortCode} {
		channeltest.RunDialect(t, channeltest.Dialect{
			On: on, Schema: []byte(texts), Unchecked: platform.Texted,
			Encode:  func(to string, s channel.Structured) ([]byte, error) { return platform.Encode(on, to, s) },
			ReadTap: func(event []byte) (channel.Tap, bool) { return platform.ReadTap(on, event) },
		})
	}
}

func TestTextMessagesHaveNoTaps(t *testing.T) {
	t.Parallel()
	document, err := platform.Encode(channel.SMSLongCode, "+4915112345678", channel.Structured{Format: channel.PlainText, Plain: "Which? 1. <A>"})
	require.NoError(t, err)
	require.JSONEq(t, `{"to":"+4915112345678","text":"Which? 1. <A>"}`, string(document))
	_, ok := platform.ReadTap(channel.SMSLongCode, document)
	require.False(t, ok)
}
