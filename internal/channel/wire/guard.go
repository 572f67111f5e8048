package wire

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// guardian lets through the addresses of the public internet alone: none of this machine,
// of private or shared networks, none mapped or translated from IPv4, none with a zone.
var guardian = ssrf.New(ssrf.WithAnyPort())

// errNotPublic names no address: whoever chose the host name is not to learn where it
// leads.
var errNotPublic = errors.New("the base URL's host is not an address of the public internet")

// IsNear reports whether a host, as it stands in a URL, is this machine or an address
// outside of the public internet. It looks no name up.
func IsNear(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && guardian.SafeAddr(ip) != nil
}

// guarded calls the hosts that people name. One that IsNear is called as it is: only
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
	if proxy != nil || IsNear(req.URL.Hostname()) {
		return g.open.RoundTrip(req)
	}
	return g.public.RoundTrip(req)
}

// onlyPublic is asked with each address before it is connected to.
func onlyPublic(network, address string, c syscall.RawConn) error {
	if guardian.Safe(network, address, c) != nil {
		return errNotPublic
	}
	return nil
}
