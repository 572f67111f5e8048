package server

import (
	"net/http"
	"path"
	"regexp"
	"strings"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
)

const webhookRoute = "/webhooks/{provider}/{account}"

var (
	webhookPath  = regexp.MustCompile(`^/webhooks/[^/]+/[^/]+$`)
	providerName = regexp.MustCompile(`^[a-z]{1,20}$`)
)

// strayWebhooks answers webhooks sent to a wrong path: one with a slash too many, or
// one that the routes would clean by a redirect, which carriers do not follow. The
// carrier's console shows the status; the log helps to find the mistake.
func (s *Server) strayWebhooks(next http.Handler) http.Handler {
	stray := s.gate.Vetted(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.options.Logger.WarnContext(r.Context(), "a webhook came to a path that accepts none; compare the address configured at the carrier with "+webhookRoute,
			"path", webhookShape(r.URL.Path), "method", r.Method)
		answer.Refuse(w, r, http.StatusNotFound, fault.New(fault.NotFound, "Webhooks are accepted only at %s. Remove what follows it.", webhookRoute))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isStray(r.URL.Path) {
			stray.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isStray reports whether a path is meant for webhooks but accepts none.
func isStray(p string) bool {
	meant := func(p string) bool { return p == "/webhooks" || strings.HasPrefix(p, "/webhooks/") }
	clean := path.Clean("/" + p)
	return (meant(p) || meant(clean)) && (clean != p || !webhookPath.MatchString(p))
}

// webhookShape returns a path for the log, without what may be an account's key.
func webhookShape(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		isProvider := i > 0 && segments[i-1] == "webhooks" && providerName.MatchString(s) && len(segments) > i+1
		if s != "" && s != "." && s != ".." && s != "webhooks" && !isProvider {
			segments[i] = "{account}"
		}
	}
	return strings.Join(segments[:min(len(segments), 12)], "/")
}
