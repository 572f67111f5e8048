package app

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/memo"
)

// remembering is a gqlgen handler extension that lets a query read the same thing
// once. What a mutation or an event has changed is read anew.
type remembering struct{}

var _ graphql.OperationInterceptor = remembering{}

// ExtensionName implements graphql.HandlerExtension.
func (remembering) ExtensionName() string { return "Remembering" }

// Validate implements graphql.HandlerExtension.
func (remembering) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation implements graphql.OperationInterceptor.
func (remembering) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Query {
		ctx = memo.NewContext(ctx)
	}
	return next(ctx)
}
