package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// assets are the built files, by the name they are served under.
type assets struct {
	names map[string]string // plain name → name with the content's hash
	files map[string][]byte // name with the hash → gzipped content
}

// loadAssets reads what build.mjs wrote. It panics when the embedded build is
// broken, which is a fault of the build and not of a request.
func loadAssets() *assets {
	built, err := readAssets(dist)
	if err != nil {
		panic(fmt.Sprintf("web: the embedded playground is broken, run make build again: %v", err))
	}
	return built
}

// readAssets returns no assets when there is no build in files.
func readAssets(files fs.FS) (*assets, error) {
	a := &assets{names: map[string]string{}, files: map[string][]byte{}}
	manifest, err := fs.ReadFile(files, "dist/manifest.json")
	if err != nil {
		return a, nil //nolint:nilerr // no manifest means a build without Node, which is allowed
	}
	if err := json.Unmarshal(manifest, &a.names); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	for _, hashed := range a.names {
		if a.files[hashed], err = fs.ReadFile(files, "dist/"+hashed+".gz"); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) built() bool { return len(a.files) > 0 }

// path returns the path an asset is served at, empty when it is not built.
func (a *assets) path(name string) string {
	if hashed, ok := a.names[name]; ok {
		return "/assets/" + hashed
	}
	return ""
}

// text returns what an asset holds, empty when it is not built.
func (a *assets) text(name string) string {
	content, ok := a.files[a.names[name]]
	if !ok {
		return ""
	}
	var plain strings.Builder
	writePlain(&plain, content)
	return plain.String()
}

// ServeHTTP serves /assets/{name}. The name holds the content's hash, so what it
// names never changes and may be kept for ever.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content)
		return
	}
	writePlain(w, content)
}

func writePlain(w io.Writer, gzipped []byte) {
	plain, err := gzip.NewReader(bytes.NewReader(gzipped))
	if err != nil {
		return // cannot be: the build wrote it
	}
	_, _ = io.Copy(w, plain) //nolint:gosec // our own build, not a bomb
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

// takesGzip reads an Accept-Encoding header (RFC 9110, 12.5.3): gzip or * is
// listed with a weight that is not zero, gzip's own entry being the stronger.
func takesGzip(header string) bool {
	takes := false
	for _, entry := range strings.Split(header, ",") {
		coding, params, _ := strings.Cut(strings.ToLower(entry), ";")
		switch strings.TrimSpace(coding) {
		case "gzip", "x-gzip":
			return weight(params) > 0
		case "*":
			takes = weight(params) > 0
		}
	}
	return takes
}

// weight reads ";q=0.5"; 1 when there is none, 0 when it cannot be read.
func weight(params string) float64 {
	value, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
