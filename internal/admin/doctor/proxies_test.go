package doctor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/admin/doctor"
	"parley/internal/edge/admission"
)

func TestAProxyThatIsNotDeclared(t *testing.T) {
	t.Parallel()
	const gone = "127.0.0.1:1"
	for name, c := range map[string]struct {
		address, metrics, word string
		level                  doctor.Level
	}{
		"seen":              {metrics: "other 1\n" + admission.UndeclaredProxy + " 1\n", word: "an undeclared proxy", level: doctor.Warn},
		"not seen":          {metrics: admission.UndeclaredProxy + " 0\n", word: "No request", level: doctor.OK},
		"an older version":  {metrics: "other 1\n", word: "version", level: doctor.OK},
		"no server":         {address: gone, word: "No server answers", level: doctor.OK},
		"no listener":       {address: "none", word: "--private-addr", level: doctor.OK},
		"a port not chosen": {address: "127.0.0.1:0", word: "--private-addr", level: doctor.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.metrics) }))
			t.Cleanup(private.Close)
			if c.address == "" {
				c.address = strings.TrimPrefix(private.URL, "http://")
			}
			if c.address == "none" {
				c.address = ""
			}
			found, _ := examine(t, doctor.Options{Database: "none.db", Mode: "production", Addr: "127.0.0.1:8080", PrivateAddr: c.address})
			require.Len(t, found["proxies"], 1)
			require.Equal(t, c.level, found["proxies"][0].Level)
			require.Contains(t, found["proxies"][0].Means, c.word)
		})
	}
}
