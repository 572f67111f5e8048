package inbound_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/ent/provideraccount"
	"parley/internal/channel"
	twiliosms "parley/internal/channel/twilio"
	"parley/internal/channel/twilio/twiliotest"
	"parley/internal/channel/wire"
	"parley/internal/check/parleytest"
	"parley/internal/ground/store"
)

// twilio is a Parley whose Twilio account is at a server that enforces Twilio's
// contract. The public URL is as carriers know it, not as we listen.
func twilio(t *testing.T) (*parleytest.Parley, *twiliotest.Server, *http.Client) {
	t.Helper()
	return twilioAt(t, parleytest.Database(t))
}

func twilioAt(t *testing.T, database string) (*parleytest.Parley, *twiliotest.Server, *http.Client) {
	t.Helper()
	server := twiliotest.New(twiliosms.Credentials{SID: twiliosms.DemoSID, Token: twiliosms.DemoToken})
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	p := parleytest.OpenAt(t, database, func(c *app.Config) {
		c.PublicURL, c.CallTimeout = "https://desk.example.com/parley", 200*time.Millisecond
	})
	require.NoError(t, p.Directory.Change(p.System(), func(ctx context.Context, tx *store.Tx) error {
		return tx.Ent.ProviderAccount.Update().Where(provideraccount.Key("twilio-demo")).SetBaseURL(front.URL).Exec(ctx)
	}))
	// A proxy in front of Parley takes the public URL's path away.
	client := &http.Client{Transport: wire.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.Server.Handler().ServeHTTP(w, r)
	}))}
	return p, server, client
}

const twilioHook = "https://desk.example.com/parley/webhooks/twilio/twilio-demo"

// arrive posts to Parley what Twilio posts to the public URL.
func arrive(client *http.Client) *http.Client {
	return &http.Client{Transport: proxied{client.Transport, "/parley"}}
}

type proxied struct {
	next   http.RoundTripper
	prefix string
}

func (p proxied) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, p.prefix)
	return p.next.RoundTrip(r)
}

func TestTwilioBothWays(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	client = arrive(client)
	p.Run()
	hello := channel.Inbound{EventID: "SM" + strings.Repeat("a", 32), From: customer, To: parleytest.Billing, Text: "Hello", FromName: "Cleo"}
	for range 2 {
		status, err := server.PostInbound(t.Context(), client, twilioHook, hello)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	amy := p.As("amy")
	conversation := amy.Do(`{ conversations(view: {kind: ALL}) { nodes { id name messageCount } } }`, nil).Get("conversations", "nodes", 0)
	require.Equal(t, "Cleo", conversation.Get("name").String())
	require.Equal(t, 1, conversation.Get("messageCount").Int(), "posted twice, counted once")

	id := amy.Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Hi Cleo", idempotencyKey: "k"}) { message { id } } }`,
		parleytest.Vars{"id": conversation.Get("id").String()}).Get("sendMessage", "message", "id").String()
	status := func() string {
		return amy.Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, parleytest.Vars{"id": id}).Get("node", "status").String()
	}
	p.Eventually(func() bool { return status() == "SENT" }, "Twilio takes it")
	got := server.Got()
	require.Len(t, got, 1)
	require.Equal(t, "Hi Cleo", got[0].Body)
	require.True(t, strings.HasPrefix(got[0].StatusCallback, twilioHook+"?attempt="), got[0].StatusCallback)
	for _, said := range []struct {
		status, becomes string
		number          int
	}{{"sending", "SENT", 0}, {"delivered", "DELIVERED", 0}, {"sent", "DELIVERED", 0}, {"undelivered", "DELIVERED", 30005}, {"delivered", "DELIVERED", 0}} {
		answered, err := server.PostStatus(t.Context(), client, got[0].SID, said.status, said.number)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answered)
		require.Equal(t, said.becomes, status(), said.status)
	}
}

