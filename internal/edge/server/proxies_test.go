package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

func TestAProxyThatIsNotDeclaredIsSaidOnce(t *testing.T) {
	t.Parallel()
	declared := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		remote  string
		header  string
		said    bool
	}{
		"none, by X-Forwarded-For":      {nil, "127.0.0.1:4711", "X-Forwarded-For", true},
		"none, by X-Real-IP":            {nil, "10.9.0.1:4711", "X-Real-IP", true},
		"none, by Forwarded":            {nil, "[::1]:4711", "Forwarded", true},
		"none, a proxy in public":       {nil, "203.0.113.7:4711", "X-Forwarded-For", true},
		"another, in private":           {declared, "10.9.0.1:4711", "X-Forwarded-For", true},
		"the declared one":              {declared, "10.1.0.1:4711", "X-Forwarded-For", false},
		"a stranger who pretends":       {declared, "203.0.113.7:4711", "X-Forwarded-For", false},
		"no proxy":                      {nil, "127.0.0.1:4711", "X-Other", false},
		"a carrier inside this process": {nil, "", "X-Forwarded-For", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(o *server.Options) { o.Proxies = c.proxies })
			for range 3 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil)
				r.RemoteAddr = c.remote
				r.Header.Set(c.header, "198.51.100.1")
				b.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}
			const message = "requests come through an undeclared proxy, so callers cannot be distinguished by address; add its address or network to --proxies"
			want, gauge := 0, "parley_undeclared_proxy 0\n"
			if c.said {
				want, gauge = 1, "parley_undeclared_proxy 1\n"
			}
			require.Len(t, b.logged(t, message), want)
			require.Contains(t, b.privateMetrics(t), gauge)
		})
	}
}
