package channel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// table is "Compare Messaging Channel Capabilities" of the domain, one letter a
// channel: y, n, w for "when the provider reports it", or t for "as text". The columns are long
// code, toll-free, short code, Facebook, Facebook enhanced, WhatsApp, WhatsApp
// enhanced, web, in-app.
var table = []struct {
	name  string
	of    func(*channel.Capabilities) any
	words string
}{
	{"agent starts conversation", func(c *channel.Capabilities) any { return c.AgentStarts }, "yyyynynnn"},
	{"triggered outbound", func(c *channel.Capabilities) any { return c.TriggeredOutbound }, "yyyynynnn"},
	{"broadcast", func(c *channel.Capabilities) any { return c.Broadcast }, "nyynnnnnn"},
	{"agent marks inactive", func(c *channel.Capabilities) any { return c.AgentMarksInactive }, "nnnnynyyy"},
	{"customer ends conversation", func(c *channel.Capabilities) any { return c.CustomerEnds }, "nnnnnnnyy"},
	{"typing shown to agent", func(c *channel.Capabilities) any { return c.TypingToAgent }, "nnnnnnnyy"},
	{"typing shown to customer", func(c *channel.Capabilities) any { return c.TypingToCustomer }, "nnnnynnyy"},
	{"read receipt", func(c *channel.Capabilities) any { return c.ReadReceipt }, "nnnnnwwyy"},
	{"delivery receipt", func(c *channel.Capabilities) any { return c.DeliveryReceipt }, "wwwnyyyyy"},
	{"estimated wait", func(c *channel.Capabilities) any { return c.EstimatedWait }, "nnnnnnnyy"},
	{"components", func(c *channel.Capabilities) any { return c.Components }, "tttnynyyy"},
	{"auto-responses", func(c *channel.Capabilities) any { return c.AutoResponses }, "nnnnnnnyy"},
	{"transfer, flag, whisper", func(c *channel.Capabilities) any { return c.Transfer }, "nnnnynyyy"},
	{"sensitive data rules", func(c *channel.Capabilities) any { return c.SensitiveData }, "yyyynynnn"},
	{"templates", func(c *channel.Capabilities) any { return c.Templates }, "yyyyyynnn"},
	{"linking rules", func(c *channel.Capabilities) any { return c.LinkingRules }, "yyyyyyynn"},
	{"text with file", func(c *channel.Capabilities) any { return c.TextWithFile }, "nnnnynyyy"},
	{"waits for business hours", func(c *channel.Capabilities) any { return c.BusinessHoursHold }, "yyynnyynn"},
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
			switch got.(type) {
			case channel.Support:
				want = map[byte]any{'y': channel.Always, 'n': channel.Never, 'w': channel.WhenReported}[row.words[i]]
			case channel.ComponentSupport:
				want = map[byte]any{'y': channel.NativeComponents, 'n': channel.NoComponents, 't': channel.AsText}[row.words[i]]
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
		limits  channel.SendLimits
	}{
		{channel.SMSLongCode, []channel.Consent{implicit}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, channel.SendLimits{PerSecond: 1, PerMonth: 15_000, PerInbound: 3}},
		{channel.SMSTollFree, []channel.Consent{implicit}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, channel.SendLimits{PerSecond: 10}},
		{channel.SMSShortCode, []channel.Consent{explicit, double}, 0, 0, channel.Limit{Characters: 840, Segments: 6}, 0, channel.SendLimits{PerSecond: 100}},
		{channel.WhatsApp, []channel.Consent{implicit}, 24 * h, 0, channel.Limit{Characters: 1600}, 0, channel.SendLimits{}},
		{channel.WhatsAppEnhanced, []channel.Consent{implicit, explicit}, 24 * h, 0, channel.Limit{Characters: 4096}, 9 << 20, channel.SendLimits{}},
		{channel.Facebook, []channel.Consent{implicit}, 24 * h, 168 * h, channel.Limit{Characters: 2000}, 0, channel.SendLimits{PerSecond: 250, PerReachable: 200}},
		{channel.FacebookEnhanced, []channel.Consent{implicit, explicit}, 24 * h, 168 * h, channel.Limit{Characters: 2000}, 9 << 10, channel.SendLimits{PerSecond: 250, PerReachable: 200}},
		{channel.Web, nil, 0, 0, channel.Limit{Characters: 4096}, 0, channel.SendLimits{}},
		{channel.InApp, nil, 0, 0, channel.Limit{Characters: 4096}, 0, channel.SendLimits{}},
	}
	for _, c := range cases {
		got := channel.CapabilitiesOf(c.kind)
		require.Equal(t, c.kind, got.Type)
		require.Equal(t, c.consent, got.ConsentModes, c.kind)
		require.Equal(t, c.care, got.CareWindow, c.kind)
		require.Equal(t, c.human, got.HumanAgentWindow, c.kind)
		require.Equal(t, c.text, got.Text, c.kind)
		require.Equal(t, c.inbound, got.InboundText, c.kind)
		require.Equal(t, c.limits, got.Limits, c.kind)
	}
}

