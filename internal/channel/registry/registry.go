// Package registry lists the carriers that Parley speaks to. A new carrier is a
// package of its own and a line here; whatever needs the carriers walks this list.
package registry

import (
	"net/http"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/twilio"
	"parley/internal/channel/wire"
)

// Options are the carriers that the process plays itself; the zero value plays none.
type Options struct {
	// Sandbox takes what sandbox accounts without a base URL send.
	Sandbox *sandbox.Carrier
	// Twilio makes the calls to Twilio.
	Twilio http.RoundTripper
	// Guarded keeps accounts with a base URL of their own to the public internet, as in
	// production.
	Guarded bool
}

// Providers makes one provider for each carrier.
func Providers(o Options) channel.Providers {
	var elsewhere http.RoundTripper
	if o.Guarded {
		elsewhere = wire.NewGuardedTransport()
	}
	return channel.Providers{
		sandbox.New(sandbox.Options{Carrier: o.Sandbox, Transport: elsewhere}),
		twilio.New(twilio.Options{Transport: o.Twilio, Elsewhere: elsewhere}),
	}
}
