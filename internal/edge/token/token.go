// Package token issues and verifies bearer tokens: JSON Web Tokens by the rules of RFC
// 8725. Parley signs its own with HS256 under 256-bit keys, one at a time (Keys). Other
// issuers, such as the organisation's identity provider, sign with private keys whose
// public halves they publish.
//
//	authority, err := token.New(key, clock.Real{})
//	bearer, err := authority.Mint("amy", time.Hour)
//	verifier, err := token.NewVerifier(token.VerifierOptions{Own: authority, Issuers: issuers})
//	claims, err := verifier.Verify(ctx, bearer)
//
// Configuration fixes the algorithms: the header's alg must be one of them, and selects
// nothing else. Issuer, audience, expiry and subject are required. typ is checked, which
// keeps apart tokens for another purpose that the same key may sign (RFC 8725, 3.11).
// kid names one of the keys that the issuer publishes, or one of ours; our first has none.
// The headers that lead to keys or carry them (jku, jwk, x5u, x5c) are ignored. A header with crit is refused, because no extension is supported (RFC 7515,
// 4.1.11).
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

const (
	// KeyBytes is the length of a key.
	KeyBytes = 32
	// MaxTTL is the longest life of a token.
	MaxTTL = 30 * 24 * time.Hour
	// MaxBytes bounds a token that is presented, before anything is decoded.
	MaxBytes = 8 << 10
	// Leeway is how far the clocks of minter and verifier may stand apart. It is not
	// given to the expiry of our own tokens: they end at their exp, to the second.
	Leeway = 30 * time.Second

	issuer          = "parley"
	audience        = "parley"
	mediaType       = "JWT"
	maxSubjectBytes = 255
)

// Keys are the keys of Parley's own tokens. The first, which tokens name by no kid, has
// the empty id.
type Keys struct {
	Signing string            // the id of the key that signs
	ByID    map[string][]byte // the keys that verify, KeyBytes random bytes each
}

// Claims are what a good token says.
type Claims struct {
	Username string
	// IssuedAt is when the token says that it was issued; zero if it does not say. The
	// issuer's clock may be ahead by the leeway.
	IssuedAt time.Time
	Leeway   time.Duration
	Expiry   time.Time // when it is refused
	Outside  *Outside  // what an outside issuer adds; nil for our own
}

// Outside is what the token of an outside issuer says besides.
type Outside struct {
	Issuer, Subject string
	// Makes reports whether the issuer makes agents, and Newcomer what it makes of this
	// one; nil when no rule fits.
	Makes    bool
	Newcomer *Newcomer
}

// Unmapped is why nobody is made an agent of whom no rule fits; nil otherwise.
func (o *Outside) Unmapped() error {
	if o.Makes && o.Newcomer == nil {
		return errUnmapped()
	}
	return nil
}

// Authority mints and verifies tokens. It is safe for concurrent use.
type Authority struct {
	keys   atomic.Pointer[Keys]
	clock  clock.Clock
	parser *jwt.Parser
	seen   *lru.Cache[[sha256.Size]byte, verified]
}

// verified is what a token said that was found good. Checking it again costs more
// than reading a list, and only time can change the answer.
type verified struct {
	Claims
	kid string
	at  time.Time
}

// mostSeen is how many tokens are remembered.
const mostSeen = 1000

// New makes an Authority with a first key: exactly KeyBytes random bytes.
func New(key []byte, clk clock.Clock) (*Authority, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(func() time.Time { return clk.Now().Std() }),
	)
	seen, err := lru.New[[sha256.Size]byte, verified](mostSeen)
	if err != nil {
		return nil, err
	}
	a := &Authority{clock: clk, parser: parser, seen: seen}
	return a, a.Use(Keys{ByID: map[string][]byte{"": key}})
}

// Use replaces the keys: tokens that one of the former alone signed are refused from now
// on.
func (a *Authority) Use(k Keys) error {
	for _, key := range k.ByID {
		if len(key) != KeyBytes {
			return errors.New("token: a key must be 32 random bytes")
		}
	}
	if k.ByID[k.Signing] == nil {
		return fmt.Errorf("token: there is no key %q to sign with", k.Signing)
	}
	a.keys.Store(&k)
	return nil
}

