package sandbox

import (
	"slices"
	"sync"
	"time"
)

// Scheduler runs f once, after d, unless stop is called before. The carrier
// tells time by nothing else.
type Scheduler interface {
	After(d time.Duration, f func()) (stop func())
}

// RealTime is the Scheduler of a running sandbox.
type RealTime struct{}

// After implements Scheduler; f runs in its own goroutine.
func (RealTime) After(d time.Duration, f func()) (stop func()) {
	timer := time.AfterFunc(d, f)
	return func() { timer.Stop() }
}

// Manual is a Scheduler that a test moves: nothing happens until Advance, and
// then everything that is due happens in order, in the caller's goroutine. The
// zero value is ready.
type Manual struct {
	mu  sync.Mutex
	now time.Duration
	due []*task
}

type task struct {
	at time.Duration
	f  func()
}

// After implements Scheduler.
func (m *Manual) After(d time.Duration, f func()) (stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &task{at: m.now + max(d, 0), f: f}
	at, _ := slices.BinarySearchFunc(m.due, t.at+1, func(e *task, at time.Duration) int { return int(e.at - at) })
	m.due = slices.Insert(m.due, at, t)
	return func() { m.remove(t) }
}

func (m *Manual) remove(t *task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.due = slices.DeleteFunc(m.due, func(e *task) bool { return e == t })
}

// Advance moves time by d and runs what comes due, also what that schedules
// within d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	until := m.now + d
	m.mu.Unlock()
	for {
		t := m.next(until)
		if t == nil {
			return
		}
		t.f()
	}
}

// next takes the earliest task due, or moves time to until when there is none.
func (m *Manual) next(until time.Duration) *task {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.due) == 0 || m.due[0].at > until {
		m.now = max(m.now, until)
		return nil
	}
	t := m.due[0]
	m.due = m.due[1:]
	m.now = max(m.now, t.at)
	return t
}