func TestEveryTypeHasCapabilities(t *testing.T) {
	t.Parallel()
	require.Len(t, channel.Types(), 9)
	for _, kind := range channel.Types() {
		require.Positive(t, channel.TextLimit(kind).Characters, kind)
	}
	pigeon := &channel.Capabilities{Type: "PIGEON", ReadReceipt: channel.Never, DeliveryReceipt: channel.Never, Components: channel.NoComponents}
	require.Equal(t, pigeon, channel.CapabilitiesOf("PIGEON"))
}

func TestTheLowestConsentComesFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, channel.ExplicitOptIn, channel.CapabilitiesOf(channel.SMSShortCode).ConsentModes[0])
	require.Equal(t, channel.ImplicitOptIn, channel.CapabilitiesOf(channel.WhatsApp).ConsentModes[0])
	require.Empty(t, channel.CapabilitiesOf(channel.Web).ConsentModes)
}

func TestRulesOfSomeTypesAlone(t *testing.T) {
	t.Parallel()
	for _, c := range channel.AllCapabilities() {
		autoResponse, countries, abroad := 0, []string(nil), []string(nil)
		switch c.Type {
		case channel.SMSShortCode:
			autoResponse = 160
		case channel.SMSTollFree:
			countries = []string{"US"}
		}
		if c.Type.IsSMS() {
			abroad = []string{"US", "CA"}
		}
		require.Equal(t, autoResponse, c.AutoResponseText, c.Type)
		require.Equal(t, countries, c.TriggeredOutboundRegions, c.Type)
		require.Equal(t, abroad, c.FileCountries, c.Type)
	}
}

// fileTable is what the domain says of files: a type, extensions, the most MB in and
// out (kB with a k), and above how many MB they go as a link.
var fileTable = map[channel.Type][]string{
	channel.SMSLongCode:  {"jpg jpeg png gif|1|500k|"},
	channel.SMSTollFree:  {"jpg jpeg png gif|525k|500k|"},
	channel.SMSShortCode: {"jpg jpeg png gif|1|500k|"},
	channel.WhatsApp:     {"jpg jpeg png pdf|5|5|"},
	channel.WhatsAppEnhanced: {
		"jpeg png|5|25|5", "gif|5||", "pdf doc docx ppt pptx pps xls xlsx|30|25|16", "txt csv ppsx|30|25|0", "json xml rtf||25|0",
		"zip tiff|30||", "aac amr mp4|16|25|16", "mp3 ogg|16||", "3gp|16|25|0",
	},
	channel.Facebook:         {"jpg jpeg png gif|25|25|"},
	channel.FacebookEnhanced: {"pdf png bmp tiff gif jpeg jpg xbm xpm mp3 mp4|25|10|"},
	channel.Web:              {"pdf png jpeg jpg bmp tiff gif|5|5|"},
	channel.InApp:            {"pdf png jpeg jpg bmp tiff|5|5|"},
}

func TestFilesAreTheDomains(t *testing.T) {
	t.Parallel()
	size := func(bytes *int) string {
		switch {
		case bytes == nil:
			return ""
		case *bytes%(1<<20) == 0:
			return fmt.Sprint(*bytes >> 20)
		}
		return fmt.Sprint(*bytes>>10) + "k"
	}
	for _, c := range channel.AllCapabilities() {
		var got []string
		for _, r := range c.Files {
			got = append(got, strings.Join([]string{strings.Join(r.Extensions, " "), size(r.MostIn()), size(r.MostOut()), size(r.LinkAbove)}, "|"))
		}
		require.Equal(t, fileTable[c.Type], got, c.Type)
	}
}

func TestAChannelsLimitsComeBeforeItsTypes(t *testing.T) {
	t.Parallel()
	own := channel.SendLimits{PerSecond: 5, CustomersPerDay: 1_000}
	require.Equal(t, channel.SendLimits{PerSecond: 5, PerMonth: 15_000, PerInbound: 3, CustomersPerDay: 1_000}, own.Or(channel.CapabilitiesOf(channel.SMSLongCode).Limits))
	require.Equal(t, own, own.Or(channel.SendLimits{}))
}

func TestEveryErrorCodeExplainsItself(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, channel.CarrierBlocks.Explain())
	require.Empty(t, channel.ErrorCode("9999").Explain())
}
