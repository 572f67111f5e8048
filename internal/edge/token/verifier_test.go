package token_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/fault"
)

type members = map[string]any

func TestTokensOfSeveralIssuers(t *testing.T) {
	t.Parallel()
	second := newProvider(t)
	second.publish(jwk(t, "a", p256()), jwk(t, "e", edward()))
	o := newOffice(t, func(v *token.VerifierOptions) {
		v.Issuers = append(v.Issuers, token.Issuer{
			Issuer: "https://two.test", Audience: "desk", JWKS: second.URL, AgentClaim: "preferred_username",
			Algorithms: []string{"ES256", "EdDSA"}, Types: []string{""}, Leeway: token.Duration(time.Minute),
		})
	})
	own, _ := authority(t)
	minted, err := own.Mint("sue", time.Hour)
	require.NoError(t, err)
	two := members{"iss": "https://two.test", "preferred_username": "bo"}
	for name, c := range map[string]struct {
		bearer, agent string
	}{
		"Parley's own":       {minted, "sue"},
		"RS256":              {theirs(t, jwt.SigningMethodRS256, rsaA(), nil, nil), "amy"},
		"an access token":    {theirs(t, jwt.SigningMethodRS256, rsaA(), members{"typ": "application/at+JWT"}, nil), "amy"},
		"several audiences":  {theirs(t, jwt.SigningMethodRS256, rsaA(), nil, members{"aud": []string{"other", "desk"}}), "amy"},
		"not issued when":    {theirs(t, jwt.SigningMethodRS256, rsaA(), nil, members{"iat": nil}), "amy"},
		"ES256, the 2nd's":   {theirs(t, jwt.SigningMethodES256, p256(), members{"typ": nil}, two), "bo"},
		"EdDSA, the 2nd's":   {theirs(t, jwt.SigningMethodEdDSA, edward(), members{"typ": nil, "kid": "e"}, two), "bo"},
		"a clock that lags":  {theirs(t, jwt.SigningMethodES256, p256(), members{"typ": nil}, with(two, "exp", start.Add(-59*time.Second).Unix())), "bo"},
		"a clock that hurry": {theirs(t, jwt.SigningMethodES256, p256(), members{"typ": nil}, with(two, "iat", start.Add(59*time.Second).Unix())), "bo"},
	} {
		claims, err := o.Verify(t.Context(), c.bearer)
		require.NoError(t, err, name)
		require.Equal(t, c.agent, claims.Username, name)
	}
	claims, err := o.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, nil))
	require.NoError(t, err)
	require.Equal(t, start.Add(time.Hour+token.Leeway), claims.Expiry, "theirs end after their leeway, wherever they are shown")
	require.EqualValues(t, 1, o.asked.Load(), "keys are kept")
}

