// Package trace follows requests and jobs through the program with OpenTelemetry: a
// span for each operation, webhook, job, group of writes, statement and call to a
// carrier. There is no span per field: it would cost more than a quarter of a request.
//
// A Tracer begins a trace where work enters the program. Everything below uses the span
// in its context: Start and the hook of Statements create spans only below one that is
// recorded, so a request that is not sampled, and a program without a Tracer, pay next
// to nothing.
//
// Spans contain names, kinds, counts and statements with placeholders; never texts,
// addresses, tokens or values.
package trace

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope names this program as the maker of its spans.
const scope = "parley"

// Tracer begins traces. A nil Tracer begins none.
type Tracer struct {
	tracer oteltrace.Tracer
	close  func()
}

// New returns a Tracer whose spans go to provider.
func New(provider oteltrace.TracerProvider) *Tracer {
	return &Tracer{tracer: provider.Tracer(scope), close: func() {}}
}

// Close sends what is left, for five seconds at most.
func (t *Tracer) Close() {
	if t != nil {
		t.close()
	}
}

// Begin begins the span of work that came in, in the trace of ctx (see Receive
// and Continue) or a new one. The span must be ended.
func (t *Tracer) Begin(ctx context.Context, name string, kind oteltrace.SpanKind, attributes ...attribute.KeyValue) (context.Context, oteltrace.Span) {
	if t == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(attributes...))
}

var traceContext propagation.TraceContext

// Receive returns ctx in the trace that a caller names by the header traceparent
// (W3C Trace Context). Whether it is recorded is for the sampler to say.
func (t *Tracer) Receive(ctx context.Context, header http.Header) context.Context {
	if t == nil {
		return ctx
	}
	return traceContext.Extract(ctx, propagation.HeaderCarrier(header))
}

// Parent is the span of ctx as a traceparent, "" where none is recorded: for
// work of our own that goes on elsewhere.
func Parent(ctx context.Context) string {
	if !oteltrace.SpanFromContext(ctx).IsRecording() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	traceContext.Inject(ctx, carrier)
	return carrier.Get("traceparent")
}

// Continue returns ctx in the trace of a Parent.
func (t *Tracer) Continue(ctx context.Context, parent string) context.Context {
	if t == nil || parent == "" {
		return ctx
	}
	ctx = traceContext.Extract(ctx, propagation.MapCarrier{"traceparent": parent})
	// Our own word that it is sampled needs no second look.
	return oteltrace.ContextWithSpanContext(ctx, oteltrace.SpanContextFromContext(ctx).WithRemote(false))
}

// Start begins a span under the one of ctx, when that is recorded. The span must
// be ended; End does it with an outcome.
func Start(ctx context.Context, name string, options ...oteltrace.SpanStartOption) (context.Context, oteltrace.Span) {
	above := oteltrace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return ctx, noop.Span{}
	}
	return above.TracerProvider().Tracer(scope).Start(ctx, name, options...)
}

// End ends a span. Of an error it keeps that there was one: its words may quote
// what is not for traces.
func End(span oteltrace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Statements returns a hook for store.Options.Trace: a span for every statement.
// system is OpenTelemetry's name of the database.
func Statements(system string) func(ctx context.Context, statement string) (done func(error)) {
	name := attribute.String("db.system.name", system)
	return func(ctx context.Context, statement string) func(error) {
		if !oteltrace.SpanFromContext(ctx).IsRecording() {
			return nil
		}
		verb, _, _ := strings.Cut(statement, " ")
		_, span := Start(ctx, verb, oteltrace.WithSpanKind(oteltrace.SpanKindClient),
			oteltrace.WithAttributes(name, attribute.String("db.query.text", statement)))
		return func(err error) { End(span, err) }
	}
}
