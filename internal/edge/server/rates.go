package server

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"parley/internal/edge/answer"
	"parley/internal/edge/limit"
	"parley/internal/ground/fault"
	"parley/internal/ground/price"
	"parley/internal/ground/quota"
	"parley/internal/ground/viewer"
)

const (
	// mostCallers bounds each table of callers.
	mostCallers = 10_000
	// burstSeconds is how long a caller who has been quiet may go beyond the rate,
	// to which it is the factor.
	burstSeconds = 10
	// attemptSeconds is the same for attempts: an office behind one address comes
	// back all at once.
	attemptSeconds = 50

	requestCost  = 10  // of an operation, before it is read
	readBytes    = 100 // of a request cost 1, before they are read
	refusedBytes = 10  // of a document that is refused cost 1: its reading is not remembered
	mutationCost = 100 // of each of its mutations
)

// callers makes the table for a rate; nil when it is negative: nobody is bounded.
func callers(perSecond float64, burst float64, o Options) *quota.Callers {
	if perSecond < 0 {
		return nil
	}
	return quota.NewCallers(quota.Rate{PerSecond: perSecond, Burst: perSecond * burst}, mostCallers, o.Clock)
}

// rate takes from a viewer what they do.
type rate struct {
	callers *quota.Callers
	limited func(what string)
}

// requestRate is a gqlgen handler extension that takes for a request before it is
// read: what turns out to be no good document costs too.
type requestRate struct{ *rate }

// operationRate is one that takes what an operation costs that may run.
type operationRate struct{ *rate }

// ExtensionName implements graphql.HandlerExtension.
func (requestRate) ExtensionName() string { return "RequestRate" }

// ExtensionName implements graphql.HandlerExtension.
func (operationRate) ExtensionName() string { return "OperationRate" }

// Validate implements graphql.HandlerExtension.
func (*rate) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (r requestRate) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	return r.take(ctx, requestCost)
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (r operationRate) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if r.callers == nil {
		return nil
	}
	return r.take(ctx, charged(op.Doc, op.Operation, limit.CostIn(op))-requestCost)
}

// InterceptOperation implements graphql.OperationInterceptor: what an operation
// costs that shows only while it runs is taken then.
func (r operationRate) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	return next(price.NewContext(ctx, func(units int) { r.callers.Charge(viewerKey(viewer.FromContext(ctx)), float64(units)) }))
}

// Charged is what an operation takes from the bucket of its caller.
func Charged(limits limit.Options, doc *ast.QueryDocument, op *ast.OperationDefinition, variables map[string]any) int {
	return charged(doc, op, limits.CostOf(doc, op, variables))
}

func charged(doc *ast.QueryDocument, op *ast.OperationDefinition, cost int) int {
	cost += requestCost
	if op.Operation == ast.Mutation {
		cost += mutationCost * limit.RootFields(doc, op)
	}
	return cost
}

// read takes for so many bytes that are about to be read.
func (r *rate) read(ctx context.Context, bytes int) error {
	if err := r.take(ctx, bytes/readBytes); err != nil {
		return err.Unwrap()
	}
	return nil
}

// refused takes for a document that was read and is refused by errs, if there are any.
func (r *rate) refused(ctx context.Context, document string, errs gqlerror.List) {
	if len(errs) > 0 && rateLimited(errs) == nil {
		r.callers.Charge(viewerKey(viewer.FromContext(ctx)), float64(len(document)/refusedBytes))
	}
}

// retryLater reports whether err says that its caller came too often.
func retryLater(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == fault.LimitExceeded && f.RetryAfter > 0
}

func (r *rate) take(ctx context.Context, cost int) *gqlerror.Error {
	wait := r.callers.Take(viewerKey(viewer.FromContext(ctx)), float64(cost))
	if wait == 0 {
		return nil
	}
	r.limited("operation")
	return answer.AsGraphQL(&fault.Error{
		Code: fault.LimitExceeded, RetryAfter: wait,
		Message: "You exceeded your rate limit. Wait retryAfter seconds, then try again.",
	})
}

func viewerKey(v *viewer.Viewer) string {
	if v == nil {
		return ""
	}
	return v.System + "/" + strconv.FormatInt(v.AgentID, 10) + "/" + v.Username
}

// rateLimited returns the fault among errs that says to come back later.
func rateLimited(errs gqlerror.List) *fault.Error {
	var f *fault.Error
	if len(errs) > 0 && errors.As(errs[0], &f) && f.Code == fault.LimitExceeded && f.RetryAfter > 0 {
		return f
	}
	return nil
}

// attempts bounds, for each address, what comes without a good token or signature.
type attempts struct {
	callers *quota.Callers
	proxies []netip.Prefix
	limited func(what string)
}

// attempt is one that was counted, until it turns out well.
type attempt struct {
	of      *attempts
	address string // empty: it does not count
}

// begin counts an attempt; it returns the fault to answer with when there were
// too many.
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

// key is what a request's address is counted by; empty where it does not count.
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

// address returns where a request comes from, past the proxies that are known.
// Where none is declared, one that comes straight from a private network does not
// count: it may be a proxy, which would let one stranger stand for all.
func (a *attempts) address(r *http.Request) (address netip.Addr, counts bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	address = peer.Addr().Unmap()
	if !a.isProxy(address) {
		return address, len(a.proxies) > 0 || !isLocal(address)
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := parseHop(strings.TrimSpace(hop))
		if err != nil {
			return address, false
		}
		if address = next; !a.isProxy(address) {
			return address, true
		}
	}
	return address, false
}

// parseHop reads an address to which some proxies add the port.
func parseHop(hop string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr().Unmap(), nil
	}
	address, err := netip.ParseAddr(hop)
	return address.Unmap(), err
}

// remote is a request's address for the log.
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

func (a *attempts) isProxy(address netip.Addr) bool {
	return slices.ContainsFunc(a.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// addressKey takes the network that one subscriber of IPv6 has as one address.
func addressKey(address netip.Addr) string {
	if network, err := address.Prefix(64); err == nil && address.Is6() {
		return network.String()
	}
	return address.String()
}

// vetted bounds the refusals of a handler whose callers prove themselves by a
// signature.
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
