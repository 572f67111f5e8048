package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/require"

	"parley/internal/ground/fault"
)

const document = "{ me }"

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestRead(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "documents.json")
	read := func(text string) (Documents, error) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return Read(file)
	}
	got, err := read(fmt.Sprintf(`{%q: "{ me }", "d41d8cd98f00b204e9800998ecf8427e": "{ you }"}`, sha(document)))
	require.NoError(t, err)
	require.Equal(t, Documents{sha(document): document, "d41d8cd98f00b204e9800998ecf8427e": "{ you }"}, got)
	for text, says := range map[string]string{
		``:                  "one JSON object",
		`[]`:                "one JSON object",
		`{"a": 1}`:          "one JSON object",
		`{"a": "{ me }"} x`: "one JSON object",
		`{}`:                "1 to 10000",
		`{"": "{ me }"}`:    "1 to 255 bytes",
		`{"a": " "}`:        "not be empty",
		fmt.Sprintf(`{%q: "{ you }"}`, sha(document)): "does not match its SHA-256",
		strings.Repeat(" ", 16<<20+1):                 "longer than",
	} {
		_, err := read(text)
		require.ErrorContains(t, err, says)
	}
	_, err = Read(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// ask gives a request to the extension, as the executor does, and returns the
// document that would run.
func ask(e *Extension, query string, extensions map[string]any) (string, error) {
	p := &graphql.RawParams{Query: query, Extensions: extensions}
	if err := e.MutateOperationParameters(context.Background(), p); err != nil {
		return "", err
	}
	op := &graphql.OperationContext{RawQuery: p.Query, Extensions: p.Extensions}
	if err := e.MutateOperationContext(context.Background(), op); err != nil {
		return "", err
	}
	return p.Query, nil
}

func apollo(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": json.Number("1"), "sha256Hash": hash}}
}

func TestADocumentIsRegisteredByTextAndHash(t *testing.T) {
	t.Parallel()
	e := New(nil)
	_, err := ask(e, "", apollo(sha(document)))
	require.Equal(t, fault.PersistedNotFound, fault.CodeOf(err))
	got, err := ask(e, document, apollo(sha(document)))
	require.NoError(t, err)
	require.Equal(t, document, got)
	for _, by := range []map[string]any{apollo(sha(document)), {DocumentID: sha(document)}, {DocumentID: "sha256:" + sha(document)}} {
		got, err = ask(e, "", by)
		require.NoError(t, err)
		require.Equal(t, document, got)
	}
	_, err = ask(e, "{ you }", apollo(sha(document)))
	require.Equal(t, fault.BadInput, fault.CodeOf(err), "nobody registers a text under another's hash")
	_, err = ask(e, "{ you }", nil)
	require.NoError(t, err)
	_, err = ask(e, "", apollo(sha("{ you }")))
	require.Equal(t, fault.PersistedNotFound, fault.CodeOf(err), "what came without a hash is not kept")
}

func TestADocumentThatIsRefusedIsNotRegistered(t *testing.T) {
	t.Parallel()
	e := New(nil)
	p := &graphql.RawParams{Query: "{ invalid }", Extensions: apollo(sha("{ invalid }"))}
	require.Nil(t, e.MutateOperationParameters(context.Background(), p)) // and the executor finds it invalid
	_, err := ask(e, "", apollo(sha("{ invalid }")))
	require.Equal(t, fault.PersistedNotFound, fault.CodeOf(err))
}

func TestRegisteredDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	e := New(nil)
	for n := range maxRegistered + 1 {
		text := fmt.Sprintf("{ me%d }", n)
		_, err := ask(e, text, apollo(sha(text)))
		require.NoError(t, err)
	}
	_, err := ask(e, "", apollo(sha("{ me0 }")))
	require.Equal(t, fault.PersistedNotFound, fault.CodeOf(err))
	_, err = ask(e, "", apollo(sha("{ me1 }")))
	require.NoError(t, err)
}

func TestOnlyListedDocumentsRun(t *testing.T) {
	t.Parallel()
	e := New(Documents{"inbox": document})
	for _, by := range []map[string]any{{DocumentID: "inbox"}, {DocumentID: "sha256:" + sha(document)}, apollo(sha(document))} {
		for _, query := range []string{"", document} {
			got, err := ask(e, query, by)
			require.NoError(t, err)
			require.Equal(t, document, got)
		}
	}
	_, err := ask(e, document, nil)
	require.NoError(t, err, "sent whole it is the same")
	for _, by := range []map[string]any{nil, apollo(sha("{ you }")), {DocumentID: "inbox"}} {
		_, err = ask(e, "{ you }", by)
		require.Equal(t, fault.Forbidden, fault.CodeOf(err))
	}
	_, err = ask(e, "", apollo(sha("{ you }")))
	require.Equal(t, fault.PersistedNotFound, fault.CodeOf(err), "nothing is registered")
}

func TestNamesThatAreNone(t *testing.T) {
	t.Parallel()
	for name, extensions := range map[string]map[string]any{
		"no object":       {"persistedQuery": "x"},
		"no version":      {"persistedQuery": map[string]any{"sha256Hash": sha(document)}},
		"another version": {"persistedQuery": map[string]any{"version": json.Number("2"), "sha256Hash": sha(document)}},
		"no hash":         {"persistedQuery": map[string]any{"version": json.Number("1")}},
		"a short hash":    apollo("abc"),
		"capitals":        apollo(strings.ToUpper(sha(document))),
		"an empty id":     {DocumentID: ""},
		"a number as id":  {DocumentID: json.Number("1")},
		"a long id":       {DocumentID: strings.Repeat("a", 256)},
	} {
		for _, query := range []string{"", document} {
			_, err := ask(New(nil), query, extensions)
			require.Equal(t, fault.BadInput, fault.CodeOf(err), name)
		}
	}
	require.False(t, Names(&graphql.RawParams{Extensions: map[string]any{"other": 1, "persistedQuery": nil}}))
}
