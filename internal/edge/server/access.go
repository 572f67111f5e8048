package server

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"parley/internal/edge/answer"
	"parley/internal/edge/observe"
	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// identity is who a token belongs to, and until when.
type identity struct {
	token  string
	viewer *viewer.Viewer
	expiry time.Time // zero: never
}

type identityKey struct{}

// authenticated lets only requests with a good token pass, with their viewer.
func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.identify(r.Context(), r.Header.Values("Authorization"))
		if err != nil {
			s.unauthorized(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(s.as(r.Context(), who)))
	})
}

// identified lets requests without a token pass too: a browser can send a
// WebSocket's only in connection_init. A bad one is refused here as anywhere.
func (s *Server) identified(next http.Handler) http.Handler {
	authenticated := s.authenticated(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Authorization")) > 0 {
			authenticated.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) as(ctx context.Context, who identity) context.Context {
	observe.SignedIn(ctx, who.viewer.Username)
	return context.WithValue(viewer.NewContext(ctx, who.viewer), identityKey{}, who)
}

// identify checks an Authorization header by RFC 6750.
func (s *Server) identify(ctx context.Context, values []string) (identity, error) {
	if len(values) == 0 {
		return identity{}, errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return identity{}, fault.New(fault.Unauthenticated, "Send one Authorization header of the form: Bearer TOKEN.")
	}
	return s.whose(ctx, strings.TrimSpace(token))
}

func (s *Server) whose(ctx context.Context, token string) (identity, error) {
	if token == "" {
		return identity{}, errNoToken
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.RequestTimeout)
	defer cancel()
	v, expiry, err := s.options.Authenticate(ctx, token)
	if err == nil && v == nil {
		return identity{}, fault.New(fault.Unauthenticated, "The token belongs to no agent. Get a new one.")
	}
	return identity{token: token, viewer: v, expiry: expiry}, err
}

var errNoToken = fault.New(fault.Unauthenticated, "A token is required. Send it as Authorization: Bearer TOKEN.")

// unauthorized refuses a request whose token is not good. Good ones pass however
// many bad ones come from their address.
func (s *Server) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	if fault.CodeOf(err) == fault.Unauthenticated {
		if _, refused := s.attempts.begin(r, "sign-in"); refused != nil {
			answer.Refuse(w, r, http.StatusTooManyRequests, refused)
			return
		}
		challenge := `Bearer realm="parley", error="invalid_token"`
		if errors.Is(err, errNoToken) {
			challenge = `Bearer realm="parley"` // RFC 6750, 3.1: no error without a token
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	answer.Refuse(w, r, answer.StatusOf(err), err)
}

// listed reports whether a web origin may call: in development also any of this
// machine, where frontends have servers of their own.
func (s *Server) listed(origin string) bool {
	return slices.Contains(s.options.Origins, origin) || s.options.Mode == Development && isLoopback(origin)
}

func isLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || !isOrigin(origin) {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
}

// originNoted has the access log name the web origin of a request that it is
// foreign to. Programs send no Origin.
func (s *Server) originNoted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origins := r.Header.Values("Origin"); !s.welcome(origins, r.Host) {
			origin := strings.Join(origins, ", ")
			observe.ForeignOrigin(r.Context(), origin[:min(len(origin), 200)])
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin guards WebSockets, which CORS does not.
func (s *Server) sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.welcome(r.Header.Values("Origin"), r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		answer.Refuse(w, r, http.StatusForbidden, fault.New(fault.Forbidden, "This web origin may not connect. Ask an administrator to list it in --origins."))
	})
}

func (s *Server) welcome(origins []string, host string) bool {
	return len(origins) == 0 || len(origins) == 1 && (s.listed(origins[0]) || sameHost(origins[0], host))
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}
