package token_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/fault"
)

var event = map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}

// leaving are the changes that make a logout token of a token of theirs.
func leaving(jti string, changes map[string]any) map[string]any {
	claims := map[string]any{"aud": []string{"spa"}, "jti": jti, "sid": "s", "events": event, "exp": start.Add(2 * time.Minute).Unix()}
	maps.Copy(claims, changes)
	return claims
}

// doorway is the endpoint of an office that takes logouts.
type doorway struct {
	*office
	http.Handler
	ended atomic.Pointer[token.Logout]
	fails atomic.Bool
}

func newDoorway(t *testing.T) *doorway {
	t.Helper()
	d := &doorway{office: newOffice(t, func(o *token.VerifierOptions) { o.Issuers[0].LogoutAudience = "spa" })}
	d.Handler = d.LogoutHandler(func(_ context.Context, out token.Logout) error {
		if d.fails.Load() {
			return errors.New("the database is away")
		}
		d.ended.Store(&out)
		return nil
	})
	return d
}

func (d *doorway) send(t *testing.T, method, media, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/oidc/backchannel-logout?logout_token=x", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	return w
}

func (d *doorway) post(t *testing.T, text string) *httptest.ResponseRecorder {
	t.Helper()
	return d.send(t, http.MethodPost, "application/x-www-form-urlencoded; charset=utf-8", url.Values{"logout_token": {text}}.Encode())
}

func TestALogoutTokenEndsTheSubjectsSessions(t *testing.T) {
	t.Parallel()
	d := newDoorway(t)
	for _, typ := range []string{"logout+jwt", "application/Logout+JWT", "JWT"} {
		w := d.post(t, theirs(t, jwt.SigningMethodRS256, rsaA(), map[string]any{"typ": typ}, leaving(typ, nil)))
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		require.Equal(t, &token.Logout{Issuer: outside, Subject: "amy", Username: "amy", Before: start.Add(time.Second).UTC()}, d.ended.Swap(nil))
	}
	now, err := d.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, nil))
	require.NoError(t, err)
	require.True(t, now.IssuedAt.Before(start.Add(time.Second)), "a token of the same second is refused")
	later, err := d.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, map[string]any{"iat": start.Unix() + 1}))
	require.NoError(t, err)
	require.False(t, later.IssuedAt.Before(start.Add(time.Second)), "one of the next is not")
}

func TestLogoutTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	d := newDoorway(t)
	for name, c := range map[string]struct {
		key             any
		header, changes map[string]any
		says            string
	}{
		"another's signature":        {key: rsaB(), says: "not valid"},
		"an unknown issuer":          {changes: map[string]any{"iss": "https://other.test"}, says: "logoutAudience"},
		"our issuer":                 {changes: map[string]any{"iss": "parley"}, says: "logoutAudience"},
		"the audience of sign-in":    {changes: map[string]any{"aud": "desk"}, says: "not valid"},
		"no audience":                {changes: map[string]any{"aud": nil}, says: "not valid"},
		"expired":                    {changes: map[string]any{"exp": start.Add(-time.Minute).Unix()}, says: "not valid"},
		"no expiry":                  {changes: map[string]any{"exp": nil}, says: "not valid"},
		"another type":               {header: map[string]any{"typ": "dpop+jwt"}, says: "not valid"},
		"an extension":               {header: map[string]any{"crit": []string{"x"}}, says: "not valid"},
		"no event":                   {changes: map[string]any{"events": nil}, says: "events"},
		"another event":              {changes: map[string]any{"events": map[string]any{"x": map[string]any{}}}, says: "events"},
		"an event without an object": {changes: map[string]any{"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": true}}, says: "events"},
		"a nonce":                    {changes: map[string]any{"nonce": "n"}, says: "nonce"},
		"an empty nonce":             {changes: map[string]any{"nonce": ""}, says: "nonce"},
		"a sid alone":                {changes: map[string]any{"sub": nil}, says: "sid"},
		"a long subject":             {changes: map[string]any{"sub": strings.Repeat("a", 256)}, says: "sub"},
		"no jti":                     {changes: map[string]any{"jti": nil}, says: "jti"},
		"a number as jti":            {changes: map[string]any{"jti": 7}, says: "jti"},
		"no iat":                     {changes: map[string]any{"iat": nil}, says: "iat"},
		"an old iat":                 {changes: map[string]any{"iat": start.Add(-11 * time.Minute).Unix()}, says: "iat"},
		"an iat to come":             {changes: map[string]any{"iat": start.Add(time.Minute).Unix()}, says: "not valid"},
		"a long token":               {changes: map[string]any{"x": strings.Repeat("a", token.MaxBytes)}, says: "not valid"},
	} {
		if c.key == nil {
			c.key = rsaA()
		}
		w := d.post(t, theirs(t, jwt.SigningMethodRS256, c.key, c.header, leaving(name, c.changes)))
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.Contains(t, w.Body.String(), c.says, name)
		require.Contains(t, w.Body.String(), `"error":"invalid_request"`, name)
	}
	for _, text := range []string{"", "x", "a.b.c", theirs(t, jwt.SigningMethodHS256, []byte("secret"), nil, leaving("h", nil))} {
		require.Equal(t, http.StatusBadRequest, d.post(t, text).Code)
	}
	require.Nil(t, d.ended.Load())

	w := d.send(t, http.MethodGet, "", "")
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Equal(t, "POST", w.Header().Get("Allow"))
	good := url.QueryEscape(theirs(t, jwt.SigningMethodRS256, rsaA(), nil, leaving("good", nil)))
	for media, body := range map[string]string{
		"application/json":                  `{"logout_token": "x"}`,
		"text/plain":                        "logout_token=" + good,
		"application/x-www-form-urlencoded": "logout_token=" + good + "&logout_token=" + good,
		"multipart/form-data":               "logout_token=" + good,
	} {
		require.Equal(t, http.StatusBadRequest, d.send(t, http.MethodPost, media, body).Code, media)
	}
	require.Equal(t, http.StatusBadRequest, d.send(t, http.MethodPost, "application/x-www-form-urlencoded", "").Code, "the query is not the form")
	require.Nil(t, d.ended.Load())
}

func TestALogoutTokenIsUsedOnce(t *testing.T) {
	t.Parallel()
	d := newDoorway(t)
	text := theirs(t, jwt.SigningMethodRS256, rsaA(), nil, leaving("one", nil))
	d.fails.Store(true)
	w := d.post(t, text)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.NotContains(t, w.Body.String(), "database")
	d.fails.Store(false)
	require.Equal(t, http.StatusOK, d.post(t, text).Code, "one that failed may come again")
	w = d.post(t, text)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "used already")
}

func TestALogoutTokenSignsNobodyIn(t *testing.T) {
	t.Parallel()
	d := newDoorway(t)
	_, err := d.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, map[string]any{"events": event}))
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
}

func TestLogoutsAreTakenOnlyIfTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	err := o.Logout(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, leaving("one", map[string]any{"aud": "desk"})), nil)
	require.ErrorContains(t, err, "logoutAudience")
}

func TestAnIssuerWhoseKeysCannotBeReadIsAskedToComeAgain(t *testing.T) {
	t.Parallel()
	d := newDoorway(t)
	d.provider.fails()
	w := d.post(t, theirs(t, jwt.SigningMethodRS256, rsaA(), nil, leaving("one", nil)))
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.Nil(t, d.ended.Load())
}
