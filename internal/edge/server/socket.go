package server

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/internal/edge/answer"
	"parley/internal/edge/observe"
	"parley/internal/ground/fault"
)

// socketTransport serves WebSockets.
type socketTransport struct{ server *Server }

// socket is one WebSocket. It outlives its request: nothing of net/http's is kept
// but the connection. One goroutine reads it; an operation has one while there is something
// to do.
type socket struct {
	*Server
	options *SocketOptions
	conn    *websocket.Conn
	wire    *wire

	// ctx ends when the socket begins to end.
	ctx    context.Context
	cancel context.CancelFunc

	// These belong to the reader.
	greeted *identity // by the request's header, until connection_init
	attempt attempt   // until then, where there was no such header
	address string    // where it comes from; empty where that does not count
	token   string    // of the caller, once acknowledged
	waiting *time.Timer
	expiry  *time.Timer

	mu         sync.Mutex
	pinging    *time.Timer
	operations map[string]*operation
	running    sync.WaitGroup

	ending sync.Once
	ended  chan struct{} // closed when the closing handshake is over
}

func (t *socketTransport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	server := t.server
	if server.connections.full() {
		answer.Refuse(w, r, http.StatusServiceUnavailable, errFull)
		return
	}
	who, greeted := r.Context().Value(identityKey{}).(identity)
	var attempt attempt
	if !greeted {
		var refused *fault.Error
		if attempt, refused = server.attempts.begin(r, "socket"); refused != nil {
			answer.Refuse(w, r, http.StatusTooManyRequests, refused)
			return
		}
	}
	slim := &slim{ResponseWriter: w, timeout: server.options.Socket.WriteTimeout}
	conn, err := websocket.Accept(slim, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // sameOrigin has checked, against exact origins
	})
	if err != nil {
		return // Accept has answered
	}
	s := &socket{
		Server: server, options: &server.options.Socket, conn: conn, wire: slim.wire, attempt: attempt, address: attempt.address,
		operations: map[string]*operation{}, ended: make(chan struct{}),
	}
	if greeted {
		s.greeted, s.address = &who, server.attempts.key(r)
	}
	s.ctx, s.cancel = context.WithCancel(server.observer.Detach(r))
	go s.serve()
}

// serve runs the socket until either side ends it.
func (s *socket) serve() {
	defer s.leave()
	defer s.contain()
	s.conn.SetReadLimit(-1) // read has one of its own
	s.waiting = time.AfterFunc(s.options.InitTimeout, s.expire)
	switch err := s.enter(); {
	case err != nil:
		s.end(later(err))
	case s.conn.Subprotocol() != subprotocol:
		s.end(notAcceptable)
	}
	for {
		kind, text, c := s.read()
		if c != (closing{}) {
			s.end(c) // of no effect where the peer has said farewell, or has gone
			return
		}
		s.take(kind, text)
	}
}

// enter takes a place: a viewer's, where the request's header has named one. Who gets
// none there says farewell from a stranger's.
func (s *socket) enter() error {
	if s.greeted == nil {
		return s.connections.knock(s, s.address)
	}
	err := s.connections.admit(s, s.greeted.viewer)
	if err != nil {
		_ = s.connections.knock(s, s.address) // it is refused anyway
	}
	return err
}

// expire ends a socket that has not signed in in time. Its place is free at once,
// and nobody waits for its farewell.
func (s *socket) expire() {
	s.connections.forget(s)
	s.endWithin(0, initTimeout)
}

// read returns a message, or how to end the socket when none comes any more.
func (s *socket) read() (websocket.MessageType, []byte, closing) {
	// A context that ended would cut the connection without a closing frame.
	kind, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return 0, nil, notAFrame
	}
	text, err := io.ReadAll(io.LimitReader(r, s.options.MessageBytes+1))
	switch {
	case err != nil:
		return 0, nil, notAFrame
	case int64(len(text)) > s.options.MessageBytes:
		return 0, nil, tooBig(s.options.MessageBytes)
	}
	return kind, text, closing{}
}

// take acts on what was read, in a goroutine that ends: checking a token and
// decoding need a deep stack, which would stay with the reader.
func (s *socket) take(kind websocket.MessageType, text []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.contain()
		m, c := parseMessage(kind, text)
		if c == (closing{}) {
			c = s.receive(m)
		}
		if c != (closing{}) {
			s.end(c)
		}
	}()
	<-done
}

// leave waits until everything the socket has begun is over, and forgets it.
func (s *socket) leave() {
	s.stop()
	s.stopTimers()
	s.running.Wait()
	<-s.ended
	_ = s.conn.CloseNow()
	s.observer.Closed(s.ctx)
	s.connections.remove(s) // last: the stop waits for it
}

