// Package twilio sends and receives SMS through Twilio, following its documented
// contract: the Messages resource of the REST API (2010-04-01), inbound message
// webhooks, status callbacks and request signatures.
//
// Twilio takes no idempotency key: a send without an answer is Unknown and must not be
// repeated. The status callback, whose URL carries the attempt's key, settles it.
package twilio

import (
	"net/http"
	"time"

	"parley/internal/channel"
	"parley/internal/channel/wire"
)

// Name is the {provider} of the webhook URL.
const Name = "twilio"

// DefaultBaseURL is Twilio's API.
const DefaultBaseURL = "https://api.twilio.com"

// Header is the user data header of Twilio's segments.
const Header = channel.Header6

// MaxText is what Twilio takes in one message, in characters.
const MaxText = 1600

// Options configures a Provider; the zero value is for production.
type Options struct {
	// Transport makes the calls; nil means a bounded one of its own.
	Transport http.RoundTripper
	// Elsewhere makes the calls of accounts with a base URL, unless Transport makes all;
	// nil means a transport like that of the others.
	Elsewhere http.RoundTripper
	// Timeout bounds one call; zero means 15 s.
	Timeout time.Duration
}

// Provider is Twilio's adapter. It implements channel.Provider and
// channel.Caller.
type Provider struct {
	client    *wire.Client
	elsewhere *wire.Client // for accounts with a base URL
}

var (
	_ channel.Provider = (*Provider)(nil)
	_ channel.Caller   = (*Provider)(nil)
)

// New returns a Provider.
func New(o Options) *Provider {
	p := &Provider{client: wire.New(o.Transport, o.Timeout)}
	if p.elsewhere = p.client; o.Transport == nil && o.Elsewhere != nil {
		p.elsewhere = wire.New(o.Elsewhere, o.Timeout)
	}
	return p
}

// clientFor is the client that calls for an account.
func (p *Provider) clientFor(a channel.Account) *wire.Client {
	if a.BaseURL == "" {
		return p.client
	}
	return p.elsewhere
}

// Name implements channel.Provider.
func (*Provider) Name() string { return Name }

// Header implements channel.Segmenter.
func (*Provider) Header() channel.Header { return channel.Header6 }

// TakesKey implements channel.Provider: Twilio knows no idempotency key.
func (*Provider) TakesKey() bool { return false }

// Carries implements channel.Selective: texts only.
func (*Provider) Carries(t channel.Type) bool { return t.IsSMS() }

// Reply implements channel.Provider: TwiML that does nothing.
func (*Provider) Reply() (contentType, body string) { return "text/xml", "<Response/>" }
