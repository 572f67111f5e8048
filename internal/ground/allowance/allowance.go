// Package allowance limits the bytes of answers: of one operation, and of all operations
// in flight in the process.
//
//	pool := allowance.NewPool(allowance.Bounds{})
//	ctx, a := pool.NewContext(ctx)
//	defer a.Close()
//
// Code that reads rows calls Read, code that writes the answer calls Write; both refuse
// before the memory is used. Small operations take no lock.
package allowance

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"parley/internal/ground/fault"
	"parley/internal/ground/viewer"
)

// Bounds are those of a Pool. Zero fields take the default stated.
type Bounds struct {
	Answer  int64         // of one answer, and of the texts that are read for it, default 8 MB
	Process int64         // of all that are under way, default 256 MB
	Wait    time.Duration // for room in the process, default 2 s
}

const (
	megabyte = 1 << 20
	// free is what an operation takes without asking: more than an inbox page.
	free = 256 << 10
	// step is what it asks for beyond that; then for all it may take, so that none
	// waits for another that waits for it.
	step = megabyte
	// shareLook is how often an agent's share is looked at while it is taken.
	shareLook = 10 * time.Millisecond
)

// Pool is what the operations of a process share. It is safe for concurrent use.
type Pool struct {
	bounds Bounds
	room   *semaphore.Weighted

	mu   sync.Mutex
	held map[int64]int64 // by agent
}

// NewPool makes a Pool. There is always room for one whole operation.
func NewPool(b Bounds) *Pool {
	if b.Answer == 0 {
		b.Answer = 8 * megabyte
	}
	if b.Process == 0 {
		b.Process = 256 * megabyte
	}
	if b.Wait == 0 {
		b.Wait = 2 * time.Second
	}
	b.Process = max(b.Process, 2*b.Answer+2*step)
	return &Pool{bounds: b, room: semaphore.NewWeighted(b.Process), held: map[int64]int64{}}
}

// Allowance is what one operation may take. A nil *Allowance bounds nothing. It is
// safe for concurrent use.
//
// It is the context that it is found in, which spares an allocation.
type Allowance struct {
	context.Context //nolint:containedctx // see above

	pool          *Pool
	agent         int64
	read, written atomic.Int64

	mu   sync.Mutex
	held int64 // of the pool
	err  error // the first refusal, which stands
}

type key struct{}

// NewContext gives an operation its allowance; close it when the answer has been
// written.
func (p *Pool) NewContext(ctx context.Context) (context.Context, *Allowance) {
	a := &Allowance{Context: ctx, pool: p, agent: viewer.Caller(ctx)}
	return a, a
}

// Value implements context.Context.
func (a *Allowance) Value(k any) any {
	if k == (key{}) {
		return a
	}
	return a.Context.Value(k)
}

// FromContext returns the operation's allowance, nil where it has none.
func FromContext(ctx context.Context) *Allowance {
	a, _ := ctx.Value(key{}).(*Allowance)
	return a
}

// Read takes n bytes that were read for the answer. It waits for nothing: who reads
// holds a connection to the database, which others need to end.
func (a *Allowance) Read(ctx context.Context, n int) error {
	if a == nil {
		return nil
	}
	return a.take(ctx, &a.read, n, a.try)
}

// Write takes n bytes of the answer; it waits a moment where there is no room.
func (a *Allowance) Write(ctx context.Context, n int) error {
	if a == nil {
		return nil
	}
	return a.take(ctx, &a.written, n, a.wait)
}

// room takes so many bytes of the pool.
type room func(ctx context.Context, n int64) error

func (a *Allowance) take(ctx context.Context, of *atomic.Int64, n int, get room) error {
	if of.Add(int64(n)) <= free/2 {
		return nil
	}
	return a.ask(ctx, get)
}

// ask sees that the pool has room for what was taken.
func (a *Allowance) ask(ctx context.Context, get room) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	read, written := a.read.Load(), a.written.Load()
	missing := read + written - free - a.held
	switch {
	case a.err != nil:
	case read > a.pool.bounds.Answer || written > a.pool.bounds.Answer:
		a.err = a.pool.tooLarge()
	case missing > 0:
		n := int64(step)
		if missing > step || a.held > 0 {
			n = max(2*a.pool.bounds.Answer, step) - a.held
		}
		if a.err = get(ctx, n); a.err == nil {
			a.held += n
		}
	}
	return a.err
}

func (a *Allowance) try(_ context.Context, n int64) error {
	if !a.pool.share(a.agent, n) {
		return errShare
	}
	if a.pool.room.TryAcquire(n) {
		return nil
	}
	a.pool.share(a.agent, -n)
	return errFull
}

func (a *Allowance) wait(ctx context.Context, n int64) error {
	waiting, cancel := context.WithTimeout(ctx, a.pool.bounds.Wait)
	defer cancel()
	for !a.pool.share(a.agent, n) {
		select {
		case <-waiting.Done():
			return cmp.Or(ctx.Err(), error(errShare))
		case <-time.After(shareLook):
		}
	}
	if a.pool.room.Acquire(waiting, n) == nil {
		return nil
	}
	a.pool.share(a.agent, -n)
	if err := ctx.Err(); err != nil {
		return err
	}
	return errFull
}

// share takes n from what an agent may hold: a quarter of the pool, and one whole
// operation at least. Those who do not read their answers keep room only from
// themselves.
func (p *Pool) share(agent, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.held[agent] + n
	if agent != 0 && held > max(p.bounds.Process/4, 2*p.bounds.Answer+step) {
		return false
	}
	if p.held[agent] = held; held == 0 {
		delete(p.held, agent)
	}
	return true
}

var errShare = &fault.Error{
	Code: fault.LimitExceeded, RetryAfter: time.Second,
	Message: "You have the maximum of large answers in flight. Read them, or ask for less. Wait retryAfter seconds, then try again; repeat a change with the same idempotency key.",
}

var errFull = &fault.Error{
	Code: fault.Unavailable, RetryAfter: time.Second,
	Message: "Too many large answers are in flight. Wait retryAfter seconds, then try again; repeat a change with the same idempotency key.",
}

func (p *Pool) tooLarge() error {
	return fault.New(fault.LimitExceeded, "The answer is larger than %d bytes. Ask for smaller pages or fewer fields.", p.bounds.Answer)
}

// Fits says whether an answer of so many bytes may be sent, now that it is made: not
// when it is too large, nor when anything of it was refused. It keeps the room that
// the answer takes and gives back the rest.
func (a *Allowance) Fits(bytes int) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err == nil && int64(bytes) > a.pool.bounds.Answer {
		a.err = a.pool.tooLarge()
	}
	a.keep(int64(bytes))
	return a.err
}

// keep gives back what is held beyond n; it needs the lock.
func (a *Allowance) keep(n int64) {
	if more := a.held - n; more > 0 {
		a.pool.room.Release(more)
		a.pool.share(a.agent, -more)
		a.held = n
	}
}

// Refusal is the first one, if there was any.
func (a *Allowance) Refusal() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Close gives back what the operation took. The allowance is then as new: the next
// answer of a stream may take as much.
func (a *Allowance) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep(0)
	a.err = nil
	a.read.Store(0)
	a.written.Store(0)
}
