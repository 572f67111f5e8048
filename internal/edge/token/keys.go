package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/MicahParks/jwkset"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

// Bounds of fetching a key set.
const (
	fetchTimeout   = 5 * time.Second
	fetchPause     = 10 * time.Second // between two fetches, whoever asks
	freshFor       = 10 * time.Minute // then it is fetched again, by the side
	usableFor      = 24 * time.Hour   // when it cannot be fetched again
	maxKeySetBytes = 256 << 10
	maxKeys        = 100
	maxKeyIDBytes  = 255
)

// keyName is how a token names its key. The algorithm is part of the name: a key
// is for those that its issuer is configured with and that suit its kind.
type keyName struct{ kid, algorithm string }

// keySet holds an issuer's keys. They are fetched when first needed, again by the
// side once they are older than freshFor, and at once when a token names a key
// that is not among them, but never within fetchPause. While they cannot be
// fetched the last ones hold, up to usableFor.
//
// That the issuer has no key of a name is only known from a fetch that began after
// somebody asked for it. Until then the answer is "not now": the issuer may just have
// begun to sign by a new key.
type keySet struct {
	issuer  *Issuer
	client  *http.Client
	clock   clock.Clock
	logger  *slog.Logger
	fetches *prometheus.CounterVec

	mu       sync.Mutex
	keys     map[keyName]any
	fetched  time.Time     // when keys were
	begun    int           // how many fetches have begun
	held     int           // which of them gave keys
	tried    time.Time     // when last begun
	err      error         // of the last fetch
	fetching chan struct{} // closed when the fetch under way is over; nil when none is
	// missed are the names that were not found, with how many fetches had begun when
	// each was first asked for.
	missed *lru.Cache[keyName, int]
}

// mostMissed is how many names that were not found are remembered.
const mostMissed = 1000

func newKeySet(i *Issuer, o VerifierOptions, fetches *prometheus.CounterVec) (*keySet, error) {
	missed, err := lru.New[keyName, int](mostMissed)
	return &keySet{issuer: i, client: o.Client, clock: o.Clock, logger: o.Logger, fetches: fetches, missed: missed}, err
}

var errUnknownKey = errors.New("the issuer has no such key")

// find returns a key; errUnknownKey when the issuer has none of that name,
// fault.Unavailable when that cannot be known yet.
func (s *keySet) find(ctx context.Context, name keyName) (any, error) {
	key, asked, fetching := s.look(name)
	if key != nil {
		return key, nil
	}
	if fetching != nil {
		select {
		case <-fetching:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch key := s.usable(name); {
	case key != nil:
		return key, nil
	case s.err == nil && s.held > asked:
		return nil, errUnknownKey
	}
	return nil, &fault.Error{
		Code: fault.Unavailable, RetryAfter: max(s.tried.Add(fetchPause).Sub(s.clock.Now().Std()), time.Second),
		Message: "Tokens of this issuer cannot be verified right now. Try again shortly.",
	}
}

// look returns the key when it is there, or else how many fetches had begun when it
// was first asked for, and begins one when one is due.
func (s *keySet) look(name keyName) (key any, asked int, fetching <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now().Std()
	if key = s.usable(name); key == nil {
		asked = s.begun
		if first, missed, _ := s.missed.PeekOrAdd(name, asked); missed {
			asked = first
		}
	}
	due := key == nil || now.Sub(s.fetched) >= freshFor
	if due && s.fetching == nil && (s.tried.IsZero() || now.Sub(s.tried) >= fetchPause) {
		s.tried, s.fetching = now, make(chan struct{})
		s.begun++
		go s.refresh()
	}
	return key, asked, s.fetching
}

// usable needs the lock.
func (s *keySet) usable(name keyName) any {
	if s.clock.Now().Std().Sub(s.fetched) >= usableFor {
		return nil
	}
	return s.keys[name]
}

// refresh fetches the keys for all who wait, whoever of them leaves.
func (s *keySet) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	keys, err := fetch(ctx, s.client, s.issuer)
	if err != nil {
		s.fetches.WithLabelValues("failed").Inc()
		s.logger.Warn("the keys of an issuer cannot be fetched; run parley doctor", "issuer", s.issuer.Issuer, "error", err)
	} else {
		s.fetches.WithLabelValues("ok").Inc()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err = err; err == nil {
		s.keys, s.fetched, s.held = keys, s.clock.Now().Std(), s.begun
	}
	close(s.fetching)
	s.fetching = nil
}

// newClient follows no redirect: keys come from the address configured.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// CountKeys fetches the issuer's keys and returns how many there are for its
// algorithms; none is an error.
func (i *Issuer) CountKeys(ctx context.Context) (int, error) {
	keys, err := fetch(ctx, newClient(), i)
	return len(keys), err
}

// fetch reads an issuer's key set. One without a key that suits is an error.
func fetch(ctx context.Context, client *http.Client, i *Issuer) (map[keyName]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, i.JWKS, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered with status %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeySetBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxKeySetBytes:
		return nil, fmt.Errorf("the key set is larger than %d bytes", maxKeySetBytes)
	}
	return parseKeys(text, i.Algorithms)
}

func parseKeys(text []byte, algorithms []string) (map[keyName]any, error) {
	var set struct {
		Keys []jwkset.JWKMarshal `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("it is not a JSON Web Key Set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
	}
	keys := map[keyName]any{}
	for _, jwk := range set.Keys {
		key := publicKey(jwk)
		for _, algorithm := range algorithms {
			name := keyName{jwk.KID, algorithm}
			stated := jwk.ALG.String()
			if keys[name] == nil && fits[algorithm](key) && (stated == "" || stated == algorithm) {
				keys[name] = key
			}
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("none of its %d keys has a kid and fits %v", len(set.Keys), algorithms)
	}
	return keys, nil
}

// publicKey returns a key that is meant to check signatures, nil for any other.
// Certificates and links in it are ignored, and a key that is published whole is
// no secret of the issuer's.
func publicKey(jwk jwkset.JWKMarshal) any {
	if jwk.KID == "" || len(jwk.KID) > maxKeyIDBytes || jwk.D != "" ||
		jwk.USE != "" && jwk.USE != jwkset.UseSig ||
		len(jwk.KEYOPS) > 0 && !slices.Contains(jwk.KEYOPS, jwkset.KeyOpsVerify) {
		return nil
	}
	jwk.X5C, jwk.X5T, jwk.X5TS256, jwk.X5U = nil, "", "", ""
	parsed, err := jwkset.NewJWKFromMarshal(jwk, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{SkipAll: true})
	if err != nil {
		return nil
	}
	return parsed.Key()
}
