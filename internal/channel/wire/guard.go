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

// guarded calls the hosts that people name. Each is looked up for each connection, and one
// that leads out of the public internet is refused before anything is sent there.
type guarded struct {
	open, public *http.Transport
	near         bool // a host that channel.IsNear is called as it is
}

// NewGuardedTransport returns a transport for accounts with a base URL of their own, in
// production. It calls hosts that are written as near addresses, for only operators can
// name them. Behind a proxy, the proxy decides whom it calls.
func NewGuardedTransport() http.RoundTripper { return newGuarded(true) }

// NewPublicTransport returns a transport for addresses that people of the organisation
// name, in production: it calls the public internet alone. Behind a proxy, the proxy decides
// whom it calls.
func NewPublicTransport() http.RoundTripper { return newGuarded(false) }

// IsNotPublic reports whether a call was refused because its host leads out of the public
// internet.
func IsNotPublic(err error) bool { return errors.Is(err, errNotPublic) }

func newGuarded(near bool) guarded {
	public := NewTransport()
	public.Proxy = nil
	dialer := &net.Dialer{Timeout: dialTimeout, Control: onlyPublic}
	public.DialContext = dialer.DialContext
	return guarded{NewTransport(), public, near}
}

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return nil, err
	}
	if proxy != nil || g.near && channel.IsNear(req.URL.Hostname()) {
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
