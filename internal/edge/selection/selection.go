// Package selection answers operations faster than the executor that gqlgen generates,
// with the same bytes. It compiles an operation once into a tree of functions that append
// a Go value's fields to a buffer. The tables of these functions are generated beside the
// executor (see gen), for every object type of the schema.
//
//	schema := selection.New(graph.NewExecutableSchema(config), graph.SelectionTables(config), rights, now)
//
// A Schema wraps the generated one and is one itself, so limits, interceptors and the
// presentation of errors stay as they were. It knows nothing about the schema's subject.
//
// Plans write the values of subscriptions, too. What is the same for all subscribers of
// an event is written once for all of them (see Event).
//
// Operations it does not support go to the executor before anything has run: mutations,
// introspection, @defer, custom directives. So do operations that fail on the way (a
// resolver's error, null where it is not allowed, a panic), from the start: queries have
// no effects, so the errors, their paths and the nulls around them are the executor's own.
package selection

import (
	"context"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/ground/allowance"
	"parley/internal/ground/viewer"
)

// Tables describe how the fields of a schema's types are got. They are generated.
type Tables struct {
	Objects   map[string]*Object
	Abstracts map[string]*Abstract
}

// Object is a GraphQL object type bound to a Go struct.
type Object struct {
	Name string
	// Satisfies are the type conditions of fragments that apply to it.
	Satisfies []string
	// Fields by name. Those that are absent are the executor's alone.
	Fields map[string]*Field
}

// Abstract is an interface or a union.
type Abstract struct {
	Members []string
	// Member tells a value's object type and gives it as that type's functions
	// take it; nil for null.
	Member func(v any) (name string, object any)
}

// Field is how a field is got and written. Its source is the parent (a pointer
// to the object's struct), or what Resolve or Batch gave.
type Field struct {
	NonNull bool

	// Of is the type of an object or of a list's objects; empty for what Write
	// writes whole.
	Of string
	// Write writes a leaf, or a list of leaves.
	Write func(w *Writer, source any)
	// One gives an object, nil for null.
	One func(source any) any
	// Many appends a list's objects, nil for null ones; false for no list.
	Many        func(into []any, source any) ([]any, bool)
	ElemNonNull bool

	// Args reads the field's arguments as the executor does; nil for none.
	Args func(ctx context.Context, raw map[string]any) (map[string]any, error)
	// Resolve calls the field's resolver for one parent; nil for a root.
	Resolve func(ctx context.Context, parent any, fc Call) (any, error)
	// Batch calls the field's resolver for all parents at once.
	Batch func(ctx context.Context, parents []any, fc Call) ([]any, error)
	// Shared says which subscribers share the results of Batch, as @goShared promises in
	// the schema.
	Shared Sharing
	// Stream opens a subscription.
	Stream func(ctx context.Context, fc Call) (Source, error)
	// Execute writes a value of the stream as the executor does.
	Execute func(ctx context.Context, field graphql.CollectedField, v any) graphql.Marshaler
}

// Sharing says which of the viewers who see the parents get the same from a batch resolver.
// Its values are ordered: what is made of several fields is shared as the least of theirs.
type Sharing int

// What @goShared can say.
const (
	// SharedByNone is for fields that depend on the viewer.
	SharedByNone Sharing = iota
	// SharedByRights is for fields that are the same for viewers with equal rights on records.
	SharedByRights
	// SharedByAll is for fields that are the same for everybody. The system resolves them, so
	// that they cannot depend on the viewer.
	SharedByAll
)

// Call is what a resolver is called with.
type Call struct{ Args map[string]any }

// Schema is an executable schema with compiled operations in front. It is safe
// for concurrent use.
type Schema struct {
	graphql.ExecutableSchema

	tables Tables
	rights Rights
	now    Now
	plans  *cache
	counts counts
}

// Rights gives a viewer's rights on records as a value that can be compared. Values may be
// equal only if the rights are.
type Rights func(*viewer.Viewer) any

// Now gives a viewer with the rights that they have by now.
type Now func(*viewer.Viewer) *viewer.Viewer

// New puts compiled operations in front of an executable schema, whose tables
// they go by.
func New(schema graphql.ExecutableSchema, tables Tables, rights Rights, now Now) *Schema {
	return &Schema{ExecutableSchema: schema, tables: tables, rights: rights, now: now, plans: newCache(), counts: newCounts()}
}

