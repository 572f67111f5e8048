package replay_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"parley/internal/check/conventions"
	"parley/web"
)

// today gathers the documents that frontends are shown at present, by a name
// that says where: the playground's, the guide's and the clients'. Relay's are
// written by its compiler, and there when make test-clients has run.
func today(t *testing.T) map[string]string {
	t.Helper()
	root, err := conventions.Root()
	require.NoError(t, err)
	documents := map[string]string{"playground-placeholders": web.Placeholders()}
	for _, example := range web.Examples() {
		documents["playground-"+strings.ReplaceAll(strings.ToLower(example.Name), " ", "-")] = example.Query
	}
	guide, err := os.ReadFile(filepath.Join(root, "docs", "guide.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```graphql\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	require.NotEmpty(t, blocks)
	for i, block := range blocks {
		documents[fmt.Sprintf("guide-%d", i+1)] = dedented(block[1])
	}
	for name, text := range operations(t, filepath.Join(root, "clients", "documents", "*.graphql")) {
		documents["clients-"+name] = text
	}
	for name, text := range relays(t, filepath.Join(root, "clients", "relay", "__generated__", "*.graphql.ts")) {
		documents["relay-"+name] = text
	}
	return documents
}

// dedented takes off the indentation of a block within a list.
func dedented(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, indent)
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " ")
}

// operations are those of files that share their fragments, each with the
// fragments it needs, as a generated client sends it.
func operations(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		all.Write(text)
	}
	whole, err := parser.ParseQuery(&ast.Source{Input: all.String()})
	require.NoError(t, err)
	out := map[string]string{}
	for _, operation := range whole.Operations {
		one := &ast.QueryDocument{Operations: ast.OperationList{operation}}
		addFragments(one, whole, operation.SelectionSet)
		var b strings.Builder
		formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatQueryDocument(one)
		out[operation.Name] = b.String()
	}
	return out
}

func addFragments(to, from *ast.QueryDocument, in ast.SelectionSet) {
	for _, selection := range in {
		switch s := selection.(type) {
		case *ast.Field:
			addFragments(to, from, s.SelectionSet)
		case *ast.InlineFragment:
			addFragments(to, from, s.SelectionSet)
		case *ast.FragmentSpread:
			if to.Fragments.ForName(s.Name) == nil {
				fragment := from.Fragments.ForName(s.Name)
				to.Fragments = append(to.Fragments, fragment)
				addFragments(to, from, fragment.SelectionSet)
			}
		}
	}
}

// relays are the texts that Relay's compiler made.
func relays(t *testing.T, pattern string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	text := regexp.MustCompile(`"text": ("(?:[^"\\]|\\.)*")`)
	out := map[string]string{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if found := text.FindSubmatch(source); found != nil {
			out[strings.TrimSuffix(filepath.Base(file), ".graphql.ts")] = unquoted(t, found[1])
		}
	}
	return out
}
