package twilio_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
)

const (
	accountSID = "AC0123456789abcdef0123456789abcdef"
	token      = "12345678901234567890123456789012"
)

var (
	credentials = twilio.Credentials{SID: accountSID, Token: token}
	account     = channel.Account{Credentials: credentials}
)

// signedWith is an account of which only the token is known.
func signedWith(token string) channel.Account {
	return channel.Account{Credentials: twilio.Credentials{Token: channel.Secret(token)}}
}

func TestProviderBehaviour(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		server := twiliotest.New(credentials)
		server.Script(func(m twiliotest.Message) *twiliotest.Fault {
			switch m.Body {
			case channeltest.RejectText:
				return &twiliotest.Fault{Status: 400, Code: 30004}
			case channeltest.ThrottleText:
				return &twiliotest.Fault{Status: 429, Code: 20429, RetryAfter: 7 * time.Second}
			}
			return nil
		})
		return channeltest.Subject{
			Provider: twilio.New(twilio.Options{}), Secret: token, Carrier: server,
			Document: func(secret string) string { return fmt.Sprintf(`{"sid":%q,"secret":%q}`, accountSID, secret) },
			Taken:    func() []string { return bodies(server.Got()) },
			Receipt: func(a channel.Account, statusURL, sid string, s channel.Status) *http.Request {
				req, err := twilio.ComposeStatus(a, statusURL, sid, strings.ToLower(string(s)), 0)
				require.NoError(t, err)
				return req
			},
		}
	})
}

func bodies(messages []twiliotest.Message) []string {
	var out []string
	for _, m := range messages {
		out = append(out, m.Body)
	}
	return out
}

// fixtures are signatures by Twilio's own helper library; see
// testdata/make-signatures.mjs.
type fixtures struct {
	Token string
	Cases []struct {
		Name, SignedURL, PublicURL, ContentType, Body, Signature string
		Valid                                                    bool
	}
}

func load(t *testing.T) fixtures {
	t.Helper()
	raw, err := os.ReadFile("testdata/signatures.json")
	require.NoError(t, err)
	var f fixtures
	require.NoError(t, json.Unmarshal(raw, &f))
	require.NotEmpty(t, f.Cases)
	return f
}

func TestVerifyAgreesWithTwiliosHelper(t *testing.T) {
	t.Parallel()
	f := load(t)
	p := twilio.New(twilio.Options{})
	for _, c := range f.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			w := channel.Webhook{
				PublicURL: c.PublicURL, Body: []byte(c.Body),
				Header: http.Header{"Content-Type": {c.ContentType}, twilio.SignatureHeader: {c.Signature}},
			}
			require.Equal(t, c.Valid, p.Verify(signedWith(f.Token), w))
			require.False(t, p.Verify(signedWith(f.Token+"x"), w))
		})
	}
}

func TestSignAgreesWithTwiliosHelper(t *testing.T) {
	t.Parallel()
	f := load(t)
	for _, c := range f.Cases {
		var params url.Values
		if c.ContentType == "application/x-www-form-urlencoded" {
			var err error
			params, err = url.ParseQuery(c.Body)
			require.NoError(t, err)
		}
		require.Equal(t, c.Signature, twilio.Sign(f.Token, c.SignedURL, params), c.Name)
	}
}

// It is not documented whether the connection overrides in a URL's fragment, which no
// request carries, are signed.
func TestVerifyTakesASignatureWithAndWithoutTheOverrides(t *testing.T) {
	t.Parallel()
	const address = "https://desk.example.com/webhooks/twilio/acc1"
	p := twilio.New(twilio.Options{})
	form := url.Values{"Body": {"Hi"}, "MessageSid": {sid}}
	sum := sha256.Sum256([]byte("{}"))
	hashed := address + "?bodySHA256=" + hex.EncodeToString(sum[:])
	for signed, valid := range map[string]bool{
		address: true, address + "#rc=5&rp=all": true, address + ":443#rc=5&rp=all": false,
		strings.Replace(address, ".com", ".com:443", 1) + "#rc=5&rp=all": true,
		address + "#": false, address + "#rc=5&rp=all&rt=1": false, address + "?x=1#rc=5&rp=all": false,
	} {
		w := channel.Webhook{PublicURL: address, Body: []byte(form.Encode()), Header: http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, twilio.SignatureHeader: {twilio.Sign("t", signed, form)},
		}}
		require.Equal(t, valid, p.Verify(signedWith("t"), w), signed)
	}
	for _, fragment := range []string{"", twilio.Overrides} {
		w := channel.Webhook{PublicURL: hashed, Body: []byte("{}"), Header: http.Header{
			"Content-Type": {"application/json"}, twilio.SignatureHeader: {twilio.Sign("t", hashed+fragment, nil)},
		}}
		require.True(t, p.Verify(signedWith("t"), w))
		w.Body = []byte("[]")
		require.False(t, p.Verify(signedWith("t"), w))
	}
}

