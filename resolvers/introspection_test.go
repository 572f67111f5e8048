package resolvers_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"parley/internal/check/parleytest"
)

// What introspection answers, as far as it is asked.
type (
	shownRef struct {
		Kind, Name string
		OfType     *shownRef
	}
	shownValue struct {
		Name, Description, DefaultValue, DeprecationReason string
		IsDeprecated                                       bool
		Type                                               shownRef
		Args                                               []shownValue
	}
	shownType struct {
		Kind, Name, Description, SpecifiedByURL string
		IsOneOf                                 bool
		Fields, InputFields, EnumValues         []shownValue
		Interfaces, PossibleTypes               []shownRef
	}
	shownDirective struct {
		Name, Description string
		Locations         []string
		IsRepeatable      bool
		Args              []shownValue
	}
	shownSchema struct {
		Description                               string
		QueryType, MutationType, SubscriptionType shownRef
		Types                                     []shownType
		Directives                                []shownDirective
	}
)

func (r *shownRef) String() string {
	switch {
	case r == nil:
		return ""
	case r.Kind == "NON_NULL":
		return r.OfType.String() + "!"
	case r.Kind == "LIST":
		return "[" + r.OfType.String() + "]"
	}
	return r.Name
}

// lines say everything that a schema says, one thing a line.
type lines []string

func (l *lines) say(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (l *lines) shownValues(of string, values []shownValue) {
	for _, v := range values {
		at := of + "." + v.Name
		l.say("%s: %s = %s, deprecated %v %q, %q", at, &v.Type, v.DefaultValue, v.IsDeprecated, v.DeprecationReason, v.Description)
		l.shownValues(at, v.Args)
	}
}

func linesOfShown(s shownSchema) []string {
	var l lines
	l.say("roots %s %s %s, %q", &s.QueryType, &s.MutationType, &s.SubscriptionType, s.Description)
	for _, t := range s.Types {
		l.say("%s %s by %q one of %v, %q", t.Kind, t.Name, t.SpecifiedByURL, t.IsOneOf, t.Description)
		for _, ref := range t.Interfaces {
			l.say("%s is %s", t.Name, ref.Name)
		}
		for _, ref := range t.PossibleTypes {
			l.say("%s may be %s", t.Name, ref.Name)
		}
		for _, values := range [][]shownValue{t.Fields, t.InputFields, t.EnumValues} {
			l.shownValues(t.Name, values)
		}
	}
	for _, d := range s.Directives {
		l.say("@%s on %v repeatable %v, %q", d.Name, d.Locations, d.IsRepeatable, d.Description)
		l.shownValues("@"+d.Name, d.Args)
	}
	slices.Sort(l)
	return l
}

func (l *lines) value(of, name, kind string, byDefault *ast.Value, directives ast.DirectiveList, description string) {
	text, reason := "", ""
	if byDefault != nil {
		text = byDefault.String()
	}
	deprecated := directives.ForName("deprecated")
	if deprecated != nil {
		reason = "No longer supported"
		if given := deprecated.Arguments.ForName("reason"); given != nil {
			reason = given.Value.Raw
		}
	}
	l.say("%s.%s: %s = %s, deprecated %v %q, %q", of, name, kind, text, deprecated != nil, reason, description)
}

func (l *lines) arguments(of string, arguments ast.ArgumentDefinitionList) {
	for _, a := range arguments {
		l.value(of, a.Name, a.Type.String(), a.DefaultValue, a.Directives, a.Description)
	}
}

func (l *lines) definition(s *ast.Schema, d *ast.Definition) {
	by := ""
	if specified := d.Directives.ForName("specifiedBy"); specified != nil {
		by = specified.Arguments.ForName("url").Value.Raw
	}
	l.say("%s %s by %q one of %v, %q", d.Kind, d.Name, by, d.Directives.ForName("oneOf") != nil, d.Description)
	for _, name := range d.Interfaces {
		l.say("%s is %s", d.Name, name)
	}
	if d.IsAbstractType() {
		for _, member := range s.GetPossibleTypes(d) {
			l.say("%s may be %s", d.Name, member.Name)
		}
	}
	for _, f := range d.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			l.value(d.Name, f.Name, f.Type.String(), f.DefaultValue, f.Directives, f.Description)
			l.arguments(d.Name+"."+f.Name, f.Arguments)
		}
	}
	for _, v := range d.EnumValues {
		l.value(d.Name, v.Name, "", nil, v.Directives, v.Description)
	}
}

func linesOf(s *ast.Schema) []string {
	var l lines
	l.say("roots %s %s %s, %q", s.Query.Name, s.Mutation.Name, s.Subscription.Name, s.Description)
	for _, d := range s.Types {
		l.definition(s, d)
	}
	for name, d := range s.Directives {
		if name == "defer" {
			continue // the parser's own, which is not offered
		}
		l.say("@%s on %v repeatable %v, %q", name, d.Locations, d.IsRepeatable, d.Description)
		l.arguments("@"+name, d.Arguments)
	}
	slices.Sort(l)
	return l
}

// TestIntrospectionTellsTheSchemaThatIsPublished: neither more nor less.
func TestIntrospectionTellsTheSchemaThatIsPublished(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../schema.graphql")
	require.NoError(t, err)
	published, err := gqlparser.LoadSchema(&ast.Source{Input: string(text)})
	require.NoError(t, err)
	amy := parleytest.New(t).As("amy")
	var answer struct {
		Schema shownSchema `json:"__schema"`
	}
	amy.Into(&answer, introspection.NewQuery(introspection.QueryOptions{OneOf: true}), nil)
	require.Equal(t, strings.Join(linesOf(published), "\n"), strings.Join(linesOfShown(answer.Schema), "\n"))
}

// TestDeferIsUnknown: answers come whole, and a document that asks for parts does not
// fit the schema.
func TestDeferIsUnknown(t *testing.T) {
	t.Parallel()
	amy := parleytest.New(t).As("amy")
	for _, document := range []string{
		`{ viewer { ... @defer { agent { name } } } }`,
		`{ viewer { ... @defer(if: false) { agent { name } } } }`,
		`{ viewer { ...F @defer(label: "a") } } fragment F on Viewer { agent { name } }`,
		`mutation { markConversationsRead(input: { ids: [] }) { ... @defer { errors { code } } } }`,
		`{ viewer @goModel { agent { name } } }`,
		`{ viewer { agent { name @goField } } }`,
	} {
		require.Contains(t, amy.Raw(document, nil).Codes(), "GRAPHQL_VALIDATION_FAILED", document)
	}
}
