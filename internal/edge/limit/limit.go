// Package limit refuses GraphQL documents that cost too much, before the expensive
// steps.
//
// Validation is quadratic in the size of a document, and fragments that spread each
// other double it each time they are expanded. So a document is first measured as
// written (bytes, tokens), then parsed and measured as expanded (depth, fields,
// repeats, aliases). This takes linear time: it visits each fragment once, in the
// order of spreads, with the number of times it will occur. A document that passes
// is validated, and its cost is computed from the page sizes it asks for; only then
// does it run.
//
//	exec.Use(limit.New(limit.Options{}))
//
// Every refusal is fault.LimitExceeded and names the limit and the actual figure.
package limit

import (
	"context"
	"math"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"

	"parley/internal/ground/fault"
	"parley/internal/ground/price"
)

// Options are the limits. A zero field takes the default stated. A Budget holds for
// each operation of the document, with its fragments expanded.
type Options struct {
	Bytes      int // length of the document, default 20,000
	Tokens     int // lexical tokens, comments included, default 1,500
	Operations int // operations in one document, default 10
	Directives int // directives at one place of the document, default 5

	// Data bounds what is selected from Parley's own fields. Default: depth 15,
	// 500 fields, one name 50 times, 30 aliases.
	Data Budget
	// Introspection bounds what is selected below __schema and __type. It is a budget
	// of its own because the standard introspection query repeats names more often than
	// any other document has to. Default: depth 20, 500 fields, one name 150 times, 30
	// aliases.
	Introspection Budget

	// Cost bounds an operation's cost: one for a field, times the page size
	// below every connection. Default 10,000.
	Cost int
	// Prices are what fields cost on top. Default: nothing.
	Prices price.Table
	// PageSize is the page size assumed for a connection without first and last.
	// Default 20.
	PageSize int
	// Remembered is the number of accepted documents kept, which are not measured
	// again. Default 1,000.
	Remembered int
}

// Budget bounds an expanded selection. A zero field takes the default that Options
// states for the budget.
type Budget struct {
	Depth   int // fields inside fields
	Fields  int // fields in all
	Repeats int // occurrences of one field name
	Aliases int // fields under another name
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&o.Bytes, 20_000},
		{&o.Tokens, 1_500},
		{&o.Operations, 10},
		{&o.Directives, 5},
		{&o.Data.Depth, 15},
		{&o.Data.Fields, 500},
		{&o.Data.Repeats, 50},
		{&o.Data.Aliases, 30},
		{&o.Introspection.Depth, 20},
		{&o.Introspection.Fields, 500},
		{&o.Introspection.Repeats, 150},
		{&o.Introspection.Aliases, 30},
		{&o.Cost, 10_000},
		{&o.PageSize, 20},
		{&o.Remembered, 1_000},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return o
}

// Extension is the gqlgen handler extension that applies the limits.
type Extension struct {
	options  Options
	accepted graphql.Cache[struct{}]
}

var (
	_ graphql.OperationParameterMutator = (*Extension)(nil)
	_ graphql.OperationContextMutator   = (*Extension)(nil)
)

// New makes the Extension.
func New(o Options) *Extension {
	o = o.withDefaults()
	return &Extension{options: o, accepted: lru.New[struct{}](o.Remembered)}
}

// ExtensionName implements graphql.HandlerExtension.
func (*Extension) ExtensionName() string { return "Limit" }

// Validate implements graphql.HandlerExtension.
func (*Extension) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters measures the document before gqlgen parses and
// validates it. It changes nothing.
func (e *Extension) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	if len(p.Query) > e.options.Bytes {
		return refusal(exceeded("The document", "bytes", e.options.Bytes, len(p.Query)))
	}
	if _, found := e.accepted.Get(ctx, p.Query); found {
		return nil
	}
	if err := e.options.Check(p.Query); err != nil {
		return refusal(err)
	}
	e.accepted.Add(ctx, p.Query, struct{}{})
	return nil
}

// MutateOperationContext refuses a validated operation that costs too much with its
// variables. It keeps the cost for CostIn.
func (e *Extension) MutateOperationContext(_ context.Context, op *graphql.OperationContext) *gqlerror.Error {
	cost := e.options.CostOf(op.Doc, op.Operation, op.Variables)
	op.Stats.SetExtension(costKey, cost)
	if cost > e.options.Cost {
		return refusal(exceeded("The operation", "units of cost (fields and what they visit, times page sizes)", e.options.Cost, cost))
	}
	return nil
}

const costKey = "cost"

// CostIn returns the cost of an operation that an Extension has let pass; 0 for any
// other.
func CostIn(op *graphql.OperationContext) int {
	cost, _ := op.Stats.GetExtension(costKey).(int)
	return cost
}

// Check measures a document that is not validated yet. It returns
// fault.LimitExceeded if the document exceeds a limit. Text that is not GraphQL
// passes: the parser reports what is wrong with it.
func (o Options) Check(document string) error {
	o = o.withDefaults()
	if len(document) > o.Bytes {
		return exceeded("The document", "bytes", o.Bytes, len(document))
	}
	if n := countTokens(document); n > o.Tokens {
		return exceeded("The document", "tokens", o.Tokens, n)
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: document})
	if err != nil {
		return nil //nolint:nilerr // the executor parses it again and reports the error
	}
	_, err = o.measure(doc)
	return err
}

// countTokens counts up to the end or the first invalid token, where the parser will
// stop too.
func countTokens(document string) int {
	lex := lexer.New(&ast.Source{Input: document})
	for n := 0; ; n++ {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return n
		}
	}
}

func exceeded(subject, unit string, limit, actual int) error {
	if actual >= saturated {
		return fault.New(fault.LimitExceeded, "%s may have at most %d %s; this one has more than %d. Ask for less.",
			subject, limit, unit, saturated-1)
	}
	return fault.New(fault.LimitExceeded, "%s may have at most %d %s; this one has %d. Ask for less.",
		subject, limit, unit, actual)
}

func refusal(err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error()}
}

// saturated is where counters stop, so that no expansion overflows them.
const saturated = math.MaxInt32

func add(a, b int) int { return min(a+b, saturated) }

func multiply(a, b int) int {
	if a == 0 || b == 0 {
		return 0
	}
	if a > saturated/b {
		return saturated
	}
	return a * b
}
