package blackbox

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"
)

// Proxy stands between a client and a server of TCP and can go silent: bytes are
// taken and never passed on, and no connection is closed, as with a network that
// swallows packets.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu     sync.Mutex
	links  map[*pipe]bool
	silent bool          // all links, new ones too
	at     []byte        // the next to carry this goes silent alone
	pass   bool          // having passed it on
	fell   chan struct{} // closed when one went silent
}

// pipe is one connection through the proxy.
type pipe struct {
	client, server net.Conn
	dead           bool
}

// StartProxy listens on a free loopback port for a server at target.
func StartProxy(ctx context.Context, target string) (*Proxy, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, links: map[*pipe]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Silence makes every connection silent, new ones too, until Heal.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
	for link := range p.links {
		link.dead = true
	}
}

// Heal lets new connections through. Those that went silent stay so.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = false
}

// SilenceAt makes the next connection silent on which a client sends word: after
// the server got it, or before. The channel is closed when that has happened.
func (p *Proxy) SilenceAt(word string, after bool) <-chan struct{} {
	happened := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.pass, p.fell = []byte(word), after, happened
	return happened
}

// Close closes every connection.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for link := range p.links {
		_ = link.client.Close()
		_ = link.server.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		return // and so is the client's connection
	}
	defer func() { _ = server.Close() }()
	link := &pipe{client: client, server: server}
	p.mu.Lock()
	link.dead = p.silent
	p.links[link] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, link)
	}()
	done := make(chan struct{}, 2)
	p.running.Go(func() { p.carry(link, client, server); done <- struct{}{} })
	p.running.Go(func() { p.carry(link, server, client); done <- struct{}{} })
	<-done
	if p.isDead(link) {
		<-done // a silent link does not tell one side that the other has left
	}
}

func (p *Proxy) carry(link *pipe, from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && p.passes(link, buffer[:n], from == link.client) {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// passes reports whether bytes are passed on.
func (p *Proxy) passes(link *pipe, chunk []byte, fromClient bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if link.dead {
		return false
	}
	if fromClient && p.at != nil && bytes.Contains(chunk, p.at) {
		link.dead, p.at = true, nil
		close(p.fell)
		return p.pass
	}
	return true
}

func (p *Proxy) isDead(link *pipe) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return link.dead
}
