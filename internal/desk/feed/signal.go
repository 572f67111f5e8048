package feed

import "sync"

// localSignals is the Signals of a single process; the zero value is ready.
type localSignals struct {
	mu   sync.Mutex
	hear map[string]map[int]func([]byte) // by kind
	next int
}

// IsSignal reports whether a signal is within its bounds.
func IsSignal(kind string, payload []byte) bool {
	return len(kind) >= 1 && len(kind) <= MaxSignalKind && len(payload) <= MaxSignal
}

// Signal implements Signals.
func (b *Local) Signal(kind string, payload []byte) {
	if !IsSignal(kind, payload) {
		return
	}
	s := &b.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hear := range s.hear[kind] {
		hear(payload)
	}
}

// OnSignal implements Signals.
func (b *Local) OnSignal(kind string, hear func([]byte)) (stop func()) {
	s := &b.signals
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hear == nil {
		s.hear = map[string]map[int]func([]byte){}
	}
	if s.hear[kind] == nil {
		s.hear[kind] = map[int]func([]byte){}
	}
	id := s.next
	s.next++
	s.hear[kind][id] = hear
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.hear[kind], id)
	}
}
