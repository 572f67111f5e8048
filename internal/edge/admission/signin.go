package admission

import (
	"context"
	"errors"
	"net/http"
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

// identityOf returns whoever Authenticated has let in.
func identityOf(ctx context.Context) (who identity, signedIn bool) {
	who, signedIn = ctx.Value(identityKey{}).(identity)
	return who, signedIn
}

// Authenticated serves only requests with a good token, with their agent as the
// viewer of the context. It answers all others 401, or 429 after too many from
// their address.
func (g *Gate) Authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := g.identify(r.Context(), r.Header.Values("Authorization"))
		if err != nil {
			g.unauthorized(w, r, err)
			return
		}
		observe.SignedIn(r.Context(), who.viewer.Username)
		next.ServeHTTP(w, r.WithContext(context.WithValue(viewer.NewContext(r.Context(), who.viewer), identityKey{}, who)))
	})
}

// Identified serves requests without a token too: a browser can send a WebSocket's
// only in connection_init. A bad one is refused as by Authenticated.
func (g *Gate) Identified(next http.Handler) http.Handler {
	authenticated := g.Authenticated(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Authorization")) > 0 {
			authenticated.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Expiry returns when the token that Authenticated let in expires; the zero time if
// it never does.
func (g *Gate) Expiry(ctx context.Context) time.Time {
	who, _ := identityOf(ctx)
	return who.expiry
}

// identify checks an Authorization header by RFC 6750.
func (g *Gate) identify(ctx context.Context, values []string) (identity, error) {
	if len(values) == 0 {
		return identity{}, errNoToken
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if len(values) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return identity{}, fault.New(fault.Unauthenticated, "Send one Authorization header of the form: Bearer TOKEN.")
	}
	return g.whose(ctx, strings.TrimSpace(token))
}

// bareToken strips the scheme that connection_init may carry or leave out.
func bareToken(authorization string) string {
	if scheme, token, found := strings.Cut(authorization, " "); found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return strings.TrimSpace(authorization)
}

func (g *Gate) whose(ctx context.Context, token string) (identity, error) {
	if token == "" {
		return identity{}, errNoToken
	}
	ctx, cancel := context.WithTimeout(ctx, g.options.AuthenticateTimeout)
	defer cancel()
	v, expiry, err := g.options.Authenticate(ctx, token)
	if err == nil && v == nil {
		err = fault.New(fault.Unauthenticated, "The token belongs to no agent. Get a new one.")
	}
	if g.options.Refused != nil && fault.CodeOf(err) == fault.Unauthenticated {
		g.options.Refused(ctx, err)
	}
	return identity{token: token, viewer: v, expiry: expiry}, err
}

var errNoToken = fault.New(fault.Unauthenticated, "A token is required. Send it as Authorization: Bearer TOKEN.")

// unauthorized refuses a request whose token is not good. Good ones pass however
// many bad ones come from their address.
func (g *Gate) unauthorized(w http.ResponseWriter, r *http.Request, err error) {
	if fault.CodeOf(err) == fault.Unauthenticated {
		if _, refused := g.attempts.begin(r, "sign-in"); refused != nil {
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
