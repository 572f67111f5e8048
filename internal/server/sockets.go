package server

import (
	"context"
	"strconv"
	"sync"

	"parley/internal/viewer"
)

// sockets knows every open WebSocket, to bound and to close them.
type sockets struct {
	options SocketOptions

	mu        sync.Mutex
	open      map[*socket]bool
	perViewer map[string]int
	closed    bool
	empty     chan struct{} // closed when the last one has gone after closeAll
}

func newSockets(o SocketOptions) *sockets {
	return &sockets{options: o, open: map[*socket]bool{}, perViewer: map[string]int{}, empty: make(chan struct{})}
}

func (r *sockets) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// full reports whether no more sockets are taken.
func (r *sockets) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed || len(r.open) >= r.options.Total
}

// add takes a socket in; it says no when the last place has gone meanwhile.
func (r *sockets) add(s *socket) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.open) >= r.options.Total {
		return false
	}
	r.open[s] = true
	return true
}

// admit counts a socket for its viewer; it says no at the viewer's bound.
func (r *sockets) admit(s *socket, v *viewer.Viewer) bool {
	key := v.System + "/" + strconv.FormatInt(v.AgentID, 10) + "/" + v.Username
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perViewer[key] >= r.options.PerViewer {
		return false
	}
	r.perViewer[key]++
	s.viewerKey = key
	return true
}

// remove forgets a socket.
func (r *sockets) remove(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, s)
	if s.viewerKey != "" {
		if r.perViewer[s.viewerKey]--; r.perViewer[s.viewerKey] == 0 {
			delete(r.perViewer, s.viewerKey)
		}
	}
	if r.closed && len(r.open) == 0 {
		r.announceEmpty()
	}
}

// closeAll ends every socket and takes no more. It returns when all have gone
// or ctx ends.
func (r *sockets) closeAll(ctx context.Context, c closing) {
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
func (r *sockets) announceEmpty() {
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}
