package app

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
	"parley/resolvers"
)

// scoped is a gqlgen handler extension that refuses operations which the scopes of an
// access token do not cover, before they run.
type scoped struct{}

var _ graphql.OperationContextMutator = scoped{}

// ExtensionName implements graphql.HandlerExtension.
func (scoped) ExtensionName() string { return "Scoped" }

// Validate implements graphql.HandlerExtension.
func (scoped) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext implements graphql.OperationContextMutator.
func (scoped) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	v := viewer.FromContext(ctx)
	if v == nil || v.Scopes == nil {
		return nil
	}
	var lacking viewer.Scope
	limit.EachRootField(op.Doc, op.Operation.SelectionSet, func(f *ast.Field) {
		if scope := resolvers.ScopeOf(op.Operation.Operation, f.Name); !v.Allows(scope) {
			lacking = scope
		}
	})
	if lacking == "" {
		return nil
	}
	return answer.AsGraphQL(fault.New(fault.Forbidden, "This needs an access token with the scope %s. Create one with createAccessToken.", lacking))
}
