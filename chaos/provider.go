package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/internal/channel/sandbox"
)

// slow has the carrier answer late, hang, lose messages and refuse for a while.
func slow(ctx context.Context, t *trial) error {
	w, err := t.build(ctx, plan{})
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	w.loses = true
	times, late := t.times(4, 1), 500*time.Millisecond
	w.carriers.delay.Store(int64(late))
	l := w.start(ctx, rate/5)
	for n := range times {
		w.carriers.keyed.Script(w.ill())
		began := l.count()
		if _, err := l.reaches(ctx, 5*threads, 30*time.Second); err != nil {
			return err
		}
		if _, err := eventually(ctx, 8*time.Second, "other conversations go on", func() (bool, string) { return w.healthy(began) }); err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
	}
	w.carriers.delay.Store(0)
	w.carriers.keyed.Script(nil)
	t.repeats("%d rounds: 8 threads hang, 8 are lost, 8 are throttled, every answer %s late", times, late)
	return errors.Join(w.finish(ctx, l, c), l.only())
}

// ill does with the next message of some threads what carriers do on bad days.
func (w *world) ill() func(sandbox.Message) sandbox.Plan {
	var mu sync.Mutex
	seen := map[int]bool{}
	return func(m sandbox.Message) sandbox.Plan {
		mu.Lock()
		defer mu.Unlock()
		th := w.threadOf(m.Text)
		if seen[th.n] {
			return sandbox.Plan{}
		}
		switch th.n % 8 {
		case 0:
			seen[th.n] = true
			return sandbox.Plan{Reaction: sandbox.Hang}
		case 1:
			seen[th.n] = true
			return sandbox.Plan{Reaction: sandbox.Lose}
		case 3:
			seen[th.n] = true
			return sandbox.Plan{Reaction: sandbox.Throttle, RetryAfter: time.Second}
		}
		return sandbox.Plan{}
	}
}

// healthy reports whether every other thread has sent since.
func (w *world) healthy(since int) (bool, string) {
	last := map[int]int{}
	for _, m := range w.carriers.got() {
		last[w.threadOf(m.Text).n] = numberOf(m.Text)
	}
	for _, th := range w.threads {
		if n := th.n % 8; n != 0 && n != 1 && n != 3 && last[th.n] < since/threads {
			return false, fmt.Sprintf("thread %d has sent up to %d", th.n, last[th.n])
		}
	}
	return true, ""
}
