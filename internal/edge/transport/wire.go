package transport

import (
	"io"
	"net"
	"sync"
	"time"
)

const (
	// mostDrained bounds the bytes that are read and discarded after the closing frame,
	// so that a client that is still sending gets to read the frame.
	mostDrained = 16 << 20
	// lastWrite is the time for writing a closing frame whose answer nobody waits for.
	lastWrite = time.Second / 10
)

// wire is the connection of a socket. No write takes longer than timeout, by a deadline,
// which is cheaper than a context for each write.
//
// Closing a connection while the peer is still sending resets it, and the reset can
// overtake the closing frame. So after leave, Close follows RFC 6455, 7.1.1: it shuts
// its own direction and reads on, within bounds, until the peer has shut theirs.
type wire struct {
	net.Conn
	timeout time.Duration

	mu      sync.Mutex // deadlines are set by one at a time
	leaving bool
	until   time.Time // how long Close reads on
}

// leave ends reading: Read returns io.EOF from now on, and Close waits this long for
// the peer.
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

// extend sets the deadline of a write, unless leave has set the last one.
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

// drain reads until the peer has shut its direction.
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

// cut closes the connection at once, even during Close.
func (w *wire) cut() { _ = w.Conn.Close() }
