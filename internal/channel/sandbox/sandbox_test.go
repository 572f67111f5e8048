package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/wire"
	"parley/internal/ground/clock"
)

func TestProviderBehaviour(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		c := sandbox.NewCarrier(sandbox.CarrierOptions{
			Scheduler: &sandbox.Manual{}, Accepts: func(s string) bool { return s == secret },
		})
		t.Cleanup(c.Close)
		c.Script(func(m sandbox.Message) sandbox.Plan {
			switch m.Text {
			case channeltest.RejectText:
				return sandbox.Plan{Reaction: sandbox.Refuse, Code: channel.CarrierBlocks}
			case channeltest.ThrottleText:
				return sandbox.Plan{Reaction: sandbox.Throttle, RetryAfter: 7 * time.Second}
			}
			return sandbox.Plan{}
		})
		return channeltest.Subject{
			Provider: sandbox.New(sandbox.Options{Carrier: c}), Secret: secret, Carrier: c,
			Document: func(secret string) string { return fmt.Sprintf(`{"secret":%q,"verifyToken":"v of %[1]s"}`, secret) },
			Challenge: func() (url.Values, string) {
				return url.Values{"hub.mode": {"subscribe"}, "hub.challenge": {"1158201444"}, "hub.verify_token": {"v of " + secret}}, "1158201444"
			},
			Taken: func() []string { return texts(c) },
			Receipt: func(_ channel.Account, statusURL, id string, s channel.Status) *http.Request {
				code := channel.ErrorCode("")
				if s == channel.Failed {
					code = channel.CarrierBlocks
				}
				req, err := sandbox.Compose(secret, statusURL, sandbox.ReceiptEntry(id, s, code))
				require.NoError(t, err)
				return req
			},
		}
	})
}

func texts(c *sandbox.Carrier) []string {
	var out []string
	for _, m := range c.Got() {
		out = append(out, m.Text)
	}
	return out
}

// bundle is a carrier and a provider in one process, with a webhook endpoint
// that verifies what it gets.
type bundle struct {
	carrier  *sandbox.Carrier
	provider *sandbox.Provider
	time     *sandbox.Manual
	clock    *clock.Fake
	account  channel.Account

	mu       sync.Mutex
	receipts []channel.Receipt
	answers  []int // HTTP statuses still to be answered; then 200
	posts    int
}

func setup(t *testing.T, change ...func(*sandbox.CarrierOptions)) *bundle {
	t.Helper()
	b := &bundle{
		time: &sandbox.Manual{}, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)),
		account: account,
	}
	o := sandbox.CarrierOptions{
		Transport: wire.InProcess(b), Scheduler: b.time, Clock: b.clock,
		SentAfter: time.Second, DeliveredAfter: time.Second,
	}
	for _, f := range change {
		f(&o)
	}
	b.carrier = sandbox.NewCarrier(o)
	t.Cleanup(b.carrier.Close)
	b.provider = sandbox.New(sandbox.Options{Carrier: b.carrier})
	return b
}

// ServeHTTP is Parley's webhook endpoint.
func (b *bundle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	hook := channel.Webhook{PublicURL: "https://" + r.Host + r.URL.RequestURI(), Query: r.URL.Query(), Header: r.Header, Body: body}
	if !b.provider.Verify(b.account, hook) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.posts++
	if len(b.answers) > 0 {
		status := b.answers[0]
		b.answers = b.answers[1:]
		w.WriteHeader(status)
		return
	}
	b.receipts = append(b.receipts, b.provider.Parse(b.account, hook).Receipts...)
}

func (b *bundle) statuses() []channel.Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []channel.Status
	for _, r := range b.receipts {
		out = append(out, r.Status)
	}
	return out
}

func (b *bundle) send(ctx context.Context, key, text string) channel.Result {
	return b.provider.Send(ctx, b.account, channel.Outgoing{
		AttemptKey: key, From: "+14155550199", To: "+14155550100", Content: channel.Text(text),
		StatusURL: "https://desk.example.com/webhooks/sandbox/acc1?attempt=" + key,
	})
}

func TestReceiptsComeInTheirTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.send(t.Context(), "k1", "hello")
	require.Equal(t, channel.Accepted, sent.Outcome, sent.Detail)
	b.time.Advance(999 * time.Millisecond)
	require.Empty(t, b.statuses())
	b.time.Advance(time.Millisecond)
	require.Equal(t, []channel.Status{channel.Sent}, b.statuses())
	require.Equal(t, 1, b.carrier.Pending())
	b.time.Advance(time.Second)
	require.Equal(t, []channel.Status{channel.Sent, channel.Delivered}, b.statuses())
	require.Zero(t, b.carrier.Pending())

	first, second := b.receipts[0], b.receipts[1]
	require.NotEqual(t, first.EventID, second.EventID)
	require.Equal(t, sent.ProviderID, first.ProviderID)
	require.Equal(t, "k1", first.AttemptKey)
	require.Equal(t, b.clock.Now(), first.At)
}

