package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"parley/internal/edge/server"
)

const (
	plain    = "application/json"
	response = "application/graphql-response+json"
)

func TestTheAcceptHeaderChoosesMediaTypeAndStatus(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, c := range []struct {
		accept, document string
		media            string
		status           int
	}{
		{"", `{ me }`, plain, 200},
		{"*/*", `{ me }`, plain, 200},
		{"application/*", `{ me }`, plain, 200},
		{plain, `{ me }`, plain, 200},
		{plain + "; charset=utf-8", `{ me }`, plain, 200},
		{response, `{ me }`, response, 200},
		{response + ", " + plain + ";q=0.9", `{ me }`, response, 200},
		{response + ";q=0.5, " + plain, `{ me }`, plain, 200},
		{response + ";q=0, */*", `{ me }`, plain, 200},
		{plain + ";q=0, */*", `{ me }`, response, 200},
		{plain, `{`, plain, 200},
		{plain, `{ nothing }`, plain, 200},
		{response, `{`, response, 400},
		{response, `{ nothing }`, response, 400},
		{response, `{ a: fail(how: "x") }`, response, 200},
		{"text/html", `{ me }`, plain, 406},
		{plain + ";q=0", `{ me }`, plain, 406},
		{plain + "; charset=latin1", `{ me }`, plain, 406},
		{"text/html, " + plain, `{ me }`, plain, 200},
	} {
		t.Run(c.accept+" "+c.document, func(t *testing.T) {
			t.Parallel()
			a := b.query(t, c.document, "Accept", c.accept)
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, c.media+"; charset=utf-8", a.Header.Get("Content-Type"))
		})
	}
}

// multipart is an upload as the GraphQL multipart request spec has it, with a map
// that points nowhere.
const multipart = "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" +
	`{"query":"mutation ($f: Upload!) { upload(f: $f) }","variables":{"f":[null]}}` +
	"\r\n--x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n" + `{"0":["variables.f.-1"]}` +
	"\r\n--x\r\nContent-Disposition: form-data; name=\"0\"; filename=\"a\"\r\n\r\nsecret\r\n--x--\r\n"

func TestPost(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.GraphQLBytes = 2000 })
	for name, c := range map[string]struct {
		body, contentType string
		status            int
		code, contains    string
	}{
		"all members":        {`{"query":"query A($t: String!) { echo(text: $t) } query B { me }","operationName":"A","variables":{"t":"hé"},"extensions":{}}`, plain, 200, "", `{"data":{"echo":"hé"}}`},
		"nulls":              {`{"query":"{ me }","operationName":null,"variables":null,"extensions":null}`, plain, 200, "", "amy"},
		"charset":            {`{"query":"{ me }"}`, plain + "; charset=UTF-8", 200, "", "amy"},
		"a mutation":         {`{"query":"mutation { touch }"}`, plain, 200, "", "touched"},
		"another charset":    {`{"query":"{ me }"}`, plain + "; charset=latin1", 415, "BAD_INPUT", ""},
		"no content type":    {`{"query":"{ me }"}`, "", 415, "BAD_INPUT", ""},
		"a form":             {`query={me}`, "application/x-www-form-urlencoded", 415, "BAD_INPUT", ""},
		"multipart":          {multipart, `multipart/form-data; boundary=x`, 415, "BAD_INPUT", "application/json"},
		"multipart, related": {multipart, `multipart/mixed; boundary=x`, 415, "BAD_INPUT", ""},
		"no body":            {``, plain, 400, "BAD_INPUT", ""},
		"no JSON":            {`{"secret`, plain, 400, "BAD_INPUT", ""},
		"trailing text":      {`{"query":"{ me }"} x`, plain, 400, "BAD_INPUT", ""},
		"two values":         {`{"query":"{ me }"}{}`, plain, 400, "BAD_INPUT", ""},
		"a batch":            {`[{"query":"{ me }"}]`, plain, 400, "BAD_INPUT", ""},
		"null":               {`null`, plain, 400, "BAD_INPUT", "no query"},
		"no query":           {`{"variables":{}}`, plain, 400, "BAD_INPUT", "no query"},
		"a number as query":  {`{"query":1}`, plain, 400, "BAD_INPUT", `"field":"query"`},
		"variables a list":   {`{"query":"{ me }","variables":[]}`, plain, 400, "BAD_INPUT", `"field":"variables"`},
		"extensions a text":  {`{"query":"{ me }","extensions":"x"}`, plain, 400, "BAD_INPUT", `"field":"extensions"`},
		"not UTF-8":          {"{\"query\":\"{ echo(text: \\\"\xff\\\") }\"}", plain, 400, "BAD_INPUT", ""},
		"too large":          {`{"query":"{ me }","x":"` + strings.Repeat("x", 2000) + `"}`, plain, 413, "LIMIT_EXCEEDED", "2000 bytes"},
		"an unknown name":    {`{"query":"query A { me }","operationName":"B"}`, plain, 200, "GRAPHQL_VALIDATION_FAILED", ""},
		"a wrong variable":   {`{"query":"query($t: String!) { echo(text: $t) }","variables":{"t":null}}`, plain, 200, "GRAPHQL_VALIDATION_FAILED", "Variable $t: cannot be null."},
		"a missing variable": {`{"query":"query($t: String!) { echo(text: $t) }"}`, plain, 200, "GRAPHQL_VALIDATION_FAILED", "Variable $t: must be defined."},
		"a choice not made":  {`{"query":"query A { me } query B { me }"}`, plain, 200, "GRAPHQL_VALIDATION_FAILED", "operationName"},
		"a subscription":     {`{"query":"subscription { never }"}`, plain, 200, "BAD_INPUT", "WebSocket"},
		"deep":               {`{"query":"{ list ` + strings.Repeat("{ nodes { list ", 8) + strings.Repeat("} }", 8) + ` }"}`, plain, 200, "LIMIT_EXCEEDED", "15 levels"},
		"costly":             {`{"query":"{ list(first: 1000) { nodes { list(first: 1000) { nodes { id } } } } }"}`, plain, 200, "LIMIT_EXCEEDED", "10000 units of cost"},
		"no operation":       {`{"query":"fragment F on Query { me }"}`, plain, 200, "GRAPHQL_VALIDATION_FAILED", "no operation provided"},
		"an unclosed string": {`{"query":"{ echo(text: \"x) }"}`, plain, 200, "GRAPHQL_PARSE_FAILED", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := b.send(t, http.MethodPost, "/graphql", c.body, "Content-Type", c.contentType)
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, c.code, a.code(), a.text)
			require.Contains(t, a.text, c.contains)
			if c.code != "" {
				require.NotContains(t, a.text, `"data"`, "data is absent from a request error")
				require.NotContains(t, a.text, "secret")
				require.Equal(t, a.Header.Get("X-Request-Id"), a.body.Errors[0].Extensions.RequestID)
			}
		})
	}
}

