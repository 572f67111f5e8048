// Command gen generates the executable schema, and with it the tables that
// package selection compiles operations by. It is gqlgen with one plugin:
//
//	go run parley/internal/edge/selection/gen
package main

import (
	_ "embed"
	"fmt"
	"go/types"
	"io"
	"log" //nolint:depguard // gqlgen writes its progress there
	"os"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

func main() {
	log.SetOutput(io.Discard)
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err == nil {
		err = api.Generate(cfg, api.AddPlugin(tables{}))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "gen: %v\n", err)
		os.Exit(1)
	}
}

//go:embed tables.gotpl
var template string

// tables is the plugin.
type tables struct{}

// Name implements plugin.Plugin.
func (tables) Name() string { return "selection" }

// GenerateCode implements plugin.CodeGenerator.
func (tables) GenerateCode(data *codegen.Data) error {
	return templates.Render(templates.Options{
		PackageName: data.Config.Exec.Package, Filename: data.Config.Exec.DirName + "/selection.generated.go",
		Template: template, Data: data, GeneratedHeader: true, Packages: data.Config.Packages,
		Funcs: map[string]any{"known": known, "members": members, "used": used(data), "shape": shape, "leaf": leaf, "appends": appends, "source": source, "appender": appender, "shared": shared},
	})
}

// known reports whether package selection can read the field: by a resolver, or
// by a struct's field or method that takes nothing and cannot fail.
func known(f *codegen.Field) bool {
	if f.IsReserved() || shape(f) == "" {
		return false
	}
	if f.IsResolver || f.Batch {
		return true
	}
	return !f.HasHaser && !f.HasDirectives() &&
		(f.IsVariable() || f.IsMethod() && f.NoErr && !f.MethodHasContext && len(f.Args) == 0)
}

// shared is the selection.Sharing that the schema gives a batch resolver; empty for
// SharedByNone.
func shared(f *codegen.Field) string {
	d := f.FieldDefinition.Directives.ForName("goShared")
	if d == nil {
		return ""
	}
	if by := d.Arguments.ForName("byRecordRights"); by != nil && by.Value.Raw == "true" {
		return "SharedByRights"
	}
	return "SharedByAll"
}

// used returns whether an object type can be selected by queries and
// subscriptions: not introspection, nor what mutations alone give.
func used(data *codegen.Data) func(name string) bool {
	found := map[string]bool{}
	var visit func(t *ast.Definition)
	visit = func(t *ast.Definition) {
		if t == nil || found[t.Name] || strings.HasPrefix(t.Name, "__") {
			return
		}
		found[t.Name] = true
		for _, f := range t.Fields {
			visit(data.Schema.Types[f.Type.Name()])
		}
		for _, member := range data.Schema.GetPossibleTypes(t) {
			visit(member)
		}
	}
	visit(data.Schema.Query)
	visit(data.Schema.Subscription)
	return func(name string) bool { return found[name] }
}

// members are the object types of an interface or union, each once.
func members(i *codegen.Interface) []string {
	var names []string
	for _, m := range i.Implementors {
		if !slices.Contains(names, m.Name) {
			names = append(names, m.Name)
		}
	}
	return names
}

// shape is how the field's value is written: leaf, leaves, object, objects; empty
// for what is not supported.
func shape(f *codegen.Field) string {
	t := f.TypeReference
	switch {
	case t.IsNilable() && !t.IsPtr() && t.GQL.Elem == nil && t.Definition.IsLeafType():
		return ""
	case t.IsPtrToSlice() || t.IsPtrToPtr() || t.IsPtrToIntf() || t.GQL.Elem != nil && t.GQL.Elem.Elem != nil:
		return ""
	case t.Definition.IsLeafType() && t.GQL.Elem != nil:
		return "leaves"
	case t.Definition.IsLeafType():
		return "leaf"
	case t.GQL.Elem != nil:
		return "objects"
	}
	return "object"
}

// leaf is the method of selection.Writer that writes a scalar or enum.
func leaf(t *config.TypeReference) string {
	if t.HasEnumValues() {
		return "Enum"
	}
	if t.Marshaler == nil {
		return "Marshal"
	}
	switch t.Marshaler.FullName() {
	case "parley/internal/channel.MarshalText", "github.com/99designs/gqlgen/graphql.MarshalString", "github.com/99designs/gqlgen/graphql.MarshalID":
		return "String"
	case "github.com/99designs/gqlgen/graphql.MarshalBoolean":
		return "Bool"
	case "github.com/99designs/gqlgen/graphql.MarshalInt", "github.com/99designs/gqlgen/graphql.MarshalInt64":
		return "Int"
	}
	return "Call"
}

// appends reports whether a scalar's type has AppendGQL([]byte) []byte, which
// spares a Marshaler.
func appends(t types.Type) bool { return has(t, "AppendGQL") }

// appender is the method AppendX([]byte) []byte of an object whose field is bound
// to a method X for a text without anything to escape; empty where there is none.
func appender(f *codegen.Field) string {
	name := "Append" + f.GoFieldName
	if f.IsMethod() && leaf(f.TypeReference) == "String" && has(f.Object.Reference(), name) {
		return name
	}
	return ""
}

func has(t types.Type, method string) bool {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := t.(*types.Named)
	if !ok {
		return false
	}
	for m := range named.Methods() {
		if m.Name() == method {
			return true
		}
	}
	return false
}

// source is the expression of a field's value: what a resolver gave, or the
// parent's field or method.
func source(f *codegen.Field) string {
	switch {
	case f.IsResolver || f.Batch:
		return "source.(" + templates.CurrentImports.LookupType(f.TypeReference.GO) + ")"
	case f.IsMethod():
		return "source.(" + templates.CurrentImports.LookupType(f.Object.Reference()) + ")." + f.GoFieldName + "()"
	}
	return "source.(" + templates.CurrentImports.LookupType(f.Object.Reference()) + ")." + f.GoFieldName
}
