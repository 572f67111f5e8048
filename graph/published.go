package graph

import (
	"maps"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Published is the schema as clients see it and documents are held against: without
// the directives that speak to the generator, and without @defer, which the parser
// adds to every schema and nothing here obeys.
//
//	NewExecutableSchema(Config{Schema: Published(), Resolvers: resolvers})
func Published() *ast.Schema {
	published := *parsedSchema
	published.Directives = maps.Clone(parsedSchema.Directives)
	maps.DeleteFunc(published.Directives, func(name string, _ *ast.DirectiveDefinition) bool {
		return name == "defer" || strings.HasPrefix(name, "go")
	})
	return &published
}
