package channel

import (
	"errors"
	"net/netip"
	"strings"

	"code.dny.dev/ssrf"
)

// ErrUnanswered is what the error of a call matches that got no answer.
var ErrUnanswered = errors.New("the carrier did not answer")

// guardian lets through the addresses of the public internet alone: none of this machine,
// of private or shared networks, none mapped or translated from IPv4, none with a zone.
var guardian = ssrf.New(ssrf.WithAnyPort())

// IsPublic reports whether an address is of the public internet.
func IsPublic(address netip.Addr) bool { return guardian.SafeAddr(address) == nil }

// IsNear reports whether a host, as it stands in a URL, is this machine or an address
// outside of the public internet. It looks no name up.
func IsNear(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && !IsPublic(address)
}
