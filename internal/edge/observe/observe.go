// Package observe sees every request of the edge: it writes the access log, counts
// and times requests and operations, and begins their traces.
//
//	o, err := observe.New(observe.Options{Logger: logger, Registry: registry, …})
//	http.Serve(listener, o.Handler(routes))
//
// Handler is the outermost layer. The layers below know more about a request, such
// as its agent, and say so by SignedIn, ForeignOrigin, Ran and Streamed, which write
// to the record that the request's context carries.
package observe

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/ground/trace"
	"parley/internal/ground/viewer"
)

// RequestIDHeader names the header with the request's id. A well-formed one of the
// caller's is kept.
const RequestIDHeader = "X-Request-Id"

var wellFormedID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// Options says what an Observer reports, and where. Logger, Registry, Remote and
// IsStream are required.
type Options struct {
	// Logger takes the access log and internal errors.
	Logger *slog.Logger
	// Production and Passing are those of answer.Scope.
	Production bool
	Passing    func(error) bool
	// Tracer begins the traces of requests. Nil: there are none.
	Tracer *trace.Tracer
	// Registry takes the metrics.
	Registry *prometheus.Registry
	// Remote returns the address that the access log shows for a request.
	Remote func(*http.Request) string
	// IsStream reports whether a request asks for an event stream. Such a request has
	// no span.
	IsStream func(*http.Request) bool
}

// Observer observes the requests of one server. Its methods are safe for concurrent
// use.
type Observer struct {
	options Options
	metrics *metrics
}

// New makes an Observer. It fails if the registry already has the observer's metrics.
func New(o Options) (*Observer, error) {
	m, err := newMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	return &Observer{options: o, metrics: m}, nil
}

// request is what the layers of one request record about it. Only the request's
// goroutine writes it; once detached, only the socket's reader.
type request struct {
	answer.Scope

	// For the access log, filled on the way in.
	began                              time.Time
	method, route, remote              string
	username, kind, operation, outcome string
	foreign                            string // web origin that is not allowed to call

	streamed bool // the caller decided how long the answer took
	detached bool // its socket lives on, and writes the access log at its end
}

type requestKey struct{}

// in returns a context of the request.
func (q *request) in(ctx context.Context) context.Context {
	return viewer.FromAddress(context.WithValue(answer.NewContext(ctx, &q.Scope), requestKey{}, q), &q.remote)
}

// requestOf returns the request of ctx; outside of one, a stand-in.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// SignedIn records which agent sent the request of ctx.
func SignedIn(ctx context.Context, username string) { requestOf(ctx).username = username }

// ForeignOrigin records that the request of ctx comes from a web origin that may not
// call.
func ForeignOrigin(ctx context.Context, origin string) { requestOf(ctx).foreign = origin }

// Streamed records that the caller of ctx decided how long the answer took, so that
// its duration says nothing about the server.
func Streamed(ctx context.Context) { requestOf(ctx).streamed = true }

// Ran records and counts the operation of the request of ctx, with the errors that
// it ended with.
func (o *Observer) Ran(ctx context.Context, op *graphql.OperationContext, errs gqlerror.List) {
	request := requestOf(ctx)
	request.kind, request.outcome = kindOf(op), outcome(errs)
	if op.Operation != nil {
		request.operation = op.Operation.Name
	}
	o.metrics.operation(request.kind, request.outcome, time.Since(op.Stats.OperationStart))
}

// Detach hands the record of r over to the socket that r becomes: Handler leaves the
// access log to Closed. The context returned carries the record, but not the deadline
// or other values of r's context.
func (o *Observer) Detach(r *http.Request) context.Context {
	request := requestOf(r.Context())
	request.route, request.detached = route(r), true
	return request.in(context.Background())
}

// Closed writes the access log's line of a detached request, once its socket is
// closed.
func (o *Observer) Closed(ctx context.Context) {
	o.logAccess(ctx, http.StatusSwitchingProtocols, 0)
}

// Handler is the outermost layer: request id, safe headers, the access log,
// and the answer to a panic. The log has the route, never the path or query:
// webhooks carry account keys and attempt ids there.
func (o *Observer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := &request{
			Scope: answer.Scope{
				RequestID: requestID(r), Logger: o.options.Logger, Production: o.options.Production, Passing: o.options.Passing,
			},
			began: time.Now(), method: r.Method, remote: o.options.Remote(r),
		}
		ctx, span := o.span(r)
		r = r.WithContext(request.in(ctx))
		rec := &recorder{ResponseWriter: w, request: r}
		w.Header().Set(RequestIDHeader, request.RequestID)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		defer func() {
			o.metrics.request(route(r), rec.status, request.streamed, time.Since(request.began))
			endSpan(span, r, request, rec.status)
			if !request.detached {
				request.route = route(r)
				o.logAccess(r.Context(), rec.status, rec.bytes)
			}
		}()
		defer contain(rec, r)
		next.ServeHTTP(rec, r)
	})
}

// contain answers for a panic in a handler.
func contain(rec *recorder, r *http.Request) {
	p := recover()
	switch p {
	case nil:
		return
	case http.ErrAbortHandler: // how a handler asks net/http to hang up
		panic(p)
	}
	err := answer.Recovered(r.Context(), p)
	if rec.status == 0 {
		answer.Refuse(rec, r, http.StatusInternalServerError, err)
		return
	}
	_ = answer.Present(r.Context(), err) // too late to answer, not to log
}

// logAccess writes the access log's line of the request of ctx.
func (o *Observer) logAccess(ctx context.Context, status int, bytes int64) {
	request := requestOf(ctx)
	line := []slog.Attr{
		slog.String("requestId", request.RequestID),
		slog.String("method", request.method),
		slog.String("route", request.route),
		slog.Int("status", status),
		slog.Int64("bytes", bytes),
		slog.Duration("duration", time.Since(request.began)),
		slog.String("remote", request.remote),
	}
	for _, a := range []slog.Attr{
		slog.String("viewer", request.username),
		slog.String("kind", request.kind),
		slog.String("operation", request.operation),
		slog.String("outcome", request.outcome),
		slog.String("originNotListed", request.foreign),
	} {
		if a.Value.String() != "" {
			line = append(line, a)
		}
	}
	o.options.Logger.LogAttrs(ctx, slog.LevelInfo, "request", line...)
}

// route is the pattern that matched, one of a few.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return strings.TrimPrefix(r.Pattern, "GET ")
}

func requestID(r *http.Request) string {
	if id := r.Header.Get(RequestIDHeader); wellFormedID.MatchString(id) {
		return id
	}
	return rand.Text()
}
