package admission

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"parley/internal/edge/answer"
	"parley/internal/edge/observe"
	"parley/internal/ground/fault"
)

// Listed reports whether a web origin may call, from whatever host: one of
// Options.Origins, or with Options.LocalOrigins any of this machine, where frontends
// have servers of their own.
func (g *Gate) Listed(origin string) bool {
	return slices.Contains(g.options.Origins, origin) || g.options.LocalOrigins && isLoopback(origin)
}

func isLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || !isOrigin(origin) {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// OriginNoted records a request's web origin for the access log if it may not call.
// Programs send no Origin.
func (g *Gate) OriginNoted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origins := r.Header.Values("Origin"); !g.welcome(origins, r.Host) {
			origin := strings.Join(origins, ", ")
			observe.ForeignOrigin(r.Context(), origin[:min(len(origin), 200)])
		}
		next.ServeHTTP(w, r)
	})
}

// SameOrigin answers 403 to web origins that are neither listed nor the server's
// own. It guards WebSockets, which CORS does not.
func (g *Gate) SameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.welcome(r.Header.Values("Origin"), r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		answer.Refuse(w, r, http.StatusForbidden, fault.New(fault.Forbidden, "This web origin may not connect. Ask an administrator to list it in --origins."))
	})
}

func (g *Gate) welcome(origins []string, host string) bool {
	return len(origins) == 0 || len(origins) == 1 && (g.Listed(origins[0]) || sameHost(origins[0], host))
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// checkOrigin says what is wrong with an origin: mostly a slash at its end.
func checkOrigin(origin string) error {
	bare := strings.TrimRight(origin, "/")
	switch {
	case isOrigin(origin):
		return nil
	case isOrigin(bare):
		return fmt.Errorf("an origin must not end with a slash; write %s instead of %s", bare, origin)
	}
	return fmt.Errorf("%q is not an origin; write scheme and host, such as https://desk.example.com, in lower case and without a path", origin)
}

// isOrigin reports whether s is an origin as browsers send it: no path, no
// wildcard, not "null".
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" &&
		s == u.Scheme+"://"+u.Host && s == strings.ToLower(s) && !strings.Contains(s, "*")
}
