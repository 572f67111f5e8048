package admission

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parley/internal/edge/answer"
	"parley/internal/ground/fault"
	"parley/internal/ground/quota"
)

// attempts bounds, by address, the requests without a good token or signature.
type attempts struct {
	callers *quota.Callers
	proxies []netip.Prefix
	limited func(what string)
}

// attempt is a request that counts against its address until it succeeds.
type attempt struct {
	of      *attempts
	address string // empty: it does not count
}

// begin counts an attempt. It returns the fault to answer with if there were too many.
func (a *attempts) begin(r *http.Request, what string) (attempt, *fault.Error) {
	key := a.key(r)
	if key == "" {
		return attempt{}, nil
	}
	wait := a.callers.Take(key, 1)
	if wait == 0 {
		return attempt{a, key}, nil
	}
	a.limited(what)
	return attempt{}, &fault.Error{
		Code: fault.LimitExceeded, RetryAfter: max(wait, time.Second),
		Message: "Too many requests from this address were refused. Wait Retry-After seconds, then try again with a valid token or signature.",
	}
}

// key returns what a request's address is counted by; empty if it does not count.
func (a *attempts) key(r *http.Request) string {
	address, counts := a.address(r)
	if !counts {
		return ""
	}
	return addressKey(address)
}

// succeeded takes the attempt back.
func (a attempt) succeeded() {
	if a.address != "" {
		a.of.callers.Give(a.address, 1)
	}
}

// address returns where a request comes from, behind the declared proxies. If none
// are declared, an address of a private network does not count: it may be a proxy,
// and one stranger would then use up the attempts of all its callers.
func (a *attempts) address(r *http.Request) (address netip.Addr, counts bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	address = peer.Addr().Unmap()
	if !within(a.proxies, address) {
		return address, len(a.proxies) > 0 || !isLocal(address)
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			return address, false
		}
		if address = next; !within(a.proxies, address) {
			return address, true
		}
	}
	return address, false
}

// parseHop reads an address; some proxies add the port.
func parseHop(hop string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	address, err := netip.ParseAddr(hop)
	return address.Unmap(), err
}

// remote returns a request's address for the log.
func (a *attempts) remote(r *http.Request) string {
	if address, counts := a.address(r); counts && len(a.proxies) > 0 {
		return address.String()
	}
	return r.RemoteAddr
}

// isLocal reports whether an address is of a private network or this machine.
func isLocal(address netip.Addr) bool {
	return address.IsPrivate() || address.IsLoopback() || address.IsLinkLocalUnicast()
}

func within(networks []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(address) })
}

// addressKey counts an IPv6 subscriber's whole network as one address.
func addressKey(address netip.Addr) string {
	if network, err := address.Prefix(64); err == nil && address.Is6() {
		return network.String()
	}
	return address.String()
}

// vetted bounds the refusals of a handler that checks signatures.
func (a *attempts) vetted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		attempt, refused := a.begin(r, "webhook")
		if refused != nil {
			answer.Refuse(w, r, http.StatusTooManyRequests, refused)
			return
		}
		next.ServeHTTP(w, r)
		if rec, is := w.(interface{ Refused() bool }); is && !rec.Refused() {
			attempt.succeeded()
		}
	})
}
