package server_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

// rawSocket is a WebSocket client of bytes: it answers nothing by itself.
type rawSocket struct {
	net.Conn
	*bufio.Reader
}

// knock opens a socket by hand.
func (b *bench) knock(t testing.TB, headers ...string) *rawSocket {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url("/graphql"), nil)
	require.NoError(t, err)
	for pair := append(append([]string{}, upgrade...), headers...); len(pair) > 0; pair = pair[2:] {
		r.Header.Set(pair[0], pair[1])
	}
	require.NoError(t, r.Write(conn))
	s := &rawSocket{conn, bufio.NewReader(conn)}
	response, err := http.ReadResponse(s.Reader, r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	return s
}

func (s *rawSocket) Read(b []byte) (int, error) { return s.Reader.Read(b) }

// frame is a client's frame: the mask of noughts leaves the payload as it is.
func frame(opcode byte, last bool, payload []byte) []byte {
	if last {
		opcode |= 0x80
	}
	b := binary.BigEndian.AppendUint64([]byte{opcode, 0x80 | 127}, uint64(len(payload)))
	return append(append(b, 0, 0, 0, 0), payload...)
}

// farewell reads to the end of the stream and returns the code of the closing
// frame.
func (s *rawSocket) farewell(t *testing.T) int {
	t.Helper()
	all, err := io.ReadAll(s)
	require.NoError(t, err, "the connection was reset")
	for len(all) > 1 && all[0] != 0x88 {
		all = all[2+int(all[1]):] // the frames before are short
	}
	require.Greater(t, len(all), 3, "no closing frame")
	return int(binary.BigEndian.Uint16(all[2:]))
}

const initAmy = `{"type":"connection_init","payload":{"authorization":"amy"}}`

// TestAClientThatSendsTooMuchSeesWhy: it writes everything before it reads.
func TestAClientThatSendsTooMuchSeesWhy(t *testing.T) {
	t.Parallel()
	const megabyte = 1 << 20
	b := start(t, nil)
	part := []byte(strings.Repeat("x", megabyte/2))
	var fragments []byte
	for i := range 20 {
		opcode := byte(0)
		if i == 0 {
			opcode = 1
		}
		fragments = append(fragments, frame(opcode, i == 19, part)...)
	}
	ping := frame(1, true, []byte(`{"type":"ping"}`))
	for name, c := range map[string]struct {
		send []byte
		code int
	}{
		"10 MB in one message": {frame(1, true, []byte(strings.Repeat("x", 10*megabyte))), 1009},
		"10 MB in fragments":   {fragments, 1009},
		"without an end":       {frame(1, false, part), 1009},
		"an unknown opcode":    {append(frame(3, true, []byte("x")), part...), 1002},
		"a lone continuation":  {append(frame(0, true, []byte("x")), part...), 1002},
		"no message, and more": {append(frame(1, true, []byte("{")), []byte(strings.Repeat(string(ping), 10_000))...), 4400},
	} {
		for _, greeting := range []string{initAmy, ""} {
			t.Run(name+greeting, func(t *testing.T) {
				t.Parallel()
				s := b.knock(t)
				if greeting != "" {
					_, err := s.Write(frame(1, true, []byte(greeting)))
					require.NoError(t, err)
				}
				_, err := s.Write(c.send)
				require.NoError(t, err)
				require.Equal(t, c.code, s.farewell(t))
			})
		}
	}
}

// TestReadingOnIsBounded: whoever sends without end is given up.
func TestReadingOnIsBounded(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	s := b.knock(t)
	part := []byte(strings.Repeat("x", 1<<20))
	_, err := s.Write(frame(1, false, part))
	for sent := 0; err == nil; sent++ {
		require.Less(t, sent, 64, "nobody stops this")
		_, err = s.Write(frame(0, false, part))
	}
}

func TestAPeerThatDoesNotAnswerAFarewellIsLeft(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Socket.InitTimeout = 50 * time.Millisecond })
	s := b.knock(t)
	began := time.Now()
	require.Equal(t, 4408, s.farewell(t))
	eventually(t, func() bool { return len(b.sockets(t)) == 1 }, "it is over though it has not answered")
	require.Less(t, time.Since(began), 2*time.Second, "and nobody waited")
}
