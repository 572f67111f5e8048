package transport

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// mostDrained is how much of what a caller still sends is read and thrown away
	// after the closing frame, so that they come to read it.
	mostDrained = 16 << 20
	// lastWrite is how long the closing frame may take where nobody waits for its
	// answer.
	lastWrite = time.Second / 10
)

// wire is the connection of a socket. No write on it takes longer than timeout,
// which costs less than a context for each.
//
// A connection that is closed while the peer still sends is reset, and the reset
// can overtake the closing frame. So a wire that was told to leave is closed as
// RFC 6455, 7.1.1 says: it shuts its own direction and reads on until the peer has
// shut theirs, within bounds.
type wire struct {
	net.Conn
	timeout time.Duration

	mu      sync.Mutex // deadlines are set by one at a time
	leaving bool
	until   time.Time // how long Close reads on
}

// leave ends reading: who still reads meets the end of the stream, and Close waits
// for the peer as long as is said here.
func (w *wire) leave(wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leaving {
		return
	}
	now := time.Now()
	w.leaving, w.until = true, now.Add(wait)
	_ = w.SetReadDeadline(now) // an error means it is closed
	_ = w.SetWriteDeadline(now.Add(max(wait, lastWrite)))
}

func (w *wire) left() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaving
}

// Read implements io.Reader.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if w.left() {
		return 0, io.EOF
	}
	return n, err
}

// Write implements io.Writer.
func (w *wire) Write(b []byte) (int, error) {
	if err := w.extend(); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}

// extend gives a write its time, but not beyond that of leaving.
func (w *wire) extend() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.leaving {
		return nil
	}
	return w.SetWriteDeadline(time.Now().Add(w.timeout))
}

// Close implements io.Closer.
func (w *wire) Close() error {
	if w.left() {
		w.drain()
	}
	return w.Conn.Close()
}

// drain waits for the peer's end.
func (w *wire) drain() {
	half, is := w.Conn.(interface{ CloseWrite() error })
	if !is || half.CloseWrite() != nil || w.SetReadDeadline(w.until) != nil {
		return
	}
	var scrap [2 * kilobyte]byte
	for drained := 0; drained < mostDrained; {
		n, err := w.Conn.Read(scrap[:])
		if err != nil {
			return
		}
		drained += n
	}
}

// cut closes the connection at once, whoever waits for its peer.
func (w *wire) cut() { _ = w.Conn.Close() }
