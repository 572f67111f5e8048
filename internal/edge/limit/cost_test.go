package limit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"parley/internal/ground/fault"
	"parley/internal/ground/price"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { me: Agent! list(view: String, first: Int, last: Int): AgentConnection! top(first: Int): [Agent!]! all: [Agent!]! }
	type Agent { id: ID! name: String! friends(first: Int = 7, last: Int): AgentConnection! }
	type AgentConnection { edges: [AgentEdge!]! nodes: [Agent!]! totalCount: Int! }
	type AgentEdge { cursor: String! node: Agent! }
`})

func TestCost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document  string
		variables string
		cost      int
	}{
		"fields":                   {document: `{ me { id name } }`, cost: 3},
		"a literal page":           {document: `{ list(first: 5) { nodes { id } } }`, cost: 1 + 5*2},
		"the default page":         {document: `{ list { nodes { id } } }`, cost: 1 + 20*2},
		"the schema's default":     {document: `{ me { friends { nodes { id } } } }`, cost: 2 + 7*2},
		"last":                     {document: `{ list(last: 3) { nodes { id } } }`, cost: 1 + 3*2},
		"the larger of both":       {document: `{ list(first: 2, last: 9) { nodes { id } } }`, cost: 1 + 9*2},
		"edges":                    {document: `{ list(first: 5) { edges { cursor node { id } } } }`, cost: 1 + 5*4},
		"what is beside the page":  {document: `{ list(first: 5) { totalCount nodes { id } } }`, cost: 2 + 5*2},
		"pages in pages":           {document: `{ list(first: 5) { nodes { friends(first: 4) { nodes { id } } } } }`, cost: 1 + 5*(2+4*2)},
		"a variable page":          {document: `query($n: Int) { list(first: $n) { nodes { id } } }`, variables: `{"n": 50}`, cost: 1 + 50*2},
		"a variable left out":      {document: `query($n: Int) { list(first: $n) { nodes { id } } }`, cost: 1 + 20*2},
		"a variable of null":       {document: `query($n: Int) { list(first: $n) { nodes { id } } }`, variables: `{"n": null}`, cost: 1 + 20*2},
		"a variable's default":     {document: `query($n: Int = 8) { list(first: $n) { nodes { id } } }`, cost: 1 + 8*2},
		"a page below nought":      {document: `{ list(first: -5) { nodes { id } } }`, cost: 1 + 20*2},
		"a paged plain list":       {document: `{ top(first: 6) { id } }`, cost: 1 + 6},
		"a short plain list":       {document: `{ all { id } }`, cost: 2},
		"a fragment in two pages":  {document: `{ a: list(first: 2) { ...F } b: list(first: 3) { ...F } } fragment F on AgentConnection { totalCount nodes { id } }`, cost: 2 + 2 + 2*2 + 3*2},
		"an inline fragment":       {document: `{ list(first: 2) { ... on AgentConnection { nodes { id } } } }`, cost: 1 + 2*2},
		"introspection":            {document: `{ __schema { types { name } } }`, cost: 1},
		"the largest page":         {document: `{ list(first: 2147483647) { nodes { friends(first: 2147483647) { nodes { id } } } } }`, cost: saturated},
		"a page in a JSON number":  {document: `query($n: Int!) { list(first: $n) { nodes { id } } }`, variables: `{"n": 4}`, cost: 1 + 4*2},
		"skipped, counted as well": {document: `{ me { id @skip(if: true) } }`, cost: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := operation(t, c.document, c.variables)
			require.Equal(t, c.cost, Options{}.CostOf(op.Doc, op.Operation, op.Variables))
		})
	}
}

func TestACostlyOperationIsRefused(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	fine := operation(t, `query($n: Int!) { list(first: $n) { nodes { friends(first: 20) { nodes { id } } } } }`, `{"n": 100}`)
	require.Nil(t, e.MutateOperationContext(context.Background(), fine))

	costly := operation(t, `query($n: Int!) { list(first: $n) { nodes { friends(first: 100) { nodes { id } } } } }`, `{"n": 100}`)
	err := e.MutateOperationContext(context.Background(), costly)
	require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	require.ErrorContains(t, err, "10000 units of cost")
	require.ErrorContains(t, err, fmt.Sprint(1+100*(2+100*2)))
}

// TestCostIsLinear: fragments that double are worked out once each.
func TestCostIsLinear(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("{ me { ...F0 } }")
	const n = 60
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Agent { friends(first: 2) { nodes { ...F%d } } x: friends(first: 2) { nodes { ...F%d } } }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Agent { id }", n)
	doc, err := parser.ParseQuery(&ast.Source{Input: b.String()})
	require.NoError(t, err)
	c := &coster{pageSize: 20, doc: doc, fragments: map[string]cost{}}
	c.set(doc.Operations[0].SelectionSet)
	require.LessOrEqual(t, c.steps, 2+n*6+1)
}

func TestIntrospects(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]bool{
		`{ me { id } }`:                        false,
		`{ __typename }`:                       false,
		`{ __schema { description } }`:         true,
		`{ x: __type(name: "Agent") { kind }}`: true,
		`{ ... { __schema { description } } }`: true,
		`{ ...F ...F } fragment F on Query { ...G } fragment G on Query { __schema { description } }`: true,
		`{ me { ...F } } fragment F on Agent { id }`:                                                  false,
	} {
		op := operation(t, document, "")
		require.Equal(t, want, Introspects(op.Doc, op.Operation), document)
	}
}

// operation does what gqlgen does before it asks the extension.
func operation(t *testing.T, document, variables string) *graphql.OperationContext {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules())
	require.Empty(t, errs)
	raw := map[string]any{}
	if variables != "" {
		decoder := json.NewDecoder(strings.NewReader(variables))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&raw))
	}
	coerced, err := validator.VariableValues(schema, doc.Operations[0], raw)
	require.NoError(t, err)
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: coerced}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	prices := price.Table{
		"Agent.name":    {Units: price.Flat(5)},
		"Query.list":    {Units: func(a price.Args) int { return 10 * a.Count("first") }, Total: func(a price.Args) int { return 1000 + a.Length("view") }},
		"Agent.friends": {Total: price.Flat(100)},
	}
	for name, c := range map[string]struct {
		document, variables string
		cost                int
	}{
		"a field":                  {document: `{ me { name } }`, cost: 2 + 5},
		"in a page":                {document: `{ all { name } list(first: 4) { nodes { name } } }`, cost: 2 + 5 + 11 + 4*(2+5)},
		"by an argument":           {document: `query($n: Int) { list(first: $n) { nodes { id } } }`, cost: 1 + 20*2},
		"a total":                  {document: `{ list { totalCount } }`, cost: 2 + 1000},
		"a total by its arguments": {document: `{ list(view: "four") { totalCount } }`, cost: 2 + 1004},
		"of a variable":            {document: `query($v: String) { list(view: $v) { totalCount } }`, variables: `{"v": "four"}`, cost: 2 + 1004},
		"equal totals once":        {document: `{ a: list { totalCount } b: list(first: 1) { ...T t: totalCount } } fragment T on AgentConnection { totalCount }`, cost: 5 + 10 + 1000},
		"others each":              {document: `{ a: list { ...T } b: list(view: "b") { ...T } c: list(view: "c") { ...T } } fragment T on AgentConnection { totalCount }`, cost: 6 + 3000 + 2},
		"totals in pages each":     {document: `{ list(first: 3) { nodes { friends { totalCount } } } }`, cost: 1 + 10 + 3*(1+2+100)},
		"one that another pays":    {document: `{ list { ... { totalCount } nodes { id } } }`, cost: 2 + 1000 + 20*2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op := operation(t, c.document, c.variables)
			require.Equal(t, c.cost, Options{Prices: prices}.CostOf(op.Doc, op.Operation, op.Variables))
		})
	}
}
