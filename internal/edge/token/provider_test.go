package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/clock"
)

// Keys are made once: they take long.
var (
	rsaA   = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaB   = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	edward = sync.OnceValue(func() crypto.Signer { return must2(ed25519.GenerateKey(rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func must2[A, T any](_ A, v T, err error) T { return must(v, err) }

// provider is an identity provider of the test's own.
type provider struct {
	*httptest.Server
	asked  atomic.Int32
	answer atomic.Pointer[http.HandlerFunc]
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	p.publish(jwk(t, "a", rsaA()))
	return p
}

// does has the provider answer in a way of its own.
func (p *provider) does(answer http.HandlerFunc) { p.answer.Store(&answer) }

func (p *provider) fails() {
	p.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
}

// publish makes a key set of JWKs.
func (p *provider) publish(keys ...map[string]any) {
	text := must(json.Marshal(map[string]any{"keys": keys}))
	p.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(text) })
}

// jwk is the public half of a key, with members changed.
func jwk(t *testing.T, kid string, key crypto.Signer, changes ...map[string]any) map[string]any {
	t.Helper()
	made, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid}})
	require.NoError(t, err)
	members := map[string]any{}
	require.NoError(t, json.Unmarshal(must(json.Marshal(made.Marshal())), &members))
	for _, change := range changes {
		for name, value := range change {
			members[name] = value
		}
	}
	return members
}

const outside = "https://id.test"

// office is a verifier that takes the tokens of one provider.
type office struct {
	*token.Verifier
	*provider
	clock *clock.Fake
}

func newOffice(t *testing.T, change func(*token.VerifierOptions)) *office {
	t.Helper()
	own, clk := authority(t)
	o := &office{provider: newProvider(t), clock: clk}
	options := token.VerifierOptions{
		Own: own, Loopback: true, Clock: clk, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Issuers: []token.Issuer{{Issuer: outside, Audience: "desk", JWKS: o.URL}},
	}
	if change != nil {
		change(&options)
	}
	var err error
	o.Verifier, err = token.NewVerifier(options)
	require.NoError(t, err)
	return o
}

// theirs signs a token as the provider does; changes are to the claims, a nil
// takes one away.
func theirs(t testing.TB, method jwt.SigningMethod, signingKey any, header, changes map[string]any) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": outside, "aud": "desk", "sub": "amy", "iat": start.Unix(), "exp": start.Add(time.Hour).Unix()}
	unsigned := jwt.NewWithClaims(method, claims)
	unsigned.Header["kid"] = "a"
	for into, from := range map[*map[string]any]map[string]any{(*map[string]any)(&claims): changes, &unsigned.Header: header} {
		for name, value := range from {
			if (*into)[name] = value; value == nil {
				delete(*into, name)
			}
		}
	}
	bearer, err := unsigned.SignedString(signingKey)
	require.NoError(t, err)
	return bearer
}
