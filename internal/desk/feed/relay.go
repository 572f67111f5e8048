package feed

import (
	"context"
	"sync/atomic"
)

// mostLeaving is how many signals may wait to leave a process.
const mostLeaving = 256

// Message is what a bus carries from one process to another: a hint, when it has
// a position, or a signal.
type Message struct {
	Position int64
	Kind     string
	Payload  []byte
}

// Relay is what every bus between processes does, whatever carries it: a process
// hears itself at once, whether the others can be reached or not, and tells them
// in order. Of hints the highest is told, and one is under way at most: what
// comes meanwhile goes as one. Signals that cannot leave soon are dropped.
type Relay struct {
	local   *Local
	own     atomic.Int64 // highest position that this process published
	wake    chan struct{}
	leaving chan Message
}

// NewRelay returns a relay. Run tells the other processes.
func NewRelay() *Relay {
	return &Relay{local: NewLocal(), wake: make(chan struct{}, 1), leaving: make(chan Message, mostLeaving)}
}

// Publish implements Bus.
func (r *Relay) Publish(position int64) {
	r.local.Publish(position)
	for old := r.own.Load(); position > old && !r.own.CompareAndSwap(old, position); old = r.own.Load() {
	}
	r.Again()
}

// Subscribe implements Bus.
func (r *Relay) Subscribe(hint func(int64)) (stop func()) { return r.local.Subscribe(hint) }

// Signal implements Signals.
func (r *Relay) Signal(kind string, payload []byte) {
	r.local.Signal(kind, payload)
	if !IsSignal(kind, payload) {
		return
	}
	select {
	case r.leaving <- Message{Kind: kind, Payload: payload}:
	default: // it would be old when it leaves
	}
}

// OnSignal implements Signals.
func (r *Relay) OnSignal(kind string, hear func([]byte)) (stop func()) {
	return r.local.OnSignal(kind, hear)
}

// Heard hands on what another process told.
func (r *Relay) Heard(m Message) {
	if m.Kind != "" {
		r.local.Signal(m.Kind, m.Payload)
		return
	}
	r.local.Publish(m.Position)
}

// Again has Run tell the highest position that could not be told before, as when
// the others can be reached again.
func (r *Relay) Again() {
	select {
	case r.wake <- struct{}{}:
	default: // Run is about to look, and will see this too
	}
}

// Run tells the other processes by tell until ctx ends. A hint that fails waits
// for the next one or for Again, and meanwhile the position check heals it; a
// signal that fails is lost.
func (r *Relay) Run(ctx context.Context, tell func(Message) error) {
	told := int64(0) // what the others have for certain
	for {
		select {
		case <-ctx.Done():
			return
		case signal := <-r.leaving:
			_ = tell(signal)
		case <-r.wake:
			if position := r.own.Load(); position > told && tell(Message{Position: position}) == nil {
				told = position
			}
		}
	}
}
