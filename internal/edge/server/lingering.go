package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// mostLingering bounds the open HTTP connections without a request: kept alive after
// an answer, or new.
const mostLingering = 1_000

// lingering holds them, the oldest first. A new one beyond the bound closes the oldest,
// whose client opens another when it needs one.
type lingering struct {
	most int

	mu    sync.Mutex
	order list.List
	at    map[net.Conn]*list.Element
}

func newLingering(most int) *lingering {
	return &lingering{most: most, at: map[net.Conn]*list.Element{}}
}

// observe is for http.Server.ConnState.
func (l *lingering) observe(conn net.Conn, state http.ConnState) {
	if longest := l.see(conn, state == http.StateNew || state == http.StateIdle); longest != nil {
		_ = longest.Close()
	}
}

// see notes whether a connection lingers. It returns the one to close for it, if any.
func (l *lingering) see(conn net.Conn, lingers bool) (longest net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if was, is := l.at[conn]; is {
		l.order.Remove(was)
		delete(l.at, conn)
	}
	if !lingers {
		return nil
	}
	if l.order.Len() >= l.most {
		longest = l.order.Remove(l.order.Front()).(net.Conn)
		delete(l.at, longest)
	}
	l.at[conn] = l.order.PushBack(conn)
	return longest
}
