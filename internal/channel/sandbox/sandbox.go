// Package sandbox is a carrier to try Parley with, in two halves that speak
// HTTP to each other: Carrier behaves like a phone company, with receipts and
// with faults on demand; Provider is its adapter.
//
// The halves need no port: a Provider without a base URL calls its Carrier
// within the process, and the Carrier can be given a transport that reaches
// Parley's own handler (wire.InProcess).
//
//	carrier := sandbox.NewCarrier(sandbox.CarrierOptions{Transport: wire.InProcess(parley)})
//	defer carrier.Close()
//	provider := sandbox.New(sandbox.Options{Carrier: carrier})
//
// Faults come from a Go test by Carrier.Script, or from words in the text that
// an agent types, such as "#undelivered=2004"; PlanOf lists them.
package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"parley/internal/channel"
	"parley/internal/channel/platform"
	"parley/internal/channel/wire"
)

// Name is the {provider} of the webhook URL.
const Name = "sandbox"

// Options configures a Provider.
type Options struct {
	// Carrier serves accounts without a base URL; nil means that there is none.
	Carrier *Carrier
	// Transport makes calls to accounts with a base URL; nil means one of its
	// own.
	Transport http.RoundTripper
	// Timeout bounds one call; zero means 15 s.
	Timeout time.Duration
}

// Provider is the sandbox's adapter. It implements channel.Provider and
// channel.Tapper. A component goes to the carrier in the document of the platform that
// the channel's type belongs to, and a tap comes back in that platform's event.
type Provider struct {
	carrier *Carrier     // may be nil
	inside  *wire.Client // nil without a Carrier
	outside *wire.Client
}

var (
	_ channel.Provider = (*Provider)(nil)
	_ channel.Tapper   = (*Provider)(nil)
)

// New returns a Provider.
func New(o Options) *Provider {
	p := &Provider{carrier: o.Carrier, outside: wire.New(o.Transport, o.Timeout)}
	if o.Carrier != nil {
		p.inside = wire.New(o.Carrier.transport(), o.Timeout)
	}
	return p
}

// Name implements channel.Provider.
func (*Provider) Name() string { return Name }

// TakesKey implements channel.Provider: the carrier drops a second send.
func (*Provider) TakesKey() bool { return true }

// Reply implements channel.Provider.
func (*Provider) Reply() (contentType, body string) { return "application/json", "{}" }

// Send implements channel.Provider.
func (p *Provider) Send(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
	send, problem := requestOf(m)
	if problem != nil {
		return *problem
	}
	if missing := credentials(a).Missing(); missing != "" {
		return wire.Misconfigured("the account has no " + missing)
	}
	client, base, err := p.route(a)
	if err != nil {
		return wire.Misconfigured(err.Error())
	}
	req, err := request(ctx, base, a, send)
	if err != nil {
		return wire.Misconfigured(err.Error())
	}
	reply, err := client.Do(req)
	if err != nil {
		return wire.Lost(err)
	}
	return result(reply)
}

// requestOf is what the carrier is given, or why it is given nothing.
func requestOf(m channel.Outgoing) (sendRequest, *channel.Result) {
	send := sendRequest{Key: m.AttemptKey, From: m.From, To: m.To, Type: m.Type, StatusURL: m.StatusURL}
	switch c := m.Content.(type) {
	case channel.Text:
		send.Text = string(c)
	case channel.Structured:
		payload, err := platform.Encode(m.Type, m.To, c)
		if err != nil {
			return send, &channel.Result{Outcome: channel.Rejected, Code: channel.CannotBeSent, Detail: wire.Detail(err.Error())}
		}
		send.Text, send.Payload = channel.Cut(c.Plain, maxText), payload
	default:
		unsupported := channel.Unsupported(m.Content)
		return send, &unsupported
	}
	return send, nil
}

// route picks the way to an account's carrier.
func (p *Provider) route(a channel.Account) (*wire.Client, string, error) {
	if a.BaseURL != "" {
		base, err := wire.BaseURL(a.BaseURL)
		return p.outside, base, err
	}
	if p.inside == nil {
		return nil, "", fmt.Errorf("the account has no base URL, and there is no carrier in this process")
	}
	return p.inside, "http://sandbox.invalid", nil
}

func request(ctx context.Context, base string, a channel.Account, m sendRequest) (*http.Request, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/messages", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+string(credentials(a).Secret))
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// result reads the carrier's answer; what is no clear yes or no is Unknown.
func result(reply wire.Answer) channel.Result {
	var said answer
	if err := json.Unmarshal(reply.Body, &said); err != nil {
		said = answer{}
	}
	detail := wire.Detail(fmt.Sprintf("HTTP %d %s", reply.Status, said.Detail))
	switch status := reply.Status; {
	case status >= 200 && status < 300 && said.ID != "":
		return channel.Result{Outcome: channel.Accepted, ProviderID: said.ID}
	case status == http.StatusTooManyRequests:
		return channel.Result{Outcome: channel.Throttled, Code: channel.ChannelCannotSend, Detail: detail, RetryAfter: wire.RetryAfter(reply.Header)}
	case status == http.StatusServiceUnavailable && said.Untaken:
		return channel.Result{Outcome: channel.Unreachable, Code: channel.ServiceUnreachable, Detail: detail}
	case status >= 300 && status < 400:
		return wire.Misconfigured(detail)
	case status >= 400 && status < 500:
		return channel.Result{Outcome: channel.Rejected, Code: codeOrSettings(said.Code), Detail: detail}
	}
	return wire.Unclear(detail)
}

// codeOrSettings takes the carrier's reason; without one that we know, somebody
// else answered.
func codeOrSettings(code channel.ErrorCode) channel.ErrorCode {
	if code.Explain() == "" {
		return channel.CheckChannelSettings
	}
	return code
}
