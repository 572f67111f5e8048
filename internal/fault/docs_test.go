package fault_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/fault"
)

var update = flag.Bool("update", false, "write docs/errors.md from fault.Descriptions")

const preamble = `# Error codes

Every error Parley answers with carries one of these codes: top-level GraphQL
errors and HTTP errors as ` + "`extensions.code`" + `, errors inside a mutation's payload as
` + "`code`" + `. The list only grows. A message is for people and may change; decide by
code.

Beside the code, ` + "`extensions`" + ` may hold ` + "`field`" + ` (the input at fault, as a dotted
path), ` + "`retryAfter`" + ` (seconds to wait), ` + "`cursor`" + ` (the last good cursor of a stream)
and ` + "`requestId`" + ` (to quote in a report; also the X-Request-Id header).

This page is written from ` + "`internal/fault`" + ` by ` + "`go test ./internal/fault -update`" + `.

| code | meaning, and what to do |
| --- | --- |
`

func TestTheListOfCodesIsUpToDate(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(preamble)
	for _, code := range declared(t) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.ReplaceAll(fault.Descriptions[code], "|", `\|`))
	}
	path := filepath.Join("..", "..", "docs", "errors.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(written), "run: go test ./internal/fault -update")
}

func TestEveryCodeIsDescribed(t *testing.T) {
	t.Parallel()
	codes := declared(t)
	require.NotEmpty(t, codes)
	for _, code := range codes {
		require.NotEmpty(t, fault.Descriptions[code], code)
	}
	require.Len(t, fault.Descriptions, len(codes), "a description without a code")
}

// declared returns the Code constants in the order of the source, which no
// reflection can list.
func declared(t *testing.T) []fault.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "fault.go", nil, 0)
	require.NoError(t, err)
	var codes []fault.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Code" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes = append(codes, fault.Code(value))
		}
		return true
	})
	return codes
}
