package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/edge/admission"
	"parley/internal/edge/limit"
	"parley/internal/edge/observe"
	"parley/internal/edge/persisted"
	"parley/internal/edge/transport"
	"parley/internal/ground/allowance"
	"parley/internal/ground/clock"
	"parley/internal/ground/trace"
	"parley/internal/ground/viewer"
)

// The modes.
const (
	// Development allows introspection, and suggestions in validation errors.
	Development = "development"
	// Production does not.
	Production = "production"
)

// Options says what a Server serves, and within which bounds. Schema and Authenticate
// are required. Every other zero field takes the default stated.
type Options struct {
	// Mode is Development or Production. Default Production.
	Mode string
	// Addr is the address to listen on, such as "127.0.0.1:8080"; port 0 takes a free
	// one. Default ":8080".
	Addr string
	// PrivateAddr is the address that serves operators /metrics, /debug/pprof, /healthz
	// and /readyz. Default: none.
	PrivateAddr string

	// Schema is what /graphql executes.
	Schema graphql.ExecutableSchema
	// Extensions are used by the executor after the limits, in order.
	Extensions []graphql.HandlerExtension
	// Authenticate returns the agent whose token it is and when the token expires (the
	// zero time: never). A bad token is fault.Unauthenticated. Any other error is
	// answered as such, so that an outage does not look like a bad token.
	Authenticate func(ctx context.Context, token string) (*viewer.Viewer, time.Time, error)
	// Refused hears of each token that Authenticate calls bad. Default: nobody does.
	Refused func(ctx context.Context, why error)

	// Webhooks serves /webhooks/{provider}/{account}; the request's PathValue
	// gives both. Default: not found.
	Webhooks http.Handler
	// Logout serves POST /oidc/backchannel-logout: the logouts of outside issuers.
	// Default: not found.
	Logout http.Handler
	// Upload takes POST /files/images of callers with a token. Default: not found.
	Upload http.Handler
	// Images serves GET /files/images/{id}, to whoever has a link. Default: not found.
	Images http.Handler
	// Playground serves every other path. Default: not found.
	Playground http.Handler
	// Ready returns why the process cannot serve, for /readyz, within about a second.
	// Callers see the message of a *fault.Error, and nothing of other errors. Default:
	// always ready.
	Ready func(ctx context.Context) error

	// Passing reports whether an error will pass by itself, such as that of a database
	// that cannot be reached. It is shown as UNAVAILABLE, not INTERNAL. Default: none
	// will.
	Passing func(error) bool

	// Origins are the web origins that may call, such as "https://desk.example.com",
	// compared exactly; "*" and "null" are refused. WebSockets also accept the server's
	// own host. Development also accepts every origin of this machine, on any port.
	// Default: none.
	Origins []string
	// Introspection allows it in production too, to callers with a token.
	Introspection bool
	// Documents are the only ones that run, named or sent whole. Default: any may run,
	// and one that is sent with its hash can be named from then on.
	Documents persisted.Documents
	// Limits bound documents. Default: those of limit.Options.
	Limits limit.Options
	// Socket bounds WebSockets. Default: those of SocketOptions.
	Socket SocketOptions

	// Rate is the cost that an agent may cause each second, and ten times that at once:
	// limit.Options.CostOf, plus 10 for each operation and 100 for each mutation.
	// Default 20,000; negative: any.
	Rate float64
	// InFlight bounds the queries and mutations that an agent runs at the same time.
	// Default 100; negative: any.
	InFlight int
	// Answers bounds the bytes of answers. Default: those of allowance.Bounds.
	Answers allowance.Bounds
	// Attempts bounds the requests without a good token or signature from one address
	// each second, and fifty times that at once. Default 20; negative: any.
	Attempts float64
	// Proxies are the networks whose X-Forwarded-For is believed. Default: none.
	Proxies []netip.Prefix

	// RequestTimeout is the deadline of a query or mutation. Default 15 s.
	RequestTimeout time.Duration
	// HeaderTimeout is how long a request's header may take to arrive. Default 5 s.
	HeaderTimeout time.Duration
	// BodyTimeout is how long header and body together may take. Default 20 s.
	BodyTimeout time.Duration
	// DrainTimeout is how long requests in flight may take to end when the
	// server stops. Default 10 s.
	DrainTimeout time.Duration
	// GraphQLBytes bounds the body of a GraphQL request. Default 256 kB.
	GraphQLBytes int64
	// WebhookBytes bounds the body of a webhook. Default 3 MB, the most that Meta sends.
	WebhookBytes int64
	// ImageBytes bounds the body of an upload. Default 5 MiB.
	ImageBytes int64
	// BodyBytes bounds every other body. Default 1 MB.
	BodyBytes int64

	// Logger takes the access log and internal errors. Default slog.Default().
	Logger *slog.Logger
	// Clock decides when a token has expired, and fills the buckets of rates. Default
	// clock.Real.
	Clock clock.Clock
	// Tracer begins the traces of requests. Default: none.
	Tracer *trace.Tracer
	// Registry takes the metrics. Default: a new one.
	Registry *prometheus.Registry
}

