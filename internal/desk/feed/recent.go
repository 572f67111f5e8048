package feed

import "sync"

// MostRecent is how many of the newest events are worth keeping decoded: some
// five megabytes.
const MostRecent = 8192

// recent holds the newest events of the log, decoded. When thousands of streams
// come back at once, after a restart or a broken proxy, they take from here what
// each would have to read from the log and decode for itself.
type recent struct {
	mu    sync.RWMutex
	slots []*Event // each position has its slot, in which newer events follow
}

func newRecent(size int) *recent { return &recent{slots: make([]*Event, size)} }

func (r *recent) slot(position int64) **Event { return &r.slots[position%int64(len(r.slots))] }

// keep takes in events, unless newer ones hold their slots.
func (r *recent) keep(events []*Event) {
	if len(r.slots) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range events {
		if slot := r.slot(e.Position); *slot == nil || (*slot).Position < e.Position {
			*slot = e
		}
	}
}

// after returns the events after a position and not beyond another, in order, up
// to the first that is not kept.
func (r *recent) after(position, upTo int64) (events []*Event) {
	if len(r.slots) == 0 {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for position < upTo {
		position++
		e := *r.slot(position)
		if e == nil || e.Position != position {
			break
		}
		events = append(events, e)
	}
	return events
}
