package replay_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

var update = flag.Bool("update", false, "store the documents of the guide, the playground and the clients that are not stored yet")

// folder is where documents are stored, and sums lists them as sha256sum does.
var (
	folder = filepath.Join("testdata", "documents")
	sums   = filepath.Join(folder, "SHA256SUMS")
)

// stored reads every stored document, by file name.
func stored(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.graphql"))
	require.NoError(t, err)
	documents := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		documents[filepath.Base(file)] = string(text)
	}
	return documents
}

func hash(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// TestStoredDocumentsAreAsTheyWere holds the files against SHA256SUMS. That
// nobody takes a line out of it, .ci/run holds against the parent commit's.
func TestStoredDocumentsAreAsTheyWere(t *testing.T) {
	documents := stored(t)
	if *update {
		store(t, documents)
	}
	require.Empty(t, changes(t, documents), "stored documents are only added: go test ./internal/check/parleytest/replay -update")
}

// changes tells what differs from SHA256SUMS.
func changes(t *testing.T, documents map[string]string) (told []string) {
	t.Helper()
	listed, err := os.ReadFile(sums)
	require.NoError(t, err)
	fresh := maps.Clone(documents)
	for line := range strings.Lines(string(listed)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		switch text, ok := documents[name]; {
		case !ok:
			told = append(told, name+" was taken away")
		case hash(text) != sum:
			told = append(told, name+" was changed")
		}
		delete(fresh, name)
	}
	for name := range fresh {
		told = append(told, name+" is not in SHA256SUMS")
	}
	return told
}

// TestWhatFrontendsAreShownIsStored wants every document of today in store, so
// that tomorrow's schema is held against it.
func TestWhatFrontendsAreShownIsStored(t *testing.T) {
	require.Empty(t, unstored(t, stored(t)), "run: go test ./internal/check/parleytest/replay -update")
}

// unstored are the documents of today that are not in store, whatever their
// layout, by the name to store them under.
func unstored(t *testing.T, documents map[string]string) map[string]string {
	t.Helper()
	have := map[string]bool{}
	for name, text := range documents {
		have[laidOut(t, name, text)] = true
	}
	fresh := map[string]string{}
	for name, text := range today(t) {
		if !have[laidOut(t, name, text)] {
			fresh[name+"-"+hash(text)[:8]+".graphql"] = text
		}
	}
	return fresh
}

// store adds the documents of today, and lines for those that have none.
func store(t *testing.T, documents map[string]string) {
	t.Helper()
	for name, text := range unstored(t, documents) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
		documents[name] = text
	}
	file, err := os.OpenFile(sums, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	for _, told := range slices.Sorted(slices.Values(changes(t, documents))) {
		if name, ok := strings.CutSuffix(told, " is not in SHA256SUMS"); ok {
			_, err := fmt.Fprintf(file, "%s  %s\n", hash(documents[name]), name)
			require.NoError(t, err)
		}
	}
	require.NoError(t, file.Close())
}

// laidOut is a document without comments and in one layout.
func laidOut(t *testing.T, name, text string) string {
	t.Helper()
	document, err := parser.ParseQuery(&ast.Source{Name: name, Input: text})
	require.NoError(t, err)
	var b strings.Builder
	formatter.NewFormatter(&b).FormatQueryDocument(document)
	return b.String()
}