func with(m members, name string, value any) members {
	m = maps.Clone(m)
	m[name] = value
	return m
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	second := newProvider(t)
	second.publish(jwk(t, "a", rsaB()), jwk(t, "b", rsaB()))
	o := newOffice(t, func(v *token.VerifierOptions) {
		v.Issuers = append(v.Issuers, token.Issuer{
			Issuer: "https://two.test", Audience: "desk", JWKS: second.URL, AgentClaim: "preferred_username",
		})
	})
	public := o.publicForms(t)
	rs := jwt.SigningMethodRS256
	spy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("an address of the token's was called") }))
	t.Cleanup(spy.Close)
	attacks := map[string]string{
		"alg none":             theirs(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"the own key":          theirs(t, jwt.SigningMethodHS256, key, nil, nil),
		"the own key, own iss": theirs(t, rs, rsaA(), nil, members{"iss": "parley", "aud": "parley"}),
		"RS384":                theirs(t, jwt.SigningMethodRS384, rsaA(), nil, nil),
		"PS256":                theirs(t, jwt.SigningMethodPS256, rsaA(), nil, nil),
		"another's key":        theirs(t, rs, rsaB(), nil, nil),
		"the 2nd for the 1st":  theirs(t, rs, rsaB(), members{"kid": "b"}, nil),
		"the 1st for the 2nd":  theirs(t, rs, rsaA(), nil, members{"iss": "https://two.test", "preferred_username": "amy"}),
		"an unknown kid":       theirs(t, rs, rsaA(), members{"kid": "../../etc/passwd"}, nil),
		"no kid":               theirs(t, rs, rsaA(), members{"kid": nil}, nil),
		"an empty kid":         theirs(t, rs, rsaA(), members{"kid": ""}, nil),
		"a number as kid":      theirs(t, rs, rsaA(), members{"kid": 1}, nil),
		"a long kid":           theirs(t, rs, rsaA(), members{"kid": strings.Repeat("a", 256)}, nil),
		"a key of its own":     theirs(t, rs, rsaB(), members{"jwk": jwk(t, "a", rsaB())}, nil),
		"a link to keys":       theirs(t, rs, rsaB(), members{"jku": spy.URL, "x5u": spy.URL}, nil),
		"certificates":         theirs(t, rs, rsaB(), members{"x5c": []string{"AAAA"}, "x5t": "AA", "x5t#S256": "AA"}, nil),
		"crit":                 theirs(t, rs, rsaA(), members{"crit": []string{"exp"}}, nil),
		"no typ":               theirs(t, rs, rsaA(), members{"typ": nil}, nil),
		"a number as typ":      theirs(t, rs, rsaA(), members{"typ": 1}, nil),
		"another typ":          theirs(t, rs, rsaA(), members{"typ": "dpop+jwt"}, nil),
		"an unknown issuer":    theirs(t, rs, rsaA(), nil, members{"iss": "https://evil.test"}),
		"no issuer":            theirs(t, rs, rsaA(), nil, members{"iss": nil}),
		"a slash more":         theirs(t, rs, rsaA(), nil, members{"iss": outside + "/"}),
		"iss in capitals":      theirs(t, rs, rsaA(), nil, members{"iss": nil, "ISS": outside}),
		"a list of issuers":    theirs(t, rs, rsaA(), nil, members{"iss": []string{outside}}),
		"another audience":     theirs(t, rs, rsaA(), nil, members{"aud": "parley"}),
		"no audience":          theirs(t, rs, rsaA(), nil, members{"aud": nil}),
		"an empty audience":    theirs(t, rs, rsaA(), nil, members{"aud": []string{}}),
		"no expiry":            theirs(t, rs, rsaA(), nil, members{"exp": nil}),
		"expiry in text":       theirs(t, rs, rsaA(), nil, members{"exp": "tomorrow"}),
		"not yet":              theirs(t, rs, rsaA(), nil, members{"nbf": start.Add(time.Minute).Unix()}),
		"issued to come":       theirs(t, rs, rsaA(), nil, members{"iat": start.Add(time.Minute).Unix()}),
		"no subject":           theirs(t, rs, rsaA(), nil, members{"sub": nil}),
		"an empty subject":     theirs(t, rs, rsaA(), nil, members{"sub": ""}),
		"a number as subject":  theirs(t, rs, rsaA(), nil, members{"sub": 1}),
		"no agent":             theirs(t, rs, rsaB(), nil, members{"iss": "https://two.test"}),
		"agent, no subject":    theirs(t, rs, rsaB(), nil, members{"iss": "https://two.test", "preferred_username": "amy", "sub": nil}),
		"a list as agent":      theirs(t, rs, rsaB(), nil, members{"iss": "https://two.test", "preferred_username": []string{"amy"}}),
		"a line break":         theirs(t, rs, rsaA(), nil, members{"sub": "amy\n"}),
		"too large":            theirs(t, rs, rsaA(), nil, members{"pad": strings.Repeat("a", token.MaxBytes)}),
		"claims not JSON":      signed(`{"alg":"RS256","typ":"JWT","kid":"a"}`, []byte("x"), key),
		"no token":             "abc",
		"nothing":              "",
	}
	for form, secret := range public { // the public key taken for a shared secret
		attacks["HS256 by "+form] = theirs(t, jwt.SigningMethodHS256, secret, nil, nil)
	}
	for _, name := range []string{"the 2nd for the 1st", "an unknown kid"} { // until a fetch has looked for the key, nobody knows
		_, _ = o.Verify(t.Context(), attacks[name])
	}
	o.clock.Advance(10 * time.Second)
	for name, bearer := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			claims, err := o.Verify(t.Context(), bearer)
			require.Equal(t, fault.Unauthenticated, fault.CodeOf(err), "%v", err)
			require.ErrorContains(t, err, "not valid")
			require.Zero(t, claims)
		})
	}
	_, err := o.Verify(t.Context(), theirs(t, rs, rsaA(), nil, members{"exp": start.Add(-30 * time.Second).Unix()}))
	require.ErrorContains(t, err, "expired")
}

