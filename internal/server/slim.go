package server

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"time"
)

// Buffers of a socket. net/http's hold 4 kB each, for as long as the socket lives.
const (
	// readBuffer holds what callers send but for subscribe, which is read past it.
	readBuffer = 128
	// writeBuffer holds most frames: a longer one takes a second write.
	writeBuffer = 1024
)

// slim hands over the connection of a request with small buffers and a bound on
// each write.
type slim struct {
	http.ResponseWriter
	timeout time.Duration
}

// Hijack implements http.Hijacker. What the caller has sent already is in the
// reader's buffer.
func (w slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	conn = &timedConn{conn, w.timeout}
	early, _ := rw.Peek(rw.Reader.Buffered())
	reader := bufio.NewReaderSize(bytes.NewReader(early), max(readBuffer, len(early)))
	_, _ = reader.Peek(len(early))
	return conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(conn, writeBuffer)), nil
}

// timedConn is a connection on which no write takes longer than timeout. It
// costs less than a context for each.
type timedConn struct {
	net.Conn
	timeout time.Duration
}

// Write implements io.Writer.
func (c *timedConn) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
