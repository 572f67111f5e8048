package wire

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"parley/internal/channel"
)

// errNotPublic names no address: whoever chose the host name is not to learn where it
// leads.
var errNotPublic = errors.New("the base URL's host is not an address of the public internet")

// guarded calls the hosts that people name. One that channel.IsNear is called as it is: only
// operators can name it. Any other is looked up for each connection, and one that leads
// out of the public internet is refused before anything is sent there.
type guarded struct{ open, public *http.Transport }

// NewGuardedTransport returns a transport for accounts with a base URL of their own, in
// production. Behind a proxy, the proxy decides whom it calls.
func NewGuardedTransport() http.RoundTripper {
	public := NewTransport()
	public.Proxy = nil
	dialer := &net.Dialer{Timeout: dialTimeout, Control: onlyPublic}
	public.DialContext = dialer.DialContext
	return guarded{NewTransport(), public}
}

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, err
	}
	if proxy != nil || channel.IsNear(req.URL.Hostname()) {
		return g.open.RoundTrip(req)
	}
	return g.public.RoundTrip(req)
}

// onlyPublic is asked with each address before it is connected to.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err != nil || !channel.IsPublic(to.Addr()) {
		return errNotPublic
	}
	return nil
}