// publicForms are what an attacker may take for the secret of an HMAC.
func (*office) publicForms(t *testing.T) map[string][]byte {
	t.Helper()
	public := rsaA().Public().(*rsa.PublicKey)
	der := x509.MarshalPKCS1PublicKey(public)
	spki := must(x509.MarshalPKIXPublicKey(public))
	return map[string][]byte{
		"modulus": public.N.Bytes(), "PKCS 1": der, "SPKI": spki,
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
	}
}

// TestKeysThatSuitNoToken: none of these keys may vouch for a token, whatever
// the set says of them.
func TestKeysThatSuitNoToken(t *testing.T) {
	t.Parallel()
	small := must(rsa.GenerateKey(rand.Reader, 1024)) //nolint:gosec // G403: to be refused
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	for name, c := range map[string]struct {
		jwk    members
		method jwt.SigningMethod
		key    any
	}{
		"a shared secret":       {members{"kty": "oct", "kid": "a", "k": encode(key), "alg": "HS256"}, jwt.SigningMethodHS256, key},
		"1024 bits":             {jwk(t, "a", small), jwt.SigningMethodRS256, small},
		"another curve":         {jwk(t, "a", p384()), jwt.SigningMethodES384, p384()},
		"another algorithm":     {jwk(t, "a", rsaA(), members{"alg": "RS512"}), jwt.SigningMethodRS256, rsaA()},
		"for encryption":        {jwk(t, "a", rsaA(), members{"use": "enc"}), jwt.SigningMethodRS256, rsaA()},
		"not for verifying":     {jwk(t, "a", rsaA(), members{"key_ops": []string{"encrypt"}}), jwt.SigningMethodRS256, rsaA()},
		"published whole":       {jwk(t, "a", private, members{"d": encode(must(private.Bytes()))}), jwt.SigningMethodES256, private},
		"without a name":        {jwk(t, "", rsaA()), jwt.SigningMethodRS256, rsaA()},
		"a point off the curve": {jwk(t, "a", p256(), members{"x": encode(bytes.Repeat([]byte{1}, 32))}), jwt.SigningMethodES256, p256()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(v *token.VerifierOptions) { v.Issuers[0].Algorithms = []string{"RS256", "ES256"} })
			o.publish(jwk(t, "good", rsaB()), c.jwk)
			_, err := o.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaB(), members{"kid": "good"}, nil))
			require.NoError(t, err, "it spoils no other key")
			kid, _ := c.jwk["kid"].(string)
			_, err = o.Verify(t.Context(), theirs(t, c.method, c.key, members{"kid": kid}, nil))
			require.Error(t, err)
			o.clock.Advance(10 * time.Second) // by then a fetch has looked for it
			_, err = o.Verify(t.Context(), theirs(t, c.method, c.key, members{"kid": kid}, nil))
			require.Equal(t, fault.Unauthenticated, fault.CodeOf(err))
		})
	}
}

func TestCertificatesInAKeySetAreIgnored(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.publish(jwk(t, "a", rsaA(), members{"x5c": []string{"AAAA"}, "x5u": "http://127.0.0.1:1/", "x5t": "AA", "use": "sig"}))
	_, err := o.Verify(t.Context(), theirs(t, jwt.SigningMethodRS256, rsaA(), nil, nil))
	require.NoError(t, err)
}

// FuzzOtherIssuers looks for panics, and for any token other than the genuine one
// that is accepted.
func FuzzOtherIssuers(f *testing.F) {
	own, clk := authority(f)
	secret := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	set := `{"keys":[` + string(publicJSON(secret)) + `]}`
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(set)) }))
	f.Cleanup(provider.Close)
	v, err := token.NewVerifier(token.VerifierOptions{
		Own: own, Loopback: true, Clock: clk,
		Issuers: []token.Issuer{{Issuer: outside, Audience: "desk", JWKS: provider.URL, Algorithms: []string{"ES256"}}},
	})
	require.NoError(f, err)
	bearer := theirs(f, jwt.SigningMethodES256, secret, nil, nil)
	parts := strings.Split(bearer, ".")
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256","typ":"JWT","kid":"a"}`, `{"alg":"ES256","typ":"JWT","kid":"a","crit":["x"]}`} {
		f.Add(strings.Join(slices.Concat([]string{encode([]byte(header))}, parts[1:]), "."))
	}
	f.Add(bearer)
	f.Fuzz(func(t *testing.T, s string) {
		claims, err := v.Verify(context.Background(), s)
		if s == bearer {
			require.NoError(t, err)
			return
		}
		require.Empty(t, claims.Username)
		require.Error(t, err)
	})
}
