package server_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/persisted"
	"parley/internal/edge/server"
)

func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// apollo is a request as Apollo's clients send it, without the text and with it.
func apollo(document string) (name, whole string) {
	name = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hashOf(document) + `"}}`
	return "{" + name + "}", `{"query":"` + document + `",` + name + "}"
}

// TestDocumentsByHash goes the way of Apollo's clients: the hash alone, then hash
// and text, then the hash alone by every transport.
func TestDocumentsByHash(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	const document = `{ me }`
	name, whole := apollo(document)
	post := func(body string, headers ...string) *answer {
		return b.send(t, http.MethodPost, "/graphql", body, headers...)
	}

	a := post(name)
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Equal(t, "PersistedQueryNotFound", a.body.Errors[0].Message)
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", a.code())
	require.Equal(t, http.StatusBadRequest, post(name, "Accept", response).StatusCode)
	require.Contains(t, post(whole).text, "amy")

	require.Contains(t, post(name).text, "amy")
	require.Contains(t, post(`{"documentId":"sha256:`+hashOf(document)+`"}`).text, "amy")
	extensions := url.Values{"extensions": {`{"persistedQuery":{"version":1,"sha256Hash":"` + hashOf(document) + `"}}`}}
	require.Contains(t, b.send(t, http.MethodGet, "/graphql?"+extensions.Encode(), "").text, "amy")
	require.Contains(t, b.send(t, http.MethodGet, "/graphql?documentId="+hashOf(document), "").text, "amy")
	followAt(t, http.MethodPost, b.url("/graphql"), name).expect("event: next", `data: {"data":{"me":"amy"}}`)
	c := b.connect(t)
	c.write(`{"type":"subscribe","id":"a","payload":` + name + `}`)
	c.expect(`{"type":"next","id":"a","payload":{"data":{"me":"amy"}}}`, `{"type":"complete","id":"a"}`)
	c.write(`{"type":"subscribe","id":"a","payload":{"documentId":"unknown"}}`)
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", c.expectError("a").Extensions.Code)

	name, whole = apollo(`{ nothing }`)
	require.Equal(t, "GRAPHQL_VALIDATION_FAILED", post(whole).code())
	require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", post(name).code(), "what is not valid is not kept")
	require.Equal(t, "BAD_INPUT", post(`{"query":"{ me }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+hashOf("x")+`"}}}`).code())
	require.Equal(t, "BAD_INPUT", post(`{"documentId":1}`).code())
}

func TestOnlyListedDocumentsRun(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) {
		o.Documents = persisted.Documents{"who": `{ me }`, "watch": `subscription { count(to: 1) }`, "old": `{ gone }`}
	})
	require.Contains(t, b.log.String(), `"a listed document does not run"`)
	require.Contains(t, b.log.String(), `"document":"old"`)

	for _, body := range []string{`{"documentId":"who"}`, `{"query":"{ me }"}`, `{"documentId":"sha256:` + hashOf(`{ me }`) + `"}`} {
		require.Contains(t, b.send(t, http.MethodPost, "/graphql", body).text, "amy", body)
	}
	for _, document := range []string{`{ echo(text: \"x\") }`, `{me}`, `{`, `{ __schema { types { name } } }`} {
		name, whole := apollo(document)
		require.Equal(t, "FORBIDDEN", b.send(t, http.MethodPost, "/graphql", `{"query":"`+document+`"}`).code())
		if document != `{ echo(text: \"x\") }` {
			require.Equal(t, "FORBIDDEN", b.send(t, http.MethodPost, "/graphql", whole).code())
		}
		require.Equal(t, "PERSISTED_QUERY_NOT_FOUND", b.send(t, http.MethodPost, "/graphql", name).code())
	}
	c := b.connect(t)
	c.write(subscribe("a", `subscription { never }`))
	require.Equal(t, "FORBIDDEN", c.expectError("a").Extensions.Code)
	c.write(`{"type":"subscribe","id":"a","payload":{"documentId":"watch"}}`)
	c.expect(`{"type":"next","id":"a","payload":{"data":{"count":1}}}`, `{"type":"complete","id":"a"}`)
}
