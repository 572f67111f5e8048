package wire_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/channeltest"
	"parley/internal/channel/wire"
)

// leading are names that lead out of the public internet.
var leading = map[string]string{
	"loopback.test": "127.0.0.1", "loopback6.test": "::1", "private.test": "10.0.0.1", "private6.test": "fd00::1", "shared.test": "100.64.0.1",
	"link.test": "169.254.169.254", "link6.test": "fe80::1", "mapped.test": "::ffff:127.0.0.1", "nat64.test": "64:ff9b::7f00:1", "6to4.test": "2002:7f00:1::",
	"none.test": "0.0.0.0", "none6.test": "::", "many.test": "224.0.0.1",
}

func TestMain(m *testing.M) {
	table := map[string][]netip.Addr{}
	for name, address := range leading {
		table[name] = []netip.Addr{netip.MustParseAddr(address)}
	}
	channeltest.Names(table)
	os.Exit(m.Run())
}

func TestANameThatLeadsOutOfThePublicInternetIsNotCalled(t *testing.T) {
	t.Parallel()
	called := false
	near := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(near.Close)
	port := near.Listener.Addr().String()[len("127.0.0.1"):]
	open, guarded := wire.New(nil, 2*time.Second), wire.New(wire.NewGuardedTransport(), 2*time.Second)
	_, err := get(t, open, "http://loopback.test"+port)
	require.NoError(t, err, "the name leads there")
	require.True(t, called)
	called = false
	for name, address := range leading {
		for _, port := range []string{port, ":1"} { // open or closed
			_, err := get(t, guarded, "http://"+name+port)
			require.EqualError(t, err, "the base URL's host is not an address of the public internet", "%s, which is %s", name, address)
			require.Equal(t, channel.Unreachable, wire.Lost(err).Outcome)
		}
	}
	require.False(t, called)
	_, err = get(t, guarded, near.URL)
	require.NoError(t, err, "only an operator can name an address of this machine")
	_, err = get(t, guarded, "http://unknown.test")
	require.ErrorContains(t, err, "no such host")
}

// Whatever an address of the organisation is written as, it is called on the public
// internet alone, and what answers there cannot lead elsewhere.
func TestWebhooksReachThePublicInternetAlone(t *testing.T) {
	t.Parallel()
	called := false
	near := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(near.Close)
	port := near.Listener.Addr().String()[len("127.0.0.1"):]
	public := wire.New(wire.NewPublicTransport(), 2*time.Second)
	hosts := []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "169.254.169.254", "10.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"}
	for name := range leading {
		hosts = append(hosts, name)
	}
	for _, host := range hosts {
		_, err := get(t, public, "http://"+host+port)
		require.Error(t, err, host)
		require.True(t, wire.IsNotPublic(err) || notFound(err), "%s: %v", host, err)
	}
	require.False(t, called)
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "loopback.test"} {
		_, err := get(t, public, "http://"+host+port)
		require.True(t, wire.IsNotPublic(err), "%s: %v", host, err)
	}
}

// notFound reports whether a host is no name and no address.
func notFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}
