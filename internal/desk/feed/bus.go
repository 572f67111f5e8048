package feed

import "sync"

// Bus carries hints between the processes that share a database: "there are
// events up to this position". A hint may be lost, repeated or late; the log is
// the truth. Local serves a single process; one over NATS serves several.
type Bus interface {
	// Publish tells all processes, this one too. It never blocks.
	Publish(position int64)
	// Subscribe calls hint for every position published, from one goroutine at a
	// time; hint must not block. The returned function ends it.
	Subscribe(hint func(position int64)) (stop func())
}

// Signals carries what is worth nothing a moment later, such as who is typing,
// between the processes that share a database. A signal may be lost or late; one
// process's own come in their order. Both buses have it, on the same connection
// as the hints.
type Signals interface {
	// Signal tells all processes, this one too. It never blocks; what cannot leave
	// at once is dropped. A kind is 1 to MaxSignalKind bytes and a payload at most
	// MaxSignal, longer ones are dropped; the payload is not changed after.
	Signal(kind string, payload []byte)
	// OnSignal calls hear for every signal of a kind, from one goroutine at a time.
	// hear must not block, nor call the bus. The returned function ends it.
	OnSignal(kind string, hear func(payload []byte)) (stop func())
}

// The bounds of a signal, in bytes.
const (
	MaxSignalKind = 32
	MaxSignal     = 1024
)

// Local is the bus of a single process. It implements Bus and Signals.
type Local struct {
	mu    sync.Mutex
	hints map[int]func(int64)
	next  int

	signals localSignals
}

// NewLocal returns a bus for one process.
func NewLocal() *Local { return &Local{hints: map[int]func(int64){}} }

// Publish implements Bus.
func (b *Local) Publish(position int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, hint := range b.hints {
		hint(position)
	}
}

// Subscribe implements Bus.
func (b *Local) Subscribe(hint func(int64)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := b.next
	b.next++
	b.hints[id] = hint
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.hints, id)
	}
}
