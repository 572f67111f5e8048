package admission

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// forwarding are the headers in which proxies name the client.
var forwarding = []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"}

// undeclared detects a proxy that the operator has not declared. Bounds by address
// then apply to all its callers together, or to none.
type undeclared struct {
	proxies []netip.Prefix
	logger  *slog.Logger
	seen    atomic.Bool
}

// look logs the first request that reveals such a proxy. If proxies are declared, a
// header from a public address means nothing: callers may write it themselves.
func (u *undeclared) look(r *http.Request) {
	if u.seen.Load() {
		return
	}
	at := slices.IndexFunc(forwarding, func(name string) bool { return len(r.Header[name]) > 0 })
	if at < 0 {
		return
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || within(u.proxies, peer.Addr().Unmap()) {
		return
	}
	if len(u.proxies) > 0 && !isLocal(peer.Addr().Unmap()) || u.seen.Swap(true) {
		return
	}
	u.logger.WarnContext(r.Context(), "requests come through an undeclared proxy, so callers cannot be distinguished by address; "+
		"add its address or network to --proxies", "proxy", peer.Addr().Unmap().String(), "header", forwarding[at])
}

// UndeclaredProxy is the metric that is 1 once a request came through a proxy that
// Options.Proxies does not list.
const UndeclaredProxy = "parley_undeclared_proxy"

func (u *undeclared) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: UndeclaredProxy, Help: "1 once a request has come through a proxy that --proxies does not list: callers cannot be distinguished by address.",
	}, func() float64 {
		if u.seen.Load() {
			return 1
		}
		return 0
	})
}
