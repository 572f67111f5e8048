package web

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
)

//go:embed page/*.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// pageConfig is what the page's script reads from the page.
type pageConfig struct {
	Endpoint string `json:"endpoint"`
	// Sessions is the path of the local tokens, empty when this page gets none.
	Sessions string    `json:"sessions,omitempty"`
	Examples []Example `json:"examples"`
	// Placeholders is the document that fetches the ids for the examples'
	// variables.
	Placeholders string `json:"placeholders"`
}

type pageData struct {
	assets *assets
	Config pageConfig
	Guide  template.HTML
}

// Asset returns the path of an asset for the page, empty when it is not built.
func (d pageData) Asset(name string) string { return d.assets.path(name) }

// playground serves the page, or the one that says it is not built.
func playground(o Options, built *assets) http.HandlerFunc {
	if !built.built() {
		return func(w http.ResponseWriter, _ *http.Request) { render(w, "unbuilt.html", pageData{assets: built}) }
	}
	examples := Examples()
	return func(w http.ResponseWriter, r *http.Request) {
		config := pageConfig{Endpoint: o.endpoint(), Examples: examples, Placeholders: Placeholders()}
		if o.handsOutTokens() && isLocal(r) {
			config.Sessions = sessionPath
		}
		render(w, "page.html", pageData{assets: built, Config: config})
	}
}

func guide(built *assets) http.HandlerFunc {
	data := pageData{assets: built, Guide: template.HTML(built.text("guide.html"))} //nolint:gosec // G203: our own docs, rendered by our build
	return func(w http.ResponseWriter, _ *http.Request) { render(w, "guide.html", data) }
}

// render writes a page that no cache keeps: it names the assets of this build
// and depends on who asks.
func render(w http.ResponseWriter, name string, data pageData) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page could not be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = page.WriteTo(w)
}
