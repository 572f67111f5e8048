// Package channeltest tests the behaviour that every channel.Provider owes, with one
// suite that runs on each of them.
package channeltest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

// The texts by which the suite asks a Subject's carrier for an answer.
const (
	RejectText   = "please reject this with channel.CarrierBlocks"
	ThrottleText = "please throttle this for seven seconds"
)

// Subject is a provider with the carrier it speaks to, made afresh for each
// test. The carrier answers RejectText and ThrottleText as they say.
type Subject struct {
	// Provider is what is tested.
	Provider interface {
		channel.Provider
		channel.Caller
	}
	// Document is the account's credentials as they are stored, with the given secret;
	// Secret is the one that Carrier knows.
	Document func(secret string) string
	Secret   string
	Carrier  http.Handler
	// Taken returns the texts of the messages that the carrier took.
	Taken func() []string
	// Challenge is the query of the carrier's question to the account's webhook URL, and
	// the answer it wants; nil where it asks nothing.
	Challenge func() (query url.Values, answer string)
	// Receipt makes the signed webhook that reports a status.
	Receipt func(a channel.Account, statusURL, providerID string, s channel.Status) *http.Request
}

// bench is a Subject whose carrier is being served.
type bench struct {
	Subject
	Account channel.Account
	front   *front
}

func setup(t *testing.T, subject func(t *testing.T) Subject) *bench {
	t.Helper()
	s := subject(t)
	f := newFront(s.Carrier)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	b := &bench{Subject: s, Account: channel.Account{BaseURL: server.URL}, front: f}
	b.Account.Credentials = b.credentials(t, s.Secret)
	return b
}

// credentials are the account's with another secret.
func (b *bench) credentials(t *testing.T, secret string) channel.Credentials {
	t.Helper()
	c, err := b.Provider.ParseCredentials([]byte(b.Document(secret)))
	require.NoError(t, err)
	return c
}

const statusURL = "https://desk.example.com/webhooks/p/acc?attempt=k1"

func (b *bench) send(t *testing.T, text string) channel.Result {
	t.Helper()
	return b.Provider.Send(t.Context(), b.Account, outgoing(text))
}

func outgoing(text string) channel.Outgoing {
	return channel.Outgoing{AttemptKey: "k1", From: "+14155550199", To: "+14155550100", Content: channel.Text(text), StatusURL: statusURL}
}

// Run runs the suite.
func Run(t *testing.T, subject func(t *testing.T) Subject) {
	t.Run("Credentials", func(t *testing.T) { runCredentials(t, subject) })
	t.Run("Challenge", func(t *testing.T) { runChallenge(t, subject) })
	t.Run("Demo", func(t *testing.T) { runDemo(t, subject) })
	t.Run("Send", func(t *testing.T) { runSend(t, subject) })
	t.Run("Components", func(t *testing.T) { runComponents(t, subject) })
	t.Run("Faults", func(t *testing.T) { runFaults(t, subject) })
	t.Run("Verify", func(t *testing.T) { runVerify(t, subject) })
	t.Run("Parse", func(t *testing.T) { runParse(t, subject) })
}

func runSend(t *testing.T, subject func(t *testing.T) Subject) {
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		got := b.send(t, "Grüße & 你好 👋")
		require.Equal(t, channel.Accepted, got.Outcome, got.Detail)
		require.NotEmpty(t, got.ProviderID)
		require.Equal(t, []string{"Grüße & 你好 👋"}, b.Taken())
	})
	t.Run("rejected", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		got := b.send(t, RejectText)
		require.Equal(t, channel.Rejected, got.Outcome)
		require.Equal(t, channel.CarrierBlocks, got.Code)
		require.Empty(t, b.Taken())
	})
	t.Run("throttled", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		got := b.send(t, ThrottleText)
		require.Equal(t, channel.Throttled, got.Outcome)
		require.Equal(t, 7*time.Second, got.RetryAfter)
		require.NotEmpty(t, got.Code)
		require.Empty(t, b.Taken())
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		b.Account.Credentials = b.credentials(t, "wrong")
		got := b.send(t, "hello")
		require.Equal(t, channel.Rejected, got.Outcome)
		require.Equal(t, channel.CheckChannelSettings, got.Code)
		require.Empty(t, b.Taken())
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		for _, c := range []channel.Credentials{nil, b.credentials(t, "")} {
			b.Account.Credentials = c
			got := b.send(t, "hello")
			require.Equal(t, channel.Rejected, got.Outcome)
			require.Equal(t, channel.CheckChannelSettings, got.Code)
		}
		require.Empty(t, b.Taken())
	})
	t.Run("content of an unknown kind", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		for _, c := range []channel.Content{nil, unknown{}} {
			m := outgoing("")
			m.Content = c
			got := b.Provider.Send(t.Context(), b.Account, m)
			require.Equal(t, channel.Unsupported(c), got)
			require.Equal(t, channel.Rejected, got.Outcome, "for good")
		}
		require.Empty(t, b.Taken())
	})
	t.Run("same key twice", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		first, second := b.send(t, "hello"), b.send(t, "hello")
		require.Equal(t, channel.Accepted, second.Outcome, second.Detail)
		if b.Provider.TakesKey() {
			require.Equal(t, first, second)
			require.Len(t, b.Taken(), 1)
		}
	})
}

