package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/internal/fault"
)

// socketTransport serves WebSockets.
type socketTransport struct{ server *Server }

// socket is one WebSocket. Its reader is the goroutine of the request; every
// operation has one of its own.
type socket struct {
	*Server
	options SocketOptions
	conn    *websocket.Conn
	header  http.Header

	// ctx ends when the socket begins to end.
	ctx    context.Context
	cancel context.CancelFunc

	// These belong to the reader.
	acknowledged bool
	token        string // of the caller, once acknowledged
	expiry       *time.Timer

	viewerKey string // guarded by sockets

	mu         sync.Mutex
	operations map[string]*operation
	running    sync.WaitGroup

	ending sync.Once
	ended  chan struct{} // closed when the closing handshake is over
}

func (t *socketTransport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	server := t.server
	if server.sockets.full() {
		refuse(w, r, http.StatusServiceUnavailable, fault.New(fault.Unavailable, "No more connections are taken at present. Try again shortly."))
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // sameOrigin has checked, against exact origins
	})
	if err != nil {
		return // Accept has answered
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	s := &socket{
		Server: server, options: server.options.Socket, conn: conn, header: r.Header, ctx: ctx, cancel: cancel,
		operations: map[string]*operation{}, ended: make(chan struct{}),
	}
	s.serve()
}

// serve runs the socket until either side ends it.
func (s *socket) serve() {
	s.conn.SetReadLimit(s.options.MessageBytes)
	switch {
	case s.conn.Subprotocol() != subprotocol:
		s.end(notAcceptable)
	case !s.sockets.add(s):
		s.end(tooMany)
	default:
		defer s.sockets.remove(s)
	}
	waiting := time.AfterFunc(s.options.InitTimeout, func() { s.end(initTimeout) })
	go s.ping()
	s.readAll(waiting)
	waiting.Stop()
	if s.expiry != nil {
		s.expiry.Stop()
	}
	s.cancel()
	s.running.Wait()
	s.ending.Do(func() { close(s.ended) })
	<-s.ended
	_ = s.conn.CloseNow()
}

func (s *socket) readAll(waiting *time.Timer) {
	for {
		// A context that ended would cut the connection without a closing frame.
		kind, text, err := s.conn.Read(context.Background())
		if err != nil {
			return
		}
		m, c := parseMessage(kind, text)
		if c == (closing{}) {
			c = s.receive(m)
		}
		if s.acknowledged {
			waiting.Stop()
		}
		if c != (closing{}) {
			s.end(c)
		}
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
	who, c := s.who(authorization)
	if c != (closing{}) {
		return c
	}
	if !s.sockets.admit(s, who.viewer) {
		return tooMany
	}
	if !who.expiry.IsZero() {
		left := who.expiry.Sub(s.Server.options.Clock.Now().Std())
		s.expiry = time.AfterFunc(left, func() { s.end(expired) })
	}
	s.token, s.acknowledged = who.token, true
	s.send(frame("", typeAck, nil))
	return closing{}
}

func (s *socket) who(authorization string) (identity, closing) {
	if who, found := s.ctx.Value(identityKey{}).(identity); found && authorization == "" {
		return who, closing{}
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
		return identity{}, forbidden
	}
	_ = Present(s.ctx, err) // for the log; a closing frame has no room for it
	return identity{}, serverError
}

// send writes one frame. A socket that cannot take it in time is cut: its
// caller resumes elsewhere from the last cursor it saw.
func (s *socket) send(frame []byte) {
	if s.ctx.Err() != nil {
		return // nothing follows the closing frame
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.options.WriteTimeout)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		s.cut()
	}
}

// ping finds callers who have gone without a word, until the socket ends.
func (s *socket) ping() {
	ticker := time.NewTicker(s.options.PingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.options.WriteTimeout)
		err := s.conn.Ping(ctx)
		cancel()
		if err != nil {
			s.cut()
			return
		}
	}
}

// end stops the operations and closes the socket with a code. It does not wait;
// only the first call counts.
func (s *socket) end(c closing) {
	s.ending.Do(func() {
		s.cancel()
		go func() {
			defer close(s.ended)
			_ = s.conn.Close(c.code, c.reason) // gives up by itself after some seconds
		}()
	})
}

// cut drops the connection where a closing handshake has no chance.
func (s *socket) cut() {
	s.ending.Do(func() {
		defer close(s.ended)
		s.cancel()
		_ = s.conn.CloseNow()
	})
}
