package admission

import (
	"context"
	"sync"
	"time"

	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// place is that of a long-lived connection: a WebSocket or an event stream.
type place struct {
	stop   func()      // ends it because the server stops
	refuse func(error) // ends it because its token is no longer good
	drop   func()      // cuts it off at once; nil for a stream
	token  string      // once signed in; needs the lock of connections
}

func (p *place) isSocket() bool { return p.drop != nil }

// connections are all the open ones, to bound and to close them.
type connections struct {
	perViewer, total int
	displaced        func() // counts strangers who had to give way

	mu        sync.Mutex
	open      map[*place]string // the viewerKey, once that is known
	signedIn  int
	viewers   map[string]int // connections by viewerKey
	strangers strangers
	closed    bool
	empty     chan struct{} // closed when the last one has gone after closeAll
}

func newConnections(o Options) *connections {
	return &connections{
		perViewer: o.PerViewer, total: o.Total, displaced: func() {}, open: map[*place]string{}, viewers: map[string]int{},
		strangers: strangers{most: o.Strangers, perAddress: o.StrangersPerAddress}, empty: make(chan struct{}),
	}
}

// count returns how many WebSockets are open, how many of these have not signed in,
// and how many event streams there are.
func (r *connections) count() (sockets, waiting, streams int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.open {
		if p.isSocket() {
			sockets++
		}
	}
	return sockets, len(r.strangers.waiting), len(r.open) - sockets
}

// full reports whether no more can sign in.
func (r *connections) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed || r.signedIn >= r.total
}

// knock gives a place to a socket that has not signed in, that of another stranger if
// none is free.
func (r *connections) knock(p *place, address string) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return errFull
	}
	r.open[p] = ""
	displaced := r.strangers.seat(stranger{p, address})
	r.mu.Unlock()
	if displaced != nil {
		r.displaced()
		displaced.drop()
	}
	return nil
}

// forget frees the place of a stranger who is too late to sign in.
func (r *connections) forget(p *place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strangers.forget(p)
}

// admit counts a connection for whoever has signed in, unless they, or all viewers
// together, have as many as allowed.
func (r *connections) admit(p *place, who identity) error {
	key := viewerKey(who.viewer)
	r.mu.Lock()
	defer r.mu.Unlock()
	p.token = who.token
	was := r.open[p]
	switch {
	case was == key:
		return nil
	case r.closed || was == "" && r.signedIn >= r.total:
		return errFull
	case r.viewers[key] >= r.perViewer:
		return errPerViewer(r.perViewer)
	}
	r.release(was)
	if p.isSocket() {
		r.strangers.forget(p)
	}
	r.signedIn++
	r.viewers[key]++
	r.open[p] = key
	return nil
}

// release needs the lock.
func (r *connections) release(key string) {
	if key == "" {
		return
	}
	r.signedIn--
	if r.viewers[key]--; r.viewers[key] == 0 {
		delete(r.viewers, key)
	}
}

// remove forgets a connection.
func (r *connections) remove(p *place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release(r.open[p])
	if p.isSocket() {
		r.strangers.forget(p)
	}
	delete(r.open, p)
	if r.closed && len(r.open) == 0 {
		r.announceEmpty()
	}
}

// tokens are those of all who have signed in.
func (r *connections) tokens() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tokens := map[string]bool{}
	for p := range r.open {
		if p.token != "" {
			tokens[p.token] = true
		}
	}
	return tokens
}

// dismiss ends the connections of a token, each with why.
func (r *connections) dismiss(token string, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.open {
		if p.token == token {
			p.refuse(why)
		}
	}
}

// closeStreams admits nobody new and ends the event streams.
func (r *connections) closeStreams() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for p := range r.open {
		if !p.isSocket() {
			p.stop()
		}
	}
}

// closeAll admits nobody new and ends every connection. It returns when all have
// left or ctx ends.
func (r *connections) closeAll(ctx context.Context) {
	r.mu.Lock()
	r.closed = true
	for p := range r.open {
		p.stop()
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

// Stream gives an event stream of the viewer of ctx a place, until leave is called.
// stop is called if the server stops, and refuse if the token is no longer good; neither
// may block. It is UNAVAILABLE if no place is left at all, and LIMIT_EXCEEDED if the
// viewer has Options.PerViewer.
func (g *Gate) Stream(ctx context.Context, stop func(), refuse func(error)) (leave func(), err error) {
	who, signedIn := identityOf(ctx)
	if !signedIn {
		who.viewer = viewer.FromContext(ctx)
	}
	p := &place{stop: stop, refuse: refuse}
	if err := g.connections.admit(p, who); err != nil {
		return nil, err
	}
	if signedIn {
		g.recheck(ctx, who.token) // Recheck does not find a stream that has no place yet
	}
	return func() { g.connections.remove(p) }, nil
}

// Recheck checks the tokens of all sockets and streams again, and ends those whose token
// is refused by now.
func (g *Gate) Recheck(ctx context.Context) {
	for token := range g.connections.tokens() {
		g.recheck(ctx, token)
	}
}

func (g *Gate) recheck(ctx context.Context, token string) {
	ctx, cancel := context.WithTimeout(ctx, g.options.AuthenticateTimeout)
	defer cancel()
	if _, _, err := g.options.Authenticate(ctx, token); fault.CodeOf(err) == fault.Unauthenticated {
		g.connections.dismiss(token, err)
	}
}

// CloseStreams admits nobody new and stops the event streams, which are
// requests that the server's stop would wait for.
func (g *Gate) CloseStreams() { g.connections.closeStreams() }

// CloseAll admits nobody new and stops every socket and stream. It returns when
// all have left or ctx ends.
func (g *Gate) CloseAll(ctx context.Context) { g.connections.closeAll(ctx) }

var errFull = &fault.Error{
	Code: fault.Unavailable, RetryAfter: time.Second,
	Message: "The server accepts no more connections. Try again shortly.",
}

func errPerViewer(limit int) error {
	return fault.New(fault.LimitExceeded, "An agent may have at most %d sockets and streams open. Close one first.", limit)
}
