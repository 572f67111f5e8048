package transport

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"time"
)

// Buffers of a socket. Those of net/http hold 4 kB each for the life of the socket.
const (
	// readBuffer holds every client message but subscribe, which bypasses it.
	readBuffer = 128
	// writeBuffer holds most frames; a longer one takes a second write.
	writeBuffer = 1024
)

// slim hands over the connection of a request as a wire with small buffers.
type slim struct {
	http.ResponseWriter
	timeout time.Duration
	wire    *wire // once it is hijacked
}

// Hijack implements http.Hijacker. The reader's buffer holds what the client has
// already sent.
func (w *slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.wire = &wire{Conn: conn, timeout: w.timeout}
	early, _ := rw.Peek(rw.Reader.Buffered())
	reader := bufio.NewReaderSize(bytes.NewReader(early), max(readBuffer, len(early)))
	_, _ = reader.Peek(len(early))
	return w.wire, bufio.NewReadWriter(reader, bufio.NewWriterSize(w.wire, writeBuffer)), nil
}
