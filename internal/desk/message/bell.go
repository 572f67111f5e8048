package message

import "sync"

// bell tells the workers of this process that something was queued, so that they
// need not wait for their next look at the database. It is a hint: nothing is
// lost when nobody hears it.
type bell struct {
	once sync.Once
	c    chan struct{}
}

func (b *bell) channel() chan struct{} {
	b.once.Do(func() { b.c = make(chan struct{}, 1) })
	return b.c
}

func (b *bell) ring() {
	select {
	case b.channel() <- struct{}{}:
	default: // it rings already
	}
}

// Waiting yields when this process may have queued a message since it was last
// read.
func (m *Messenger) Waiting() <-chan struct{} { return m.waiting.channel() }
