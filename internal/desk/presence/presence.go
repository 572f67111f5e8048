// Package presence knows which agents are viewing a conversation and which are typing in
// it, whatever process serves each of them.
//
// Nothing is stored. Every process keeps a Board: what its own agents do, and what the
// other processes last said over the bus. A process announces each change at once, and
// everything again every ten seconds. What is not repeated for thirty seconds is over, so
// a process that dies takes its agents with it.
package presence

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"parley/internal/desk/feed"
)

// State is what an agent does in a conversation.
type State string

// The states. Who is typing is looking, too.
const (
	Viewing State = "VIEWING"
	Typing  State = "TYPING"
)

// Agent is an agent who is there.
type Agent struct {
	Key   int64
	State State
}

// Options are the settings of a Board; zero times take the defaults.
type Options struct {
	// Signals reaches the other processes. Required.
	Signals feed.Signals
	// Typing is how long an agent is typing after saying so; 6 s by default.
	Typing time.Duration
	// Refresh is how often a process repeats what it said; 10 s by default. What
	// was not repeated for three times as long is over.
	Refresh time.Duration
}

// Board is who is where, as one process knows it. It is safe for concurrent use.
type Board struct {
	options Options
	name    []byte        // of this process on the bus
	wake    chan struct{} // something is unsaid

	mu      sync.Mutex
	claims  map[int64]map[seat]claim // by conversation
	foreign int                      // claims of other processes
	watches map[int64]map[*Watch]struct{}
	unsaid  []said
}

// New returns an empty board. Run keeps it.
func New(o Options) *Board {
	o.Typing = cmp.Or(o.Typing, 6*time.Second)
	o.Refresh = cmp.Or(o.Refresh, 10*time.Second)
	return &Board{
		options: o, name: newName(), wake: make(chan struct{}, 1),
		claims: map[int64]map[seat]claim{}, watches: map[int64]map[*Watch]struct{}{},
	}
}

// seat is an agent on one process; "" is this one.
type seat struct {
	agent   int64
	process string
}

// claim is what a seat does in a conversation.
type claim struct {
	state State
	until time.Time // it ends then unless it is said again; zero for never
	views int       // streams open, on this process
}

// View says that an agent looks at a conversation until leave is called, once.
func (b *Board) View(conversation, agent int64) (leave func()) {
	views := func(by int) {
		b.change(conversation, agent, func(c *claim) {
			c.views += by
			if c.state != Typing {
				c.look()
			}
		})
	}
	views(1)
	return func() { views(-1) }
}

// Type says that an agent is typing, for Options.Typing from now, or no more.
func (b *Board) Type(conversation, agent int64, typing bool) {
	b.change(conversation, agent, func(c *claim) {
		if typing {
			c.state, c.until = Typing, time.Now().Add(b.options.Typing)
		} else {
			c.look()
		}
	})
}

// look is what remains when nobody types.
func (c *claim) look() {
	c.state, c.until = "", time.Time{}
	if c.views > 0 {
		c.state = Viewing
	}
}

// change moves what an agent of this process does, and tells the others.
func (b *Board) change(conversation, agent int64, by func(*claim)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := seat{agent: agent}
	c := b.claims[conversation][at]
	by(&c)
	if b.put(conversation, at, c) {
		b.say(said{conversation, agent, c.state})
	}
}

// put keeps a claim, or forgets one without a state, and wakes who watches. It
// reports whether the state is another. The caller holds the lock.
func (b *Board) put(conversation int64, at seat, c claim) (changed bool) {
	seats := b.claims[conversation]
	before, known := seats[at]
	if c.state == "" {
		delete(seats, at)
		if len(seats) == 0 {
			delete(b.claims, conversation)
		}
	} else {
		if seats == nil {
			seats = map[seat]claim{}
			b.claims[conversation] = seats
		}
		seats[at] = c
	}
	switch {
	case at.process == "":
	case known && c.state == "":
		b.foreign--
	case !known && c.state != "":
		b.foreign++
	}
	if before.state == c.state {
		return false
	}
	for w := range b.watches[conversation] {
		w.wake()
	}
	return true
}

// Agents are those who are in a conversation, by key; one who is there several
// times is there once.
func (b *Board) Agents(conversation int64) []Agent {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Agent
	for at, c := range b.claims[conversation] {
		out = append(out, Agent{at.agent, c.state})
	}
	// "TYPING" comes before "VIEWING", so that of several the first counts.
	slices.SortFunc(out, func(x, y Agent) int { return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.State, y.State)) })
	return slices.CompactFunc(out, func(x, y Agent) bool { return x.Key == y.Key })
}

// Watch tells when the agents of a conversation may have changed.
type Watch struct {
	// Changed receives after a change; several may come as one.
	Changed chan struct{}

	board        *Board
	conversation int64
}

// Watch watches a conversation until Close.
func (b *Board) Watch(conversation int64) *Watch {
	w := &Watch{make(chan struct{}, 1), b, conversation}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watches[conversation] == nil {
		b.watches[conversation] = map[*Watch]struct{}{}
	}
	b.watches[conversation][w] = struct{}{}
	return w
}

// Close ends the watch.
func (w *Watch) Close() {
	b := w.board
	b.mu.Lock()
	defer b.mu.Unlock()
	if delete(b.watches[w.conversation], w); len(b.watches[w.conversation]) == 0 {
		delete(b.watches, w.conversation)
	}
}

func (w *Watch) wake() {
	select {
	case w.Changed <- struct{}{}:
	default: // woken already
	}
}
