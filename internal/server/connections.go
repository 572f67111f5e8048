package server

import (
	"context"
	"sync"

	"parley/internal/viewer"
)

// connection is what lives beyond an answer: a WebSocket or an event stream.
type connection interface {
	end(c closing)
}

// connections knows every one that is open, to bound and to close them.
type connections struct {
	options SocketOptions

	mu        sync.Mutex
	open      map[connection]string // whose it is, once that is known
	perViewer map[string]int
	closed    bool
	empty     chan struct{} // closed when the last one has gone after closeAll
}

func newConnections(o SocketOptions) *connections {
	return &connections{options: o, open: map[connection]string{}, perViewer: map[string]int{}, empty: make(chan struct{})}
}

// sockets counts the WebSockets, and streams what is no WebSocket.
func (r *connections) count() (sockets, streams int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		if _, is := c.(*socket); is {
			sockets++
		}
	}
	return sockets, len(r.open) - sockets
}

// full reports whether no more connections are taken.
func (r *connections) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed || len(r.open) >= r.options.Total
}

// add takes a connection in; it says no when the last place has gone meanwhile.
func (r *connections) add(c connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.open) >= r.options.Total {
		return false
	}
	r.open[c] = ""
	return true
}

// admit counts a connection for its viewer; it says no at the viewer's bound.
func (r *connections) admit(c connection, v *viewer.Viewer) bool {
	key := viewerKey(v)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perViewer[key] >= r.options.PerViewer {
		return false
	}
	r.perViewer[key]++
	r.open[c] = key
	return true
}

// remove forgets a connection.
func (r *connections) remove(c connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key := r.open[c]; key != "" {
		if r.perViewer[key]--; r.perViewer[key] == 0 {
			delete(r.perViewer, key)
		}
	}
	delete(r.open, c)
	if r.closed && len(r.open) == 0 {
		r.announceEmpty()
	}
}

// closeStreams takes no more connections and ends the event streams, which are
// requests that the server's stop would wait for.
func (r *connections) closeStreams() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for c := range r.open {
		if stream, is := c.(*eventStream); is {
			stream.end(goingAway)
		}
	}
}

// closeAll ends every connection and takes no more. It returns when all have gone
// or ctx ends.
func (r *connections) closeAll(ctx context.Context, c closing) {
	r.mu.Lock()
	r.closed = true
	for s := range r.open {
		s.end(c)
	}
	if len(r.open) == 0 {
		r.announceEmpty()
	}
	r.mu.Unlock()
	select {
	case <-r.empty:
	case <-ctx.Done():
	}
}

// announceEmpty needs the lock.
func (r *connections) announceEmpty() {
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}
