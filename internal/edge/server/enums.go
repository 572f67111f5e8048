package server

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// prepare parses and validates a request. An unknown enum value in a variable is
// refused in the words that one in the document is.
func (s *Server) prepare(ctx context.Context, params *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	op, errs := s.exec.CreateOperationContext(ctx, params)
	for _, err := range errs {
		if strings.HasPrefix(err.Path.String(), "variable.") {
			s.explainEnum(err)
		}
	}
	return op, errs
}

// mostEnumBytes bounds what is compared with the values there are.
const mostEnumBytes = 100

func (s *Server) explainEnum(err *gqlerror.Error) {
	const says = " is not a valid "
	at := strings.LastIndex(err.Message, says)
	if at < 0 {
		return
	}
	value, name := err.Message[:at], err.Message[at+len(says):]
	enum := s.options.Schema.Schema().Types[name]
	if enum == nil || enum.Kind != ast.Enum {
		return
	}
	err.Message = `Value "` + value + `" does not exist in "` + name + `" enum.`
	if len(value) > mostEnumBytes {
		return
	}
	known := make([]string, len(enum.EnumValues))
	for i, v := range enum.EnumValues {
		known[i] = v.Name
	}
	core.SuggestListQuoted("Did you mean the enum value", value, known)(err)
}
