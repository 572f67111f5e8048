// Package persisted lets requests name their document instead of sending it, and
// operators list the documents that may run.
//
// A request names a document by its SHA-256, in extensions.persistedQuery as Apollo's
// clients do, or by the member documentId. Without a list, any caller registers a
// document by sending text and hash together once; the 1,000 most recently used are
// kept. With a list, only its documents run, named or sent whole, and none is
// registered.
//
//	documents, err := persisted.Read("documents.json")
//	exec.Use(persisted.New(documents)) // before limits
package persisted

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/ground/fault"
)

// Bounds of a list, and of registered documents.
const (
	maxFileBytes  = 16 << 20
	maxDocuments  = 10_000
	maxNameBytes  = 255
	maxRegistered = 1_000
)

// Documents maps names to documents.
type Documents map[string]string

// Read reads a JSON object of name → document, as relay-compiler and graphql-codegen
// write it: up to 10,000 documents in 16 MB. A name that is a SHA-256 must be that of
// its document.
func Read(file string) (Documents, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	documents, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return documents, nil
}

func parse(text []byte) (Documents, error) {
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxFileBytes)
	}
	documents := Documents{}
	if err := json.Unmarshal(text, &documents); err != nil {
		return nil, errors.New("it must contain one JSON object that maps names to documents")
	}
	if len(documents) == 0 || len(documents) > maxDocuments {
		return nil, fmt.Errorf("it must contain 1 to %d documents, not %d", maxDocuments, len(documents))
	}
	for name, document := range documents {
		switch {
		case name == "" || len(name) > maxNameBytes || strings.TrimSpace(document) == "":
			return nil, fmt.Errorf("a name must have 1 to %d bytes and a document must not be empty: see %.40q", maxNameBytes, name)
		case isHash(name) && name != hashOf(document):
			return nil, fmt.Errorf("the document under %s does not match its SHA-256; generate the file again", name)
		}
	}
	return documents, nil
}

var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isHash(name string) bool { return hash.MatchString(name) }

func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// Extension is the gqlgen handler extension that finds documents by name.
type Extension struct {
	listed     Documents // by name and by hash; nil when any document may run
	registered graphql.Cache[string]
}

var (
	_ graphql.OperationParameterMutator = (*Extension)(nil)
	_ graphql.OperationContextMutator   = (*Extension)(nil)
)

// New makes the Extension. If documents is not nil, only those run.
func New(documents Documents) *Extension {
	if documents == nil {
		return &Extension{registered: lru.New[string](maxRegistered)}
	}
	listed := make(Documents, 2*len(documents))
	for name, document := range documents {
		listed[name], listed[hashOf(document)] = document, document
	}
	return &Extension{listed: listed}
}

// ExtensionName implements graphql.HandlerExtension.
func (*Extension) ExtensionName() string { return "PersistedDocuments" }

// Validate implements graphql.HandlerExtension.
func (*Extension) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters puts the text of a named document into the request. It
// refuses unknown names, hashes that do not match, and documents that are not listed.
func (e *Extension) MutateOperationParameters(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	name, err := nameIn(p.Extensions)
	switch {
	case err != nil:
		return refusal(err)
	case strings.TrimSpace(p.Query) == "":
		return e.find(ctx, p, name)
	case isHash(name) && name != hashOf(p.Query):
		return refusal(fault.Input("extensions", "The document does not match the SHA-256 sent with it. Hash the text exactly as you send it."))
	case e.listed != nil && e.listed[hashOf(p.Query)] == "":
		return refusal(fault.New(fault.Forbidden, "Only documents listed by the operator may run here. Ask the operator to add this one."))
	}
	return nil
}

func (e *Extension) find(ctx context.Context, p *graphql.RawParams, name string) *gqlerror.Error {
	document, found := e.listed[name]
	if !found && e.registered != nil {
		document, found = e.registered.Get(ctx, name)
	}
	if !found {
		// Apollo's clients know it by these words and then send the text.
		return refusal(fault.New(fault.PersistedNotFound, "PersistedQueryNotFound"))
	}
	p.Query = document
	return nil
}

// MutateOperationContext registers a document that was sent with its hash, once it has
// passed the limits and validation.
func (e *Extension) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if name, _ := nameIn(op.Extensions); e.registered != nil && isHash(name) {
		e.registered.Add(ctx, name, op.RawQuery)
	}
	return nil
}

// DocumentID is the member of a request, and the key of its extensions, that names a
// document.
const DocumentID = "documentId"

// Names reports whether a request names a document, so that it needs no text.
func Names(p *graphql.RawParams) bool {
	return p.Extensions[DocumentID] != nil || p.Extensions["persistedQuery"] != nil
}

// nameIn returns the name that a request gives its document; empty if it gives none.
func nameIn(extensions map[string]any) (string, error) {
	if id, found := extensions[DocumentID]; found {
		name, _ := id.(string)
		if name == "" || len(name) > maxNameBytes {
			return "", fault.Input(DocumentID, "A documentId must be a string of 1 to %d bytes.", maxNameBytes)
		}
		return strings.TrimPrefix(name, "sha256:"), nil
	}
	persisted, found := extensions["persistedQuery"]
	if !found || persisted == nil {
		return "", nil
	}
	members, _ := persisted.(map[string]any)
	name, _ := members["sha256Hash"].(string)
	if fmt.Sprint(members["version"]) != "1" || !isHash(name) {
		return "", fault.Input("extensions.persistedQuery", "Write it as {version: 1, sha256Hash: 64 lower-case hexadecimal digits}.")
	}
	return name, nil
}

func refusal(err error) *gqlerror.Error {
	return &gqlerror.Error{Err: err, Message: err.Error()}
}