func (s *socket) stopTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, timer := range []*time.Timer{s.waiting, s.expiry, s.pinging} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// contain keeps a panic from ending more than the socket.
func (s *socket) contain() {
	if p := recover(); p != nil {
		_ = answer.Present(s.ctx, answer.Recovered(s.ctx, p)) // for the log
		s.end(serverError)
	}
}

// receive acts on a message; it returns how to end the socket when the message
// breaks the protocol.
func (s *socket) receive(m message) closing {
	switch {
	case s.ctx.Err() != nil: // ending; what still comes in is dropped
	case m.Type == typePing:
		s.send(frame("", typePong, m.Payload))
	case m.Type == typePong:
	case m.Type == typeInit:
		return s.init(m)
	case !s.acknowledged():
		return unauthorised
	case m.Type == typeSubscribe:
		return s.subscribe(m)
	case m.Type == typeComplete:
		s.complete(m.ID)
	}
	return closing{}
}

func (s *socket) acknowledged() bool { return s.token != "" }

// init authenticates by the payload, or else by the header of the request.
func (s *socket) init(m message) closing {
	if s.acknowledged() {
		return secondInit
	}
	authorization, c := parseInit(m.Payload)
	if c != (closing{}) {
		return c
	}
	who, c := s.who(authorization)
	if c != (closing{}) {
		return c
	}
	if err := s.connections.admit(s, who.viewer); err != nil {
		return later(err)
	}
	s.waiting.Stop()
	s.waiting = nil
	// Callers who come together are not pinged together.
	s.pingAfter(rand.N(s.options.PingInterval)) //nolint:gosec // G404: no secret
	observe.SignedIn(s.ctx, who.viewer.Username)
	s.attempt.succeeded()
	s.token, s.greeted, s.attempt = who.token, nil, attempt{}
	s.send(frame("", typeAck, nil))
	if !who.expiry.IsZero() {
		left := who.expiry.Sub(s.Server.options.Clock.Now().Std())
		s.expiry = time.AfterFunc(left, func() { s.end(expired) })
	}
	return closing{}
}

func (s *socket) who(authorization string) (identity, closing) {
	if s.greeted != nil && authorization == "" {
		return *s.greeted, closing{}
	}
	return s.vouched(bareToken(authorization))
}

// vouched asks whose the token is now. Every operation asks again: a socket
// outlives changes of rights.
func (s *socket) vouched(token string) (identity, closing) {
	who, err := s.whose(s.ctx, token)
	switch fault.CodeOf(err) {
	case "":
		return who, closing{}
	case fault.Unauthenticated, fault.Forbidden:
		return identity{}, forbidden(err)
	}
	_ = answer.Present(s.ctx, err) // for the log
	if fault.CodeOf(err) == fault.Unavailable {
		return identity{}, later(err)
	}
	return identity{}, serverError
}

// send writes one frame. A socket that cannot take it in time is cut: its
// caller resumes elsewhere from the last cursor it saw.
func (s *socket) send(frame []byte) {
	if s.ctx.Err() != nil {
		return // nothing follows the closing frame
	}
	if err := s.conn.Write(context.Background(), websocket.MessageText, frame); err != nil {
		s.cut()
	}
}

// ping finds a caller who has gone without a word. It runs in a goroutine that
// ends with the pong.
func (s *socket) ping() {
	defer s.contain()
	ctx, cancel := context.WithTimeout(context.Background(), s.options.WriteTimeout)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		s.cut()
		return
	}
	s.pingAfter(s.options.PingInterval)
}

func (s *socket) pingAfter(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() == nil {
		s.pinging = time.AfterFunc(d, s.ping)
	}
}

// end stops the operations and closes the socket with a code. It does not wait;
// only the first call counts.
func (s *socket) end(c closing) { s.endWithin(farewell, c) }

// endWithin gives the peer this long to answer.
func (s *socket) endWithin(wait time.Duration, c closing) {
	s.ending.Do(func() {
		s.stop()
		s.wire.leave(wait)
		go func() {
			defer close(s.ended)
			_ = s.conn.Close(c.code, c.reason)
		}()
	})
}

// drop ends a socket that has to give way, be it on its way out already.
func (s *socket) drop() {
	s.cut()
	s.wire.cut()
}

// cut drops the connection where a closing handshake has no chance.
func (s *socket) cut() {
	s.ending.Do(func() {
		defer close(s.ended)
		s.stop()
		_ = s.conn.CloseNow()
	})
}

// stop ends the operations.
func (s *socket) stop() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range s.operations {
		s.wake(op)
	}
}
