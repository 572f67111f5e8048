package token_test

import (
	"context"
	"crypto"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"parley/internal/edge/token"
	"parley/internal/ground/fault"
)

func publicJSON(key crypto.Signer) []byte {
	made := must(jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: "a"}}))
	return must(json.Marshal(made.Marshal()))
}

// accepts asks for a token signed with a key under a kid.
func (o *office) accepts(t *testing.T, kid string, signer crypto.Signer) error {
	t.Helper()
	bearer := theirs(t, jwt.SigningMethodRS256, signer, members{"kid": kid}, members{"exp": o.clock.Now().Std().Add(time.Hour).Unix()})
	_, err := o.Verify(t.Context(), bearer)
	return err
}

// failures is how many fetches have failed, by the metric.
func (o *office) failures(t *testing.T) int {
	t.Helper()
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(o.Collectors()[0]))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == "failed" {
			return int(m.GetCounter().GetValue())
		}
	}
	return 0
}

func eventually(t *testing.T, condition func() bool, what string) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond, what)
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	require.NoError(t, o.accepts(t, "a", rsaA()))
	o.publish(jwk(t, "a", rsaA()), jwk(t, "b", rsaB()))

	err := o.accepts(t, "b", rsaB())
	require.Equal(t, fault.Unavailable, fault.CodeOf(err), "asked a moment ago: it may be a new key")
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Equal(t, 10*time.Second, f.RetryAfter)
	require.EqualValues(t, 1, o.asked.Load())
	o.clock.Advance(10 * time.Second)
	require.NoError(t, o.accepts(t, "b", rsaB()), "an unknown key is looked for")
	require.EqualValues(t, 2, o.asked.Load())

	o.publish(jwk(t, "b", rsaB()))
	require.NoError(t, o.accepts(t, "a", rsaA()), "known still")
	o.clock.Advance(10 * time.Minute)
	require.NoError(t, o.accepts(t, "b", rsaB()), "a known key waits for nothing")
	eventually(t, func() bool { return o.accepts(t, "a", rsaA()) != nil }, "the old key is gone after ten minutes")
}

// TestAKeyThatIsNotThereIsKnownAtLast: a token by a key that the issuer does not have is
// refused for good once a fetch has looked for that key, whoever else has keys fetched
// with names of their own.
func TestAKeyThatIsNotThereIsKnownAtLast(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(o.accepts(t, "other", rsaB())), "the first fetch has looked")
	require.Equal(t, fault.Unavailable, fault.CodeOf(o.accepts(t, "gone", rsaB())))
	o.clock.Advance(9 * time.Second)
	var f *fault.Error
	require.ErrorAs(t, o.accepts(t, "gone", rsaB()), &f)
	require.Equal(t, time.Second, f.RetryAfter)
	o.clock.Advance(time.Second)
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(o.accepts(t, "another", rsaB())), "an attacker is just quicker")
	require.EqualValues(t, 2, o.asked.Load())
	require.Equal(t, fault.Unauthenticated, fault.CodeOf(o.accepts(t, "gone", rsaB())), "and the keys of their fetch do for us")
	require.EqualValues(t, 2, o.asked.Load())
	o.publish(jwk(t, "gone", rsaB()))
	o.clock.Advance(10 * time.Second)
	require.NoError(t, o.accepts(t, "gone", rsaB()), "it may come all the same")
}

func TestAnAttackerCannotHaveKeysFetchedOften(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { _ = o.accepts(t, "unknown", rsaB()) })
	}
	all.Wait()
	require.EqualValues(t, 1, o.asked.Load())
}

func TestTheLastKeysHoldWhileTheProviderIsAway(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	o.fails()
	err := o.accepts(t, "a", rsaA())
	require.Equal(t, fault.Unavailable, fault.CodeOf(err), "no token is called bad for it")
	var f *fault.Error
	require.ErrorAs(t, err, &f)
	require.Positive(t, f.RetryAfter)

	o.publish(jwk(t, "a", rsaA()))
	o.clock.Advance(10 * time.Second)
	require.NoError(t, o.accepts(t, "a", rsaA()))
	o.fails()
	for range 24*6 - 1 {
		o.clock.Advance(10 * time.Minute)
		require.NoError(t, o.accepts(t, "a", rsaA()))
	}
	eventually(t, func() bool { return o.failures(t) > 1 }, "failures are counted")
	require.Equal(t, fault.Unavailable, fault.CodeOf(o.accepts(t, "b", rsaA())), "whether there is a new key cannot be known")
	o.clock.Advance(10 * time.Minute)
	require.Equal(t, fault.Unavailable, fault.CodeOf(o.accepts(t, "a", rsaA())), "a day is enough")
	o.publish(jwk(t, "a", rsaA()))
	o.clock.Advance(10 * time.Second)
	require.NoError(t, o.accepts(t, "a", rsaA()))
}

func TestAProviderThatHangsHoldsUpNobodyWhoseKeyIsKnown(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	require.NoError(t, o.accepts(t, "a", rsaA()))
	release := make(chan struct{})
	defer close(release)
	o.does(func(http.ResponseWriter, *http.Request) { <-release })
	o.clock.Advance(10 * time.Minute)
	for range 3 {
		require.NoError(t, o.accepts(t, "a", rsaA()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := o.Verify(ctx, theirs(t, jwt.SigningMethodRS256, rsaB(), members{"kid": "b"}, members{"exp": o.clock.Now().Std().Add(time.Hour).Unix()}))
	require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own deadline holds")
}

func TestAProviderThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(v *token.VerifierOptions) { v.Client = &http.Client{Timeout: 50 * time.Millisecond} })
	release := make(chan struct{})
	defer close(release)
	o.does(func(http.ResponseWriter, *http.Request) { <-release })
	require.Equal(t, fault.Unavailable, fault.CodeOf(o.accepts(t, "a", rsaA())))
}

func TestKeySetsThatAreRefused(t *testing.T) {
	t.Parallel()
	good := string(publicJSON(rsaA()))
	elsewhere := newProvider(t)
	for name, answer := range map[string]http.HandlerFunc{
		"a failure":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"a page":     says("<html>"),
		"no keys":    says(`{"keys":[]}`),
		"no set":     says(`[]`),
		"too large":  says(`{"keys":[` + good + `],"x":"` + strings.Repeat("x", 256<<10) + `"}`),
		"too many":   says(`{"keys":[` + strings.Repeat(good+",", 100) + good + `]}`),
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			o.does(answer)
			require.Equal(t, fault.Unavailable, fault.CodeOf(o.accepts(t, "a", rsaA())))
		})
	}
	t.Cleanup(func() { require.Zero(t, elsewhere.asked.Load()) })
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

func TestCountKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.publish(jwk(t, "a", rsaA()), jwk(t, "b", p256()))
	issuers, err := token.ReadIssuers(written(t, `[{"issuer":"a","audience":"b","jwks":"`+p.URL+`","algorithms":["RS256","ES256","PS256"]}]`), true)
	require.NoError(t, err)
	n, err := issuers[0].CountKeys(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n, "a key counts for each algorithm that it suits")
	p.fails()
	_, err = issuers[0].CountKeys(t.Context())
	require.ErrorContains(t, err, "502")
}
