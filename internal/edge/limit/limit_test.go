package limit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"parley/internal/ground/fault"
)

// relay is what Relay's compiler makes of a desk: depth 12, fragments, edges.
const relay = `query Desk($first: Int!) {
  viewer { agent { id name }
    conversations(first: $first) {
      ...List_connection
      pageInfo { hasNextPage endCursor } } } }
fragment List_connection on ConversationConnection {
  edges { cursor node { __typename id ...Row_conversation } } }
fragment Row_conversation on Conversation {
  id name preview
  messages(last: 1) { edges { node { id
    content { __typename ... on Text { text }
      ... on Media { file { owner { team { lead { name } } } } } } } } } }`

func TestWhatPasses(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"a name":                      `{ viewer { id } }`,
		"Relay at depth 12":           relay,
		"depth 15":                    nested(15),
		"50 of one name":              "{" + strings.Repeat(" a", 50) + "}",
		"30 aliases":                  "{" + numbered(30, "a%d: b%d ") + "}",
		"500 fields":                  "{" + numbered(500, "a%d ") + "}",
		"five directives":             "{ a" + strings.Repeat(" @include(if: true)", 5) + "}",
		"ten operations":              numbered(10, "query q%d { a } "),
		"introspection":               introspection.Query,
		"introspection, newer":        introspection.NewQuery(introspection.QueryOptions{OneOf: true}),
		"introspection beside data":   `{ viewer { id } __schema { queryType { name } } }`,
		"no GraphQL":                  `{ viewer `,
		"no text":                     "",
		"an unknown fragment":         `{ ...F }`,
		"a fragment used in two ways": `{ a { ...F } b { ...F } } fragment F on T { id }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, Options{}.Check(document))
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		document string
		says     string
	}{
		"88 kB of one field":        {"{" + strings.Repeat(" aaa", 22_000) + "}", "20000 bytes; this one has 88002"},
		"many tokens":               {"{" + numbered(1_499, "a%d ") + "}", "1500 tokens; this one has 1501"},
		"comments are tokens":       {"{a}" + strings.Repeat("#\n", 1_600), "1500 tokens"},
		"51 of one name":            {"{" + strings.Repeat(" a", 51) + "}", "50 fields named a; this one has 51"},
		"depth 16":                  {nested(16), "15 levels of fields; this one has 16"},
		"depth through fragments":   {chain(16), "15 levels of fields; this one has 16"},
		"501 fields":                {"{" + numbered(501, "a%d ") + "}", "500 fields; this one has 501"},
		"wide aliases":              {"{" + numbered(31, "a%d: b%d ") + "}", "30 aliases; this one has 31"},
		"aliases through fragments": {"{ " + strings.Repeat("x { ...F } ", 31) + "} fragment F on T { a: b }", "30 aliases"},
		"six directives":            {"{ a" + strings.Repeat(" @x", 6) + " }", "5 directives; this one has 6"},
		"directives of a fragment":  {"{ ...F } fragment F on T" + strings.Repeat(" @x", 6) + " { a }", "5 directives"},
		"directives of a spread":    {"{ ...F" + strings.Repeat(" @x", 6) + " } fragment F on T { a }", "5 directives"},
		"directives inline":         {"{ ..." + strings.Repeat(" @x", 6) + " { a } }", "5 directives"},
		"directives of a query":     {"query" + strings.Repeat(" @x", 6) + " { a }", "5 directives"},
		"eleven operations":         {numbered(11, "query q%d { a } "), "10 operations; this one has 11"},
		"a fragment in itself":      {"{ ...F } fragment F on T { a { ...F } }", "Break the cycle"},
		"two fragments in a ring":   {"{ ...F } fragment F on T { ...G } fragment G on T { ...F }", "Break the cycle"},
		"an unused ring":            {"{ a } fragment F on T { ...F }", "Break the cycle"},
		"doubled fragments":         {doubled(30), "fields"},
		"doubled, unused":           {strings.Replace(doubled(30), "{ ...F0 }", "{ a }", 1), "fields"},
		"doubled, name taken":       {"fragment F0 on T { a } " + doubled(30) + " fragment F0 on T { ...F1 ...F1 }", "fields"},
		"a bomb of 1.4 kB":          {bomb(), "fields"},
		"the second operation":      {"query a { a } query b " + nested(16), "15 levels"},
		"repeated introspection":    {strings.Replace(introspection.Query, "types {", "types { ...FullType ...FullType ...FullType ...FullType", 1), "Introspection"},
		"deep introspection":        {"{ __schema " + nested(21) + " }", "20 levels"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Options{}.Check(c.document)
			require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestTheWorkIsLinear counts the selections visited: with every fragment
// doubled, expanding would take 2^n.
func TestTheWorkIsLinear(t *testing.T) {
	t.Parallel()
	wide := Options{
		Bytes: 1 << 20, Tokens: 1 << 20,
		Data: Budget{Depth: saturated, Fields: saturated, Repeats: saturated, Aliases: saturated},
	}.withDefaults()
	for _, n := range []int{10, 100, 1_000} {
		doc, err := parser.ParseQuery(&ast.Source{Input: doubled(n)})
		require.NoError(t, err)
		steps, err := wide.measure(doc)
		require.NoError(t, err, "saturated counters stop at the limit")
		require.LessOrEqual(t, steps, 6*(n+2))
	}
}

func TestCountersStopInsteadOfOverflowing(t *testing.T) {
	t.Parallel()
	require.Equal(t, saturated, add(saturated, saturated))
	require.Equal(t, saturated, multiply(saturated, 2))
	require.Equal(t, saturated, multiply(1<<20, 1<<20))
	require.Equal(t, 0, multiply(0, saturated))
	require.Equal(t, 6, multiply(2, 3))
}

func TestAnAcceptedDocumentIsMeasuredOnce(t *testing.T) {
	t.Parallel()
	e := New(Options{})
	require.Nil(t, e.MutateOperationParameters(context.Background(), &graphql.RawParams{Query: relay}))
	_, found := e.accepted.Get(context.Background(), relay)
	require.True(t, found)

	refused := nested(16)
	for range 2 {
		err := e.MutateOperationParameters(context.Background(), &graphql.RawParams{Query: refused})
		require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
	}
	_, found = e.accepted.Get(context.Background(), refused)
	require.False(t, found)
}

// FuzzCheck looks for panics and for work that outgrows the document.
func FuzzCheck(f *testing.F) {
	f.Add(relay)
	f.Add(introspection.Query)
	f.Add(doubled(9))
	f.Add(chain(9))
	f.Add("{ ...F } fragment F on T { ...F }")
	f.Add("{ a } fragment F on T { b } fragment F on T { ...F }")
	f.Fuzz(func(t *testing.T, document string) {
		if err := (Options{}).Check(document); err != nil {
			require.Equal(t, fault.LimitExceeded, fault.CodeOf(err))
		}
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, 1_500)
		if err != nil {
			return
		}
		steps, _ := Options{}.withDefaults().measure(doc)
		require.LessOrEqual(t, steps, 2*13*len(document), "two domains, eleven operations at most, one sorting")
	})
}

// nested is fields inside fields.
func nested(depth int) string {
	return strings.Repeat("{ a ", depth) + strings.Repeat("}", depth)
}

// chain is depth by way of one fragment for each level.
func chain(depth int) string {
	var b strings.Builder
	b.WriteString("{ ...F1 }")
	for i := 1; i < depth; i++ {
		fmt.Fprintf(&b, " fragment F%d on T { a%d { ...F%d } }", i, i, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on T { a }", depth)
	return b.String()
}

// doubled is n fragments, each of which spreads the next twice.
func doubled(n int) string {
	var b strings.Builder
	b.WriteString("{ ...F0 }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on T { ...F%d ...F%d }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on T { a }", n)
	return b.String()
}

// bomb doubles fields and aliases too, within 1.4 kB.
func bomb() string {
	var b strings.Builder
	b.WriteString("{...A}")
	for c := 'A'; c < 'Z'; c++ {
		fmt.Fprintf(&b, "fragment %c on T{x{...%c} y:x{...%c ...%c}}", c, c+1, c+1, c+1)
	}
	b.WriteString("fragment Z on T{x}")
	return b.String()
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(format, "%d", fmt.Sprint(i)))
	}
	return b.String()
}
