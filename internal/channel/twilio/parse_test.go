package twilio_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/twilio"
)

const sid = "SM0123456789abcdef0123456789abcdef"

// hook makes a form webhook out of names and values in turn.
func hook(pairs ...string) channel.Webhook {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return channel.Webhook{
		PublicURL: "https://desk.example.com/webhooks/twilio/acc1?attempt=key1", Query: url.Values{"attempt": {"key1"}},
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()),
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	text := channel.Inbound{EventID: sid, ProviderID: sid, From: "+14155550100", To: "+14155550199", Text: "Hi"}
	received := func(pairs ...string) channel.Webhook {
		return hook(append([]string{"MessageSid", sid, "From", text.From, "To", text.To}, pairs...)...)
	}
	messages := func(change func(*channel.Inbound)) channel.Delivery {
		m := text
		change(&m)
		return channel.Delivery{Messages: []channel.Inbound{m}}
	}
	receipt := func(status string, to channel.Status, code channel.ErrorCode, detail string) channel.Delivery {
		return channel.Delivery{Receipts: []channel.Receipt{{
			EventID: sid + "." + status, AttemptKey: "key1", ProviderID: sid, Status: to, Code: code, Detail: detail,
		}}}
	}
	cases := []struct {
		name string
		in   channel.Webhook
		want channel.Delivery
	}{
		{"text", received("Body", "Hi", "NumMedia", "0", "SmsStatus", "received"), messages(func(*channel.Inbound) {})},
		{"text with the bare minimum", received("Body", "Hi"), messages(func(*channel.Inbound) {})},
		{"old name of the sid", hook("SmsSid", sid, "From", text.From, "To", text.To, "Body", "Hi"), messages(func(*channel.Inbound) {})},
		{"empty text", received("Body", ""), messages(func(m *channel.Inbound) { m.Text = "" })},
		{"from a short code", hook("MessageSid", sid, "From", "55555", "To", text.To, "Body", "Hi"), messages(func(m *channel.Inbound) { m.From = "55555" })},
		{"name", received("Body", "Hi", "ProfileName", "Zoë"), messages(func(m *channel.Inbound) { m.FromName = "Zoë" })},
		{"NUL and broken UTF-8", received("Body", "a\x00b\xffc"), messages(func(m *channel.Inbound) { m.Text = "ab\uFFFDc" })},
		{
			"picture", received("Body", "", "NumMedia", "1", "MediaUrl0", "https://api.twilio.com/2010-04-01/x", "MediaContentType0", "image/jpeg"),
			messages(func(m *channel.Inbound) {
				m.Text, m.Media = "", []channel.Media{{ContentType: "image/jpeg", URL: "https://api.twilio.com/2010-04-01/x"}}
			}),
		},
		{"sender with an apostrophe", hook("MessageSid", sid, "From", "Boots'UK", "To", text.To, "Body", "Hi"), messages(func(m *channel.Inbound) { m.From = "Boots'UK" })},
		{"without text and files", received(), messages(func(m *channel.Inbound) { m.Text, m.Unsupported = "", "a message without text or files" })},
		{"status that is not documented", received("Body", "Hi", "SmsStatus", "relayed"), messages(func(*channel.Inbound) {})},
		{"still being received", received("Body", "Hi", "SmsStatus", "receiving"), messages(func(*channel.Inbound) {})},
		{
			"pictures elsewhere and without TLS", received("Body", "Hi", "NumMedia", "3", "MediaUrl0", "https://169.254.169.254/", "MediaContentType0", "image/png",
				"MediaUrl1", "http://api.twilio.com/x", "MediaUrl2", "https://api.twilio.com/y", "MediaContentType2", "image/png"),
			messages(func(m *channel.Inbound) {
				m.Media = []channel.Media{{ContentType: "image/png", URL: "https://api.twilio.com/y"}}
				m.Refused = []channel.Media{{ContentType: "image/png", URL: "https://169.254.169.254/"}, {URL: "http://api.twilio.com/x"}}
				m.Missing = []string{"2 files missing at the carrier"}
			}),
		},
		{"pictures by the word", received("Body", "Hi", "NumMedia", "two"), messages(func(m *channel.Inbound) { m.Missing = []string{"files whose number cannot be read"} })},
		{"sent", hook("MessageSid", sid, "MessageStatus", "sent"), receipt("sent", channel.Sent, "", "")},
		{"delivered", hook("MessageSid", sid, "MessageStatus", "delivered"), receipt("delivered", channel.Delivered, "", "")},
		{"read", hook("MessageSid", sid, "MessageStatus", "read"), receipt("read", channel.Read, "", "")},
		{"old names", hook("SmsSid", sid, "SmsStatus", "sent"), receipt("sent", channel.Sent, "", "")},
		{"undelivered", hook("MessageSid", sid, "MessageStatus", "undelivered", "ErrorCode", "30007"), receipt("undelivered", channel.Failed, channel.FlaggedAsSpam, "Twilio error 30007")},
		{"failed without a number", hook("MessageSid", sid, "MessageStatus", "failed"), receipt("failed", channel.Failed, channel.CannotBeSent, "")},
		{"failed with a new number", hook("MessageSid", sid, "MessageStatus", "failed", "ErrorCode", "39999"), receipt("failed", channel.Failed, channel.CannotBeSent, "Twilio error 39999")},
		{"partially delivered", hook("MessageSid", sid, "MessageStatus", "partially_delivered"), receipt("partially_delivered", channel.Sent, "", "")},
		{"canceled", hook("MessageSid", sid, "MessageStatus", "canceled"), receipt("canceled", channel.Failed, channel.ChannelCannotSend, "cancelled at Twilio")},
		{"STOP by Advanced Opt-Out", received("Body", "arret", "OptOutType", "STOP"), messages(func(m *channel.Inbound) { m.Text, m.Consent = "arret", channel.OptOut })},
		{"START by Advanced Opt-Out", received("Body", "oui", "OptOutType", "START"), messages(func(m *channel.Inbound) { m.Text, m.Consent = "oui", channel.ImplicitOptIn })},
		{"START", received("Body", " Unstop\n"), messages(func(m *channel.Inbound) { m.Text, m.Consent = " Unstop\n", channel.ImplicitOptIn })},
		{"START in a sentence", received("Body", "start please"), messages(func(m *channel.Inbound) { m.Text = "start please" })},
		{"queued", hook("MessageSid", sid, "MessageStatus", "queued"), channel.Delivery{}},
		{"sending", hook("MessageSid", sid, "MessageStatus", "sending"), channel.Delivery{}},
		{"accepted", hook("MessageSid", sid, "MessageStatus", "accepted"), channel.Delivery{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, twilio.New(twilio.Options{}).Parse(account, c.in))
		})
	}
}

func TestParseKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	json := hook()
	json.Header = http.Header{"Content-Type": {"application/json"}}
	cases := map[string]channel.Webhook{
		"no form":              json,
		"empty":                hook(),
		"no sid":               hook("From", "+1415", "To", "+1416", "Body", "x"),
		"sid holds neighbours": hook("MessageSid", sid+"NumMedia0", "From", "+1415", "To", "+1416", "Body", "x"),
		"other account":        hook("AccountSid", "ACother", "MessageSid", sid, "From", "+1415", "To", "+1416", "Body", "x"),
		"unknown status":       hook("MessageSid", sid, "MessageStatus", "pondered"),
		"no destination":       hook("MessageSid", sid, "From", "+1415", "Body", "x"),
		"unknown, with a body": hook("MessageSid", sid, "MessageStatus", "pondered", "From", "+1415", "To", "+1416", "Body", "x"),
	}
	for name, w := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := twilio.New(twilio.Options{}).Parse(account, w)
			require.Empty(t, got.Messages)
			require.Empty(t, got.Receipts)
			require.Len(t, got.Bad, 1)
			require.Equal(t, w.Body, got.Bad[0].Raw)
			require.Len(t, got.Bad[0].EventID, 64)
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("MessageSid="+sid+"&From=%2B14155550100&To=%2B14155550199&Body=%00%ff"), "application/x-www-form-urlencoded")
	f.Add([]byte("SmsSid="+sid+"&SmsStatus=failed&ErrorCode=-1"), "application/x-www-form-urlencoded; charset=utf-8")
	f.Add([]byte("NumMedia=3&MessageSid=MM1&Body="), "text/plain")
	p := twilio.New(twilio.Options{})
	f.Fuzz(func(t *testing.T, body []byte, kind string) {
		w := channel.Webhook{Header: http.Header{"Content-Type": {kind}}, Body: body, Query: url.Values{"attempt": {string(body)}}}
		got := p.Parse(account, w)
		if len(got.Messages)+len(got.Receipts)+len(got.Bad) > 1 {
			t.Fatalf("one webhook gave %+v", got)
		}
		for _, m := range got.Messages {
			if !clean(m.Text) || !clean(m.FromName) {
				t.Fatalf("unclean: %+v", m)
			}
		}
		for _, r := range got.Receipts {
			if !clean(r.AttemptKey) || len(r.AttemptKey) > 600 || !clean(r.EventID) {
				t.Fatalf("unclean: %+v", r)
			}
		}
	})
}

func clean(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

func FuzzVerify(f *testing.F) {
	f.Add("https://h.example.com/w?a=b", []byte("Body=x&To=y"), "application/x-www-form-urlencoded", "sig")
	f.Add("://", []byte("%zz"), "application/x-www-form-urlencoded", "")
	f.Add("http://[::1]:80@x:1/", []byte("{}"), "application/json", "AAAA")
	p := twilio.New(twilio.Options{})
	f.Fuzz(func(t *testing.T, address string, body []byte, kind, given string) {
		w := channel.Webhook{PublicURL: address, Body: body, Header: http.Header{"Content-Type": {kind}, twilio.SignatureHeader: {given}}}
		if p.Verify(account, w) {
			t.Fatal("a guessed signature passed")
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return
		}
		w.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, twilio.SignatureHeader: {twilio.Sign(token, strip(address), form)}}
		w.PublicURL = strip(address)
		if !p.Verify(account, w) {
			t.Fatalf("our own signature of %q fails", w.PublicURL)
		}
	})
}

// strip leaves of an address what makes it one with a plain host, whose port
// cannot be lost on the way.
func strip(address string) string {
	return "https://h.example.com/" + strings.TrimLeft(address, "/")
}