// Mint signs a token for username that lives for ttl: more than a second, at
// most MaxTTL. A ttl or username out of bounds is fault.BadInput.
func (a *Authority) Mint(username string, ttl time.Duration) (string, error) {
	if !validSubject(username) {
		return "", fault.Input("username", "A username must be 1 to %d bytes of printable text.", maxSubjectBytes)
	}
	if ttl < time.Second || ttl > MaxTTL {
		return "", fault.Input("ttl", "A token's lifetime must be between one second and 30 days, such as 1h.")
	}
	now := a.clock.Now().Std()
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Issuer:    issuer,
		Subject:   username,
		Audience:  jwt.ClaimStrings{audience},
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		ID:        rand.Text(),
	})
	keys := a.keys.Load()
	if keys.Signing != "" {
		unsigned.Header["kid"] = keys.Signing
	}
	return unsigned.SignedString(keys.ByID[keys.Signing])
}

// Verify returns what a good token says, or fault.Unauthenticated. The refusal does not
// tell a caller which check failed, except for expiry, which a client can act on.
func (a *Authority) Verify(bearer string) (Claims, error) {
	if len(bearer) > MaxBytes {
		return Claims{}, errInvalid()
	}
	hash, now, keys := sha256.Sum256([]byte(bearer)), a.clock.Now().Std(), a.keys.Load()
	if v, found := a.seen.Get(hash); found && keys.ByID[v.kid] != nil && !now.Before(v.at) && now.Before(v.Expiry) {
		return v.Claims, nil
	}
	var claims jwt.RegisteredClaims
	t, err := a.parser.ParseWithClaims(bearer, &claims, keys.keyFor)
	switch {
	case err != nil:
		return Claims{}, refusalFor(err)
	case !validSubject(claims.Subject):
		return Claims{}, errInvalid()
	case !now.Before(claims.ExpiresAt.Time):
		return Claims{}, errExpired()
	}
	v := verified{Claims{Username: claims.Subject, Expiry: claims.ExpiresAt.UTC(), Leeway: Leeway}, kidOf(t), now}
	if claims.IssuedAt != nil {
		v.IssuedAt = claims.IssuedAt.UTC()
	}
	a.seen.Add(hash, v)
	return v.Claims, nil
}

// keyFor checks what the header may say and gives the key that it names.
func (k *Keys) keyFor(t *jwt.Token) (any, error) {
	if err := checkHeader(t, func(typ string) bool { return strings.EqualFold(typ, mediaType) }); err != nil {
		return nil, err
	}
	key := k.ByID[kidOf(t)]
	if _, isText := t.Header["kid"].(string); key == nil || t.Header["kid"] != nil && !isText {
		return nil, errors.New("kid names no key")
	}
	return key, nil
}

// kidOf is the id of the key that the header names; empty for none.
func kidOf(t *jwt.Token) string {
	kid, _ := t.Header["kid"].(string)
	return kid
}

// checkHeader refuses extensions, and types that takes does not; an absent one is
// the empty text.
func checkHeader(t *jwt.Token, takes func(typ string) bool) error {
	if _, found := t.Header["crit"]; found {
		return errors.New("crit is not understood")
	}
	typ, isText := t.Header["typ"].(string)
	if _, found := t.Header["typ"]; found && !isText || !takes(typ) {
		return errors.New("typ is of another kind of token")
	}
	return nil
}

// expiredOnly reports whether a genuine token has merely grown old: the parser
// validates claims after the signature.
func expiredOnly(err error) bool {
	others := []error{
		jwt.ErrTokenSignatureInvalid, jwt.ErrTokenUnverifiable, jwt.ErrTokenMalformed,
		jwt.ErrTokenInvalidAudience, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenRequiredClaimMissing,
	}
	for _, other := range others {
		if errors.Is(err, other) {
			return false
		}
	}
	return errors.Is(err, jwt.ErrTokenExpired)
}

func validSubject(s string) bool {
	return s != "" && len(s) <= maxSubjectBytes &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

func errExpired() error {
	return fault.New(fault.Unauthenticated, "The token has expired. Get a new one and call again.")
}

func errInvalid() error {
	return fault.New(fault.Unauthenticated, "The token is not valid. Get a new one and call again.")
}
