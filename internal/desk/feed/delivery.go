package feed

import "sync"

// Delivery is an event as it reaches the streams of one process that want it at
// the same time, with what they share for it. A stream that reads the event later
// gets a Delivery of its own, so that it reads rows as they are by then.
type Delivery struct {
	*Event

	mu     sync.Mutex
	shared map[any]any
}

// mostShared bounds what is kept with a delivery.
const mostShared = 64

// Shared returns what load returned the first time it was asked for key on this
// delivery: streams of one process share what they read for it, and what they write.
// A failure is not remembered, nor is what comes after so many keys that hardly
// anybody can share them.
func (d *Delivery) Shared(key any, load func() (any, error)) (any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v, ok := d.shared[key]; ok {
		return v, nil
	}
	v, err := load()
	if err == nil && len(d.shared) < mostShared {
		if d.shared == nil {
			d.shared = map[any]any{}
		}
		d.shared[key] = v
	}
	return v, err
}
