package server_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Connections that are kept open for nothing give way to others, the longest first;
// one on which something is under way does not.
func TestConnectionsThatLingerGiveWay(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	open := func() net.Conn {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
		return conn
	}
	ask := func(conn net.Conn, path string, headers ...string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url(path), nil)
		require.NoError(t, err)
		for ; len(headers) > 0; headers = headers[2:] {
			r.Header.Set(headers[0], headers[1])
		}
		require.NoError(t, r.Write(conn))
	}
	busy := open()
	ask(busy, "/graphql?query="+strings.ReplaceAll(`{ hold(bytes: 1) }`, " ", "%20"), "Authorization", "Bearer amy")
	<-b.schema.waiting
	longest := open()
	ask(longest, "/healthz")
	answer, err := http.ReadResponse(bufio.NewReader(longest), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	for range 1_050 {
		open()
	}
	_, err = longest.Read(make([]byte, 1))
	require.Error(t, err)
	var late net.Error
	require.False(t, errors.As(err, &late) && late.Timeout(), "it was closed")
	require.NoError(t, busy.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err = busy.Read(make([]byte, 1))
	require.True(t, errors.As(err, &late) && late.Timeout(), "it is still under way")
}
