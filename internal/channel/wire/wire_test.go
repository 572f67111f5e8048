package wire_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/channel/wire"
)

func get(t *testing.T, c *wire.Client, address string) (wire.Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("x"))
	require.NoError(t, err)
	return c.Do(req)
}

func TestLostTellsUntakenFromUnknown(t *testing.T) {
	t.Parallel()
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(hang.Close)
	drop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(drop.Close)
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(untrusted.Close)

	cases := []struct {
		name, address string
		want          channel.Outcome
	}{
		{"no answer", hang.URL, channel.Unknown},
		{"broken connection", drop.URL, channel.Unknown},
		{"refused", "http://" + closedPort(t), channel.Unreachable},
		{"certificate not trusted", untrusted.URL, channel.Unreachable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := get(t, wire.New(nil, 2*time.Second), c.address)
			require.Error(t, err)
			require.Equal(t, c.want, wire.Lost(err).Outcome, err)
			require.Equal(t, c.want == channel.Unknown, wire.Lost(err).Code == "")
		})
	}
}

// A connection kept open from an earlier call and closed meanwhile must not
// make a second send: the request may have been taken.
func TestReusedConnectionThatBreaksIsUnknown(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	requests := make(chan struct{}, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answerOnce(conn, requests)
		}
	}()
	client := wire.New(nil, 5*time.Second)
	_, err = get(t, client, "http://"+l.Addr().String())
	require.NoError(t, err)
	_, err = get(t, client, "http://"+l.Addr().String())
	require.Equal(t, channel.Unknown, wire.Lost(err).Outcome, err)
	require.Len(t, requests, 2, "the call was repeated")
}

// answerOnce answers the first request of a connection, takes the second and
// breaks off.
func answerOnce(conn net.Conn, requests chan<- struct{}) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 4096)
	for i := range 2 {
		var request string
		for !strings.HasSuffix(request, "\r\n\r\nx") {
			n, err := conn.Read(buffer)
			if err != nil {
				return
			}
			request += string(buffer[:n])
		}
		requests <- struct{}{}
		if i == 0 {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestInProcess(t *testing.T) {
	t.Parallel()
	handler := http.NewServeMux()
	handler.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Host", r.Host)
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		_, _ = io.Copy(w, r.Body)
	})
	handler.HandleFunc("POST /silent", func(http.ResponseWriter, *http.Request) {})
	handler.HandleFunc("POST /panic", func(http.ResponseWriter, *http.Request) { panic("secret") })
	handler.HandleFunc("POST /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	handler.HandleFunc("POST /endless", func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	})
	client := wire.New(wire.InProcess(handler), time.Second)

	got, err := get(t, client, "https://anywhere.example.com/echo")
	require.NoError(t, err)
	require.Equal(t, http.StatusTeapot, got.Status)
	require.Equal(t, "x", string(got.Body))
	require.Equal(t, "anywhere.example.com", got.Header.Get("X-Host"))
	require.Empty(t, got.Header.Get("X-Late"))

	got, err = get(t, client, "http://x/silent")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, got.Status)

	for _, path := range []string{"/panic", "/hang", "/endless"} {
		_, err = get(t, client, "http://x"+path)
		require.Equal(t, channel.Unknown, wire.Lost(err).Outcome, path)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://x/echo", nil)
	require.NoError(t, err)
	_, err = client.Do(req)
	require.Equal(t, channel.Unreachable, wire.Lost(err).Outcome)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Mon, 23 Nov 2026 09:00:00 GMT"
	cases := map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"999999999999":                  time.Hour,
		"Mon, 23 Nov 2026 09:00:30 GMT": 30 * time.Second,
		"Mon, 23 Nov 2026 08:00:00 GMT": 0,
		"Mon, 23 Nov 2027 09:00:00 GMT": time.Hour,
	}
	for value, want := range cases {
		require.Equal(t, want, wire.RetryAfter(http.Header{"Retry-After": {value}, "Date": {date}}), value)
	}
	require.Zero(t, wire.RetryAfter(http.Header{"Retry-After": {date}}))
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://api.twilio.com":   "https://api.twilio.com",
		"https://h.example.com/x/": "https://h.example.com/x",
		"http://localhost:8080":    "http://localhost:8080",
		"http://127.0.0.1:1/":      "http://127.0.0.1:1",
		"http://[::1]:1":           "http://[::1]:1",
	} {
		got, err := wire.BaseURL(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
	}
	for _, raw := range []string{
		"", "x", "/x", "ftp://localhost", "http://example.com", "http://127.0.0.1.example.com", "http://localhost.example.com",
		"https://user:pw@example.com", "https://example.com?x=1", "https://example.com#x", "https://%zz", "http://0.0.0.0",
	} {
		_, err := wire.BaseURL(raw)
		require.Error(t, err, raw)
	}
}

func TestDetailIsBounded(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(wire.Detail(strings.Repeat("é\x00", 500))), 210)
}