func TestDirectivesShapeTheReceipts(t *testing.T) {
	t.Parallel()
	const s, d, f = channel.Sent, channel.Delivered, channel.Failed
	cases := []struct {
		text  string
		after time.Duration
		want  []channel.Status
	}{
		{"hello #world # #late #late=x", 2 * time.Second, []channel.Status{s, d}},
		{"#late=5s", 5 * time.Second, nil},
		{"now #late=5s", 6 * time.Second, []channel.Status{s}},
		{"#double", 2 * time.Second, []channel.Status{s, s, d, d}},
		{"#reorder", 2 * time.Second, []channel.Status{d, s}},
		{"#reorder #double", 2 * time.Second, []channel.Status{d, d, s, s}},
		{"#early", 0, []channel.Status{s}},
		{"#early", time.Second, []channel.Status{s, d}},
		{"#undelivered=2004", 2 * time.Second, []channel.Status{s, f}},
		{"#silent", time.Hour, nil},
	}
	for _, c := range cases {
		t.Run(c.text+" "+c.after.String(), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			require.Equal(t, channel.Accepted, b.send(t.Context(), "k1", c.text).Outcome)
			b.time.Advance(c.after)
			require.Equal(t, c.want, b.statuses())
		})
	}
}

func TestDoubledReceiptsAreOneEvent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t.Context(), "k1", "#double #undelivered=2002")
	b.time.Advance(time.Minute)
	require.Len(t, b.receipts, 4)
	require.Equal(t, b.receipts[0], b.receipts[1])
	require.Equal(t, b.receipts[2], b.receipts[3])
	require.Equal(t, channel.RecipientBlocked, b.receipts[3].Code)
}

func TestDirectivesShapeTheAnswer(t *testing.T) {
	t.Parallel()
	const takes, refuses, slows, down = channel.Accepted, channel.Rejected, channel.Throttled, channel.Unreachable
	cases := []struct {
		text string
		want []channel.Outcome // of sends with the same key
		code channel.ErrorCode // of the first
	}{
		{"#reject=2001", []channel.Outcome{refuses, refuses}, channel.BadDestination},
		{"#reject", []channel.Outcome{refuses}, channel.CannotBeSent},
		{"#reject=9999", []channel.Outcome{refuses}, channel.CannotBeSent},
		{"#throttle", []channel.Outcome{slows, takes, takes}, channel.ChannelCannotSend},
		{"#throttle=2", []channel.Outcome{slows, slows, takes}, channel.ChannelCannotSend},
		{"#down", []channel.Outcome{down, down, down}, channel.ServiceUnreachable},
		{"#down=1", []channel.Outcome{down, takes}, channel.ServiceUnreachable},
	}
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			for try, want := range c.want {
				got := b.send(t.Context(), "k1", c.text)
				require.Equal(t, want, got.Outcome, "try %d: %s", try+1, got.Detail)
				if try == 0 {
					require.Equal(t, c.code, got.Code)
				}
			}
			taken := 0
			if c.want[len(c.want)-1] == takes {
				taken = 1
			}
			require.Len(t, b.carrier.Got(), taken)
		})
	}
}

func TestTimeOutTakesTheMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, channel.Unknown, b.hasty(t, "#timeout").Outcome)
	require.Len(t, b.carrier.Got(), 1)
	again := b.send(t.Context(), "k1", "#timeout")
	require.Equal(t, channel.Accepted, again.Outcome)
	require.Equal(t, b.carrier.Got()[0].ID, again.ProviderID)
	require.Len(t, b.carrier.Got(), 1)
	b.time.Advance(time.Minute)
	require.Equal(t, []channel.Status{channel.Sent, channel.Delivered}, b.statuses())
}

func TestLostTimeOutTakesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.Equal(t, channel.Unknown, b.hasty(t, "#timeout-lost=1").Outcome)
	require.Empty(t, b.carrier.Got())
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k1", "#timeout-lost=1").Outcome)
	require.Len(t, b.carrier.Got(), 1)
}

// hasty sends and gives up once the carrier has decided what to do.
func (b *bundle) hasty(t *testing.T, text string) channel.Result {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.carrier.Script(func(m sandbox.Message) sandbox.Plan {
		plan := sandbox.PlanOf(m.Text, b.carrier.Usual())
		if plan.Reaction == sandbox.Lose {
			cancel()
		}
		return plan
	})
	defer b.carrier.Script(nil)
	go func() {
		for ctx.Err() == nil && len(b.carrier.Got()) == 0 {
			runtime.Gosched()
		}
		cancel()
	}()
	return b.send(ctx, "k1", text)
}

func TestOneKeyIsOneMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var all sync.WaitGroup
	ids := make([]string, 100)
	for i := range ids {
		all.Go(func() { ids[i] = b.send(t.Context(), "k1", "hello").ProviderID })
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, ids[0], id)
	}
	require.Len(t, b.carrier.Got(), 1)
	b.time.Advance(time.Minute)
	require.Len(t, b.statuses(), 2)

	b.carrier.Script(func(sandbox.Message) sandbox.Plan { return sandbox.Plan{Reaction: sandbox.Refuse} })
	require.Equal(t, ids[0], b.send(t.Context(), "k1", "hello").ProviderID, "what is taken stays taken")
	b.carrier.Script(nil)
	other := b.send(t.Context(), "k1", "something else")
	require.Equal(t, channel.Rejected, other.Outcome)
	b.account = accountOf("of another account")
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k1", "mine").Outcome)
}

func TestReceiptsAreRepeatedUntilTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.answers = []int{http.StatusInternalServerError, http.StatusServiceUnavailable}
	b.send(t.Context(), "k1", "hello")
	b.time.Advance(time.Second) // SENT is refused; a pause of 1 s, then of 2 s
	b.time.Advance(3 * time.Second)
	require.Equal(t, []channel.Status{channel.Sent}, b.statuses())
	b.time.Advance(time.Second)
	require.Equal(t, []channel.Status{channel.Sent, channel.Delivered}, b.statuses())
}

func TestReceiptsAreGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.CarrierOptions) { o.Tries = 3 })
	b.answers = make([]int, 6)
	for i := range b.answers {
		b.answers[i] = http.StatusForbidden
	}
	b.send(t.Context(), "k1", "hello")
	b.time.Advance(time.Hour)
	require.Empty(t, b.statuses())
	require.Equal(t, 6, b.posts, "three tries of each receipt")
	require.Zero(t, b.carrier.Pending())
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.CarrierOptions) { o.Messages = 2 })
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k1", "1").Outcome)
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k2", "2").Outcome)
	require.Equal(t, channel.Throttled, b.send(t.Context(), "k3", "3").Outcome, "all receipts are under way")
	b.time.Advance(time.Minute)
	require.Equal(t, channel.Accepted, b.send(t.Context(), "k3", "3").Outcome)
	require.Equal(t, []string{"2", "3"}, texts(b.carrier))
}

func TestCloseStopsEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t.Context(), "k1", "hello")
	hung := make(chan channel.Result)
	go func() { hung <- b.send(t.Context(), "k2", "#timeout") }()
	require.Eventually(t, func() bool { return len(b.carrier.Got()) == 2 }, 5*time.Second, time.Millisecond)
	b.carrier.Close()
	require.Equal(t, channel.Unknown, (<-hung).Outcome)
	b.time.Advance(time.Hour)
	require.Empty(t, b.statuses())
	b.carrier.Close()
}

func TestRealTime(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.CarrierOptions) {
		o.Scheduler, o.SentAfter, o.DeliveredAfter = nil, time.Millisecond, time.Millisecond
	})
	b.send(t.Context(), "k1", "hello")
	require.Eventually(t, func() bool { return len(b.statuses()) == 2 }, 5*time.Second, time.Millisecond)
}

func TestProviderNeedsAWay(t *testing.T) {
	t.Parallel()
	got := sandbox.New(sandbox.Options{}).Send(t.Context(), accountOf("s"), channel.Outgoing{Content: channel.Text("x")})
	require.Equal(t, channel.Rejected, got.Outcome)
	require.Equal(t, channel.CheckChannelSettings, got.Code)
}

func TestCarrierRefusesWhatItCannotSend(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := channel.Outgoing{AttemptKey: "k", From: "+1415", To: "+1416", Content: channel.Text("x")}
	cases := map[string]struct {
		spoil func(*channel.Outgoing)
		want  channel.ErrorCode
	}{
		"no key":       {func(m *channel.Outgoing) { m.AttemptKey = "" }, channel.CannotBeSent},
		"no sender":    {func(m *channel.Outgoing) { m.From = "" }, channel.ChannelMisconfigured},
		"no recipient": {func(m *channel.Outgoing) { m.To = "" }, channel.BadDestination},
		"no text":      {func(m *channel.Outgoing) { m.Content = channel.Text("") }, channel.CannotBeSent},
		"long text":    {func(m *channel.Outgoing) { m.Content = channel.Text(make([]byte, 5000)) }, channel.BodyTooLarge},
		"relative URL": {func(m *channel.Outgoing) { m.StatusURL = "/x" }, channel.CheckChannelSettings},
		"huge request": {func(m *channel.Outgoing) { m.To = string(make([]byte, 1<<20)) }, channel.CannotBeSent},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := good
			c.spoil(&m)
			got := b.provider.Send(t.Context(), b.account, m)
			require.Equal(t, channel.Rejected, got.Outcome)
			require.Equal(t, c.want, got.Code)
		})
	}
}
