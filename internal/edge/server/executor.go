package server

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/admission"
	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/edge/observe"
	"parley/internal/edge/persisted"
	"parley/internal/ground/fault"
)

// documentCacheSize bounds the parsed and validated documents kept.
const documentCacheSize = 1000

// newExecutor makes the executor with all extensions, in the order in which they see a
// request: rates and limits before what they protect.
func newExecutor(o Options, gate *admission.Gate) *executor.Executor {
	exec := executor.New(o.Schema)
	exec.SetErrorPresenter(answer.Present)
	exec.SetRecoverFunc(answer.Recovered)
	exec.SetDefaultRulesFn(validation)
	exec.SetQueryCache(lru.New[*ast.QueryDocument](documentCacheSize))
	exec.SetDisableSuggestion(o.Mode == Production)
	exec.Use(gate.RequestRate())
	exec.Use(persisted.New(o.Documents))
	exec.Use(limit.New(o.Limits))
	exec.Use(gate.OperationRate())
	exec.Use(weigher{})
	exec.Use(introspection{allowed: o.Mode == Development || o.Introspection})
	if o.Tracer != nil {
		exec.Use(observe.Operations(o.Tracer))
	}
	for _, extension := range o.Extensions {
		exec.Use(extension)
	}
	return exec
}

// introspection allows introspection, which gqlgen disables by default, or refuses it
// with a message instead of gqlgen's INTERNAL.
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
