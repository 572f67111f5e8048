package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/app"
	"parley/internal/check/parleytest"
	"parley/internal/edge/server"
)

// TestThePrintedAddressOpensThePlayground, and nothing else does: not what a proxy
// sends that says nothing of itself.
func TestThePrintedAddressOpensThePlayground(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{server.Development, server.Production} {
		p := parleytest.New(t, func(c *app.Config) { c.Mode, c.Playground = mode, true })
		var out bytes.Buffer
		(&serveCmd{Mode: mode, Playground: true, Demo: true}).greet(&out, p.App)
		printed := regexp.MustCompile(`Playground  http://\S+/#key=(\S{20,})\n`).FindStringSubmatch(out.String())
		ask := func(key string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/playground/session", nil)
			r.RemoteAddr = "127.0.0.1:4711"
			r.Header.Set("X-Parley-Playground", key)
			w := httptest.NewRecorder()
			p.Server.Handler().ServeHTTP(w, r)
			return w
		}
		if mode == server.Production {
			require.Nil(t, printed)
			require.NotContains(t, out.String(), "eyJ", "no tokens")
			require.Equal(t, http.StatusNotFound, ask("").Code)
			continue
		}
		require.NotNil(t, printed, out.String())
		require.Contains(t, out.String(), os.Args[0]+" sandbox say --database ", "a command that runs as it is copied")
		require.Contains(t, out.String(), "WatchMyInbox")
		require.Contains(t, out.String(), "eyJ", "tokens are for the terminal")
		require.Equal(t, http.StatusForbidden, ask("").Code)
		require.Equal(t, http.StatusForbidden, ask("1").Code)
		for range 2 { // as often as the page is loaded
			require.Contains(t, ask(printed[1]).Body.String(), `"agent":"amy"`)
		}
	}
}
