package blackbox

import (
	"sync"

	"github.com/coder/websocket"
)

// link is a follower's connection, which others cut.
type link struct {
	mu              sync.Mutex
	conn            *websocket.Conn
	breaks, resyncs int
}

// connect keeps the connection until the returned function ends it.
func (l *link) connect(conn *websocket.Conn) (end func()) {
	l.set(conn)
	return func() {
		l.set(nil)
		_ = conn.CloseNow()
	}
}

func (l *link) set(conn *websocket.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = conn
}

func (l *link) drop() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return false
	}
	_ = l.conn.CloseNow()
	l.conn = nil
	return true
}

func (l *link) broke(resync bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaks++
	if resync {
		l.resyncs++
	}
}

func (l *link) counts() (breaks, resyncs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.breaks, l.resyncs
}
