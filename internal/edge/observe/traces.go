package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"parley/internal/ground/fault"
	"parley/internal/ground/trace"
	"parley/internal/ground/viewer"
)

// span begins the span of a request to the graph or to a webhook. Only callers of
// the graph may bring a trace of their own: anybody can call a webhook. A WebSocket or
// an event stream has no span, but each of its operations has one.
func (o *Observer) span(r *http.Request) (context.Context, oteltrace.Span) {
	ctx, tracer := r.Context(), o.options.Tracer
	if tracer == nil || r.Header.Get("Upgrade") != "" || o.options.IsStream(r) {
		return ctx, noop.Span{}
	}
	switch {
	case r.URL.Path == "/graphql":
		return tracer.Begin(tracer.Receive(ctx, r.Header), r.Method+" /graphql", oteltrace.SpanKindServer)
	case strings.HasPrefix(r.URL.Path, "/webhooks/"):
		return tracer.Begin(ctx, r.Method+" /webhooks", oteltrace.SpanKindServer)
	}
	return ctx, noop.Span{}
}

// endSpan ends a request's span with how it was answered.
func endSpan(span oteltrace.Span, r *http.Request, request *request, status int) {
	if span.IsRecording() {
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route(r)),
			attribute.Int("http.response.status_code", status), attribute.String("parley.request_id", request.RequestID))
		setOutcome(span, request.outcome)
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

func setOutcome(span oteltrace.Span, outcome string) {
	if outcome != "" {
		span.SetAttributes(attribute.String("parley.outcome", outcome))
	}
	if outcome == string(fault.Internal) {
		span.SetStatus(codes.Error, "")
	}
}

// Operations returns a gqlgen extension that names the spans of operations and begins
// those of WebSocket operations. They end with the first answer: the span of a
// subscription covers only the start of its stream.
func Operations(tracer *trace.Tracer) graphql.HandlerExtension { return operations{tracer} }

type operations struct{ tracer *trace.Tracer }

// ExtensionName implements graphql.HandlerExtension.
func (operations) ExtensionName() string { return "Traces" }

// Validate implements graphql.HandlerExtension.
func (operations) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation implements graphql.OperationInterceptor.
func (o operations) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if span := oteltrace.SpanFromContext(ctx); span.SpanContext().IsValid() { // the request's
		describe(ctx, span)
		return next(ctx)
	}
	ctx, span := o.tracer.Begin(ctx, "operation", oteltrace.SpanKindServer)
	describe(ctx, span)
	responses := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		if !span.IsRecording() {
			return responses(ctx)
		}
		defer span.End()
		response := responses(ctx)
		if response != nil {
			setOutcome(span, outcome(response.Errors))
		}
		return response
	}
}

func kindOf(op *graphql.OperationContext) string {
	if op == nil || op.Operation == nil {
		return "none"
	}
	return string(op.Operation.Operation)
}

// mostName bounds the bytes of an operation's name in a span.
const mostName = 64

// describe names a span after its operation. It keeps only a hash of the document,
// which may contain texts of customers.
func describe(ctx context.Context, span oteltrace.Span) {
	if !span.IsRecording() {
		return
	}
	op := graphql.GetOperationContext(ctx)
	kind, name := kindOf(op), op.Operation.Name[:min(len(op.Operation.Name), mostName)]
	hash := sha256.Sum256([]byte(op.RawQuery))
	span.SetName(strings.TrimSpace(kind + " " + name))
	span.SetAttributes(attribute.String("graphql.operation.type", kind), attribute.String("graphql.operation.name", name),
		attribute.String("graphql.document.hash", hex.EncodeToString(hash[:8])))
	if v := viewer.FromContext(ctx); v != nil {
		span.SetAttributes(attribute.Int64("parley.agent", v.AgentID))
	}
}

// outcome names how an operation ended, for metrics: "ok" or the code of its
// first error.
func outcome(errs gqlerror.List) string {
	if len(errs) == 0 {
		return "ok"
	}
	code, _ := errs[0].Extensions["code"].(fault.Code)
	return string(code)
}
