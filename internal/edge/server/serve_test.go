package server_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

func TestShutdown(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = time.Hour; o.DrainTimeout = 300 * time.Millisecond })
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`))
	eventually(t, func() bool { return b.schema.live.Load() == 1 }, "the stream has begun")
	inFlight := make(chan *answer, 1)
	go func() { inFlight <- b.query(t, `{ deadline }`) }()
	<-b.schema.waiting

	private := "http://" + b.PrivateAddr().String()
	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	eventually(t, func() bool {
		r, err := http.Get(private + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusServiceUnavailable
	}, "not ready while it drains")
	eventually(t, func() bool {
		conn, err := net.Dial("tcp", b.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, "no connection is accepted")
	c.expectClose(1001)
	require.Equal(t, "UNAVAILABLE", (<-inFlight).code(), "what outlives the drain is cancelled, and told so")
	require.NoError(t, <-stopped)
	require.Zero(t, b.schema.live.Load())
}

func TestShutdownWaitsForWorkInFlight(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 200 * time.Millisecond })
	inFlight := make(chan *answer, 1)
	go func() { inFlight <- b.query(t, `{ deadline }`) }()
	<-b.schema.waiting
	require.NoError(t, b.stop())
	require.Equal(t, "TIMEOUT", (<-inFlight).code(), "its own deadline ended it, not the stop")
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	require.Equal(t, http.StatusOK, b.query(t, `{ me }`, "X-Long", strings.Repeat("x", 15<<10)).StatusCode)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, b.query(t, `{ me }`, "X-Long", strings.Repeat("x", 24<<10)).StatusCode)
}

// TestARequestThatDoesNotComeIsCutOff: a caller sends half a header and half a
// body, and nothing more.
func TestARequestThatDoesNotComeIsCutOff(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.HeaderTimeout, o.BodyTimeout = 50*time.Millisecond, 100*time.Millisecond })
	for _, half := range []string{
		"POST /graphql HTTP/1.1\r\nHost: parley.test\r\nAuth",
		"POST /graphql HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer amy\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		conn, err := net.Dial("tcp", b.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		_, err = conn.Write([]byte(half))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, conn)
		require.NoError(t, err, "the server hangs up")
	}
}

func TestServeFailsWhereItCannotListen(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	_, port, err := net.SplitHostPort(b.Addr().String())
	require.NoError(t, err)
	require.NotEqual(t, "0", port, "the actual port")
	other, err := server.New(server.Options{
		Addr: b.Addr().String(), Schema: newSchema(), Authenticate: b.authenticate,
	})
	require.NoError(t, err)
	require.Nil(t, other.Addr())
	require.Error(t, other.Serve(t.Context()))
}