// Exec implements graphql.ExecutableSchema.
func (s *Schema) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	p := s.plan(op)
	switch {
	case p == nil:
	case op.Operation.Operation == ast.Query:
		return s.query(p, op)
	default:
		if responses := s.subscription(s.following(ctx), p, op); responses != nil {
			return s.eachFollowing(responses)
		}
	}
	s.counts.executor.Inc()
	if op.Operation.Operation == ast.Subscription {
		return s.eachFollowing(s.ExecutableSchema.Exec(s.following(ctx)))
	}
	return s.ExecutableSchema.Exec(ctx)
}

// eachFollowing writes each frame of a stream, whichever way it is made, under the rights
// that the viewer has by then: a stream may outlive those it was opened with.
func (s *Schema) eachFollowing(responses graphql.ResponseHandler) graphql.ResponseHandler {
	return func(ctx context.Context) *graphql.Response { return responses(s.following(ctx)) }
}

func (s *Schema) following(ctx context.Context) context.Context {
	v := viewer.FromContext(ctx)
	return viewer.Following(ctx, func() *viewer.Viewer { return s.now(v) })
}

// Compiles reports whether an operation is answered by a compiled plan.
func (s *Schema) Compiles(op *graphql.OperationContext) bool { return s.plan(op) != nil }

// plan returns the operation's plan; nil when it is the executor's.
func (s *Schema) plan(op *graphql.OperationContext) *plan {
	variants := s.plans.of(op.Operation)
	key, ok := variants.key(op.Variables)
	if !ok {
		return nil
	}
	return variants.get(key, func() *plan { return compile(s.tables, s.rights, op) })
}

// query answers by p, and hands over to the executor when that fails.
func (s *Schema) query(p *plan, op *graphql.OperationContext) graphql.ResponseHandler {
	var next graphql.ResponseHandler
	return func(ctx context.Context) *graphql.Response {
		if next != nil {
			return next(ctx)
		}
		if data, ok := p.answer(ctx, op.Variables); ok {
			s.counts.compiled.Inc()
			next = func(context.Context) *graphql.Response { return nil }
			return &graphql.Response{Data: data}
		}
		if allowance.FromContext(ctx).Refusal() != nil { // the executor would meet it again
			return &graphql.Response{}
		}
		s.counts.executor.Inc()
		next = s.ExecutableSchema.Exec(ctx)
		return next(ctx)
	}
}

// answer runs the plan of a query. It reports false when the executor must
// answer instead.
func (p *plan) answer(ctx context.Context, variables map[string]any) (data []byte, ok bool) {
	r := p.begin(ctx)
	defer func() {
		if recover() != nil { // the executor meets the panic again, and tells of it
			ok = false // what the run holds is not to be trusted
		}
	}()
	if !r.fetch(ctx, p.root, top, variables) || !r.encode(p.root, nil) {
		r.release()
		return nil, false
	}
	if h, held := ctx.Value(holdKey{}).(*hold); held && h.run == nil {
		h.run = r
		return r.w.b, true
	}
	defer r.release()
	return r.joined(), true
}

// Parts are the whole of a held answer, whose Response has only the last of them.
// They are nil where the Response has all.
func Parts(ctx context.Context) [][]byte {
	h, held := ctx.Value(holdKey{}).(*hold)
	if !held || h.run == nil || len(h.run.chunks) == 0 {
		return nil
	}
	return append(h.run.chunks[:len(h.run.chunks):len(h.run.chunks)], h.run.w.b)
}

type holdKey struct{}

type hold struct {
	run  *run
	done []func()
}

// Hold lets the answer of one operation under ctx lie in a buffer that is used
// again after release: for a caller who has written it by then.
func Hold(ctx context.Context) (_ context.Context, release func()) {
	h := &hold{}
	return context.WithValue(ctx, holdKey{}, h), func() {
		if h.run != nil {
			h.run.release()
		}
		for _, done := range h.done {
			done()
		}
	}
}

// Until lets a resolver that a plan calls take back what it gives: what it passes
// to the function is called when the answer has been written and nobody looks at
// its values any more. It is nil where nobody tells.
func Until(ctx context.Context) func(done func()) {
	h, held := ctx.Value(holdKey{}).(*hold)
	if _, planned := Selected(ctx); !held || !planned {
		return nil
	}
	return func(done func()) { h.done = append(h.done, done) }
}

// top is the one parent of the roots.
var top = []any{nil}

var runs = sync.Pool{New: func() any { return &run{} }}
