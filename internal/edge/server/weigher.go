package server

import (
	"context"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"parley/internal/ground/allowance"
)

// weigher is a gqlgen extension that charges an operation's allowance for what the
// executor is about to write. Compiled operations do so themselves.
type weigher struct{}

// ExtensionName implements graphql.HandlerExtension.
func (weigher) ExtensionName() string { return "Weigher" }

// Validate implements graphql.HandlerExtension.
func (weigher) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptField implements graphql.FieldInterceptor.
func (weigher) InterceptField(ctx context.Context, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if a := allowance.FromContext(ctx); a != nil && err == nil {
		err = a.Write(ctx, len(graphql.GetFieldContext(ctx).Field.Alias)+weight(value))
	}
	if err != nil {
		return nil, err
	}
	return value, nil
}

// weight estimates the bytes of a leaf.
func weight(value any) int {
	const other = 8
	switch v := value.(type) {
	case string:
		return quoted(v)
	case *string:
		if v != nil {
			return quoted(*v)
		}
	case []string:
		n := 0
		for _, s := range v {
			n += quoted(s)
		}
		return n
	default:
		if v := reflect.Indirect(reflect.ValueOf(value)); v.Kind() == reflect.String {
			return quoted(v.String())
		}
	}
	return other
}

// quoted returns the length of a text in JSON.
func quoted(s string) int {
	n := len(s) + len(`"",`)
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20:
			n += len(`u0000`)
		case c == '"', c == '\\':
			n++
		}
	}
	return n
}
