package transport

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
)

// Farewell is how long a socket may take over its closing handshake.
const Farewell = 5 * time.Second

// socket is one WebSocket. It outlives its request and keeps nothing of net/http's but
// the connection. One goroutine reads it; an operation has one only while it works.
type socket struct {
	*Endpoint
	guest Guest
	conn  *websocket.Conn
	wire  *wire

	// ctx ends when the socket begins to end.
	ctx    context.Context
	cancel context.CancelFunc

	// These belong to the reader.
	acknowledged bool
	waiting      *time.Timer
	expiry       *time.Timer

	mu         sync.Mutex
	pinging    *time.Timer
	operations map[string]*operation
	running    sync.WaitGroup

	ending sync.Once
	ended  chan struct{} // closed when the closing handshake is over
}

// ServeSocket serves a request with the header Upgrade, by graphql-transport-ws. It
// returns as soon as the socket is open.
func (e *Endpoint) ServeSocket(w http.ResponseWriter, r *http.Request) {
	guest, err := e.options.Knock(r)
	if err != nil {
		answer.Refuse(w, r, turnedAway(err), err)
		return
	}
	slim := &slim{ResponseWriter: w, timeout: e.options.WriteTimeout}
	conn, err := websocket.Accept(slim, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // the routes have checked the origin, against an exact list
	})
	if err != nil {
		return // Accept has answered
	}
	s := &socket{
		Endpoint: e, guest: guest, conn: conn, wire: slim.wire,
		operations: map[string]*operation{}, ended: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(e.options.Observer.Detach(r))
	go s.serve()
}

// serve runs the socket until either side ends it.
func (s *socket) serve() {
	defer s.leave()
	defer s.contain()
	s.conn.SetReadLimit(-1) // read has one of its own
	s.waiting = time.AfterFunc(s.options.InitTimeout, s.expire)
	switch err := s.guest.Enter(s.stopping, s.refuse, s.drop); {
	case err != nil:
		s.end(later(err))
	case s.conn.Subprotocol() != subprotocol:
		s.end(notAcceptable)
	}
	for {
		kind, text, c := s.read()
		if c != (closing{}) {
			s.end(c) // has no effect if the peer has closed the socket or left
			return
		}
		s.take(kind, text)
	}
}

// expire ends a socket that has not signed in in time. It frees the place at once and
// does not wait for a closing handshake.
func (s *socket) expire() {
	s.guest.GiveUp()
	s.endWithin(0, initTimeout)
}

// read returns the next message, or how to end the socket if there is none.
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

// take handles a message in a goroutine of its own: checking a token and decoding
// need a deep stack, which the reader would keep for good.
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

// leave waits until everything that the socket has started is over, and gives its
// place back.
func (s *socket) leave() {
	s.stop()
	s.stopTimers()
	s.running.Wait()
	<-s.ended
	_ = s.conn.CloseNow()
	s.options.Observer.Closed(s.ctx)
	s.guest.Leave() // last: the stop waits for it
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

// contain limits a panic to the socket.
func (s *socket) contain() {
	if p := recover(); p != nil {
		_ = answer.Present(s.ctx, answer.Recovered(s.ctx, p)) // for the log
		s.end(serverError)
	}
}

// receive handles a message. It returns how to end the socket if the message breaks
// the protocol.
func (s *socket) receive(m message) closing {
	switch {
	case s.ctx.Err() != nil: // the socket is ending; ignore the rest
	case m.Type == typePing:
		s.send(frame("", typePong, m.Payload))
	case m.Type == typePong:
	case m.Type == typeInit:
		return s.init(m)
	case !s.acknowledged:
		return unauthorised
	case m.Type == typeSubscribe:
		return s.subscribe(m)
	case m.Type == typeComplete:
		s.complete(m.ID)
	}
	return closing{}
}

// init authenticates by the payload, or else by the header of the request.
func (s *socket) init(m message) closing {
	if s.acknowledged {
		return secondInit
	}
	authorization, c := parseInit(m.Payload)
	if c != (closing{}) {
		return c
	}
	expiry, err := s.guest.SignIn(s.ctx, authorization)
	if err != nil {
		return s.rejected(err)
	}
	s.acknowledged = true
	s.waiting.Stop()
	s.waiting = nil
	// Callers who come together are not pinged together.
	s.pingAfter(rand.N(s.options.PingInterval)) //nolint:gosec // G404: no secret
	s.send(frame("", typeAck, nil))
	if !expiry.IsZero() {
		left := expiry.Sub(s.options.Clock.Now().Std())
		s.expiry = time.AfterFunc(left, func() { s.end(expired) })
	}
	return closing{}
}

// rejected returns how to end a socket whose guest may not come in, or no longer stay.
func (s *socket) rejected(err error) closing {
	switch fault.CodeOf(err) {
	case fault.Unauthenticated, fault.Forbidden:
		return forbidden(err)
	case fault.Unavailable, fault.LimitExceeded:
		return later(err)
	}
	_ = answer.Present(s.ctx, err) // for the log
	return serverError
}

// send writes one frame. It cuts a socket that does not read in time; the caller can
// resume from the last cursor it saw.
func (s *socket) send(frame []byte) {
	if s.ctx.Err() != nil {
		return // nothing follows the closing frame
	}
	if err := s.conn.Write(context.Background(), websocket.MessageText, frame); err != nil {
		s.cut()
	}
}

// ping detects a caller who has left silently. Its goroutine ends with the pong.
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

// end stops the operations and closes the socket with a code. It does not wait. Only
// the first call has an effect.
func (s *socket) end(c closing) { s.endWithin(Farewell, c) }

// stopping ends the socket because the server stops.
func (s *socket) stopping() { s.end(goingAway) }

// refuse ends the socket because its token is no longer good.
func (s *socket) refuse(why error) { s.end(s.rejected(why)) }

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

// drop cuts a socket that has to give way, even in its closing handshake.
func (s *socket) drop() {
	s.cut()
	s.wire.cut()
}

// cut drops the connection without a closing handshake.
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
