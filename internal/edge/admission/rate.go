package admission

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/ground/fault"
	"parley/internal/ground/price"
	"parley/internal/ground/quota"
	"parley/internal/ground/viewer"
)

// Units of cost.
const (
	requestCost  = 10      // of an operation, before it is read
	readBytes    = 100     // of a request cost 1, before they are read
	refusedBytes = 10      // of a refused document cost 1: no cache saves parsing it again
	mutationCost = 100     // of each of its mutations
	frameBytes   = 1 << 10 // of a stream's frame cost 1
)

// RequestRate returns a gqlgen extension that charges for a request before its
// document is read, so that bad documents cost too. It comes before all others.
func (g *Gate) RequestRate() graphql.HandlerExtension { return requestRate{gate: g} }

// OperationRate returns a gqlgen extension that charges for what a valid operation
// costs, before it runs and while it runs. It comes after limit's.
func (g *Gate) OperationRate() graphql.HandlerExtension { return operationRate{gate: g} }

type requestRate struct{ gate *Gate }

type operationRate struct{ gate *Gate }

// ExtensionName implements graphql.HandlerExtension.
func (requestRate) ExtensionName() string { return "RequestRate" }

// ExtensionName implements graphql.HandlerExtension.
func (operationRate) ExtensionName() string { return "OperationRate" }

// Validate implements graphql.HandlerExtension.
func (requestRate) Validate(graphql.ExecutableSchema) error { return nil }

// Validate implements graphql.HandlerExtension.
func (operationRate) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (r requestRate) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	return r.gate.take(ctx, requestCost)
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (r operationRate) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if r.gate.callers == nil {
		return nil
	}
	return r.gate.take(ctx, charged(op.Doc, op.Operation, limit.CostIn(op))-requestCost)
}

// InterceptOperation implements graphql.OperationInterceptor: it charges for what
// shows only while the operation runs.
func (r operationRate) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return next(price.NewContext(ctx, func(units int) { r.gate.callers.Charge(viewerKey(viewer.FromContext(ctx)), float64(units)) }))
}

// Charged returns the units of cost that an operation takes from its caller's bucket
// before it runs: 10, its cost by limits, and 100 for each root field of a mutation.
func Charged(limits limit.Options, doc *ast.QueryDocument, op *ast.OperationDefinition, variables map[string]any) int {
	return charged(doc, op, limits.CostOf(doc, op, variables))
}

func charged(doc *ast.QueryDocument, op *ast.OperationDefinition, cost int) int {
	cost += requestCost
	if op.Operation == ast.Mutation {
		cost += mutationCost * limit.RootFields(doc, op)
	}
	return cost
}

// Read charges the viewer of ctx for so many bytes that are about to be decoded. It
// is LIMIT_EXCEEDED, with the time to wait, if the viewer's bucket has too little.
func (g *Gate) Read(ctx context.Context, bytes int) error {
	if err := g.take(ctx, bytes/readBytes); err != nil {
		return err.Unwrap()
	}
	return nil
}

// Refused charges the viewer of ctx for a document that was read and does not run.
func (g *Gate) Refused(ctx context.Context, document string) {
	g.callers.Charge(viewerKey(viewer.FromContext(ctx)), float64(len(document)/refusedBytes))
}

func (g *Gate) take(ctx context.Context, cost int) *gqlerror.Error {
	wait := g.callers.Take(viewerKey(viewer.FromContext(ctx)), float64(cost))
	if wait == 0 {
		return nil
	}
	g.metrics.limit("operation")
	return answer.AsGraphQL(&fault.Error{
		Code: fault.LimitExceeded, RetryAfter: wait,
		Message: "You exceeded your rate limit. Wait retryAfter seconds, then try again.",
	})
}

// Meter charges one viewer for the frames of one stream. They are never refused; a
// viewer in debt waits for the next.
type Meter struct {
	callers *quota.Callers
	viewer  string
	cost    int // of each frame, beside its bytes
}

// Meter returns the meter for the stream of op, of the viewer of ctx.
func (g *Gate) Meter(ctx context.Context, op *graphql.OperationContext) *Meter {
	if g.callers == nil {
		return &Meter{}
	}
	return &Meter{callers: g.callers, viewer: viewerKey(viewer.FromContext(ctx)), cost: limit.CostIn(op)}
}

// Charge charges for a frame of so many bytes: the cost of the operation, and one
// unit for each kilobyte.
func (m *Meter) Charge(bytes int) { m.callers.Charge(m.viewer, float64(m.cost+bytes/frameBytes)) }

// Debt returns how long the viewer is in debt.
func (m *Meter) Debt() time.Duration { return m.callers.Charge(m.viewer, 0) }
