// Package server is Parley's HTTP edge: routes, authentication, CORS, limits,
// the GraphQL transports, health, metrics and shutdown. It knows no schema: it
// serves any executable schema and asks a function who a token belongs to.
//
//	s, err := server.New(server.Options{
//		Addr:         "127.0.0.1:8080",
//		Schema:       graph.NewExecutableSchema(config),
//		Authenticate: agents.ByToken,
//	})
//	err = s.Serve(ctx) // until ctx ends, then drains
//
// It serves /graphql (POST and GET by the GraphQL over HTTP draft, Server-Sent
// Events by the graphql-sse protocol, WebSocket by graphql-transport-ws), /webhooks/{provider}/{account}, /healthz
// and /readyz, and leaves every other path to the playground. A private
// listener has /metrics and profiles.
//
// Every error is JSON in GraphQL's shape with a code of package fault and the
// request's id. Everything a caller sends is bounded.
package server

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/cors"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/edge/observe"
	"parley/internal/edge/persisted"
	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
)

// documentCacheSize is how many parsed and validated documents are kept.
const documentCacheSize = 1000

// Server serves Parley over HTTP. Make one with New; it serves once.
type Server struct {
	options     Options
	exec        *executor.Executor
	metrics     *metrics
	observer    *observe.Observer
	attempts    *attempts
	connections *connections
	undeclared  *undeclared
	rate        *rate
	answers     *allowance.Pool
	flight      *flight
	handler     http.Handler
	draining    atomic.Bool
	unready     atomic.Pointer[string] // why /readyz said no the last time

	public, private net.Listener
}

// New makes a Server from options.
func New(options Options) (*Server, error) {
	options = options.withDefaults()
	if err := options.validate(); err != nil {
		return nil, err
	}
	s := &Server{options: options, connections: newConnections(options.Socket)}
	var err error
	if s.metrics, err = newMetrics(options.Registry, s.connections); err != nil {
		return nil, err
	}
	s.connections.displaced = s.metrics.displaced.Inc
	s.attempts = &attempts{callers(options.Attempts, attemptSeconds, options), options.Proxies, s.metrics.limit}
	s.undeclared = &undeclared{attempts: s.attempts, logger: options.Logger}
	if err := options.Registry.Register(s.undeclared.gauge()); err != nil {
		return nil, err
	}
	if s.observer, err = observe.New(observe.Options{
		Logger: options.Logger, Production: options.Mode == Production, Passing: options.Passing,
		Tracer: options.Tracer, Registry: options.Registry, Remote: s.attempts.remote, IsStream: isStream,
	}); err != nil {
		return nil, err
	}
	s.rate = &rate{callers(options.Rate, burstSeconds, options), s.metrics.limit}
	s.answers, s.flight = allowance.NewPool(options.Answers), newFlight(options.InFlight)
	s.exec = newExecutor(options, s.rate)
	s.handler = s.routes()
	s.checkDocuments()
	return s, nil
}

// Handler returns what the public listener serves.
func (s *Server) Handler() http.Handler { return s.handler }

// Registry returns where metrics are registered, for others to add theirs.
func (s *Server) Registry() *prometheus.Registry { return s.options.Registry }

func newExecutor(o Options, rate *rate) *executor.Executor {
	exec := executor.New(o.Schema)
	exec.SetErrorPresenter(answer.Present)
	exec.SetRecoverFunc(answer.Recovered)
	exec.SetDefaultRulesFn(validation)
	exec.SetQueryCache(lru.New[*ast.QueryDocument](documentCacheSize))
	exec.SetDisableSuggestion(o.Mode == Production)
	exec.Use(requestRate{rate})
	exec.Use(persisted.New(o.Documents))
	exec.Use(limit.New(o.Limits))
	exec.Use(operationRate{rate})
	exec.Use(weigher{})
	exec.Use(introspection{allowed: o.Mode == Development || o.Introspection})
	if o.Tracer != nil {
		exec.Use(observe.Operations{Tracer: o.Tracer})
	}
	for _, extension := range o.Extensions {
		exec.Use(extension)
	}
	return exec
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", bounded(s.options.GraphQLBytes, s.originNoted(s.crossOrigin(s.graphql()))))
	mux.Handle(webhookRoute, s.attempts.vetted(bounded(s.options.WebhookBytes, s.options.Webhooks)))
	mux.Handle("/", bounded(s.options.BodyBytes, readOnly(s.options.Playground)))
	s.health(mux)
	return s.undeclared.noticed(s.observer.Handler(deadlined(s.options, s.strayWebhooks(mux))))
}

// graphql chooses the transport. All authenticate first.
func (s *Server) graphql() http.Handler {
	plain := s.authenticated(&httpTransport{s})
	socket := s.sameOrigin(s.identified(&socketTransport{server: s}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			socket.ServeHTTP(w, r)
		case r.Method == http.MethodPost || r.Method == http.MethodGet:
			plain.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, POST")
			answer.Refuse(w, r, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Send GraphQL by POST or GET."))
		}
	})
}

func (s *Server) crossOrigin(next http.Handler) http.Handler {
	return cors.New(cors.Options{
		AllowOriginFunc: s.listed, // a list left empty would mean every origin
		AllowedMethods:  []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:  []string{"Accept", "Authorization", "Content-Type", lastEventID, observe.RequestIDHeader},
		ExposedHeaders:  []string{observe.RequestIDHeader, "Retry-After"},
		MaxAge:          600,
	}).Handler(next)
}

// introspection is off in gqlgen until it is allowed; where it is not, the
// caller is told so instead of INTERNAL.
type introspection struct{ allowed bool }

func (introspection) ExtensionName() string                   { return "Introspection" }
func (introspection) Validate(graphql.ExecutableSchema) error { return nil }
func (i introspection) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	op.DisableIntrospection = !i.allowed
	if i.allowed || !limit.Introspects(op.Doc, op.Operation) {
		return nil
	}
	return answer.AsGraphQL(fault.New(fault.Forbidden, "Introspection is disabled in production. Use the published schema."))
}
