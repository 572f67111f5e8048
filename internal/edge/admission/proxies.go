package admission

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// forwarding are the headers in which proxies say whom they speak for.
var forwarding = []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"}

// undeclared notices a proxy that the operator has not declared: bounds by address
// then hold for all its callers together, or for none.
type undeclared struct {
	proxies []netip.Prefix
	logger  *slog.Logger
	seen    atomic.Bool
}

// look says it once, of the first request that gives it away. A caller from a public
// address may write such a header by themselves; where proxies are declared that
// means nothing.
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
