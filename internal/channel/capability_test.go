package channel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// table is "Compare Messaging Channel Capabilities" of the domain, one word a
// channel: y, n, or w for "when the provider reports it". The columns are long
// code, toll-free, short code, Facebook, Facebook enhanced, WhatsApp, WhatsApp
// enhanced, web, in-app.
var table = []struct {
	name  string
	of    func(channel.Capabilities) any
	words string
}{
	{"agent starts conversation", func(c channel.Capabilities) any { return c.AgentStarts }, "yyyynynnn"},
	{"triggered outbound", func(c channel.Capabilities) any { return c.TriggeredOutbound }, "yyyynynnn"},
	{"broadcast", func(c channel.Capabilities) any { return c.Broadcast }, "nyynnnnnn"},
	{"agent marks inactive", func(c channel.Capabilities) any { return c.AgentMarksInactive }, "nnnnynyyy"},
	{"customer ends conversation", func(c channel.Capabilities) any { return c.CustomerEnds }, "nnnnnnnyy"},
	{"typing shown to agent", func(c channel.Capabilities) any { return c.TypingToAgent }, "nnnnnnnyy"},
	{"typing shown to customer", func(c channel.Capabilities) any { return c.TypingToCustomer }, "nnnnynnyy"},
	{"read receipt", func(c channel.Capabilities) any { return c.ReadReceipt }, "nnnnnwwyy"},
	{"delivery receipt", func(c channel.Capabilities) any { return c.DeliveryReceipt }, "wwwnyyyyy"},
	{"estimated wait", func(c channel.Capabilities) any { return c.EstimatedWait }, "nnnnnnnyy"},
	{"components", func(c channel.Capabilities) any { return c.Components }, "nnnnynnyy"},
	{"auto-responses", func(c channel.Capabilities) any { return c.AutoResponses }, "nnnnnnnyy"},
	{"transfer, flag, whisper", func(c channel.Capabilities) any { return c.Transfer }, "nnnnynyyy"},
	{"sensitive data rules", func(c channel.Capabilities) any { return c.SensitiveData }, "yyyynynnn"},
	{"templates", func(c channel.Capabilities) any { return c.Templates }, "yyyyyynnn"},
	{"linking rules", func(c channel.Capabilities) any { return c.LinkingRules }, "yyyyyyynn"},
	{"text with file", func(c channel.Capabilities) any { return c.TextWithFile }, "nnnnynyyy"},
	{"waits for business hours", func(c channel.Capabilities) any { return c.BusinessHoursHold }, "yyynnyynn"},
}

var columns = []channel.Type{
	channel.SMSLongCode, channel.SMSTollFree, channel.SMSShortCode, channel.Facebook, channel.FacebookEnhanced,
	channel.WhatsApp, channel.WhatsAppEnhanced, channel.Web, channel.InApp,
}

func TestCapabilitiesAreTheDomains(t *testing.T) {
	t.Parallel()
	for _, row := range table {
		for i, kind := range columns {
			got := row.of(channel.CapabilitiesOf(kind))
			want := map[byte]any{'y': true, 'n': false}[row.words[i]]
			if _, reported := got.(channel.Support); reported {
				want = map[byte]any{'y': channel.Always, 'n': channel.Never, 'w': channel.WhenReported}[row.words[i]]
			}
			require.Equal(t, want, got, "%s on %s", row.name, kind)
		}
	}
}

func TestNumbersOfCapabilities(t *testing.T) {
	t.Parallel()
	const implicit, explicit, double = channel.ImplicitOptIn, channel.ExplicitOptIn, channel.DoubleOptIn
	const h = time.Hour
	cases := []struct {
		kind    channel.Type
		consent []channel.Consent
		care    time.Duration
		human   time.Duration
		text    channel.Limit
		inbound int
		rate    int
	}{
		{channel.SMSLongCode, []channel.Consent{implicit}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, 1},
		{channel.SMSTollFree, []channel.Consent{implicit}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, 10},
		{channel.SMSShortCode, []channel.Consent{explicit, double}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, 100},
		{channel.WhatsApp, []channel.Consent{implicit}, 24 * h, 0, channel.Limit{Characters: 1600}, 0, 0},
		{channel.WhatsAppEnhanced, []channel.Consent{implicit, explicit}, 24 * h, 0, channel.Limit{Characters: 4096}, 9 << 20, 0},
		{channel.Facebook, []channel.Consent{implicit}, 24 * h, 168 * h, channel.Limit{Characters: 2000}, 0, 250},
		{channel.FacebookEnhanced, []channel.Consent{implicit, explicit}, 24 * h, 168 * h, channel.Limit{Characters: 2000}, 9 << 10, 250},
		{channel.Web, nil, 0, 0, channel.Limit{Characters: 4096}, 0, 0},
		{channel.InApp, nil, 0, 0, channel.Limit{Characters: 4096}, 0, 0},
	}
	for _, c := range cases {
		got := channel.CapabilitiesOf(c.kind)
		require.Equal(t, c.kind, got.Type)
		require.Equal(t, c.consent, got.ConsentModes, c.kind)
		require.Equal(t, c.care, got.CareWindow, c.kind)
		require.Equal(t, c.human, got.HumanAgentWindow, c.kind)
		require.Equal(t, c.text, got.Text, c.kind)
		require.Equal(t, c.inbound, got.InboundText, c.kind)
		require.Equal(t, c.rate, got.SendsPerSecond, c.kind)
	}
}

func TestEveryTypeHasCapabilities(t *testing.T) {
	t.Parallel()
	require.Len(t, channel.Types(), 9)
	for _, kind := range channel.Types() {
		require.Positive(t, channel.TextLimit(kind).Characters, kind)
	}
	require.Equal(t, channel.Capabilities{Type: "PIGEON"}, channel.CapabilitiesOf("PIGEON"))
}

func TestTheLowestConsentComesFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, channel.ExplicitOptIn, channel.CapabilitiesOf(channel.SMSShortCode).ConsentModes[0])
	require.Equal(t, channel.ImplicitOptIn, channel.CapabilitiesOf(channel.WhatsApp).ConsentModes[0])
	require.Empty(t, channel.CapabilitiesOf(channel.Web).ConsentModes)
}

func TestCapabilitiesAreCopies(t *testing.T) {
	t.Parallel()
	channel.CapabilitiesOf(channel.SMSShortCode).ConsentModes[0] = channel.OptOut
	require.Equal(t, channel.ExplicitOptIn, channel.CapabilitiesOf(channel.SMSShortCode).ConsentModes[0])
	require.Equal(t, []string{"US"}, channel.CapabilitiesOf(channel.SMSTollFree).TriggeredOutboundRegions)
}

func TestEveryErrorCodeExplainsItself(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, channel.CarrierBlocks.Explain())
	require.Empty(t, channel.ErrorCode("9999").Explain())
}
