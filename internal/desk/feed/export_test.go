package feed

import "parley/internal/ground/store"

// Append adds an event with facts as another version may have written them.
func Append(tx *store.Tx, e *Event, facts []byte) { entries.Defer(tx, entry{e, facts}) }

// StillHub is a hub without a log: what it hands on is given to Deliver.
func StillHub() *Hub { return &Hub{recent: newRecent(0), streams: newIndex(), stopBus: func() {}} }

// Deliver hands on events.
func (h *Hub) Deliver(events ...*Event) { h.deliver(events) }

// Live opens a stream that has joined the hub.
func (h *Hub) Live(keys []Key, want func(*Event) bool) *Stream {
	s := h.Follow(0, keys, want)
	_, _ = h.join(s)
	s.joined = true
	return s
}