// Twilio takes no key: a send without an answer is UNKNOWN, is not repeated, and
// is settled by the status callback that carries the attempt's key.
func TestTwilioSendsAtMostOnce(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	client = arrive(client)
	server.Script(func(twiliotest.Message) *twiliotest.Fault { return &twiliotest.Fault{Take: true, Hang: true} })
	p.Run()
	_, err := server.PostInbound(t.Context(), client, twilioHook, channel.Inbound{From: customer, To: parleytest.Billing, Text: "Hello"})
	require.NoError(t, err)
	amy := p.As("amy")
	conversation := amy.Do(`{ conversations(view: {kind: ALL}) { nodes { id } } }`, nil).Get("conversations", "nodes", 0, "id").String()
	id := amy.Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: "k"}) { message { id } } }`,
		parleytest.Vars{"id": conversation}).Get("sendMessage", "message", "id").String()
	status := func() string {
		return amy.Do(`query($id: ID!) { node(id: $id) { ... on Message { status } } }`, parleytest.Vars{"id": id}).Get("node", "status").String()
	}
	p.Eventually(func() bool { return status() == "UNKNOWN" }, "no answer")
	p.Clock.Advance(time.Hour)
	n, err := p.Messenger.SweepLanes(context.Background())
	require.NoError(t, err)
	require.Zero(t, n, "nothing is left in the lane")
	require.Len(t, server.Got(), 1)
	_, err = server.PostStatus(t.Context(), client, server.Got()[0].SID, "failed", 30003)
	require.NoError(t, err)
	require.Equal(t, "FAILED", status())
}

func TestAForgedTwilioWebhookIsRefused(t *testing.T) {
	t.Parallel()
	p, _, client := twilio(t)
	forger := twiliotest.New(twiliosms.Credentials{SID: twiliosms.DemoSID, Token: "guessed"})
	status, err := forger.PostInbound(t.Context(), arrive(client), twilioHook,
		channel.Inbound{From: customer, To: parleytest.Billing, Text: "Hello"})
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, status)
	require.Zero(t, count(t, p, "raw_inbounds", nil))
}

// TestALongFormThatIsSignedIsTaken: no form that the carrier has signed is lost for its
// length.
func TestALongFormThatIsSignedIsTaken(t *testing.T) {
	t.Parallel()
	p, _, _ := twilio(t)
	form := url.Values{"MessageSid": {"SM" + strings.Repeat("b", 32)}, "From": {customer}, "To": {parleytest.Billing}, "Body": {"Hello"}}
	for n := range 100_000 {
		form.Set("p"+strconv.Itoa(n), "")
	}
	post := func(signature string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhooks/twilio/twilio-demo", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(twiliosms.SignatureHeader, signature)
		return p.Answer(r).Code
	}
	signed := twiliosms.Sign(twiliosms.DemoToken, "https://desk.example.com/parley/webhooks/twilio/twilio-demo", form)
	require.Equal(t, http.StatusForbidden, post("x"+signed[1:]))
	require.Equal(t, http.StatusOK, post(signed))
	require.Equal(t, 1, count(t, p, "raw_inbounds", nil))
	require.Empty(t, problems(t, p))
	require.Len(t, messages(t, p), 1)
}

// Twilio takes nothing for a customer who replied STOP, until they reply START.
func TestWhomTwilioHasOptedOutIsOptedInByItsKeyword(t *testing.T) {
	t.Parallel()
	p, server, client := twilio(t)
	client = arrive(client)
	server.Script(func(twiliotest.Message) *twiliotest.Fault { return &twiliotest.Fault{Status: 400, Code: 21610} })
	p.Run()
	say := func(text string) {
		status, err := server.PostInbound(t.Context(), client, twilioHook, channel.Inbound{From: customer, To: parleytest.Billing, Text: text})
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
	}
	amy := p.As("amy")
	look := func() parleytest.Tree {
		return amy.Do(`{ conversations(view: {kind: ALL}) { nodes { id messagingUser { consentStatus } sendability { canSend }
			messages(first: 9) { nodes { number kind } } } } }`, nil).Get("conversations", "nodes", 0)
	}
	say("Hello")
	amy.Do(`mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: "Hi", idempotencyKey: "k"}) { message { id } } }`,
		parleytest.Vars{"id": look().Get("id").String()})
	p.Eventually(func() bool { return look().Get("messagingUser", "consentStatus").String() == "OPT_OUT" }, "the carrier's refusal opts out")
	require.False(t, look().Get("sendability", "canSend").Bool())
	say("What is new?")
	require.Equal(t, "OPT_OUT", look().Get("messagingUser", "consentStatus").String())
	say("Start")
	require.Equal(t, "IMPLICIT_OPT_IN", look().Get("messagingUser", "consentStatus").String())
	require.True(t, look().Get("sendability", "canSend").Bool())
	var kinds []string
	for i, m := range look().Get("messages", "nodes").List() {
		require.Equal(t, i+1, m.Get("number").Int())
		kinds = append(kinds, m.Get("kind").String())
	}
	require.Equal(t, []string{"TEXT", "TEXT", "EVENT", "TEXT", "TEXT", "EVENT"}, kinds)
}
