package astwilio_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/sandbox/astwilio"
	"parley/internal/channel/twilio"
	"parley/internal/channel/wire"
)

const accountSID = "AC00000000000000000000000000000001"

var account = channel.Account{ID: 1, Key: "k", Credentials: twilio.Credentials{SID: accountSID, Token: "token"}}

// callbacks is Parley's webhook: it checks the signature and keeps the receipts.
type callbacks struct {
	t        *testing.T
	provider *twilio.Provider

	mu       sync.Mutex
	receipts []channel.Receipt
	refuse   int // so many callbacks first
}

func (c *callbacks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	hook := channel.Webhook{PublicURL: "https://p.example.com" + r.URL.RequestURI(), Query: r.URL.Query(), Header: r.Header, Body: body}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil || !c.provider.Verify(account, hook):
		w.WriteHeader(http.StatusForbidden)
	case c.refuse > 0:
		c.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		c.receipts = append(c.receipts, c.provider.Parse(account, hook).Receipts...)
	}
}

func (c *callbacks) got() []channel.Receipt {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]channel.Receipt(nil), c.receipts...)
}

func newStand(t *testing.T) (*astwilio.Stand, *callbacks, *sandbox.Manual) {
	t.Helper()
	hook, hands := &callbacks{t: t}, &sandbox.Manual{}
	stand := astwilio.New(astwilio.Options{
		Accounts:  slices.Values([]channel.Account{{}, account}),
		Callbacks: wire.InProcess(hook), Carrier: sandbox.CarrierOptions{Scheduler: hands},
	})
	t.Cleanup(stand.Close)
	hook.provider = twilio.New(twilio.Options{Transport: stand, Timeout: 2 * time.Second})
	return stand, hook, hands
}

func outgoing(text string) channel.Outgoing {
	return channel.Outgoing{
		AttemptKey: "at1", From: "+12025550103", To: "+12025550199", Content: channel.Text(text),
		StatusURL: "https://p.example.com/webhooks/twilio/k?attempt=at1",
	}
}

func TestAMessageTakesItsJourneyAndIsReportedAsTwilioReports(t *testing.T) {
	t.Parallel()
	stand, hook, hands := newStand(t)
	hook.refuse = 1
	result := hook.provider.Send(t.Context(), account, outgoing("Hello"))
	require.Equal(t, channel.Accepted, result.Outcome, result.Detail)
	require.Len(t, stand.Carrier().Got(), 1)
	hands.Advance(10 * time.Second)
	got := hook.got()
	require.Len(t, got, 2, "a callback that was not taken comes again")
	for i, status := range []channel.Status{channel.Sent, channel.Delivered} {
		require.Equal(t, status, got[i].Status)
		require.Equal(t, result.ProviderID, got[i].ProviderID)
		require.Equal(t, "at1", got[i].AttemptKey)
	}
}

func TestDirectivesComeBackInTwiliosWords(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text    string
		outcome channel.Outcome
		code    channel.ErrorCode
	}{
		{"a #reject=2001", channel.Rejected, channel.BadDestination},
		{"a #reject=2002", channel.Rejected, channel.RecipientBlocked},
		{"a #reject=2004", channel.Rejected, channel.CarrierBlocks},
		{"a #reject=3001", channel.Rejected, channel.CannotBeSent},
		{"a #reject=3004", channel.Rejected, channel.BodyTooLarge},
		{"a #reject=1001", channel.Rejected, channel.ChannelMisconfigured},
		{"a #reject=0003", channel.Rejected, channel.CheckChannelSettings},
		{"a #reject=3007", channel.Rejected, channel.CannotBeSent},
		{"a #throttle=9", channel.Throttled, channel.ChannelCannotSend},
		{"a #down", channel.Unknown, ""},
		{"a #timeout", channel.Unknown, ""},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			_, hook, _ := newStand(t)
			result := hook.provider.Send(t.Context(), account, outgoing(c.text))
			require.Equal(t, c.outcome, result.Outcome, result.Detail)
			require.Equal(t, c.code, result.Code)
		})
	}
}

func TestAnUndeliveredMessageCarriesItsReason(t *testing.T) {
	t.Parallel()
	for _, code := range []channel.ErrorCode{channel.BadDestination, channel.RecipientBlocked, channel.CarrierBlocks, channel.FlaggedAsSpam, channel.CannotBeSent} {
		_, hook, hands := newStand(t)
		require.Equal(t, channel.Accepted, hook.provider.Send(t.Context(), account, outgoing("a #undelivered="+string(code))).Outcome)
		hands.Advance(time.Second)
		got := hook.got()
		require.Len(t, got, 2)
		require.Equal(t, channel.Failed, got[1].Status)
		require.Equal(t, code, got[1].Code)
	}
}

func TestRequestsThatTwilioRefusesAreRefused(t *testing.T) {
	t.Parallel()
	stand, _, _ := newStand(t)
	path := "https://api.twilio.com/2010-04-01/Accounts/" + accountSID + "/Messages.json"
	good := url.Values{"From": {"+12025550103"}, "To": {"+12025550199"}, "Body": {"x"}}
	with := func(name, value string) url.Values {
		form := url.Values{"From": good["From"], "To": good["To"], "Body": good["Body"]}
		form.Set(name, value)
		return form
	}
	cases := []struct {
		name, method, path, password string
		form                         url.Values
		want                         int
	}{
		{"good", http.MethodPost, path, "token", good, 201},
		{"wrong token", http.MethodPost, path, "nekot", good, 401},
		{"another account", http.MethodPost, strings.Replace(path, "0001/", "0002/", 1), "token", good, 404},
		{"list", http.MethodGet, path, "token", nil, 200},
		{"wrong method", http.MethodPut, path, "token", good, 405},
		{"no destination", http.MethodPost, path, "token", with("To", ""), 400},
		{"no sender", http.MethodPost, path, "token", with("From", ""), 400},
		{"no text", http.MethodPost, path, "token", with("Body", ""), 400},
		{"national number", http.MethodPost, path, "token", with("To", "2025550199"), 400},
		{"odd sender", http.MethodPost, path, "token", with("From", "1"), 400},
		{"long text", http.MethodPost, path, "token", with("Body", strings.Repeat("x", 1601)), 400},
		{"relative callback", http.MethodPost, path, "token", with("StatusCallback", "/x"), 400},
		{"oversized form", http.MethodPost, path, "token", with("Body", strings.Repeat("x", 1<<20)), 415},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.form.Encode()))
			require.NoError(t, err)
			req.SetBasicAuth(accountSID, c.password)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := stand.RoundTrip(req)
			require.NoError(t, err)
			defer func() { _ = resp.Body.Close() }()
			require.Equal(t, c.want, resp.StatusCode)
		})
	}
}
