package live

import (
	"context"
	"errors"
	"time"

	"parley/internal/desk/feed"
)

// pace is how fast frames follow one another. The zero value gives each at once.
type pace[T any] struct {
	every time.Duration
	// merge makes one frame of one that is held back and the next. It may change
	// neither.
	merge func(held, next T) T
}

// held is the frame that waits until it may be given. It is made when a frame
// has been given.
type held[T any] struct {
	pace  pace[T]
	wake  func() // called when it is due, where nobody waits for it
	timer *time.Timer
	due   time.Time
	holds bool
	frame T
}

func hold[T any](p pace[T], wake func()) *held[T] {
	return &held[T]{pace: p, wake: wake, due: time.Now().Add(p.every)}
}

// next returns the next event; nil when the frame held is due.
func (h *held[T]) next(ctx context.Context, reader *feed.Stream) (*feed.Delivery, error) {
	if !h.holds {
		return reader.Next(ctx)
	}
	until, cancel := context.WithDeadline(ctx, h.due)
	defer cancel()
	if until.Err() != nil {
		return nil, ctx.Err()
	}
	e, err := reader.Next(until)
	if err != nil && until.Err() != nil {
		return nil, ctx.Err()
	}
	if errors.Is(err, feed.ErrIdle) && h.timer == nil {
		h.timer = time.AfterFunc(time.Until(h.due), h.wake)
	}
	return e, err
}

func (h *held[T]) put(frame T) {
	if h.holds {
		frame = h.pace.merge(h.frame, frame)
	}
	h.frame, h.holds = frame, true
}

// release returns the frame held, if there is one and it is due.
func (h *held[T]) release() (frame T, due bool) {
	if !h.holds || h.pace.every > 0 && time.Now().Before(h.due) {
		return frame, false
	}
	frame = h.frame
	*h = *hold(h.pace, h.wake)
	return frame, true
}
