package token_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

var (
	start = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	key   = bytes.Repeat([]byte{7}, token.KeyBytes)
)

func authority(t testing.TB) (*token.Authority, *clock.Fake) {
	t.Helper()
	clk := clock.NewFake(start)
	a, err := token.New(key, clk)
	require.NoError(t, err)
	return a, clk
}

// What was good is checked again once time may have changed it.
func TestATokenThatWasGoodExpires(t *testing.T) {
	t.Parallel()
	a, clk := authority(t)
	bearer, err := a.Mint("amy", time.Hour)
	require.NoError(t, err)
	for _, step := range []struct {
		by   time.Duration
		good bool
	}{
		{0, true},
		{0, true},
		{59 * time.Minute, true},
		{time.Minute - time.Microsecond, true},
		{time.Microsecond, false},
		{0, false},
		{-time.Hour, true},
		{-time.Hour, false},
		{time.Hour, true}, // a clock that is set back
	} {
		clk.Advance(step.by)
		claims, err := a.Verify(bearer)
		require.Equal(t, step.good, err == nil, "%v at %v", err, clk.Now())
		if step.good {
			require.Equal(t, "amy", claims.Username)
			require.Equal(t, start.Add(time.Hour), claims.Expiry)
		}
		_, err = a.Verify(bearer[:len(bearer)-1] + "x")
		require.Error(t, err)
	}
}

func TestMintThenVerify(t *testing.T) {
	t.Parallel()
	a, _ := authority(t)
	bearer, err := a.Mint("amy", time.Hour)
	require.NoError(t, err)

	claims, err := a.Verify(bearer)
	require.NoError(t, err)
	require.Equal(t, "amy", claims.Username)
	require.Equal(t, start.Add(time.Hour), claims.Expiry)

	header, payload := decode(t, bearer)
	require.Equal(t, map[string]any{"alg": "HS256", "typ": "JWT"}, header)
	require.Equal(t, "parley", payload["iss"])
	require.Equal(t, []any{"parley"}, payload["aud"])
	require.EqualValues(t, start.Unix(), payload["iat"])

	again, err := a.Mint("amy", time.Hour)
	require.NoError(t, err)
	_, other := decode(t, again)
	require.NotEqual(t, payload["jti"], other["jti"])
}

// Tokens of a former key stay good until it is retired, also those that were just seen.
func TestKeysOverlapUntilTheyAreRetired(t *testing.T) {
	t.Parallel()
	a, _ := authority(t)
	second := bytes.Repeat([]byte{9}, token.KeyBytes)
	old, err := a.Mint("amy", time.Hour)
	require.NoError(t, err)
	require.NoError(t, a.Use(token.Keys{Signing: "b", ByID: map[string][]byte{"": key, "b": second}}))
	fresh, err := a.Mint("amy", time.Hour)
	require.NoError(t, err)
	header, _ := decode(t, fresh)
	require.Equal(t, map[string]any{"alg": "HS256", "typ": "JWT", "kid": "b"}, header)
	for _, bearer := range []string{old, fresh} {
		_, err := a.Verify(bearer)
		require.NoError(t, err)
	}
	forged := signed(`{"alg":"HS256","typ":"JWT","kid":"b"}`, must(json.Marshal(claimsWith(nil))), key)
	_, err = a.Verify(forged)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), "the first key does not sign for another")

	require.NoError(t, a.Use(token.Keys{Signing: "b", ByID: map[string][]byte{"b": second}}))
	_, err = a.Verify(old)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
	_, err = a.Verify(fresh)
	require.NoError(t, err)
	require.Error(t, a.Use(token.Keys{Signing: "c", ByID: map[string][]byte{"b": second}}), "a key that is not there cannot sign")
}

func TestTheKeyHasTheRightLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33, 64} {
		_, err := token.New(make([]byte, n), clock.Real{})
		require.Error(t, err, "%d bytes", n)
	}
}

func TestMintRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		username string
		ttl      time.Duration
		field    string
	}{
		"no name":      {"", time.Hour, "username"},
		"a long name":  {strings.Repeat("a", 256), time.Hour, "username"},
		"a line break": {"amy\n", time.Hour, "username"},
		"no life":      {"amy", 0, "ttl"},
		"a past":       {"amy", -time.Hour, "ttl"},
		"too long":     {"amy", token.MaxTTL + time.Second, "ttl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := authority(t)
			_, err := a.Mint(c.username, c.ttl)
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			require.Equal(t, fault.BadInput, f.Code)
			require.Equal(t, c.field, f.Field)
		})
	}
}

