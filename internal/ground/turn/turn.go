// Package turn shares a few places among many callers. Waiting callers are served round
// robin, one request of each in turn, however many each has waiting. So a caller with a
// hundred requests waits for itself, and another caller's first request waits for at
// most one of them.
//
//	gate := turn.New(turn.Options{Places: 2})
//	if err := gate.Enter(ctx, agent); err != nil {
//		return err // the context has ended
//	}
//	defer gate.Leave(agent)
package turn

import (
	"context"
	"slices"
	"sync"
)

// Options say how many places there are.
type Options struct {
	// Places is how many may be inside at once. Required.
	Places int
	// Each is how many of them one caller may hold; all by default.
	Each int
}

// Gate lets callers in. It is safe for concurrent use.
type Gate struct {
	options Options

	mu      sync.Mutex
	free    int
	inside  map[int64]int
	waiting map[int64][]chan struct{} // by caller, the first come first
	order   []int64                   // the callers that wait, the next to be served first
}

// New makes a Gate.
func New(o Options) *Gate {
	if o.Each == 0 {
		o.Each = o.Places
	}
	return &Gate{options: o, free: o.Places, inside: map[int64]int{}, waiting: map[int64][]chan struct{}{}}
}

// Enter waits for a place, which the caller gives back by Leave, or for the end of
// ctx, whose error it returns.
func (g *Gate) Enter(ctx context.Context, caller int64) error {
	place := g.ask(caller)
	if place == nil {
		return nil
	}
	select {
	case <-place:
		return nil
	case <-ctx.Done():
		g.withdraw(caller, place)
		return ctx.Err()
	}
}

// ask takes a place and returns nil, or returns what will be closed when the
// caller has one. Whoever waits already cannot use what is free.
func (g *Gate) ask(caller int64) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.free > 0 && g.inside[caller] < g.options.Each {
		g.take(caller)
		return nil
	}
	place := make(chan struct{})
	if len(g.waiting[caller]) == 0 {
		g.order = append(g.order, caller)
	}
	g.waiting[caller] = append(g.waiting[caller], place)
	return place
}

// take needs the lock.
func (g *Gate) take(caller int64) {
	g.free--
	g.inside[caller]++
}

// withdraw ends a wait. A place that came at the same moment goes to another.
func (g *Gate) withdraw(caller int64, place chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting[caller], place)
	if i < 0 {
		g.leave(caller)
		return
	}
	g.waiting[caller] = slices.Delete(g.waiting[caller], i, i+1)
	if len(g.waiting[caller]) == 0 {
		g.forget(slices.Index(g.order, caller))
	}
}

// forget takes a caller out of the order; it needs the lock.
func (g *Gate) forget(i int) {
	delete(g.waiting, g.order[i])
	g.order = slices.Delete(g.order, i, i+1)
}

// Leave gives a place back.
func (g *Gate) Leave(caller int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(caller)
}

func (g *Gate) leave(caller int64) {
	g.free++
	if g.inside[caller]--; g.inside[caller] == 0 {
		delete(g.inside, caller)
	}
	g.next()
}

// next gives the free place to the caller whose turn it is, and moves them to the
// end of the order.
func (g *Gate) next() {
	for i, caller := range g.order {
		if g.inside[caller] >= g.options.Each {
			continue
		}
		list := g.waiting[caller]
		g.take(caller)
		close(list[0])
		g.forget(i)
		if len(list) > 1 {
			g.waiting[caller] = list[1:]
			g.order = append(g.order, caller)
		}
		return
	}
}