// unknown is a kind of content that no provider knows.
type unknown struct{ channel.Content }

func runFaults(t *testing.T, subject func(t *testing.T) Subject) {
	cases := []struct {
		name    string
		fault   fault
		outcome channel.Outcome
		taken   int
	}{
		{"no answer", hang, channel.Unknown, 0},
		{"taken without an answer", hangTaken, channel.Unknown, 1},
		{"connection broken", drop, channel.Unknown, 0},
		{"taken and connection broken", dropTaken, channel.Unknown, 1},
		{"server error", serverError, channel.Unknown, 1},
		{"unreadable success", garbage, channel.Unknown, 0},
		{"oversize success", oversize, channel.Unknown, 0},
		{"redirect", redirect, channel.Rejected, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, subject)
			b.front.set(c.fault)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				select {
				case <-b.front.hanging:
					cancel()
				case <-ctx.Done():
				}
			}()
			got := b.Provider.Send(ctx, b.Account, outgoing("secret words"))
			require.Equal(t, c.outcome, got.Outcome, got.Detail)
			require.Len(t, b.Taken(), c.taken)
			require.False(t, b.front.wasFollowed(), "a redirect was followed")
			b.requireDiscreet(t, got)
		})
	}
	t.Run("refused connection", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		b.Account.BaseURL = "http://" + closedPort(t)
		got := b.send(t, "secret words")
		require.Equal(t, channel.Unreachable, got.Outcome)
		b.requireDiscreet(t, got)
	})
	t.Run("given up before it began", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, channel.Unreachable, b.Provider.Send(ctx, b.Account, outgoing("x")).Outcome)
		require.Empty(t, b.Taken())
	})
	t.Run("plain http elsewhere", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		b.Account.BaseURL = "http://carrier.example.com"
		got := b.send(t, "x")
		require.Equal(t, channel.Rejected, got.Outcome)
		require.Equal(t, channel.CheckChannelSettings, got.Code)
	})
}

// requireDiscreet checks what operators will read of a failed send.
func (b *bench) requireDiscreet(t *testing.T, got channel.Result) {
	t.Helper()
	require.Equal(t, got.Outcome == channel.Unknown, got.Code == "", "why it failed, which nobody knows of an UNKNOWN")
	for _, secret := range []string{b.Secret, "secret words", "4155550100"} {
		require.NotContains(t, got.Detail, secret)
	}
}

// closedPort returns a loopback address that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// received turns a request into the webhook that Parley's endpoint would see.
func received(t *testing.T, req *http.Request) channel.Webhook {
	t.Helper()
	body, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	return channel.Webhook{PublicURL: req.URL.String(), Query: req.URL.Query(), Header: req.Header, Body: body}
}

const webhookURL = "https://desk.example.com/webhooks/p/acc"

func inbound() channel.Inbound {
	return channel.Inbound{
		EventID: "SM0123456789abcdef0123456789abcdef", From: "+14155550100", To: "+14155550199",
		FromName: "Zoë", Text: "Hello \U0001F44B", Media: []channel.Media{{ContentType: "image/png", URL: "https://api.twilio.com/m/1"}},
	}
}

