package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"parley/internal/check/blackbox"
)

// crowd is everybody who watches: frontends that fold a view, and hearers who
// count every message.
type crowd struct {
	w        *world
	watchers []*blackbox.Watcher
	hearers  []*blackbox.Hearer
	drops    int
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// settleTime is how long streams may take to come to the truth.
const settleTime = 30 * time.Second

// watch begins to watch, before anything is written.
func (w *world) watch(ctx context.Context) (*crowd, error) {
	c := &crowd{w: w, watchers: blackbox.Watchers(w.clients)}
	start, err := c.watchers[0].Fresh(ctx)
	if err != nil {
		return nil, err
	}
	for _, username := range []string{"ada", "ada"} { // who sees everything
		c.hearers = append(c.hearers, &blackbox.Hearer{Clients: w.clients, Username: username, Cursor: start})
	}
	ctx, c.cancel = context.WithCancel(ctx)
	for _, watcher := range c.watchers {
		c.running.Go(func() { watcher.Run(ctx) })
	}
	for _, hearer := range c.hearers {
		c.running.Go(func() { hearer.Run(ctx) })
	}
	return c, nil
}

// drop cuts the connection of one of them, if it has one.
func (c *crowd) drop() {
	n := c.w.random.IntN(len(c.watchers) + len(c.hearers))
	var cut bool
	if n < len(c.watchers) {
		cut = c.watchers[n].Drop()
	} else {
		cut = c.hearers[n-len(c.watchers)].Drop()
	}
	if cut {
		c.drops++
	}
}

// settle waits until everybody has folded what a fresh query says, and has heard
// of every acknowledged message, once.
func (c *crowd) settle(ctx context.Context, l *load) error {
	for _, w := range c.watchers {
		if _, err := eventually(ctx, settleTime, "the folded stream equals a fresh query", func() (bool, string) { return w.Settled(ctx) }); err != nil {
			return err
		}
	}
	for _, h := range c.hearers {
		if _, err := eventually(ctx, settleTime, "every message is told", func() (bool, string) { return c.complete(h, l) }); err != nil {
			return err
		}
		for words, n := range h.Times() {
			if n != 1 {
				return fmt.Errorf("%s was told %d times of %q", h.Username, n, words)
			}
		}
	}
	return nil
}

func (c *crowd) complete(h *blackbox.Hearer, l *load) (bool, string) {
	times := h.Times()
	l.mu.Lock()
	defer l.mu.Unlock()
	for words := range l.acknowledged {
		if times[words] == 0 {
			return false, fmt.Sprintf("%s did not hear %q and has heard %d of %d", h.Username, words, len(times), len(l.acknowledged))
		}
	}
	return true, ""
}

// breaks is how often streams broke off, and how often they had to begin anew.
func (c *crowd) breaks() (breaks, resyncs int) {
	for _, w := range c.watchers {
		b, r := w.Breaks()
		breaks, resyncs = breaks+b, resyncs+r
	}
	for _, h := range c.hearers {
		b, r := h.Breaks()
		breaks, resyncs = breaks+b, resyncs+r
	}
	return breaks, resyncs
}

func (c *crowd) end() {
	c.cancel()
	c.running.Wait()
}
