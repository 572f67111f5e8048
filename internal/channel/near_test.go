package channel_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
)

func TestHostsThatAreNear(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254",
		"0.0.0.0", "0.1.2.3", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fd00::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
	} {
		require.True(t, channel.IsNear(host), host)
	}
	for _, host := range []string{"api.twilio.com", "localhost.example.com", "8.8.8.8", "2606:4700::1", "127.1", "100.128.0.1"} {
		require.False(t, channel.IsNear(host), host)
	}
}
