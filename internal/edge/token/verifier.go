package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

// VerifierOptions say whose tokens a Verifier takes. Own is required; every other
// zero field takes the default stated.
type VerifierOptions struct {
	// Own takes Parley's own tokens.
	Own *Authority
	// Issuers are whose tokens are taken besides. Default: nobody's.
	Issuers []Issuer
	// Loopback allows http URLs of this machine, as in development.
	Loopback bool
	// Client fetches key sets. Default: one that gives up after five seconds and
	// follows no redirect.
	Client *http.Client
	// Clock tells the time. Default clock.Real.
	Clock clock.Clock
	// Logger takes what goes wrong with key sets. Default slog.Default().
	Logger *slog.Logger
}

// Verifier takes Parley's own tokens and those of other issuers, each by its own
// algorithms and keys: the claim iss, which nothing vouches for yet, chooses by
// whose rules a token is checked, and nothing more. It is safe for concurrent use.
type Verifier struct {
	own     *Authority
	others  map[string]*other
	peek    *jwt.Parser
	clock   clock.Clock
	logger  *slog.Logger
	ended   *lru.Cache[[2]string, struct{}] // issuers and jtis of logout tokens
	fetches *prometheus.CounterVec
}

// other is one issuer with what its tokens are checked by.
type other struct {
	*Issuer
	keys    *keySet
	parser  *jwt.Parser
	logouts *jwt.Parser // nil when none are taken
}

// NewVerifier makes a Verifier. It fetches nothing yet.
func NewVerifier(o VerifierOptions) (*Verifier, error) {
	if o.Client == nil {
		o.Client = newClient()
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	ended, err := lru.New[[2]string, struct{}](mostEnded)
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		own: o.Own, others: map[string]*other{}, peek: jwt.NewParser(jwt.WithStrictDecoding()), clock: o.Clock, logger: o.Logger, ended: ended,
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_issuer_fetches_total", Help: "Fetches of other token issuers' keys, by outcome: ok, failed.",
		}, []string{"outcome"}),
	}
	for _, outcome := range []string{"ok", "failed"} {
		v.fetches.WithLabelValues(outcome) // shown from the start
	}
	issuers := append([]Issuer(nil), o.Issuers...)
	if err := checkIssuers(issuers, o.Loopback); err != nil {
		return nil, err
	}
	for n := range issuers {
		i := &issuers[n]
		keys, err := newKeySet(i, o, v.fetches)
		if err != nil {
			return nil, err
		}
		v.others[i.Issuer] = &other{i, keys, parserFor(i, i.Audience, o.Clock), nil}
		if i.LogoutAudience != "" {
			v.others[i.Issuer].logouts = parserFor(i, i.LogoutAudience, o.Clock)
		}
	}
	return v, nil
}

func parserFor(i *Issuer, audience string, clk clock.Clock) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods(i.Algorithms),
		jwt.WithStrictDecoding(),
		jwt.WithJSONNumber(),
		jwt.WithIssuer(i.Issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(time.Duration(i.Leeway)),
		jwt.WithTimeFunc(func() time.Time { return clk.Now().Std() }),
	)
}

// Collectors are the metrics of fetching keys.
func (v *Verifier) Collectors() []prometheus.Collector { return []prometheus.Collector{v.fetches} }

// Verify returns what a good token says. It is refused from its exp on, and after the
// issuer's leeway where that is another. A
// token that is not good is fault.Unauthenticated, one that cannot be checked at
// present fault.Unavailable.
func (v *Verifier) Verify(ctx context.Context, bearer string) (Claims, error) {
	if len(v.others) == 0 || len(bearer) > MaxBytes {
		return v.own.Verify(bearer)
	}
	var claims jwt.RegisteredClaims
	if _, _, err := v.peek.ParseUnverified(bearer, &claims); err != nil {
		return Claims{}, errInvalid()
	}
	if other := v.others[claims.Issuer]; other != nil {
		return other.verify(ctx, bearer)
	}
	return v.own.Verify(bearer)
}

func (o *other) verify(ctx context.Context, bearer string) (Claims, error) {
	claims := jwt.MapClaims{}
	_, err := o.parser.ParseWithClaims(bearer, claims, func(t *jwt.Token) (any, error) { return o.keyFor(ctx, t, o.takes) })
	if err != nil {
		return Claims{}, refusalFor(err)
	}
	subject, _ := claims["sub"].(string)
	username, _ := claims[o.AgentClaim].(string)
	until, err := claims.GetExpirationTime()
	if err != nil || subject == "" || !validSubject(username) || endsSession(claims) {
		return Claims{}, errInvalid()
	}
	leeway := time.Duration(o.Leeway)
	c := Claims{Username: username, Expiry: until.Add(leeway).UTC(), Leeway: leeway, Outside: &Outside{Issuer: o.Issuer.Issuer, Subject: subject}}
	if issued, err := claims.GetIssuedAt(); err == nil && issued != nil {
		c.IssuedAt = issued.UTC()
	}
	if o.Agents != nil {
		c.Outside.Makes, c.Outside.Newcomer = true, o.Agents.newcomer(claims)
		if o.Agents.EverySignIn {
			return c, c.Outside.Unmapped()
		}
	}
	return c, nil
}

// keyFor checks what the header may say and finds the key it names.
func (o *other) keyFor(ctx context.Context, t *jwt.Token, takes func(typ string) bool) (any, error) {
	if err := checkHeader(t, takes); err != nil {
		return nil, err
	}
	kid := kidOf(t)
	if kid == "" || len(kid) > maxKeyIDBytes {
		return nil, errors.New("kid must name a key")
	}
	return o.keys.find(ctx, keyName{kid, t.Method.Alg()})
}

// refusalFor tells a caller no more than what they can act on.
func refusalFor(err error) error {
	var f *fault.Error
	switch {
	case errors.As(err, &f), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case expiredOnly(err):
		return errExpired()
	}
	return errInvalid()
}
