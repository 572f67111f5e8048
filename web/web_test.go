package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func amy(context.Context) ([]Session, error) {
	return []Session{{Agent: "amy", Token: "secret"}}, nil
}

func get(t *testing.T, h http.Handler, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost:8080"
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestProductionIsOffUnlessEnabled(t *testing.T) {
	t.Parallel()
	off := Handler(Options{Mode: Production, Sessions: amy})
	for _, path := range []string{"/", "/playground/guide", sessionPath} {
		require.Equal(t, http.StatusNotFound, get(t, off, path, nil).Code, path)
	}
	on := Handler(Options{Mode: Production, Enabled: true, Sessions: amy})
	require.Equal(t, http.StatusOK, get(t, on, "/", nil).Code)
	require.NotContains(t, get(t, on, "/", nil).Body.String(), sessionPath)
	require.Equal(t, http.StatusNotFound, get(t, on, sessionPath, nil).Code)
}

func TestTokensOnlyForTheLocalPage(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	peer := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	cases := []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"the page itself", nil, 200},
		{"same origin stated", header("Sec-Fetch-Site", "same-origin"), 200},
		{"own origin", header("Origin", "http://localhost:8080"), 200},
		{"by address", host("127.0.0.1:8080"), 200},
		{"by IPv6 address", host("[::1]:8080"), 200},
		{"without a port", host("[::1]"), 200},
		{"IPv6 peer", peer("[::1]:5000"), 200},
		{"mapped peer", peer("[::ffff:127.0.0.1]:5000"), 200},
		{"rebound name", host("evil.example:8080"), 403},
		{"name that only begins so", host("localhost.evil.example"), 403},
		{"no host", host(""), 403},
		{"peer elsewhere", peer("192.0.2.7:5000"), 403},
		{"peer not an address", peer("@"), 403},
		{"cross site", header("Sec-Fetch-Site", "cross-site"), 403},
		{"other local port", header("Sec-Fetch-Site", "same-site"), 403},
		{"other origin", header("Origin", "http://localhost:3000"), 403},
		{"opaque origin", header("Origin", "null"), 403},
		{"behind a proxy", header("X-Forwarded-For", "192.0.2.7"), 403},
		{"behind a standard proxy", header("Forwarded", "for=192.0.2.7"), 403},
		{"a plain proxy's caller", func(r *http.Request) { r.Host = "127.0.0.1:8080"; r.Header.Del(pageHeader) }, 403},
		{"another key", header(pageHeader, "another"), 403},
		{"a part of the key", header(pageHeader, secretKey[:10]), 403},
		{"an empty key", header(pageHeader, ""), 403},
		{"the key in the URL", func(r *http.Request) { r.URL.RawQuery = "key=" + secretKey; r.Header.Del(pageHeader) }, 403},
	}
	h := Handler(Options{Mode: Development, Sessions: amy, Key: secretKey})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := get(t, h, sessionPath, func(r *http.Request) {
				r.Header.Set(pageHeader, secretKey)
				if c.change != nil {
					c.change(r)
				}
			})
			require.Equal(t, c.want, w.Code)
			require.Equal(t, c.want == 200, strings.Contains(w.Body.String(), "secret"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		})
	}
}

const secretKey = "a-key-of-this-run"

func TestWithoutAKeyNoTokensAreHandedOut(t *testing.T) {
	t.Parallel()
	h := Handler(Options{Mode: Development, Sessions: amy})
	require.Equal(t, http.StatusNotFound, get(t, h, sessionPath, func(r *http.Request) { r.Header.Set(pageHeader, "") }).Code)
	require.Equal(t, "http://127.0.0.1:8080/#key=k", Address("http://127.0.0.1:8080", "k"))
	require.Equal(t, "http://127.0.0.1:8080/", Address("http://127.0.0.1:8080", ""))
}

