package admission

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzAddress looks for panics, and for a private peer that is bounded.
func FuzzAddress(f *testing.F) {
	f.Add("127.0.0.1:1", "203.0.113.7")
	f.Add("[::1]:1", "a, ::ffff:1.2.3.4, [2001:db8::1]:80")
	f.Add("198.51.100.1:1", "")
	a := &attempts{proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		address, counts := a.address(r)
		if counts {
			require.True(t, address.IsValid())
			require.False(t, within(a.proxies, address))
			require.NotEmpty(t, addressKey(address))
		}
	})
}
