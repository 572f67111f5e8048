package conventions

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxLines is the length past which a file holds two concepts.
const maxLines = 400

func rootOf(t *testing.T) string {
	t.Helper()
	root, err := Root()
	require.NoError(t, err)
	return root
}

// handWritten calls visit for each Go file of the tree that no program wrote.
func handWritten(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	root := rootOf(t)
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata") {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err == nil && !ast.IsGenerated(file) {
			visit(relative, file)
		}
		return err
	}))
}

func TestEveryPackageIsDescribed(t *testing.T) {
	t.Parallel()
	described := map[string]bool{}
	handWritten(t, func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") {
			dir := filepath.Dir(path)
			described[dir] = described[dir] || len(file.Doc.Text()) > len("Package "+file.Name.Name)
		}
	})
	require.Contains(t, described, filepath.Join("internal", "check", "conventions"), "the walk found this very package")
	for dir, is := range described {
		assert.True(t, is, "package %s has no package comment", dir)
	}
}

func TestNoFileIsTooLong(t *testing.T) {
	t.Parallel()
	root := rootOf(t)
	handWritten(t, func(path string, _ *ast.File) {
		assert.LessOrEqual(t, lines(t, filepath.Join(root, path)), maxLines, "%s holds more than one concept", path)
	})
}

func lines(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	count, scanner := 0, bufio.NewScanner(file)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		count++
	}
	require.NoError(t, scanner.Err())
	return count
}