func TestTokensAnswer(t *testing.T) {
	t.Parallel()
	ask := func(s func(context.Context) ([]Session, error)) *httptest.ResponseRecorder {
		h := Handler(Options{Mode: Development, Sessions: s, Key: secretKey})
		return get(t, h, sessionPath, func(r *http.Request) { r.Header.Set(pageHeader, secretKey) })
	}
	require.JSONEq(t, `{"sessions":[{"agent":"amy","token":"secret"}]}`, ask(amy).Body.String())
	none := ask(func(context.Context) ([]Session, error) { return nil, nil })
	require.JSONEq(t, `{"sessions":[]}`, none.Body.String())
	failed := ask(func(context.Context) ([]Session, error) { return nil, errors.New("no such table: agents") })
	require.Equal(t, http.StatusInternalServerError, failed.Code)
	require.NotContains(t, failed.Body.String(), "table")
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	h := Handler(Options{Mode: Development, Sessions: amy, Key: secretKey})
	for _, path := range []string{"/", "/playground/guide", "/assets/none.js", sessionPath, "/other"} {
		w := get(t, h, path, nil)
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), path)
		csp := w.Header().Get("Content-Security-Policy")
		require.Contains(t, csp, "default-src 'none'", path)
		require.NotContains(t, csp, "http", "an outside origin is allowed at "+path)
		require.NotContains(t, csp, "unsafe-eval", path)
	}
}

func TestTheGuideIsThatOfTheDocs(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, "<h1>Guide for all</h1>")
	require.NoError(t, errors.Join(err, w.Close()))
	built, err := readAssets(fstest.MapFS{
		"dist/manifest.json":   {Data: []byte(`{"guide.html":"guide-1.html"}`)},
		"dist/guide-1.html.gz": {Data: zipped.Bytes()},
	})
	require.NoError(t, err)
	page := get(t, guide(built), "/playground/guide", nil).Body.String()
	require.Contains(t, page, "<h1>Guide for all</h1>")
	require.NotContains(t, page, "docs/guide.md")
}

func TestWithoutABuildThePageSaysSo(t *testing.T) {
	t.Parallel()
	unbuilt, err := readAssets(fstest.MapFS{"dist/.keep": {}})
	require.NoError(t, err)
	w := get(t, playground(Options{Mode: Development}, unbuilt), "/", nil)
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "make build")
	require.Contains(t, get(t, guide(unbuilt), "/playground/guide", nil).Body.String(), "docs/guide.md", "where it is")
}

func TestABrokenBuildIsAnError(t *testing.T) {
	t.Parallel()
	_, err := readAssets(fstest.MapFS{"dist/manifest.json": {Data: []byte(`{"a.js":"a-1.js"}`)}})
	require.Error(t, err)
	_, err = readAssets(fstest.MapFS{"dist/manifest.json": {Data: []byte(`[`)}})
	require.Error(t, err)
}

// small is a build of one script.
func small(t *testing.T) *assets {
	t.Helper()
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	_, err := io.WriteString(z, "let a = 1")
	require.NoError(t, err)
	require.NoError(t, z.Close())
	built, err := readAssets(fstest.MapFS{
		"dist/manifest.json": {Data: []byte(`{"a.js":"a-1.js"}`)},
		"dist/a-1.js.gz":     {Data: []byte(packed.String())},
	})
	require.NoError(t, err)
	return built
}

func TestAssets(t *testing.T) {
	t.Parallel()
	built := small(t)
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{name}", built)
	require.Equal(t, "/assets/a-1.js", built.path("a.js"))
	require.Equal(t, http.StatusNotFound, get(t, mux, "/assets/a.js", nil).Code)

	plain := get(t, mux, "/assets/a-1.js", nil)
	require.Equal(t, "let a = 1", plain.Body.String())
	require.Empty(t, plain.Header().Get("Content-Encoding"))
	require.Equal(t, "text/javascript; charset=utf-8", plain.Header().Get("Content-Type"))

	packed := get(t, mux, "/assets/a-1.js", func(r *http.Request) { r.Header.Set("Accept-Encoding", "br, gzip;q=0.8") })
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	require.Contains(t, packed.Header().Get("Cache-Control"), "immutable")
	z, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, "let a = 1", string(text))
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br": false, "gzip;q=0": false, "gzip; q=0.5": true,
		"*": true, "*;q=0": false, "*, gzip;q=0": false, "gzip;q=0, *": false, "identity, x-gzip": true, "gzip;q=x": false,
	} {
		require.Equal(t, want, takesGzip(header), header)
	}
}

func TestExamplesAreThere(t *testing.T) {
	t.Parallel()
	for _, e := range Examples() {
		require.NotEmpty(t, e.Query, e.Name)
	}
	require.NotEmpty(t, Placeholders())
}