func TestVerifyNeedsABodyThatIsSigned(t *testing.T) {
	t.Parallel()
	const address = "https://desk.example.com/webhooks/twilio/acc1"
	w := channel.Webhook{
		PublicURL: address, Body: []byte(`{"a":1}`),
		Header: http.Header{"Content-Type": {"application/json"}, twilio.SignatureHeader: {twilio.Sign("t", address, nil)}},
	}
	require.False(t, twilio.New(twilio.Options{}).Verify(signedWith("t"), w))
}

func TestRefusalsMeanWhatTwilioDocuments(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name         string
		status, code int
		outcome      channel.Outcome
		want         channel.ErrorCode
	}{
		{"invalid To", 400, 21211, channel.Rejected, channel.BadDestination},
		{"replied STOP", 400, 21610, channel.Rejected, channel.RecipientBlocked},
		{"no mobile", 400, 21614, channel.Rejected, channel.BadDestination},
		{"region not enabled", 400, 21408, channel.Rejected, channel.ChannelMisconfigured},
		{"From not ours", 400, 21606, channel.Rejected, channel.ChannelMisconfigured},
		{"too long", 400, 21617, channel.Rejected, channel.BodyTooLarge},
		{"queue full", 400, 21611, channel.Throttled, channel.ChannelCannotSend},
		{"too many requests", 429, 20429, channel.Throttled, channel.ChannelCannotSend},
		{"too many, unknown number", 429, 0, channel.Throttled, channel.ChannelCannotSend},
		{"daily limit", 429, 63038, channel.Rejected, channel.ChannelCannotSend},
		{"wrong token", 401, 20003, channel.Rejected, channel.CheckChannelSettings},
		{"forbidden", 403, 99999, channel.Rejected, channel.CheckChannelSettings},
		{"no such account", 404, 20404, channel.Rejected, channel.CheckChannelSettings},
		{"unknown number", 400, 99999, channel.Rejected, channel.CannotBeSent},
		{"request timed out", 408, 0, channel.Unknown, ""},
		{"gateway", 502, 0, channel.Unknown, ""},
		{"unavailable", 503, 20503, channel.Unknown, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, a := serve(t)
			server.Script(func(twiliotest.Message) *twiliotest.Fault {
				return &twiliotest.Fault{Status: c.status, Code: c.code}
			})
			got := twilio.New(twilio.Options{}).Send(t.Context(), a, outgoing())
			require.Equal(t, c.outcome, got.Outcome)
			require.Equal(t, c.want, got.Code)
		})
	}
}

func serve(t *testing.T) (*twiliotest.Server, channel.Account) {
	t.Helper()
	server := twiliotest.New(credentials)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	a := account
	a.BaseURL = listener.URL + "/"
	return server, a
}

func outgoing() channel.Outgoing {
	return channel.Outgoing{AttemptKey: "k", From: "+14155550199", To: "+14155550100", Content: channel.Text("Hi"), StatusURL: "https://d.example.com/w?attempt=k"}
}

