package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"parley/internal/edge/transport"
)

const (
	idleTimeout    = time.Minute
	maxHeaderBytes = 16 * kilobyte // holds the largest token twice
)

// Listen opens the listeners, so that Addr is known before Serve, which otherwise opens
// them itself. It fails if an address is taken or invalid, and says what to change.
func (s *Server) Listen() (err error) {
	var config net.ListenConfig
	if s.public == nil {
		if s.public, err = config.Listen(context.Background(), "tcp", s.options.Addr); err != nil {
			return fmt.Errorf("cannot listen on %s; give another address with --addr or PARLEY_ADDR (port 0 picks a free port): %w", s.options.Addr, err)
		}
	}
	if s.private == nil && s.options.PrivateAddr != "" {
		if s.private, err = config.Listen(context.Background(), "tcp", s.options.PrivateAddr); err != nil {
			return fmt.Errorf("cannot listen on %s for metrics; give another address with --private-addr, or none: %w", s.options.PrivateAddr, err)
		}
	}
	return nil
}

// Addr returns the address of the public listener, nil before Listen.
func (s *Server) Addr() net.Addr { return addr(s.public) }

// PrivateAddr returns the address of the private listener, nil if there is none.
func (s *Server) PrivateAddr() net.Addr { return addr(s.private) }

func addr(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Serve listens and serves until ctx ends, and then stops in order. /readyz returns
// 503, event streams end, no connection is accepted, requests in flight get
// DrainTimeout, sockets are closed with 1001, the rest is cancelled, and the private
// listener closes last. It returns nil after an orderly stop, otherwise the error of
// a listener.
func (s *Server) Serve(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	public := s.httpServer(work, s.handler)
	private := s.httpServer(work, s.privateRoutes())
	private.ReadTimeout = 0 // a profile may take as long as it was asked to
	failed := make(chan error, 2)
	go serve(public, s.public, failed)
	go serve(private, s.private, failed)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	s.stop(public, cancel)
	return errors.Join(err, private.Close())
}

func serve(server *http.Server, listener net.Listener, failed chan<- error) {
	if listener == nil {
		return
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		failed <- err
	}
}

func (s *Server) httpServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: s.options.HeaderTimeout,
		ReadTimeout:       s.options.BodyTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         newLingering(mostLingering).observe,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelWarn),
	}
}

// stop ends the public side. cancelWork cancels the contexts of all its requests.
func (s *Server) stop(public *http.Server, cancelWork context.CancelFunc) {
	s.draining.Store(true)
	s.gate.CloseStreams()
	drain, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	drained := public.Shutdown(drain)
	ending, cancelEnding := context.WithTimeout(context.Background(), transport.Farewell)
	defer cancelEnding()
	s.gate.CloseAll(ending)
	if drained != nil {
		s.options.Logger.Warn("requests cut off by the stop", "error", drained)
		cancelWork()
		_ = public.Shutdown(ending) // gives them time to answer
	}
	_ = public.Close()
}
