// Package server puts Parley's HTTP edge together: options, routes, the executor with
// its limits, health, listening and shutdown. Transports, admission and observation
// are packages of their own. It knows no schema: it serves any executable schema and
// asks a function who a token belongs to.
//
//	s, err := server.New(server.Options{
//		Addr:         "127.0.0.1:8080",
//		Schema:       graph.NewExecutableSchema(config),
//		Authenticate: agents.ByToken,
//	})
//	err = s.Serve(ctx) // until ctx ends, then drains
//
// It serves /graphql (POST and GET by the GraphQL over HTTP draft, Server-Sent
// Events by the graphql-sse protocol, WebSocket by graphql-transport-ws),
// /webhooks/{provider}/{account}, /files/images, /healthz and /readyz, and leaves every other path to
// the playground. A private listener has /metrics and profiles.
//
// Every error is JSON in GraphQL's shape with a code of package fault and the
// request's id. Everything a caller sends is bounded.
package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/edge/admission"
	"parley/internal/edge/observe"
	"parley/internal/edge/transport"
)

// Server serves Parley over HTTP. Make one with New; it serves once.
type Server struct {
	options  Options
	gate     *admission.Gate
	endpoint *transport.Endpoint
	handler  http.Handler
	draining atomic.Bool
	unready  atomic.Pointer[string] // why /readyz said no the last time

	public, private net.Listener
}

// New makes a Server. It fails on invalid options and if the registry already has
// metrics of the edge.
func New(options Options) (*Server, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	gate, err := admission.New(options.admission())
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	observer, err := observe.New(observe.Options{
		Logger: options.Logger, Production: options.Mode == Production, Passing: options.Passing,
		Tracer: options.Tracer, Registry: options.Registry, Remote: gate.Remote, IsStream: transport.IsStream,
	})
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, gate: gate}
	s.endpoint = transport.New(options.transport(newExecutor(options, gate), gate, observer))
	s.handler = gate.NoticeProxies(observer.Handler(s.routes()))
	s.checkDocuments()
	return s, nil
}

// Handler returns the handler of the public listener.
func (s *Server) Handler() http.Handler { return s.handler }

// Recheck ends the sockets and streams whose token Authenticate refuses by now.
func (s *Server) Recheck(ctx context.Context) { s.gate.Recheck(ctx) }

// Registry returns the registry of the metrics, for others to add theirs.
func (s *Server) Registry() *prometheus.Registry { return s.options.Registry }
