package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/allowance"
	"parley/internal/ground/fault"
	"parley/internal/ground/stream"
	"parley/internal/ground/viewer"
)

var parsed = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Day
	enum Colour { DARK_RED DARK_GREEN }
	input Paint { colour: Colour! }
	type Query {
		paint(in: Colour, with: Paint): String
		me: String!
		echo(text: String!): String
		fail(how: String!): String
		day(on: Day!): String
		deadline: String
		hold(bytes: Int!): String
		list(first: Int): ItemConnection
	}
	type ItemConnection { nodes: [Item!]! }
	type Item { id: ID! list(first: Int): ItemConnection }
	type Mutation { touch: String! }
	type Subscription {
		count(to: Int!): Int!
		never: Int!
		flood: String!
		large: String!
		refused: Int!
		lost: Int!
		broken: Int!
		driven: Int!
		ticks: Int!
		resumable(after: String): Tick!
	}
	type Tick { cursor: String! n: Int! }
`})

// schema executes the root fields of parsed by hand, as generated code would.
type schema struct {
	live    atomic.Int32  // streams whose context has not ended
	waiting chan struct{} // one for each call of the field deadline
	sources chan *source  // of the field driven
}

func newSchema() *schema {
	return &schema{waiting: make(chan struct{}, 100), sources: make(chan *source, 100)}
}

func (s *schema) Schema() *ast.Schema { return parsed }

func (s *schema) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (s *schema) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation == ast.Subscription {
		return s.stream(ctx, op)
	}
	done := false
	return func(ctx context.Context) *graphql.Response {
		if done {
			return nil
		}
		done = true
		return s.object(ctx, op)
	}
}

func (s *schema) object(ctx context.Context, op *graphql.OperationContext) *graphql.Response {
	data := map[string]any{}
	for _, selection := range op.Operation.SelectionSet {
		field := selection.(*ast.Field)
		data[field.Alias] = s.resolve(ctx, op, field)
	}
	return respond(data)
}

func respond(data map[string]any) *graphql.Response {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return &graphql.Response{Data: b}
}

func (s *schema) resolve(ctx context.Context, op *graphql.OperationContext, field *ast.Field) (value any) {
	fc := &graphql.FieldContext{Object: "Query", Field: graphql.CollectedField{Field: field}}
	ctx = graphql.WithFieldContext(ctx, fc)
	defer func() {
		if p := recover(); p != nil {
			graphql.AddError(ctx, op.Recover(ctx, p))
		}
	}()
	args := field.ArgumentMap(op.Variables)
	if field.Name == "day" { // as generated code reads a custom scalar
		graphql.AddError(ctx, errors.New("a Day is written 2026-11-23"))
		return nil
	}
	fc.Args = args
	value, err := s.call(ctx, op, field.Name, args)
	graphql.AddError(ctx, err)
	return value
}

func (s *schema) call(ctx context.Context, op *graphql.OperationContext, name string, args map[string]any) (any, error) {
	switch name {
	case "me":
		return viewer.FromContext(ctx).Username, nil
	case "touch":
		return "touched", nil
	case "echo":
		return args["text"], nil
	case "list":
		return map[string]any{"nodes": []any{}}, nil
	case "hold":
		if err := allowance.FromContext(ctx).Write(ctx, int(args["bytes"].(int64))); err != nil {
			return nil, err
		}
		s.waiting <- struct{}{}
		<-ctx.Done()
		return nil, errors.New("interrupted")
	case "deadline":
		s.waiting <- struct{}{}
		<-ctx.Done()
		return nil, errors.New("interrupted")
	case "fail":
		return nil, fail(args["how"].(string))
	case "__schema":
		if op.DisableIntrospection {
			return nil, errors.New("introspection disabled")
		}
		return map[string]any{}, nil
	}
	return nil, fmt.Errorf("no field %s", name)
}

func fail(how string) error {
	switch how {
	case "input":
		return fault.Input("input.first", "At most 100.")
	case "busy":
		return &fault.Error{Code: fault.Unavailable, Message: "Busy.", RetryAfter: 1500 * 1e6}
	case "panic":
		panic("secret panic")
	}
	return fmt.Errorf("sql: no such table %s", how)
}

func (s *schema) stream(ctx context.Context, op *graphql.OperationContext) graphql.ResponseHandler {
	field := op.Operation.SelectionSet[0].(*ast.Field)
	if field.Name == "refused" {
		graphql.AddError(ctx, fault.New(fault.Forbidden, "Not yours."))
		return func(context.Context) *graphql.Response { return nil }
	}
	s.live.Add(1)
	context.AfterFunc(ctx, func() { s.live.Add(-1) })
	if field.Name == "driven" {
		return s.drive(ctx, field)
	}
	n := 0
	return func(ctx context.Context) *graphql.Response {
		n++
		value := s.event(ctx, field, op, n)
		if value == nil {
			return nil
		}
		return respond(map[string]any{field.Alias: value})
	}
}

var mebibyte = string(bytes.Repeat([]byte("x"), 1<<20))

func (s *schema) event(ctx context.Context, field *ast.Field, op *graphql.OperationContext, n int) any {
	switch field.Name {
	case "count":
		to := field.ArgumentMap(op.Variables)["to"]
		if fmt.Sprint(to) == fmt.Sprint(n-1) {
			return nil
		}
		return n
	case "resumable":
		if n > 2 {
			return nil
		}
		return json.RawMessage(fmt.Sprintf("{\n\"cursor\":%q,\"n\":%d}", fmt.Sprint(field.ArgumentMap(op.Variables)["after"], "+", n), n))
	case "ticks":
		return n
	case "flood":
		return mebibyte
	case "large":
		if err := allowance.FromContext(ctx).Write(ctx, len(mebibyte)-1); err != nil {
			return err.Error()
		}
		return mebibyte
	case "lost":
		if n == 2 {
			stream.Fail(ctx, &fault.Error{Code: fault.ResyncRequired, Message: "Too slow.", Cursor: "c1"})
			return nil
		}
		return n
	case "broken":
		panic(strings.Repeat("secret ", 2))
	}
	<-ctx.Done()
	return nil
}