// SocketOptions bounds WebSockets. Zero fields take the default stated.
type SocketOptions struct {
	MessageBytes int64         // a client's message, default 256 kB
	InitTimeout  time.Duration // until connection_init, default 3 s
	WriteTimeout time.Duration // one write, after which the socket is closed, default 10 s
	PingInterval time.Duration // between pings, default 20 s; the pong has WriteTimeout to arrive
	Operations   int           // live operations of a socket, default 50
	PerViewer    int           // sockets and streams of a viewer, default 20
	Total        int           // sockets and streams of all viewers, default 10,000

	// Strangers bounds the open sockets that have not signed in, default 500. One more
	// takes the place of the oldest.
	Strangers int
	// StrangersPerAddress bounds those from one address, default 100.
	StrangersPerAddress int
}

const (
	kilobyte = 1 << 10
	megabyte = 1 << 20
)

func (o Options) withDefaults() Options {
	fallback(&o.Mode, Production)
	fallback(&o.Addr, ":8080")
	fallback(&o.Rate, 20_000)
	fallback(&o.Attempts, 20)
	fallback(&o.InFlight, 100)
	fallback(&o.RequestTimeout, 15*time.Second)
	fallback(&o.HeaderTimeout, 5*time.Second)
	fallback(&o.BodyTimeout, 20*time.Second)
	fallback(&o.DrainTimeout, 10*time.Second)
	fallback(&o.GraphQLBytes, 256*kilobyte)
	fallback(&o.WebhookBytes, 3*megabyte)
	fallback(&o.ImageBytes, 5*megabyte)
	fallback(&o.BodyBytes, megabyte)
	fallback(&o.Clock, clock.Clock(clock.Real{}))
	fallback(&o.Socket.MessageBytes, 256*kilobyte)
	fallback(&o.Socket.InitTimeout, 3*time.Second)
	fallback(&o.Socket.WriteTimeout, 10*time.Second)
	fallback(&o.Socket.PingInterval, 20*time.Second)
	fallback(&o.Socket.Operations, 50)
	fallback(&o.Socket.PerViewer, 20)
	fallback(&o.Socket.Total, 10_000)
	fallback(&o.Socket.Strangers, 500)
	fallback(&o.Socket.StrangersPerAddress, 100)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	for _, h := range []*http.Handler{&o.Webhooks, &o.Logout, &o.Upload, &o.Images, &o.Playground} {
		if *h == nil {
			*h = http.NotFoundHandler()
		}
	}
	if o.Ready == nil {
		o.Ready = func(context.Context) error { return nil }
	}
	return o
}

func fallback[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) validate() error {
	if o.Schema == nil || o.Authenticate == nil {
		return errors.New("server: Schema and Authenticate are required")
	}
	if !slices.Contains([]string{Development, Production}, o.Mode) {
		return fmt.Errorf("server: the mode must be development or production, not %q", o.Mode)
	}
	return nil
}

// admission returns the part of the options that bounds callers.
func (o Options) admission() admission.Options {
	return admission.Options{
		Authenticate: o.Authenticate, Refused: o.Refused, AuthenticateTimeout: o.RequestTimeout,
		Origins: o.Origins, LocalOrigins: o.Mode == Development,
		Rate: o.Rate, InFlight: o.InFlight, Attempts: o.Attempts, Proxies: o.Proxies,
		PerViewer: o.Socket.PerViewer, Total: o.Socket.Total,
		Strangers: o.Socket.Strangers, StrangersPerAddress: o.Socket.StrangersPerAddress,
		Clock: o.Clock, Logger: o.Logger, Registry: o.Registry,
	}
}

// transport returns the part of the options that the transports need, with gate as
// what they ask.
func (o Options) transport(executor graphql.GraphExecutor, gate *admission.Gate, observer *observe.Observer) transport.Options {
	return transport.Options{
		Executor: executor, Schema: o.Schema.Schema(), Gate: gate, Observer: observer,
		// Go matches the results of methods exactly, so these two are adapted.
		Knock: func(r *http.Request) (transport.Guest, error) { return gate.Knock(r) },
		Meter: func(ctx context.Context, op *graphql.OperationContext) transport.Meter { return gate.Meter(ctx, op) },

		Answers: allowance.NewPool(o.Answers), Clock: o.Clock, RequestTimeout: o.RequestTimeout,
		WriteTimeout: o.Socket.WriteTimeout, PingInterval: o.Socket.PingInterval, InitTimeout: o.Socket.InitTimeout,
		MessageBytes: o.Socket.MessageBytes, Operations: o.Socket.Operations,
	}
}