func TestABodyOfUnstatedLengthIsBounded(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.GraphQLBytes = 100 })
	// A reader without a length is sent in chunks.
	body := struct{ *strings.Reader }{strings.NewReader(`{"query":"` + strings.Repeat(" ", 200) + `{ me }"}`)}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url("/graphql"), body)
	require.NoError(t, err)
	r.ContentLength = -1
	r.Header.Set("Content-Type", plain)
	r.Header.Set("Authorization", "Bearer amy")
	a, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	require.Equal(t, http.StatusRequestEntityTooLarge, a.StatusCode)
}

func TestGet(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for name, c := range map[string]struct {
		query  url.Values
		status int
		code   string
	}{
		"a query":               {url.Values{"query": {`query($t: String!) { echo(text: $t) }`}, "variables": {`{"t":"x"}`}}, 200, ""},
		"a name":                {url.Values{"query": {`query A { me } query B { me }`}, "operationName": {"B"}}, 200, ""},
		"a mutation":            {url.Values{"query": {`mutation { touch }`}}, 405, "BAD_INPUT"},
		"a subscription":        {url.Values{"query": {`subscription { never }`}}, 200, "BAD_INPUT"},
		"nothing":               {url.Values{}, 400, "BAD_INPUT"},
		"variables no JSON":     {url.Values{"query": {`{ me }`}, "variables": {"{"}}, 400, "BAD_INPUT"},
		"variables and more":    {url.Values{"query": {`{ me }`}, "variables": {"{} {}"}}, 400, "BAD_INPUT"},
		"extensions not object": {url.Values{"query": {`{ me }`}, "extensions": {"1"}}, 400, "BAD_INPUT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := b.send(t, http.MethodGet, "/graphql?"+c.query.Encode(), "")
			require.Equal(t, c.status, a.StatusCode, a.text)
			require.Equal(t, c.code, a.code(), a.text)
			if c.status == http.StatusMethodNotAllowed {
				require.Equal(t, "POST", a.Header.Get("Allow"))
			}
		})
	}
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		a := b.send(t, method, "/graphql", "")
		require.Equal(t, http.StatusMethodNotAllowed, a.StatusCode)
		require.Equal(t, "GET, POST", a.Header.Get("Allow"))
		require.Equal(t, "BAD_INPUT", a.code())
	}
}

func TestTheDeadlineReachesTheWork(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = 50 * time.Millisecond })
	a := b.query(t, `{ deadline }`)
	require.Equal(t, http.StatusOK, a.StatusCode)
	require.Equal(t, "TIMEOUT", a.code(), "although the driver only said: interrupted")
	require.NotContains(t, a.text, "interrupted")
}

func TestACallerWhoLeavesCancelsTheWork(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.RequestTimeout = time.Hour })
	ctx, leave := contextWithCancel(t)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url("/graphql"), strings.NewReader(`{"query":"{ deadline }"}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", plain)
	r.Header.Set("Authorization", "Bearer amy")
	left := make(chan struct{})
	go func() {
		defer close(left)
		if a, err := http.DefaultTransport.RoundTrip(r); err == nil {
			_ = a.Body.Close()
		}
	}()
	<-b.schema.waiting
	leave()
	<-left
	eventually(t, func() bool { return strings.Contains(b.log.String(), `"outcome":"UNAVAILABLE"`) }, "the work ended")
}

func TestAFailureThatPassesIsUnavailable(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *server.Options) { o.Passing = func(error) bool { return true } })
	a := b.query(t, `{ fail(how: "secret_table") }`)
	require.Equal(t, "UNAVAILABLE", a.code())
	lines := b.logged(t, "the database cannot serve")
	require.Len(t, lines, 1)
	require.Equal(t, "WARN", lines[0]["level"])
	require.Contains(t, lines[0]["error"], "secret_table", "the log has the cause")
	require.Empty(t, b.logged(t, "internal error"), "it is no fault of ours")
}
