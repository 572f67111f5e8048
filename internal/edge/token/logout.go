package token

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parley/internal/ground/fault"
)

// Logout is what a good logout token says: whose sessions have ended at the issuer.
type Logout struct {
	Issuer, Subject string
	// Username is as the token names the agent; empty when it has no such claim.
	Username string
	// Before says which tokens are refused: those whose Claims.IssuedAt is before it, whoever
	// issued them. It is exact by the issuer's own clock, which tells seconds.
	Before time.Time
}

const (
	// logoutEvent is the member of the claim events that makes a logout token (OpenID
	// Connect Back-Channel Logout 1.0, 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	logoutType  = "logout+jwt"
	// logoutLife is how old a logout token may be.
	logoutLife = 10 * time.Minute
	// mostEnded is how many logout tokens are remembered. One that is presented once more
	// after it was forgotten changes nothing: its tokens are refused already.
	mostEnded = 10_000
	maxJTI    = 255
)

// logoutError is why a logout token is refused, for whoever sets up the issuer.
type logoutError string

// Error implements error.
func (e logoutError) Error() string { return string(e) }

const (
	errLogoutToken   logoutError = "the logout token is not valid: check the issuer, its keys and algorithms, the audience (logoutAudience) and the clocks"
	errLogoutIssuer  logoutError = "logout tokens of this issuer are not taken: set logoutAudience in the --issuers file"
	errLogoutNonce   logoutError = "a logout token must not have a nonce"
	errLogoutEvent   logoutError = "the claim events must hold " + logoutEvent + " with an object"
	errLogoutSubject logoutError = "the logout token must have a sub of up to 255 bytes; a sid alone does not say whose sessions end"
	errLogoutID      logoutError = "the logout token must have a jti of up to 255 bytes"
	errLogoutAge     logoutError = "the logout token must have an iat within the last 10 minutes"
	errLogoutAgain   logoutError = "this logout token was used already"
)

// endsSession reports whether the claims are those of a logout token, which is never good
// for signing in.
func endsSession(claims jwt.MapClaims) bool {
	events, _ := claims["events"].(map[string]any)
	_, is := events[logoutEvent]
	return is
}

// Logout has end do what a logout token asks for, once for each token. It follows section
// 2.6 of OpenID Connect Back-Channel Logout 1.0. A sid narrows nothing: all sessions of
// the subject end.
func (v *Verifier) Logout(ctx context.Context, text string, end func(context.Context, Logout) error) error {
	claims := jwt.MapClaims{}
	if len(text) > MaxBytes {
		return errLogoutToken
	}
	if _, _, err := v.peek.ParseUnverified(text, claims); err != nil {
		return errLogoutToken
	}
	name, _ := claims["iss"].(string)
	o := v.others[name]
	if o == nil || o.logouts == nil {
		return errLogoutIssuer
	}
	out, jti, err := o.logout(ctx, text, v.clock.Now().Std())
	if err != nil {
		return err
	}
	id := [2]string{name, jti}
	if again, _ := v.ended.ContainsOrAdd(id, struct{}{}); again {
		return errLogoutAgain
	}
	if err := end(ctx, out); err != nil {
		v.ended.Remove(id)
		return err
	}
	return nil
}

func (o *other) logout(ctx context.Context, text string, now time.Time) (out Logout, jti string, err error) {
	claims := jwt.MapClaims{}
	takes := func(typ string) bool {
		return o.takes(typ) || strings.EqualFold(strings.TrimPrefix(strings.ToLower(typ), "application/"), logoutType)
	}
	_, err = o.logouts.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) { return o.keyFor(ctx, t, takes) })
	if fault.CodeOf(err) == fault.Unavailable {
		return out, "", err
	}
	if err != nil {
		return out, "", errLogoutToken
	}
	events, _ := claims["events"].(map[string]any)
	_, holds := events[logoutEvent].(map[string]any)
	_, hasNonce := claims["nonce"]
	subject, _ := claims["sub"].(string)
	jti, _ = claims["jti"].(string)
	issued, err := claims.GetIssuedAt()
	leeway := time.Duration(o.Leeway)
	switch {
	case !holds:
		return out, "", errLogoutEvent
	case hasNonce:
		return out, "", errLogoutNonce
	case !validSubject(subject):
		return out, "", errLogoutSubject
	case jti == "" || len(jti) > maxJTI:
		return out, "", errLogoutID
	case err != nil || issued == nil || now.Sub(issued.Time) > logoutLife+leeway:
		return out, "", errLogoutAge
	}
	out = Logout{Issuer: o.Issuer.Issuer, Subject: subject, Before: issued.Add(time.Second).UTC()}
	if username, _ := claims[o.AgentClaim].(string); validSubject(username) {
		out.Username = username
	}
	return out, jti, nil
}

// LogoutHandler is the endpoint of OpenID Connect Back-Channel Logout 1.0: it answers the
// issuer's POST with 200, or with 400 and the reason. The caller bounds the body.
func (v *Verifier) LogoutHandler(end func(context.Context, Logout) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			refuseLogout(w, http.StatusMethodNotAllowed, "send the logout token by POST")
			return
		case media != "application/x-www-form-urlencoded":
			refuseLogout(w, http.StatusBadRequest, "send a form with the field logout_token")
			return
		case r.ParseForm() != nil || len(r.PostForm["logout_token"]) != 1:
			refuseLogout(w, http.StatusBadRequest, "the form must have one field logout_token")
			return
		}
		if err := v.Logout(r.Context(), r.PostForm["logout_token"][0], end); err != nil {
			v.failLogout(w, r, err)
		}
	})
}

// failLogout answers 400, which the specification wants of every failure.
func (v *Verifier) failLogout(w http.ResponseWriter, r *http.Request, err error) {
	var (
		f   *fault.Error
		why logoutError
	)
	switch {
	case errors.As(err, &f):
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())+1))
		}
		refuseLogout(w, http.StatusBadRequest, f.Message)
	case errors.As(err, &why):
		refuseLogout(w, http.StatusBadRequest, why.Error())
	default:
		v.logger.ErrorContext(r.Context(), "an issuer's logout could not be carried out", "error", err)
		refuseLogout(w, http.StatusBadRequest, "the logout could not be carried out; try again")
	}
}

func refuseLogout(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_request", "error_description": why})
}
