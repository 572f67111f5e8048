package server

import (
	"context"
	"sync"

	"parley/internal/ground/viewer"
)

// connection is what lives beyond an answer: a WebSocket or an event stream.
type connection interface {
	end(c closing)
}

// connections knows every one that is open, to bound and to close them.
type connections struct {
	options   SocketOptions
	displaced func() // counts strangers who had to give way

	mu        sync.Mutex
	open      map[connection]string // whose it is, once that is known
	signedIn  int
	perViewer map[string]int
	strangers strangers
	closed    bool
	empty     chan struct{} // closed when the last one has gone after closeAll
}

func newConnections(o SocketOptions) *connections {
	return &connections{
		options: o, displaced: func() {}, open: map[connection]string{}, perViewer: map[string]int{},
		strangers: strangers{most: o.Strangers, perAddress: o.StrangersPerAddress}, empty: make(chan struct{}),
	}
}

// count returns how many WebSockets are open, how many of these have not signed in,
// and how many event streams there are.
func (r *connections) count() (sockets, waiting, streams int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.open {
		if _, is := c.(*socket); is {
			sockets++
		}
	}
	return sockets, len(r.strangers.waiting), len(r.open) - sockets
}

// full reports whether nobody more can sign in.
func (r *connections) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed || r.signedIn >= r.options.Total
}

// knock takes in a socket that has not signed in, in the place of another where
// there is no other.
func (r *connections) knock(s *socket, address string) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return errFull
	}
	r.open[s] = ""
	displaced := r.strangers.seat(stranger{s, address})
	r.mu.Unlock()
	if displaced != nil {
		r.displaced()
		displaced.drop()
	}
	return nil
}

// forget frees the place of a socket that will not sign in any more.
func (r *connections) forget(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strangers.forget(s)
}

// admit counts a connection for its viewer, unless they or all viewers together
// have as many as they may.
func (r *connections) admit(c connection, v *viewer.Viewer) error {
	key := viewerKey(v)
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.open[c]
	switch {
	case was == key:
		return nil
	case r.closed || was == "" && r.signedIn >= r.options.Total:
		return errFull
	case r.perViewer[key] >= r.options.PerViewer:
		return errPerViewer(r.options.PerViewer)
	}
	r.release(was)
	if s, is := c.(*socket); is {
		r.strangers.forget(s)
	}
	r.signedIn++
	r.perViewer[key]++
	r.open[c] = key
	return nil
}

// release needs the lock.
func (r *connections) release(key string) {
	if key == "" {
		return
	}
	r.signedIn--
	if r.perViewer[key]--; r.perViewer[key] == 0 {
		delete(r.perViewer, key)
	}
}

// remove forgets a connection.
func (r *connections) remove(c connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release(r.open[c])
	if s, is := c.(*socket); is {
		r.strangers.forget(s)
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
