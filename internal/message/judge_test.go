package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/message"
	"parley/internal/parleytest"
)

// good is a plan that nothing stands against.
func good() message.Plan {
	text := "Hello"
	now := clock.Of(parleytest.Start)
	return message.Plan{
		Licensed: true, MaySend: true, Starts: true, MayStart: true, Member: true,
		ChannelType: channel.SMSLongCode, ChannelActive: true, AccountActive: true, Header: channel.DefaultHeader, SenderCountry: "US",
		Number: customer, NumberValid: true, CustomerCountry: "US", Consent: channel.ImplicitOptIn,
		Now: now, Text: &text,
	}
}

func codes(s *message.Sendability) []message.RefusalCode {
	out := []message.RefusalCode{}
	for _, r := range s.Refusals {
		out = append(out, r.Code)
	}
	return out
}

// faults are everything that can stand against a send, each alone.
var faults = []struct {
	name string
	code message.RefusalCode
	make func(p *message.Plan)
}{
	{"no licence", message.NoLicence, func(p *message.Plan) { p.Licensed = false }},
	{"no permission to send", message.MissingPermission, func(p *message.Plan) { p.MaySend = false }},
	{"no permission to start", message.MissingPermission, func(p *message.Plan) { p.MayStart = false }},
	{"no member", message.NotAMember, func(p *message.Plan) { p.Member = false }},
	{"channel off", message.ChannelInactive, func(p *message.Plan) { p.ChannelActive = false }},
	{"account off", message.ChannelOffline, func(p *message.Plan) { p.AccountActive = false }},
	{"no number", message.NumberMissing, func(p *message.Plan) { p.Number, p.NumberValid = " ", false }},
	{"bad number", message.NumberInvalid, func(p *message.Plan) { p.Number, p.NumberValid = "12", false }},
	{"opted out", message.OptedOut, func(p *message.Plan) { p.Consent = channel.OptOut }},
	{"record opted out", message.OptedOut, func(p *message.Plan) { p.RecordOptedOut = true }},
	{"too little consent", message.ConsentRequired, func(p *message.Plan) { p.Required = channel.DoubleOptIn }},
	{"short code", message.ConsentRequired, func(p *message.Plan) { p.ChannelType = channel.SMSShortCode }},
	{"abroad", message.OutsideCountry, func(p *message.Plan) { p.CustomerCountry = "CA" }},
	{"no text", message.TextEmpty, func(p *message.Plan) { p.Text = new(string) }},
	{"blank text", message.TextEmpty, func(p *message.Plan) { t := " \n"; p.Text = &t }},
	{"long text", message.TextTooLong, func(p *message.Plan) { t := strings.Repeat("x", 841); p.Text = &t }},
	{"many segments", message.TextTooLong, func(p *message.Plan) { t := strings.Repeat("й", 400); p.Text = &t }},
}

func TestEachFaultIsRefusedForItsOwnReason(t *testing.T) {
	t.Parallel()
	require.Empty(t, codes(message.Judge(good())))
	for _, fault := range faults {
		p := good()
		fault.make(&p)
		s := message.Judge(p)
		require.Equal(t, []message.RefusalCode{fault.code}, codes(s), fault.name)
		require.False(t, s.CanSend())
		require.NotEmpty(t, s.Refusals[0].Message)
	}
}

func TestAllReasonsComeTogether(t *testing.T) {
	t.Parallel()
	p := message.Plan{
		Starts: true, ChannelType: channel.WhatsAppEnhanced, Number: "12", Consent: channel.OptOut, Text: new(string),
		Now: clock.Of(parleytest.Start),
	}
	require.Equal(t, []message.RefusalCode{
		message.NoLicence, message.MissingPermission, message.MissingPermission, message.NotAMember, message.CannotStartHere,
		message.ChannelInactive, message.ChannelOffline, message.NumberInvalid, message.OptedOut, message.CareWindowClosed, message.TextEmpty,
	}, codes(message.Judge(p)))
}

func TestTheCareWindowClosesAfterADayAndForPeopleOnFacebookAfterAWeek(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		kind channel.Type
		ago  time.Duration
		open bool
	}{
		{channel.WhatsApp, day, true},
		{channel.WhatsApp, day + time.Second, false},
		{channel.WhatsAppEnhanced, day + time.Second, false},
		{channel.Facebook, 7 * day, true},
		{channel.Facebook, 7*day + time.Second, false},
		{channel.SMSLongCode, 400 * day, true},
		{channel.Web, 400 * day, true},
	} {
		p := good()
		p.Starts, p.ChannelType, p.LastIncoming = false, test.kind, p.Now.Add(-test.ago)
		require.Equal(t, test.open, message.Judge(p).CanSend(), "%s after %s", test.kind, test.ago)
	}
}

func TestADraftIsCutAsTheCarrierCutsIt(t *testing.T) {
	t.Parallel()
	p := good()
	text := strings.Repeat("x", 161)
	p.Text = &text
	require.Equal(t, &message.DraftSegments{Encoding: channel.GSM7, Units: 161, Segments: 2, Remaining: 143}, message.Judge(p).Segments)
	p.Header = channel.Header6
	require.Equal(t, 145, message.Judge(p).Segments.Remaining)
	p.Text = nil
	require.Nil(t, message.Judge(p).Segments)
	p.Text, p.ChannelType = &text, channel.Web
	require.Nil(t, message.Judge(p).Segments)
}

func TestNumbersAreReadAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ written, region, e164, country string }{
		{"(202) 555-0199", "US", "+12025550199", "US"},
		{"+44 20 7946 0018", "US", "+442079460018", "GB"},
		{"020 7946 0018", "GB", "+442079460018", "GB"},
		{"12", "US", "", ""},
		{"hello", "US", "", ""},
		{"020 7946 0018", "", "", ""},
		{strings.Repeat("1", 65), "US", "", ""},
		{"", "US", "", ""},
	} {
		e164, country, ok := message.Number(test.written, test.region)
		require.Equal(t, test.e164, e164, test.written)
		require.Equal(t, test.country, country, test.written)
		require.Equal(t, test.e164 != "", ok, test.written)
	}
}

// A number that cannot be messaged has no customer yet, whose consent could be
// told.
func TestNobodysConsentIsNotJudged(t *testing.T) {
	t.Parallel()
	s := message.Judge(message.Plan{ChannelType: channel.SMSShortCode, Number: "12"})
	for _, refusal := range s.Refusals {
		require.NotEqual(t, message.ConsentRequired, refusal.Code)
	}
}
