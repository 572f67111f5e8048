package server_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

func TestAWebhookBesideTheWebhooks(t *testing.T) {
	t.Parallel()
	const message = "a webhook came to a path that accepts none; compare the address configured at the carrier with /webhooks/{provider}/{account}"
	for path, shape := range map[string]string{
		"/webhooks/twilio/secret-key/":              "/webhooks/twilio/{account}/",
		"/webhooks/twilio/secret-key/?attempt=1":    "/webhooks/twilio/{account}/",
		"/webhooks/twilio/secret-key/status":        "/webhooks/twilio/{account}/{account}",
		"/webhooks/twilio//secret-key":              "/webhooks/twilio//{account}",
		"//webhooks/twilio/secret-key":              "//webhooks/twilio/{account}",
		"/webhooks//twilio/secret-key":              "/webhooks//{account}/{account}",
		"/webhooks/twilio/./secret-key":             "/webhooks/twilio/./{account}",
		"/webhooks/twilio/x/../secret-key":          "/webhooks/twilio/{account}/../{account}",
		"/webhooks/../webhooks/twilio/secret-key":   "/webhooks/../webhooks/twilio/{account}",
		"/webhooks/twilio/secret-key/../../graphql": "/webhooks/twilio/{account}/../../{account}",
		"/webhooks/twilio/..":                       "/webhooks/twilio/..",
		"/webhooks/twilio/secret%2Fkey":             "/webhooks/twilio/{account}/{account}",
		"/webhooks/secretkey":                       "/webhooks/{account}",
		"/webhooks/":                                "/webhooks/",
		"/webhooks":                                 "/webhooks",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := start(t, nil)
			for n, method := range []string{http.MethodPost, http.MethodGet} {
				require.Equal(t, http.StatusNotFound, b.status(t, method, path))
				lines := b.logged(t, message)
				require.Len(t, lines, n+1)
				require.Equal(t, shape, lines[n]["path"])
			}
			require.NotContains(t, b.log.String(), "secret")
		})
	}
	b := start(t, func(o *server.Options) { o.Webhooks = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) })
	require.Equal(t, http.StatusOK, b.status(t, http.MethodPost, "/webhooks/twilio/secret-key"))
	require.Equal(t, http.StatusNotFound, b.status(t, http.MethodGet, "/webhooksabc"), "not meant for them")
	require.Empty(t, b.logged(t, message))
}

// status sends a path as it is written, which net/http's client would clean.
func (b *bench) status(t *testing.T, method, path string) int {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: parley.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