func (b *bench) message(t *testing.T) channel.Webhook {
	t.Helper()
	req, err := b.Provider.Compose(b.Account, webhookURL, inbound())
	require.NoError(t, err)
	return received(t, req)
}

func runVerify(t *testing.T, subject func(t *testing.T) Subject) {
	cases := []struct {
		name  string
		spoil func(w *channel.Webhook)
		want  bool
	}{
		{"right", func(*channel.Webhook) {}, true},
		{"signature absent", func(w *channel.Webhook) {
			w.Header = http.Header{"Content-Type": w.Header["Content-Type"]}
		}, false},
		{"signature doubled", func(w *channel.Webhook) {
			for name, values := range w.Header {
				w.Header[name] = append(values, values...)
			}
		}, false},
		{"replayed with another body", func(w *channel.Webhook) {
			w.Body = []byte(strings.Replace(string(w.Body), "Hello", "Howdy", 1))
		}, false},
		{"replayed with more", func(w *channel.Webhook) { w.Body = append(w.Body, "&Extra=1"...) }, false},
		{"replayed with no body", func(w *channel.Webhook) { w.Body = nil }, false},
		{"replayed as another kind of body", func(w *channel.Webhook) {
			w.Header.Set("Content-Type", "text/plain")
			w.Body = append(w.Body, ' ')
		}, false},
		{"replayed to another address", func(w *channel.Webhook) { w.PublicURL += "?attempt=k2" }, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, subject)
			w := b.message(t)
			c.spoil(&w)
			require.Equal(t, c.want, b.Provider.Verify(b.Account, w))
		})
	}
	t.Run("by other credentials", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		w, a := b.message(t), b.Account
		for _, c := range []channel.Credentials{b.credentials(t, "other"), b.credentials(t, ""), nil} {
			a.Credentials = c
			require.False(t, b.Provider.Verify(a, w))
		}
	})
	t.Run("signed with an empty secret", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		b.Account.Credentials = b.credentials(t, "")
		require.False(t, b.Provider.Verify(b.Account, b.message(t)))
	})
}

func runParse(t *testing.T, subject func(t *testing.T) Subject) {
	t.Run("message", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		got := b.Provider.Parse(b.Account, b.message(t))
		require.Empty(t, got.Bad)
		require.Len(t, got.Messages, 1)
		m, want := got.Messages[0], inbound()
		require.NotEmpty(t, m.ProviderID)
		want.ProviderID, want.At = m.ProviderID, m.At
		require.Equal(t, want, m)
	})
	t.Run("every receipt", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		seen := map[string]bool{}
		for _, status := range []channel.Status{channel.Sent, channel.Delivered, channel.Read, channel.Failed} {
			req := b.Receipt(b.Account, statusURL, "SM01", status)
			w := received(t, req)
			require.True(t, b.Provider.Verify(b.Account, w))
			got := b.Provider.Parse(b.Account, w)
			require.Empty(t, got.Bad)
			require.Len(t, got.Receipts, 1)
			r := got.Receipts[0]
			require.Equal(t, status, r.Status)
			require.Equal(t, "k1", r.AttemptKey)
			require.Equal(t, "SM01", r.ProviderID)
			require.Equal(t, status == channel.Failed, r.Code != "")
			require.False(t, seen[r.EventID], "two receipts share the id %s", r.EventID)
			seen[r.EventID] = true
			require.Equal(t, got, b.Provider.Parse(b.Account, w), "the same receipt twice must be the same event")
		}
	})
	t.Run("rubbish", func(t *testing.T) {
		t.Parallel()
		b := setup(t, subject)
		w := b.message(t)
		w.Body, w.Query = []byte("\x00{not=%zz"), url.Values{}
		got := b.Provider.Parse(b.Account, w)
		require.Len(t, got.Bad, 1)
		require.Equal(t, w.Body, got.Bad[0].Raw)
		require.NotEmpty(t, got.Bad[0].EventID)
		require.NotEmpty(t, got.Bad[0].Reason)
	})
	t.Run("reply", func(t *testing.T) {
		t.Parallel()
		kind, body := setup(t, subject).Provider.Reply()
		require.NotEmpty(t, kind)
		require.NotEmpty(t, body)
	})
}