func TestSendKeepsTheContract(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		spoil func(*channel.Outgoing)
		want  channel.ErrorCode
	}{
		{"usual", func(*channel.Outgoing) {}, ""},
		{"no status callback", func(m *channel.Outgoing) { m.StatusURL = "" }, ""},
		{"short code", func(m *channel.Outgoing) { m.From = "55555" }, ""},
		{"1,600 characters", func(m *channel.Outgoing) { m.Content = channel.Text(strings.Repeat("é", 1600)) }, ""},
		{"1,601 characters", func(m *channel.Outgoing) { m.Content = channel.Text(strings.Repeat("é", 1601)) }, channel.BodyTooLarge},
		{"no text", func(m *channel.Outgoing) { m.Content = channel.Text("") }, channel.CannotBeSent},
		{"no destination", func(m *channel.Outgoing) { m.To = "" }, channel.BadDestination},
		{"national number", func(m *channel.Outgoing) { m.To = "4155550100" }, channel.BadDestination},
		{"no sender", func(m *channel.Outgoing) { m.From = "" }, channel.ChannelMisconfigured},
		{"to itself", func(m *channel.Outgoing) { m.To = m.From }, channel.BadDestination},
		{"odd sender", func(m *channel.Outgoing) { m.From = "whatsapp:+1" }, channel.ChannelMisconfigured},
		{"relative status callback", func(m *channel.Outgoing) { m.StatusURL = "/w" }, channel.CheckChannelSettings},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server, a := serve(t)
			m := outgoing()
			c.spoil(&m)
			got := twilio.New(twilio.Options{}).Send(t.Context(), a, m)
			require.Equal(t, c.want, got.Code, got.Detail)
			if c.want == "" {
				taken := server.Got()
				require.Equal(t, []twiliotest.Message{{SID: got.ProviderID, From: m.From, To: m.To, Body: string(m.Content.(channel.Text)), StatusCallback: m.StatusURL}}, taken)
			}
		})
	}
}

func TestServerPostsSignedWebhooks(t *testing.T) {
	t.Parallel()
	server, a := serve(t)
	p := twilio.New(twilio.Options{})
	parley := newSink(t, a, p)
	m := outgoing()
	m.StatusURL = parley.URL + "/webhooks/twilio/acc1?attempt=k"
	sent := p.Send(t.Context(), a, m)

	status, err := server.PostStatus(t.Context(), parley.Client(), sent.ProviderID, "undelivered", 30006)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	status, err = server.PostInbound(t.Context(), parley.Client(), parley.URL+"/webhooks/twilio/acc1", channel.Inbound{From: m.To, To: m.From, Text: "yes"})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)

	receipt, answer := <-parley.got, <-parley.got
	require.Equal(t, []channel.Receipt{{
		EventID: sent.ProviderID + ".undelivered", AttemptKey: "k", ProviderID: sent.ProviderID,
		Status: channel.Failed, Code: channel.BadDestination, Detail: "Twilio error 30006",
	}}, receipt.Receipts)
	require.Equal(t, "yes", answer.Messages[0].Text)
}

// sink is a webhook endpoint that verifies and parses.
type sink struct {
	*httptest.Server
	got chan channel.Delivery
}

func newSink(t *testing.T, a channel.Account, p channel.Provider) *sink {
	t.Helper()
	s := &sink{got: make(chan channel.Delivery, 10)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook := channel.Webhook{PublicURL: s.URL + r.URL.RequestURI(), Query: r.URL.Query(), Header: r.Header, Body: body}
		if !p.Verify(a, hook) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.got <- p.Parse(a, hook)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestAnAccountIsChecked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(twiliotest.New(credentials))
	t.Cleanup(server.Close)
	provider := twilio.New(twilio.Options{})
	here := account
	here.BaseURL = server.URL
	require.NoError(t, provider.Check(t.Context(), here))
	for word, change := range map[string]func(*channel.Account){
		"auth token":        func(a *channel.Account) { a.Credentials = twilio.Credentials{SID: accountSID, Token: "another"} },
		"account SID":       func(a *channel.Account) { a.Credentials = signedWith(token).Credentials },
		"https":             func(a *channel.Account) { a.BaseURL = "http://api.example.com" },
		"cannot be reached": func(a *channel.Account) { a.BaseURL = "http://127.0.0.1:1" },
		"HTTP 404":          func(a *channel.Account) { a.BaseURL += "/elsewhere" },
	} {
		a := here
		change(&a)
		err := provider.Check(t.Context(), a)
		require.ErrorContains(t, err, word)
		require.NotContains(t, err.Error(), token)
	}
}
