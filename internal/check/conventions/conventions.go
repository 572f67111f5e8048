// Package conventions keeps the source in order: what must be documented, how the
// committed schema.graphql is written, and that the schema only grows
// (docs/decisions/0010-schema-only-grows.md).
//
// Its tests read the whole checkout; the program never imports it.
package conventions

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// Root returns the root of the checkout: the nearest folder, from the working
// directory upwards, that holds go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in this folder or above it")
		}
		dir = parent
	}
}

// LoadSchema reads the hand-written SDL, schema/*.graphql under root. An empty
// folder is an error.
func LoadSchema(root string) (*ast.Schema, error) {
	files, err := filepath.Glob(filepath.Join(root, "schema", "*.graphql"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no schema/*.graphql under %s", root)
	}
	return parse(files...)
}

// parse reads SDL files as one schema.
func parse(files ...string) (*ast.Schema, error) {
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		return nil, err
	}
	return schema, nil
}

// Canonical prints the schema as clients see it: types by name, without the
// directives that steer the code generator.
func Canonical(schema *ast.Schema) string {
	public := publicPart(schema)
	var text strings.Builder
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatSchema(public)
	return "# What clients see, written by \"make generate\" from schema/*.graphql.\n" + text.String()
}

// isGenerators reports whether a directive speaks to gqlgen.
func isGenerators(name string) bool { return strings.HasPrefix(name, "go") }

// publicPart copies the schema as far as directives are concerned.
func publicPart(schema *ast.Schema) *ast.Schema {
	public := *schema
	public.Directives = map[string]*ast.DirectiveDefinition{}
	for name, directive := range schema.Directives {
		if !isGenerators(name) {
			public.Directives[name] = directive
		}
	}
	public.Types = map[string]*ast.Definition{}
	for name, definition := range schema.Types {
		public.Types[name] = publicDefinition(definition)
	}
	return &public
}

func publicDefinition(definition *ast.Definition) *ast.Definition {
	public := *definition
	public.Directives = publicDirectives(definition.Directives)
	public.Fields = nil
	for _, field := range definition.Fields {
		shown := *field
		shown.Directives = publicDirectives(field.Directives)
		public.Fields = append(public.Fields, &shown)
	}
	public.EnumValues = nil
	for _, value := range definition.EnumValues {
		shown := *value
		shown.Directives = publicDirectives(value.Directives)
		public.EnumValues = append(public.EnumValues, &shown)
	}
	return &public
}

func publicDirectives(list ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(slices.Clone(list), func(d *ast.Directive) bool { return isGenerators(d.Name) })
}
