package conventions

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/channel"
	"parley/internal/ground/fault"
)

var update = flag.Bool("update", false, "write docs/errors.md")

const preamble = `# Error codes

Every error that Parley returns has one of these codes: in ` + "`extensions.code`" + ` of top-level
GraphQL errors and HTTP errors, in ` + "`code`" + ` of errors inside a mutation's payload. The list only
grows. Messages are for people and may change; let programs decide by the code.

In addition to the code, ` + "`extensions`" + ` may contain ` + "`field`" + ` (the input at fault, as a dotted
path), ` + "`retryAfter`" + ` (seconds to wait), ` + "`cursor`" + ` (the last good cursor of a stream)
and ` + "`requestId`" + ` (to quote in a report; also the X-Request-Id header).

Where a code appears: in a mutation's *payload* (its ` + "`errors`" + `, or the ` + "`error`" + ` of one of
its results); at a *field*, as a top-level error with a path, while the rest of the
answer is valid; for the whole *request*, when nothing ran; at the end of a *stream*.

If a request ran, the HTTP status is 200. If nothing ran, it is 200 for
application/json and 400 for application/graphql-response+json. The column HTTP gives
the status of a request that was refused before it was parsed as GraphQL.

This page is generated from ` + "`internal/ground/fault`, `internal/channel` and `schema/`" + ` by
` + "`go test ./internal/check/conventions -update`" + `.

| code | meaning, and what to do | where | HTTP |
| --- | --- | --- | --- |
`

const refusals = `
## Reasons against sending

` + "`SendRefusalCode`" + `: in ` + "`conversation.sendability`" + `, and with SEND_REFUSED in the payload of
` + "`sendMessage`, `startConversation` and `retryMessage`" + `. All reasons that apply are returned together.

| code | meaning, and what to do |
| --- | --- |
`

const deliveries = `
## Why a message failed

` + "`DeliveryError.code`" + `: at ` + "`message.error`" + ` and at each of its ` + "`attempts`" + `. The first digit says
where the reason is: 0 the platform, 1 the sending address, 2 the destination, 3 the
message.

| code | meaning, and what to do |
| --- | --- |
`

func TestTheListOfCodesIsUpToDate(t *testing.T) {
	t.Parallel()
	b := bytes.NewBufferString(preamble)
	for _, code := range declared(t, filepath.Join("..", "..", "ground", "fault", "fault.go"), "Code") {
		place := fault.Places[fault.Code(code)]
		row(b, code, fault.Descriptions[fault.Code(code)], place.Where, place.HTTP)
	}
	b.WriteString(refusals)
	for _, value := range writtenSchema(t).Types["SendRefusalCode"].EnumValues {
		row(b, value.Name, strings.ReplaceAll(value.Description, "\n", " "))
	}
	b.WriteString(deliveries)
	for _, code := range deliveryCodes(t) {
		row(b, string(code), code.Explain())
	}
	path := filepath.Join("..", "..", "..", "docs", "errors.md")
	if *update {
		require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
	}
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(written), "run: go test ./internal/check/conventions -update")
}

func row(b *bytes.Buffer, code string, cells ...string) {
	fmt.Fprintf(b, "| `%s` |", code)
	for _, cell := range cells {
		fmt.Fprintf(b, " %s |", strings.ReplaceAll(cell, "|", `\|`))
	}
	b.WriteString("\n")
}

func deliveryCodes(t *testing.T) (codes []channel.ErrorCode) {
	t.Helper()
	for _, code := range declared(t, filepath.Join("..", "..", "channel", "errorcode.go"), "ErrorCode") {
		codes = append(codes, channel.ErrorCode(code))
	}
	return codes
}

// sentences wants two at least: what is meant, and what to do.
var sentences = regexp.MustCompile(`\. [A-Z].*\.$`)

func TestEveryReasonSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, code := range deliveryCodes(t) {
		require.Regexp(t, sentences, code.Explain(), code)
	}
	for _, value := range writtenSchema(t).Types["SendRefusalCode"].EnumValues {
		require.Regexp(t, sentences, value.Description, value.Name)
	}
}

// TestPayloadCodesAreTheSchemas holds Places against the enum of payloads.
func TestPayloadCodesAreTheSchemas(t *testing.T) {
	t.Parallel()
	enum := writtenSchema(t).Types["UserErrorCode"].EnumValues
	for code, place := range fault.Places {
		require.Equal(t, enum.ForName(string(code)) != nil, strings.Contains(place.Where, "payload"), code)
	}
}

func TestEveryCodeIsDescribed(t *testing.T) {
	t.Parallel()
	codes := declared(t, filepath.Join("..", "..", "ground", "fault", "fault.go"), "Code")
	require.NotEmpty(t, codes)
	for _, code := range codes {
		require.NotEmpty(t, fault.Descriptions[fault.Code(code)], code)
		require.NotEmpty(t, fault.Places[fault.Code(code)].Where, code)
	}
	require.Len(t, fault.Descriptions, len(codes), "a description without a code")
	require.Len(t, fault.Places, len(codes), "a place without a code")
}

// declared returns the constants of a type in the order of the source, which no
// reflection can list.
func declared(t *testing.T, path, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	var codes []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typeName {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			codes = append(codes, value)
		}
		return true
	})
	return codes
}
