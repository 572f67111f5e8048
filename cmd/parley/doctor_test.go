package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// cures are what else a finding of the doctor may tell people to do: what is wrong is
// outside Parley.
var cures = regexp.MustCompile(`parley [a-z]+|--[a-z-]+|chmod 600|with NTP|Free some space|Set fsync|Set synchronous_commit|PostgreSQL 14|the firewall|its address, password|end it\.|Ask agents|sqlite_fts5`)

// Every finding of the doctor that is not good names a command, a flag or what to do outside
// Parley, and every command that it names exists.
func TestTheDoctorNamesCommandsThatExist(t *testing.T) {
	t.Parallel()
	var c cli
	program, err := kong.New(&c, kong.Name("parley"))
	require.NoError(t, err)
	commands := map[string]bool{}
	for _, leaf := range program.Model.Leaves(false) {
		words := strings.Fields(strings.TrimPrefix(leaf.Path(), "parley "))
		for i := range words {
			commands[strings.Join(words[:i+1], " ")] = true
		}
	}
	named := regexp.MustCompile(`parley ((?:[a-z]+ ?)+)`)
	findings := 0
	for _, do := range advice(t) {
		findings++
		require.Regexp(t, cures, do)
		for _, m := range named.FindAllStringSubmatch(do, -1) {
			words := strings.Fields(m[1])
			require.True(t, commands[words[0]], "%s: there is no parley %s", do, words[0])
			if len(words) > 1 && group(program, words[0]) {
				require.True(t, commands[words[0]+" "+words[1]], "%s: there is no parley %s %s", do, words[0], words[1])
			}
		}
	}
	require.Greater(t, findings, 45)
}

// group reports whether a command has commands below it.
func group(program *kong.Kong, name string) bool {
	for _, child := range program.Model.Children {
		if child.Name == name {
			return len(child.Children) > 0
		}
	}
	return false
}

// advice is the first argument of every warn and fail in the doctor's source, as far as it
// is constant.
func advice(t *testing.T) (all []string) {
	files, err := filepath.Glob("../../internal/admin/doctor/*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, 0)
		require.NoError(t, err)
		constants := map[string]string{}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.ValueSpec:
				if len(x.Values) == 1 {
					constants[x.Names[0].Name] = textIn(x.Values[0], constants)
				}
			case *ast.AssignStmt:
				if name, is := x.Lhs[0].(*ast.Ident); is && len(x.Rhs) == 1 {
					constants[name.Name] = textIn(x.Rhs[0], constants)
				}
			case *ast.CallExpr:
				if called, is := x.Fun.(*ast.Ident); is && (called.Name == "warn" || called.Name == "fail") {
					all = append(all, textIn(x.Args[0], constants))
				}
			}
			return true
		})
	}
	return all
}

// textIn joins the texts of an expression.
func textIn(e ast.Expr, constants map[string]string) (text string) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(x.Value); err == nil {
				text += s
			}
		case *ast.Ident:
			text += constants[x.Name]
		}
		return true
	})
	return text
}
