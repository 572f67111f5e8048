// Package parleytest is the harness of Parley's tests: the real program on a real
// database of the test's own, a clock that the test controls, a sandbox carrier that it
// scripts, and clients that speak GraphQL over HTTP and WebSocket as a frontend does.
//
//	p := parleytest.New(t)
//	p.Run()
//	p.Say("+12025550199", parleytest.Sales, "Hello")
//	p.As("amy").Do(`{ viewer { agent { name } } }`, nil)
//
// The suite runs on SQLite, and on PostgreSQL when PARLEY_TEST_POSTGRES holds the URL of
// a server.
package parleytest

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/wire"
	"parley/internal/edge/server"
	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/viewer"
)

// Addresses of the demo organisation's sender IDs.
const (
	Sales   = "+12025550100" // shared by amy and bo
	Direct  = "+12025550101" // amy's alone
	Support = "+12025550102" // sue and ada; its queue is worked by bo and sue
	Billing = "+12025550103" // a Twilio number of amy and sue
)

// Start is when a test's clock starts.
var Start = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// zeros are the nonces of cursors, so that equal places have equal cursors.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Parley is a whole Parley of the test's own.
type Parley struct {
	*app.App
	T       testing.TB
	Clock   *clock.Fake
	Carrier *sandbox.Carrier

	run     sync.Once
	stopped sync.Once
	cancel  context.CancelFunc
	done    chan error
}

// New opens a Parley on a fresh database; Run starts it. Options change its
// configuration before it is opened.
func New(t testing.TB, options ...func(*app.Config)) *Parley {
	t.Helper()
	return OpenAt(t, Database(t), options...)
}

// OpenAt opens a Parley on an existing database, as a second process would.
func OpenAt(t testing.TB, database string, options ...func(*app.Config)) *Parley {
	t.Helper()
	p := &Parley{T: t, Clock: clock.NewFake(Start), done: make(chan error, 1)}
	c := app.Config{
		Database: database, Mode: server.Development, Addr: "127.0.0.1:0", PublicURL: "http://parley.test", Clock: p.Clock, Nonces: zeros{},
		CallTimeout: 2 * time.Second, Jobs: job.Options{Workers: 20, Sweep: 500 * time.Millisecond},
		Sends: -1, Starts: -1, Bulks: -1,
		Server: func(o *server.Options) { o.Socket.PerViewer, o.Rate, o.InFlight = 10_000, -1, -1 },
	}
	p.Carrier = sandbox.NewCarrier(sandbox.CarrierOptions{
		Transport: wire.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Server.Handler().ServeHTTP(w, r) })),
		SentAfter: time.Millisecond, DeliveredAfter: time.Millisecond, Backoff: 20 * time.Millisecond,
	})
	c.Carrier = p.Carrier
	if OnPostgres() {
		c.Files = t.TempDir()
	}
	for _, option := range options {
		option(&c)
	}
	var err error
	p.App, err = app.Open(context.Background(), c)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

// Run serves on a loopback port until the test ends or Stop.
func (p *Parley) Run() *Parley {
	p.run.Do(func() {
		require.NoError(p.T, p.Listen())
		var ctx context.Context
		ctx, p.cancel = context.WithCancel(context.Background())
		go func() { p.done <- p.App.Run(ctx) }()
	})
	return p
}

// Stop shuts the Parley down and closes its database.
func (p *Parley) Stop() {
	p.stopped.Do(func() {
		if p.cancel != nil {
			p.cancel()
			require.NoError(p.T, <-p.done)
		}
		p.Carrier.Close()
		require.NoError(p.T, p.Close())
	})
}

// URL is the address of the running server.
func (p *Parley) URL() string { return "http://" + p.Server.Addr().String() }

// Context carries the agent as the viewer, with the rights they have now.
func (p *Parley) Context(username string) context.Context {
	v, err := p.Directory.Viewer(username)
	require.NoError(p.T, err)
	return viewer.NewContext(context.Background(), v)
}

// System carries a system viewer.
func (p *Parley) System() context.Context { return viewer.AsSystem(context.Background(), "test") }

// Say posts a signed inbound message of a customer, as the carrier would, and
// returns its id at the carrier.
func (p *Parley) Say(from, to, text string) string {
	p.T.Helper()
	id := "SM" + rand.Text()
	p.Post(p.Inbound(channel.Inbound{EventID: id, ProviderID: id, From: from, To: to, Text: text}))
	return id
}

// Inbound composes the signed webhook that delivers m.
func (p *Parley) Inbound(m channel.Inbound) *http.Request {
	p.T.Helper()
	for _, ch := range p.Directory.Channels() {
		if ch.Address != m.To {
			continue
		}
		caller, ok := p.Messenger.Providers[ch.Account.Provider].(channel.Caller)
		require.True(p.T, ok)
		url := p.PublicURL() + "/webhooks/" + ch.Account.Provider + "/" + ch.Account.Key
		req, err := caller.Compose(ch.Account.Account, url, m)
		require.NoError(p.T, err)
		return req
	}
	require.Fail(p.T, "no channel has the address", m.To)
	return nil
}

// Post hands a request to the server in-process and requires 200.
func (p *Parley) Post(req *http.Request) {
	p.T.Helper()
	rec := p.Answer(req)
	require.Equal(p.T, http.StatusOK, rec.Code, rec.Body.String())
}

// Answer hands a request to the server in-process.
func (p *Parley) Answer(req *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	in := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.RequestURI(), req.Body)
	in.Header = req.Header
	p.Server.Handler().ServeHTTP(rec, in)
	return rec
}

// Eventually waits until ok holds, looking often, and fails after ten seconds.
func (p *Parley) Eventually(ok func() bool, what string) {
	p.T.Helper()
	require.Eventually(p.T, ok, 10*time.Second, 5*time.Millisecond, what)
}
