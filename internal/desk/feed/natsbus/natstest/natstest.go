// Package natstest is a NATS server inside a test, on its own loopback port, which the
// test can stop and start again.
package natstest

import (
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// Server is a NATS server of the test's own.
type Server struct {
	t       testing.TB
	running *server.Server
	port    int
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := Reserve(t)
	s.Start()
	return s
}

// Reserve picks a port where nothing listens until Start.
func Reserve(t testing.TB) *Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{t: t, port: l.Addr().(*net.TCPAddr).Port}
	require.NoError(t, l.Close())
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server at its port.
func (s *Server) Start() {
	s.t.Helper()
	running, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: s.port, NoSigs: true, NoLog: true})
	require.NoError(s.t, err)
	go running.Start()
	require.True(s.t, running.ReadyForConnections(10*time.Second), "the NATS server does not start")
	s.running = running
}

// Stop ends the server and every connection to it.
func (s *Server) Stop() {
	if s.running != nil {
		s.running.Shutdown()
		s.running.WaitForShutdown()
		s.running = nil
	}
}

// Clients is how many connections the server has.
func (s *Server) Clients() int { return s.running.NumClients() }

// Subscriptions is how many subscriptions its clients have.
func (s *Server) Subscriptions() int { return int(s.running.NumSubscriptions()) }

// URL is where the server is reached.
func (s *Server) URL() string {
	return "nats://" + (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: s.port}).String()
}