func TestVerifyHoldsTheExpiry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after   time.Duration
		message string // empty when the token is still good
	}{
		{after: 59 * time.Minute},
		{after: time.Hour - time.Microsecond},
		{after: time.Hour, message: "expired"},
		{after: time.Hour + token.Leeway, message: "expired"},
		{after: -token.Leeway},
		{after: -token.Leeway - time.Second, message: "not valid"}, // issued in the future
	} {
		t.Run(c.after.String(), func(t *testing.T) {
			t.Parallel()
			a, clk := authority(t)
			bearer, err := a.Mint("amy", time.Hour)
			require.NoError(t, err)
			clk.Advance(c.after)
			_, err = a.Verify(bearer)
			if c.message == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
			require.ErrorContains(t, err, c.message)
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(claimsWith(nil))
	require.NoError(t, err)
	for name, bearer := range map[string]string{
		"nothing":             "",
		"one part":            "abc",
		"four parts":          "a.b.c.d",
		"alg none":            unsigned(t, `{"alg":"none","typ":"JWT"}`, good),
		"alg None":            unsigned(t, `{"alg":"None","typ":"JWT"}`, good),
		"alg missing":         signed(`{"typ":"JWT"}`, good, key),
		"alg empty":           signed(`{"alg":"","typ":"JWT"}`, good, key),
		"alg a number":        signed(`{"alg":256,"typ":"JWT"}`, good, key),
		"alg in lower case":   signed(`{"alg":"hs256","typ":"JWT"}`, good, key),
		"HS384":               library(t, jwt.SigningMethodHS384, key, nil),
		"HS512":               library(t, jwt.SigningMethodHS512, key, nil),
		"RS256":               library(t, jwt.SigningMethodRS256, rsaKey(t), nil),
		"another key":         signed(`{"alg":"HS256","typ":"JWT"}`, good, bytes.Repeat([]byte{8}, 32)),
		"an empty key":        signed(`{"alg":"HS256","typ":"JWT"}`, good, nil),
		"no typ":              signed(`{"alg":"HS256"}`, good, key),
		"another typ":         signed(`{"alg":"HS256","typ":"at+jwt"}`, good, key),
		"crit":                signed(`{"alg":"HS256","typ":"JWT","crit":["x"],"x":1}`, good, key),
		"crit empty":          signed(`{"alg":"HS256","typ":"JWT","crit":[]}`, good, key),
		"crit null":           signed(`{"alg":"HS256","typ":"JWT","crit":null}`, good, key),
		"another issuer":      library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"iss": "other"}),
		"no issuer":           library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"iss": nil}),
		"another audience":    library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"aud": "other"}),
		"no audience":         library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"aud": nil}),
		"no expiry":           library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": nil}),
		"expiry in text":      library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": "tomorrow"}),
		"expired":             library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"exp": start.Add(-time.Minute).Unix()}),
		"not yet":             library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"nbf": start.Add(time.Hour).Unix()}),
		"no subject":          library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"sub": nil}),
		"an empty subject":    library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"sub": ""}),
		"a number as subject": library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"sub": 1}),
		"claims not JSON":     signed(`{"alg":"HS256","typ":"JWT"}`, []byte("x"), key),
		"too large":           library(t, jwt.SigningMethodHS256, key, jwt.MapClaims{"pad": strings.Repeat("a", token.MaxBytes)}),
		"padded":              signed(`{"alg":"HS256","typ":"JWT"}`, good, key) + "=",
		"Bearer kept":         "Bearer " + signed(`{"alg":"HS256","typ":"JWT"}`, good, key),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, _ := authority(t)
			claims, err := a.Verify(bearer)
			require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
			require.Zero(t, claims)
		})
	}
}

func TestHeadersThatLeadToKeysAreIgnored(t *testing.T) {
	t.Parallel()
	a, _ := authority(t)
	payload, err := json.Marshal(claimsWith(nil))
	require.NoError(t, err)
	header := `{"alg":"HS256","typ":"jwt","jku":"http://127.0.0.1:1/keys",` +
		`"x5u":"http://127.0.0.1:1/cert","x5c":["AAAA"],"jwk":{"kty":"oct","k":"AAAA"}}`
	claims, err := a.Verify(signed(header, payload, key))
	require.NoError(t, err)
	require.Equal(t, "amy", claims.Username)

	own := []byte{0, 0, 0}
	_, err = a.Verify(signed(header, payload, own))
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), "a token signed with the key it carries")
}

// FuzzVerify looks for panics, and for any token other than the genuine one that
// is accepted.
func FuzzVerify(f *testing.F) {
	a, _ := authority(f)
	claims, err := json.Marshal(claimsWith(nil))
	require.NoError(f, err)
	bearer := signed(`{"alg":"HS256","typ":"JWT"}`, claims, key) // the same in every process
	f.Add(bearer)
	f.Add(strings.ToLower(bearer))
	f.Add(bearer + ".")
	f.Add("..")
	f.Add(bearer[:strings.LastIndex(bearer, ".")+1])
	f.Fuzz(func(t *testing.T, s string) {
		claims, err := a.Verify(s)
		if s == bearer {
			require.NoError(t, err)
			return
		}
		require.Empty(t, claims.Username)
		require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
	})
}

func claimsWith(changes jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{
		"iss": "parley", "aud": "parley", "sub": "amy",
		"iat": start.Unix(), "exp": start.Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func library(t *testing.T, method jwt.SigningMethod, signingKey any, changes jwt.MapClaims) string {
	t.Helper()
	bearer, err := jwt.NewWithClaims(method, claimsWith(changes)).SignedString(signingKey)
	require.NoError(t, err)
	return bearer
}

func signed(header string, claims, signingKey []byte) string {
	text := encode([]byte(header)) + "." + encode(claims)
	mac := hmac.New(sha256.New, signingKey)
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func unsigned(t *testing.T, header string, claims []byte) string {
	t.Helper()
	return encode([]byte(header)) + "." + encode(claims) + "."
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return private
}

func decode(t *testing.T, bearer string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(bearer, ".")
	require.Len(t, parts, 3)
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, into))
	}
	return header, claims
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
