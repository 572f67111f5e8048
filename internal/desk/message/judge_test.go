package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/check/parleytest"
	"parley/internal/desk/message"
	"parley/internal/ground/clock"
)

// good is a plan that nothing stands against.
func good() message.Plan {
	text := "Hello"
	now := clock.Of(parleytest.Start)
	return message.Plan{
		Licensed: true, MaySend: true, Starts: true, MayStart: true, Member: true,
		ChannelType: channel.SMSLongCode, ChannelActive: true, AccountActive: true, Header: channel.DefaultHeader, SenderCountry: "US",
		SenderAddress: parleytest.Sales, Number: customer, NumberValid: true, Consent: channel.ImplicitOptIn,
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
	{"abroad", message.OutsideCountry, func(p *message.Plan) { p.Number = "+16135550123" }},
	{"abroad, of an unknown range", message.OutsideCountry, func(p *message.Plan) { p.Number = "+447911654321" }},
	{"of no country", message.OutsideCountry, func(p *message.Plan) { p.Number = "+80012345678" }},
	{"the sender ID itself", message.NumberInvalid, func(p *message.Plan) { p.Number = p.SenderAddress }},
	{"no text", message.TextEmpty, func(p *message.Plan) { p.Text = new(string) }},
	{"blank text", message.TextEmpty, func(p *message.Plan) { t := " \n"; p.Text = &t }},
	{"unseen text", message.TextEmpty, func(p *message.Plan) { t := "\u200B\u2060\u3164"; p.Text = &t }},
	{"unseen number", message.NumberMissing, func(p *message.Plan) { p.Number, p.NumberValid = "\u200B", false }},
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

func TestWhereSMSMayGo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sender, number string
		wrote, may     bool
	}{
		{"US", "+17875551234", false, true},
		{"US", "+13405551234", false, true},
		{"GB", "+447797712345", false, true},
		{"GB", "+447700900321", false, true},
		{"US", "+447700900321", false, false},
		{"US", "+447700900321", true, true},
		{"GB", "+353850123456", false, false},
		{"GB", "+353850123456", true, true},
		{"US", "+18005551234", false, true},
		{"CA", "+18005551234", false, true},
		{"", "+447700900321", false, true},
	} {
		p := good()
		p.SenderCountry, p.Number = test.sender, test.number
		if test.wrote {
			p.LastIncoming = p.Now
		}
		require.Equal(t, test.may, message.Judge(p).CanSend(), "%+v", test)
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
