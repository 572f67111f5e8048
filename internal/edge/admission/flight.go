package admission

import (
	"context"
	"sync"
	"time"

	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// flight counts the queries and mutations that each viewer has running, over HTTP and
// sockets together.
type flight struct {
	most int // negative: any

	mu    sync.Mutex
	under map[string]int // by viewerKey
}

func newFlight(most int) *flight { return &flight{most: most, under: map[string]int{}} }

// board counts one more until leave is called. It fails if there are enough.
func (f *flight) board(ctx context.Context) (leave func(), err error) {
	v := viewer.FromContext(ctx)
	if v == nil || f.most < 0 {
		return func() {}, nil
	}
	who := viewerKey(v)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.under[who] >= f.most {
		return nil, &fault.Error{
			Code: fault.LimitExceeded, RetryAfter: time.Second,
			Message: "You have the maximum number of operations in flight. Wait for one to end, then try again.",
		}
	}
	f.under[who]++
	return func() { f.land(who) }, nil
}

func (f *flight) land(who string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.under[who]--; f.under[who] == 0 {
		delete(f.under, who)
	}
}

// Board counts one more query or mutation of the viewer of ctx, until leave is
// called. It is LIMIT_EXCEEDED, to be tried again in a second, if the viewer has
// Options.InFlight of them.
func (g *Gate) Board(ctx context.Context) (leave func(), err error) {
	leave, err = g.flight.board(ctx)
	if err != nil {
		g.metrics.limit("flight")
	}
	return leave, err
}
