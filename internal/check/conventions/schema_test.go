package conventions

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

var (
	camelCase  = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	pascalCase = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	upperCase  = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
)

func writtenSchema(t *testing.T) *ast.Schema {
	t.Helper()
	schema, err := LoadSchema(rootOf(t))
	require.NoError(t, err)
	return schema
}

// eachElement calls visit for every element of the public schema: its path, its
// name, the form that the name should have, and its description.
func eachElement(t *testing.T, visit func(path, name string, form *regexp.Regexp, description string)) {
	t.Helper()
	schema := writtenSchema(t)
	for _, definition := range schema.Types {
		if definition.BuiltIn {
			continue
		}
		visit(definition.Name, definition.Name, pascalCase, definition.Description)
		for _, value := range definition.EnumValues {
			visit(definition.Name+"."+value.Name, value.Name, upperCase, value.Description)
		}
		for _, field := range definition.Fields {
			eachOfField(definition, field, visit)
		}
	}
}

func eachOfField(definition *ast.Definition, field *ast.FieldDefinition, visit func(string, string, *regexp.Regexp, string)) {
	if strings.HasPrefix(field.Name, "__") {
		return // __schema and __type are GraphQL's own
	}
	path := definition.Name + "." + field.Name
	visit(path, field.Name, camelCase, field.Description)
	for _, argument := range field.Arguments {
		visit(path+"("+argument.Name+")", argument.Name, camelCase, argument.Description)
	}
}

func TestEverySchemaElementIsDescribed(t *testing.T) {
	t.Parallel()
	seen := 0
	eachElement(t, func(path, _ string, _ *regexp.Regexp, description string) {
		seen++
		assert.NotEmpty(t, strings.TrimSpace(description), "%s has no description", path)
	})
	require.Greater(t, seen, 100, "the schema was read")
}

func TestNamesHaveTheirForm(t *testing.T) {
	t.Parallel()
	eachElement(t, func(path, name string, form *regexp.Regexp, _ string) {
		assert.Regexp(t, form, name, path)
	})
}
