// Package web serves Parley's playground: GraphiQL with example documents, at "/", from
// files embedded in the program, so it works without a network.
//
// npm installs the third-party parts, and "make build" copies them into dist/; none is
// committed. A program built without them serves a page that says so, and is otherwise
// complete.
//
// In development mode, and only to a browser on the same machine that was opened at the
// address with the key, the playground hands out tokens of local agents; see
// [Options.Sessions].
package web

import (
	"context"
	"net/http"
)

// Mode is how the program runs.
type Mode string

// The modes, as the --mode setting spells them.
const (
	Development Mode = "development"
	Production  Mode = "production"
)

// Session lets the playground act as one agent.
type Session struct {
	// Agent is the agent's user name, such as "amy".
	Agent string `json:"agent"`
	// Label is what the picker shows; Agent when empty.
	Label string `json:"label,omitempty"`
	// Token is what goes behind "Bearer ". It is kept in the page's memory only,
	// so it should live for a working day.
	Token string `json:"token"`
}

// Options say what the playground shows and to whom. The zero value is a
// production server without a playground.
type Options struct {
	// Mode is Production unless set to Development.
	Mode Mode
	// Enabled turns the playground on in production; in development it is always
	// on. Where it is off, every path of the handler answers 404.
	Enabled bool
	// Endpoint is the path of the GraphQL endpoint on the same host; "/graphql"
	// when empty.
	Endpoint string
	// Sessions returns the agents the playground may act as, the first being the
	// default. It is asked at every load of the page, only in development mode,
	// and only for a request that comes from this machine's own browser page.
	// Nil offers none.
	Sessions func(ctx context.Context) ([]Session, error)
	// Key is the secret that the page must show for them: what it finds behind "#key="
	// in its own address, which no browser sends to a server. It cannot be guessed
	// where it is drawn for each run. Empty hands out none.
	Key string
}

// Address is where to open the playground of a server at url.
func Address(url, key string) string {
	if key == "" {
		return url + "/"
	}
	return url + "/#key=" + key
}

func (o Options) on() bool { return o.Mode == Development || o.Enabled }

func (o Options) endpoint() string {
	if o.Endpoint == "" {
		return "/graphql"
	}
	return o.Endpoint
}

// Handler serves "/" (the playground), "/assets/", "/playground/guide" (how to
// call the endpoint) and "/playground/session" (the local tokens), each by GET
// and HEAD. Every answer forbids the browser to load or call anything but this
// host.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	if !o.on() {
		return mux
	}
	built := loadAssets()
	mux.Handle("GET /{$}", playground(o, built))
	mux.Handle("GET /assets/{name}", built)
	mux.Handle("GET /playground/guide", guide(built))
	if o.handsOutTokens() {
		mux.Handle("GET "+sessionPath, sessions(o))
	}
	return guarded(mux)
}

// policy allows the page nothing but its own host: scripts from files only,
// styles also inline because GraphiQL's dialogs write style elements, fonts and
// pictures also from data: URLs inside GraphiQL's style sheet.
// 'self' covers WebSockets to the same host (CSP 3, "connect-src").
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}
