package account_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/app"
)

// Whoever tests an account learns nothing of the network that the server stands in.
func TestATestIsNoOracle(t *testing.T) {
	t.Parallel()
	hangs, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = hangs.Close() })
	speaks := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(speaks.Close)
	b := setup(t, func(c *app.Config) { c.Mode = "production" })
	require.NoError(t, b.vault().Create())
	_, open, _ := net.SplitHostPort(speaks.Listener.Addr().String())
	_, silent, _ := net.SplitHostPort(hangs.Addr().String())
	answers := map[string]bool{}
	for name, base := range map[string]string{
		"open": "https://guarded.test:" + open, "closed": "https://guarded.test:1", "silent": "https://guarded.test:" + silent, "unknown": "https://unknown.test",
	} {
		began := time.Now()
		made := b.call("ada", "createProviderAccount", vars{"provider": "sandbox", "name": name, "credentials": of("secret", "x"), "baseUrl": base})
		require.Empty(t, code(made), "%s", made)
		found := b.call("ada", "testProviderAccount", vars{"id": made.Get("account", "id").String()}).Get("test")
		require.False(t, found.Get("isOk").Bool())
		answers[found.String()] = true
		require.Less(t, time.Since(began), time.Second, "nothing is waited for")
	}
	require.Len(t, answers, 1, "%v", answers)
}
