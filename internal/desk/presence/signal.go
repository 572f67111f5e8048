package presence

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"parley/internal/desk/feed"
)

// kind is the kind of signal that carries presence.
const kind = "presence"

// mostForeign is how many claims of other processes are kept.
const mostForeign = 100_000

// A signal is the name of the process that says it, and then what agents do, or
// nothing: then all are asked to repeat what they said. What an agent does is the
// conversation and the agent, as varints, and a byte.
const (
	nameBytes = 16
	mostSaid  = 2*binary.MaxVarintLen64 + 1
)

// said is what an agent does in a conversation; without a state they have gone.
type said struct {
	conversation, agent int64
	state               State
}

var states = []State{"", Viewing, Typing} // by their byte

// Run hears the other processes, tells them what this one's agents do, and ends
// what nobody says any more, until ctx ends; then it takes its agents away.
func (b *Board) Run(ctx context.Context) {
	defer b.options.Signals.OnSignal(kind, b.hear)()
	b.options.Signals.Signal(kind, b.name)
	repeat := time.NewTicker(b.options.Refresh)
	defer repeat.Stop()
	expire := time.NewTicker(min(b.options.Typing, b.options.Refresh) / 8)
	defer expire.Stop()
	for {
		select {
		case <-ctx.Done():
			b.leaveAll()
			b.tell()
			return
		case <-repeat.C:
			b.repeat()
		case now := <-expire.C:
			b.expire(now)
		case <-b.wake:
		}
		b.tell()
	}
}

// say has Run tell the others. The caller holds the lock.
func (b *Board) say(s said) {
	b.unsaid = append(b.unsaid, s)
	select {
	case b.wake <- struct{}{}:
	default: // it is about to look, and will see this too
	}
}

// tell tells the others what is unsaid. Only Run calls it: signals keep their
// order, and none is sent under the lock.
func (b *Board) tell() {
	b.mu.Lock()
	unsaid := b.unsaid
	b.unsaid = nil
	b.mu.Unlock()
	signal := bytes.Clone(b.name)
	for i, s := range unsaid {
		signal = binary.AppendVarint(signal, s.conversation)
		signal = binary.AppendVarint(signal, s.agent)
		signal = append(signal, s.state.code())
		if i == len(unsaid)-1 || len(signal)+mostSaid > feed.MaxSignal {
			b.options.Signals.Signal(kind, signal)
			signal = bytes.Clone(b.name)
		}
	}
}

func (s State) code() byte {
	for i, state := range states {
		if s == state {
			return byte(i)
		}
	}
	return 0
}

// repeat says again what the agents of this process do.
func (b *Board) repeat() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conversation, seats := range b.claims {
		for at, c := range seats {
			if at.process == "" {
				b.say(said{conversation, at.agent, c.state})
			}
		}
	}
}

// leaveAll says that the agents of this process have gone.
func (b *Board) leaveAll() {
	b.repeat()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.unsaid {
		b.unsaid[i].state = ""
	}
}

// hear takes in what a process says. What makes no sense is dropped.
func (b *Board) hear(signal []byte) {
	if len(signal) < nameBytes || bytes.Equal(signal[:nameBytes], b.name) {
		return
	}
	process, signal := string(signal[:nameBytes]), signal[nameBytes:]
	if len(signal) == 0 {
		b.repeat()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(signal) > 0 {
		s, n := read(signal)
		if n == 0 {
			return
		}
		b.believe(process, s)
		signal = signal[n:]
	}
}

// read returns the first of what is said and its length; 0 when it makes no
// sense.
func read(signal []byte) (s said, length int) {
	conversation, n := binary.Varint(signal)
	if n <= 0 {
		return said{}, 0
	}
	agent, m := binary.Varint(signal[n:])
	if m <= 0 || n+m >= len(signal) {
		return said{}, 0
	}
	state := Viewing // whatever else a newer version says that they do there
	if code := int(signal[n+m]); code < len(states) {
		state = states[code]
	}
	return said{conversation, agent, state}, n + m + 1
}

// believe keeps what another process said. The caller holds the lock.
func (b *Board) believe(process string, s said) {
	at := seat{s.agent, process}
	if _, known := b.claims[s.conversation][at]; known || b.foreign < mostForeign {
		b.put(s.conversation, at, claim{state: s.state, until: time.Now().Add(3 * b.options.Refresh)})
	}
}

// expire ends what was not said again in time.
func (b *Board) expire(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for conversation, seats := range b.claims {
		for at, c := range seats {
			if c.until.IsZero() || now.Before(c.until) {
				continue
			}
			c.look()
			if b.put(conversation, at, c) && at.process == "" {
				b.say(said{conversation, at.agent, c.state})
			}
		}
	}
}

func newName() []byte {
	name := make([]byte, nameBytes)
	_, _ = rand.Read(name) // never fails
	return name
}
