package sandbox_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/platform"
	"parley/internal/channel/sandbox"
)

func question(plain string) channel.Structured {
	return channel.Structured{Format: channel.Buttons, Text: "Which size?", Plain: plain, Options: []channel.Option{
		{Token: "t1", Title: "Small"}, {Token: "t2", Title: "Large"},
	}}
}

func (b *bundle) sendComponent(t *testing.T, key string, s channel.Structured) channel.Result {
	t.Helper()
	return b.provider.Send(t.Context(), b.account, channel.Outgoing{
		AttemptKey: key, From: "page", To: "visitor", Type: channel.FacebookEnhanced, Content: s,
	})
}

func TestComponentsStayReadable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := question("Which size? " + strings.Repeat("ü", 5000))
	require.Equal(t, channel.Accepted, b.sendComponent(t, "k1", s).Outcome)
	require.Equal(t, channel.Accepted, b.sendComponent(t, "k1", s).Outcome)
	got := b.carrier.Got()
	require.Len(t, got, 1)
	want, err := platform.Encode(channel.FacebookEnhanced, "visitor", s)
	require.NoError(t, err)
	require.Equal(t, string(want), got[0].Payload, "byte for byte what a preview shows")
	require.Equal(t, channel.FacebookEnhanced, got[0].Type)
	require.Equal(t, channel.Cut(s.Plain, 4096), got[0].Text)

	other := s
	other.Text = "Which colour?"
	require.Equal(t, channel.Rejected, b.sendComponent(t, "k1", other).Outcome, "the key was used for another message")
}

func TestDirectivesWorkInComponents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.sendComponent(t, "k1", question("#reject=2001"))
	require.Equal(t, channel.Rejected, got.Outcome)
	require.Equal(t, channel.BadDestination, got.Code)
	require.Empty(t, b.carrier.Got())
}

func TestTapsAsEntries(t *testing.T) {
	t.Parallel()
	good := map[channel.Type]string{
		channel.FacebookEnhanced: `{"postback":{"title":"Small","payload":"t1"}}`,
		channel.WhatsAppEnhanced: `{"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t1","title":"Small"}}}`,
		channel.Web:              `{"type":"answer","token":"t1","title":"Small"}`,
		channel.InApp:            `{"type":"answer","token":"t1","title":"Small"}`,
	}
	entry := func(on channel.Type, event string) channel.Delivery {
		return parse(`{"type":"message","id":"m1","from":"visitor","to":"page","text":"forged","channel":"` + string(on) + `","event":` + event + `}`)
	}
	for on, event := range good {
		d := entry(on, event)
		require.Equal(t, []channel.Inbound{{EventID: "m1", ProviderID: "m1", From: "visitor", To: "page", Text: "Small", Tapped: "t1"}}, d.Messages, on)
		for _, other := range channel.Types() {
			if good[other] != event {
				require.Len(t, entry(other, event).Bad, 1, "%s on %s", event, other)
			}
		}
	}
	for _, event := range []string{`{}`, `[]`, `"x"`, `{"postback":{"payload":""}}`, `{"postback":{"payload":"` + strings.Repeat("t", 201) + `"}}`, `{"postback":{"payload":"a\u0000"}}`} {
		require.Len(t, entry(channel.FacebookEnhanced, event).Bad, 1, event)
	}
}

// A phone taps what it got last, from the channel it got it from.
func TestATapIsOfTheLastComponent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const tap = `{"type":"tap","id":"m1","from":"visitor","to":"page","option":2}`
	parsed := func() channel.Delivery {
		return b.provider.Parse(b.account, channel.Webhook{Body: []byte(tap)})
	}
	require.Equal(t, "the customer got no component from the channel since this process started", parsed().Bad[0].Reason)
	b.sendComponent(t, "k1", question("first"))
	second := question("second")
	second.Options[1].Token = "t3"
	b.sendComponent(t, "k2", second)
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k3", "a text in between").Outcome)
	require.Equal(t, "t3", parsed().Messages[0].Tapped)
	require.Equal(t, "Large", parsed().Messages[0].Text)

	b.account = accountOf("of another account")
	require.Len(t, parsed().Bad, 1)
	b.account = account
	b.sendComponent(t, "k4", channel.Structured{Format: channel.PlainText, Plain: "Which size? 1. Small 2. Large"})
	require.Equal(t, "the last component has no options to tap", parsed().Bad[0].Reason)
	require.Equal(t, "this process plays no carrier, so that nobody got a component to tap", parse(tap).Bad[0].Reason)
	require.Len(t, sandbox.New(sandbox.Options{}).Parse(account, channel.Webhook{Body: []byte(tap)}).Bad, 1)
}
