// Package admission decides who may come in, how often, and for how much: sign-in,
// web origins, rates by agent and by address, and places for sockets and streams.
// It knows no transport.
//
//	gate, err := admission.New(admission.Options{Authenticate: agents.ByToken, …})
//	handler = gate.Authenticated(handler) // with a viewer in the context, or 401
//	leave, err := gate.Board(ctx)         // one operation more in flight
//
// A Gate is asked at four moments: at the door (Authenticated, SameOrigin, Vetted,
// Knock), before work (Board, Read, the two extensions), while an answer goes on
// (Stream, Meter), and at the stop (CloseStreams, CloseAll). Whatever it refuses is
// a *fault.Error that says what to do.
package admission

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/ground/clock"
	"parley/internal/ground/quota"
	"parley/internal/ground/viewer"
)

// Options are the bounds of a Gate. There are no defaults: the caller sets every
// field.
type Options struct {
	// Authenticate returns the agent whose token it is and when the token expires
	// (the zero time: never). It gets AuthenticateTimeout.
	Authenticate        func(ctx context.Context, token string) (*viewer.Viewer, time.Time, error)
	AuthenticateTimeout time.Duration
	// Refused hears of each token that Authenticate refuses. Nil: nobody does.
	Refused func(ctx context.Context, why error)

	// Origins are the web origins that may call, compared exactly.
	Origins []string
	// LocalOrigins lets every origin of this machine call too, on any port.
	LocalOrigins bool

	// Rate is the cost that an agent may cause each second, and ten times that at
	// once. Negative: any.
	Rate float64
	// InFlight bounds the queries and mutations that an agent runs at the same time.
	// Negative: any.
	InFlight int
	// Attempts bounds the requests without a good token or signature from one address
	// each second, and fifty times that at once. Negative: any.
	Attempts float64
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix

	PerViewer           int // sockets and streams of one agent
	Total               int // sockets and streams of all agents
	Strangers           int // sockets that have not signed in
	StrangersPerAddress int // of these, from one address

	Clock    clock.Clock          // fills the buckets of rates
	Logger   *slog.Logger         // hears of undeclared proxies, once
	Registry *prometheus.Registry // takes the metrics
}

// Gate admits callers. Its methods are safe for concurrent use.
type Gate struct {
	options     Options
	metrics     *metrics
	callers     *quota.Callers // by viewerKey
	attempts    *attempts
	undeclared  *undeclared
	flight      *flight
	connections *connections
}

// New makes a Gate. It fails on an invalid origin, and if the registry already has the
// gate's metrics.
func New(o Options) (*Gate, error) {
	for _, origin := range o.Origins {
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
	}
	g := &Gate{options: o, callers: callers(o.Rate, burstSeconds, o.Clock), flight: newFlight(o.InFlight), connections: newConnections(o)}
	g.undeclared = &undeclared{proxies: o.Proxies, logger: o.Logger}
	var err error
	if g.metrics, err = newMetrics(o.Registry, g.connections, g.undeclared); err != nil {
		return nil, err
	}
	g.connections.displaced = g.metrics.displaced.Inc
	g.attempts = &attempts{callers(o.Attempts, attemptSeconds, o.Clock), o.Proxies, g.metrics.limit}
	return g, nil
}

const (
	// mostCallers bounds each table of callers.
	mostCallers = 10_000
	// burstSeconds is how many seconds' worth of the rate a caller who has been quiet
	// may use at once.
	burstSeconds = 10
	// attemptSeconds is the same for attempts: an office behind one address
	// reconnects all at once.
	attemptSeconds = 50
)

// callers makes the table for a rate; nil, which bounds nobody, if it is negative.
func callers(perSecond, burst float64, clk clock.Clock) *quota.Callers {
	if perSecond < 0 {
		return nil
	}
	return quota.NewCallers(quota.Rate{PerSecond: perSecond, Burst: perSecond * burst}, mostCallers, clk)
}

// viewerKey is what an agent is counted by.
func viewerKey(v *viewer.Viewer) string {
	if v == nil {
		return ""
	}
	return v.System + "/" + strconv.FormatInt(v.AgentID, 10) + "/" + v.Username
}

// Remote returns the address of a request for the log: the one behind the declared
// proxies, otherwise the peer's with its port.
func (g *Gate) Remote(r *http.Request) string { return g.attempts.remote(r) }

// Vetted serves requests whose callers prove themselves by a signature, and counts
// those that next refuses against their address. With too many refused, requests
// from there get 429 unread.
func (g *Gate) Vetted(next http.Handler) http.Handler { return g.attempts.vetted(next) }

// NoticeProxies logs the first request that comes through a proxy that
// Options.Proxies does not list.
func (g *Gate) NoticeProxies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.undeclared.look(r)
		next.ServeHTTP(w, r)
	})
}
