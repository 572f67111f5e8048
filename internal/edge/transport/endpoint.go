// Package transport serves GraphQL on an executor: queries and mutations by the
// GraphQL over HTTP draft, subscriptions by Server-Sent Events (graphql-sse) and
// WebSocket (graphql-transport-ws). It knows no token and no rate: it asks a Gate
// and, for each socket, a Guest.
//
//	endpoint := transport.New(transport.Options{Executor: exec, Gate: gate, …})
//	mux.Handle("/graphql", endpoint)               // POST, GET and event streams
//	http.HandlerFunc(endpoint.ServeSocket)         // requests with Upgrade
//
// One operation goes through http.go or, if it streams, through events.go; those of
// a socket through operation.go. All of them prepare it, execute it with an
// allowance of bytes, and report it to the Observer.
package transport

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/observe"
	"parley/internal/ground/allowance"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Gate bounds what the viewer of a context does. Its errors are *fault.Error:
// LIMIT_EXCEEDED is the caller's excess, UNAVAILABLE the server's.
type Gate interface {
	// Board counts a query or mutation in flight until leave is called.
	Board(ctx context.Context) (leave func(), err error)
	// Read charges for so many bytes before they are decoded.
	Read(ctx context.Context, bytes int) error
	// Refused charges for a document that was parsed and does not run.
	Refused(ctx context.Context, document string)
	// Stream gives an event stream a place until leave is called. stop, which does not
	// block, ends the stream because the server stops, and refuse because its token is no
	// longer good.
	Stream(ctx context.Context, stop func(), refuse func(error)) (leave func(), err error)
	// Expiry returns when the viewer has to sign in again; the zero time: never.
	Expiry(ctx context.Context) time.Time
}

// Meter charges for the frames of one stream.
type Meter interface {
	// Charge charges for a frame of so many bytes.
	Charge(bytes int)
	// Debt returns how long the next frame has to wait.
	Debt() time.Duration
}

// Guest is the caller at one socket. One goroutine at a time calls its methods,
// except GiveUp.
type Guest interface {
	// Enter takes a place for the socket. stop ends the socket because the server
	// stops, refuse because its token is no longer good, drop cuts it off because
	// another needs the place; none blocks.
	Enter(stop func(), refuse func(error), drop func()) error
	// SignIn checks the Authorization of connection_init, empty if it had none, and
	// returns when it expires; the zero time: never.
	SignIn(ctx context.Context, authorization string) (expiry time.Time, err error)
	// Viewer returns the agent who has signed in, with the rights of this moment.
	Viewer(ctx context.Context) (*viewer.Viewer, error)
	// GiveUp frees the place early, because the guest has not signed in in time.
	GiveUp()
	// Leave is the last call.
	Leave()
}

// Options says what an Endpoint executes and within which bounds. The caller sets
// every field.
type Options struct {
	// Executor runs operations of Schema.
	Executor graphql.GraphExecutor
	Schema   *ast.Schema

	// Gate bounds callers.
	Gate Gate
	// Knock admits a request that wants to become a socket, or refuses it.
	Knock func(r *http.Request) (Guest, error)
	// Meter returns the meter for the stream of op.
	Meter func(ctx context.Context, op *graphql.OperationContext) Meter
	// Observer hears of every operation.
	Observer *observe.Observer
	// Answers bounds the bytes of answers.
	Answers *allowance.Pool
	// Clock says when a viewer's time is over.
	Clock clock.Clock

	// RequestTimeout is the deadline of a query or mutation.
	RequestTimeout time.Duration
	// WriteTimeout is how long one write of a stream or socket may take, and the pong.
	WriteTimeout time.Duration
	// PingInterval is the time between heartbeats of a stream, or pings of a socket.
	PingInterval time.Duration
	// InitTimeout is how long a socket may take to send connection_init.
	InitTimeout time.Duration
	// MessageBytes bounds a client's message on a socket.
	MessageBytes int64
	// Operations bounds the live operations of one socket.
	Operations int
}

// Endpoint serves /graphql. It is safe for concurrent use.
type Endpoint struct{ options Options }

// New makes an Endpoint.
func New(o Options) *Endpoint { return &Endpoint{o} }

const kilobyte = 1 << 10

// prepare parses and validates a request, and charges for a document that does not
// run.
func (e *Endpoint) prepare(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op, errs := e.options.Executor.CreateOperationContext(ctx, params)
	for _, err := range errs {
		if strings.HasPrefix(err.Path.String(), "variable.") {
			explainEnum(e.options.Schema, err)
		}
	}
	if len(errs) > 0 && rateLimited(errs[0]) == nil {
		e.options.Gate.Refused(ctx, params.Query)
	}
	return op, errs
}

// rateLimited returns the fault in err that tells the caller to come back later, nil
// if there is none.
func rateLimited(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) && f.Code == fault.LimitExceeded && f.RetryAfter > 0 {
		return f
	}
	return nil
}

// first returns the first of errs, nil if there are none.
func first(errs gqlerror.List) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

// turnedAway returns the status for a connection that gets no place.
func turnedAway(err error) int {
	if fault.CodeOf(err) == fault.Unavailable {
		return http.StatusServiceUnavailable
	}
	return http.StatusTooManyRequests
}
