package conventions

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func schemaOf(t *testing.T, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "test.graphql", Input: sdl})
	require.NoError(t, err)
	return schema
}

func TestDiff(t *testing.T) {
	t.Parallel()
	const query = "type Query { a: Int }\n"
	cases := []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", query, query, nil},
		{"description and order", "type Query { a: Int b: Int }", "\"Start.\" type Query { b: Int a: Int }", nil},
		{"new type and field", query, "type Query { a: Int b: B } type B { c: Int }", nil},
		{"type removed", "type Query { a: Int } type B { c: Int }", query, []string{"B was removed"}},
		{"kind changed", "type Query { a: B } type B { c: Int }", "type Query { a: B } scalar B", []string{"B was of kind OBJECT and is SCALAR"}},
		{"field removed", "type Query { a: Int b: Int }", query, []string{"Query.b was removed"}},
		{"field type changed", query, "type Query { a: String }", []string{"Query.a was Int and is String"}},
		{"output may be null", "type Query { a: Int! }", query, []string{"Query.a was Int! and is Int"}},
		{"output never null", query, "type Query { a: Int! }", nil},
		{"items may be null", "type Query { a: [Int!]! }", "type Query { a: [Int]! }", []string{"Query.a was [Int!]! and is [Int]!"}},
		{"one became many", query, "type Query { a: [Int] }", []string{"Query.a was Int and is [Int]"}},
		{"argument removed", "type Query { a(x: Int): Int }", query, []string{"Query.a(x) was removed"}},
		{"new optional argument", query, "type Query { a(x: Int): Int }", nil},
		{"new required argument", query, "type Query { a(x: Int!): Int }", []string{"Query.a(x) is new and required"}},
		{"new argument with default", query, "type Query { a(x: Int! = 1): Int }", nil},
		{"argument required", "type Query { a(x: Int): Int }", "type Query { a(x: Int!): Int }", []string{"Query.a(x) was Int and is Int!"}},
		{"argument optional", "type Query { a(x: Int!): Int }", "type Query { a(x: Int): Int }", nil},
		{"argument's items required", "type Query { a(x: [Int]): Int }", "type Query { a(x: [Int!]): Int }", []string{"Query.a(x) was [Int] and is [Int!]"}},
		{"argument type changed", "type Query { a(x: Int): Int }", "type Query { a(x: ID): Int }", []string{"Query.a(x) was Int and is ID"}},
		{"default changed", "type Query { a(x: Int = 1): Int }", "type Query { a(x: Int = 2): Int }", []string{"Query.a(x) had the default 1 and has another or none"}},
		{"default removed", "type Query { a(x: Int = 1): Int }", "type Query { a(x: Int): Int }", []string{"Query.a(x) had the default 1 and has another or none"}},
		{"default added", "type Query { a(x: Int): Int }", "type Query { a(x: Int = 1): Int }", nil},
		{"enum value removed", query + "enum E { A B }", query + "enum E { A }", []string{"E.B was removed"}},
		{"enum value added", query + "enum E { A }", query + "enum E { A B }", nil},
		{"input field removed", query + "input I { a: Int b: Int }", query + "input I { a: Int }", []string{"I.b was removed"}},
		{"new required input field", query + "input I { a: Int }", query + "input I { a: Int b: Int! }", []string{"I.b is new and required"}},
		{"new optional input field", query + "input I { a: Int }", query + "input I { a: Int b: Int c: Int! = 1 }", nil},
		{"input field required", query + "input I { a: Int }", query + "input I { a: Int! }", []string{"I.a was Int and is Int!"}},
		{"input field optional", query + "input I { a: Int! }", query + "input I { a: Int }", nil},
		{"interface dropped", query + "interface N { a: Int } type T implements N { a: Int }", query + "interface N { a: Int } type T { a: Int }", []string{"T no longer implements N"}},
		{"member dropped", query + "type T { a: Int } type S { a: Int } union U = T | S", query + "type T { a: Int } type S { a: Int } union U = T", []string{"U no longer holds S"}},
		{"member added", query + "type T { a: Int } type S { a: Int } union U = T", query + "type T { a: Int } type S { a: Int } union U = T | S", nil},
		{
			"all of them, by path", "type Query { b: Int a: Int c: Int }", "type Query { c: String }",
			[]string{"Query.a was removed", "Query.b was removed", "Query.c was Int and is String"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, b := range Diff(schemaOf(t, c.before), schemaOf(t, c.after)) {
				got = append(got, b.String())
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestAnnounced(t *testing.T) {
	t.Parallel()
	const dated = `@deprecated(reason: "It is slow. Use a instead. Since 2026-07-01, removed after 2027-01-31.")`
	now := time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name, before string
		now          time.Time
		want         bool
	}{
		{"field, the day after", "type Query { a: Int b: Int " + dated + " }", now, true},
		{"field, on its last day", "type Query { a: Int b: Int " + dated + " }", now.Add(-time.Second), false},
		{"no date", `type Query { a: Int b: Int @deprecated(reason: "Use a. Removed soon.") }`, now, false},
		{"not deprecated", "type Query { a: Int b: Int }", now, false},
		{"argument", "type Query { a(x: Int " + dated + "): Int }", now, true},
		{"type, all fields", "type Query { a: Int } type B { c: Int " + dated + " }", now, true},
		{"type, one field only", "type Query { a: Int } type B { c: Int " + dated + " d: Int }", now, false},
		{"enum, all values", "type Query { a: Int } enum E { A " + dated + " }", now, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			breaks := Diff(schemaOf(t, c.before), schemaOf(t, "type Query { a: Int }"))
			require.Len(t, breaks, 1)
			require.Equal(t, c.want, breaks[0].Announced(c.now))
		})
	}
}

func TestLastDay(t *testing.T) {
	t.Parallel()
	last, err := LastDay("Use a instead. Since 2026-11-23, removed after 2027-05-23.")
	require.NoError(t, err)
	require.Equal(t, time.Date(2027, 5, 23, 0, 0, 0, 0, time.UTC), last)
	for reason, want := range map[string]string{
		"":                    "form",
		"No longer supported": "form", // GraphQL's own default
		"Since 2026-11-23, removed after 2027-05-23":               "form",
		"Use a. Removed after 2027-05-23.":                         "form",
		"Use a. Since 2026-11-23, removed after 2027-05-23. Sorry": "form",
		"Use a. Since 2026-11-23, removed after 2027-02-31.":       "day",
		"Use a. Since 2026-11-23, removed after 2026-12-23.":       "notice",
		"Use a. Since 2027-05-23, removed after 2026-11-23.":       "notice",
	} {
		_, err := LastDay(reason)
		require.ErrorContains(t, err, want, reason)
	}
}
