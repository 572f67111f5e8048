package feed

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"parley/internal/ground/fault"
	"parley/internal/ground/price"
)

// mostWaiting is how many events may wait for a slow reader before its stream
// ends with RESYNC_REQUIRED. A stream that nothing waits in holds no buffer.
const mostWaiting = 4096

var (
	errShutdown = fault.New(fault.Unavailable, "The server is shutting down. Subscribe again from the last cursor.")
	errTrimmed  = fault.New(fault.ResyncRequired, "The event log no longer reaches back to this cursor. Run the query again and subscribe from its feedCursor.")
)

// Stream is one reader of the log: events after a position that it wants, in
// order, each once. It is read from one goroutine.
type Stream struct {
	hub    *Hub
	keys   []Key
	want   func(*Event) bool
	looked int64         // position it was last looked at for, or where it began; the hub's
	wake   chan struct{} // there is something in waiting, or an end
	notify func()        // called instead, where nobody waits

	mu      sync.Mutex
	waiting []*Delivery // from the hub
	ended   error       // why nothing more will come; errSlow for a slow reader

	pending []*Delivery // taken from the log or from waiting, not yet given
	read    int64       // position read up to in the log
	given   int64       // position of the last event given, or where it began
	joined  bool
}

// Follow opens a stream of the events after a position for which want holds.
// keys are such that each of these events has one of them, changes of the
// directory apart. want is called from other goroutines and must not block.
// Close ends the stream.
func (h *Hub) Follow(after int64, keys []Key, want func(*Event) bool) *Stream {
	return &Stream{hub: h, keys: keys, want: want, wake: make(chan struct{}, 1), looked: after, read: after, given: after}
}

// Notify makes Next return ErrIdle where it would wait. wake is called, under the
// hub's lock, when Next is worth another call. It is set before the first Next.
func (s *Stream) Notify(wake func()) { s.notify = wake }

// ErrIdle says that there is no event yet, on streams that do not wait.
var ErrIdle = errors.New("feed: no event yet")

// Close ends the stream. It must be called.
func (s *Stream) Close() { s.hub.leave(s) }

// errSlow stands for the RESYNC_REQUIRED that is made when the reader comes to
// it, with the cursor of what it was given last.
var errSlow = fault.New(fault.ResyncRequired, "This stream was read too slowly. Run the query again and subscribe from its feedCursor.")

// offer is called under the hub's lock. It reports false when the stream is too
// slow and has ended.
func (s *Stream) offer(d *Delivery) bool {
	s.mu.Lock()
	fits := len(s.waiting) < mostWaiting
	if fits {
		s.waiting = append(s.waiting, d)
	}
	s.mu.Unlock()
	if !fits {
		s.end(errSlow)
		return false
	}
	s.signal()
	return true
}

func (s *Stream) end(why error) {
	s.mu.Lock()
	s.ended = why
	s.mu.Unlock()
	s.signal()
}

func (s *Stream) signal() {
	if s.notify != nil {
		s.notify()
		return
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is awake already
	}
}

// Next returns the next event. It ends with ctx's error, with UNAVAILABLE when
// the server shuts down, or with RESYNC_REQUIRED when the reader was too slow or
// the log no longer holds what comes next.
func (s *Stream) Next(ctx context.Context) (*Delivery, error) {
	for len(s.pending) == 0 {
		if err := s.fill(ctx); err != nil {
			return nil, err
		}
	}
	d := s.pending[0]
	s.pending[0] = nil
	s.pending = s.pending[1:]
	s.given = d.Position
	return d, nil
}

// fill waits for something to be pending. It may return without.
func (s *Stream) fill(ctx context.Context) error {
	s.pending = nil
	if !s.joined {
		return s.replay(ctx)
	}
	if taken, err := s.take(); taken || err != nil {
		return err
	}
	if s.notify != nil {
		return cmp.Or(ctx.Err(), ErrIdle)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.wake:
		return nil
	}
}

// take takes what waits, or says why nothing will any more.
func (s *Stream) take() (bool, error) {
	s.mu.Lock()
	waiting, ended := s.waiting, s.ended
	s.waiting = nil
	s.mu.Unlock()
	switch {
	case len(waiting) > 0:
		s.pending = waiting
		return true, nil
	case errors.Is(ended, errSlow):
		return false, s.hub.Cursors.Resync(TooSlow, errSlow.Message, s.hub.Cursors.Encode(s.given))
	case errors.Is(ended, errTrimmed):
		return false, s.trimmed()
	}
	return false, ended
}

// replay reads the next page of what the hub has handed on, and joins the hub
// when there is none left. It never reads beyond the hub: what the hub observes,
// such as a change of rights, would come too late for what the stream gives.
func (s *Stream) replay(ctx context.Context) error {
	if upTo := s.hub.Position(); s.read < upTo {
		return s.readPage(ctx, upTo)
	}
	upTo, err := s.hub.join(s)
	if err != nil {
		return err
	}
	s.joined = true
	// What was handed on between the look and the joining. What came since waits.
	for s.read < upTo {
		if err := s.readPage(ctx, upTo); err != nil {
			return err
		}
	}
	return nil
}

// readPage reads on, from what the hub still knows or else in the log. Positions
// have no holes, so one that is missing has been removed since the cursor was
// made.
func (s *Stream) readPage(ctx context.Context, upTo int64) error {
	events := s.hub.recent.after(s.read, upTo)
	if len(events) == 0 {
		var err error
		err = s.hub.store.Walk(ctx, func(ctx context.Context) error {
			events, err = readLog(ctx, s.hub.store, s.read, upTo, pageSize)
			return err
		})
		if err != nil {
			return err
		}
		price.Charge(ctx, pageUnits) // for a whole page, so that what is left of a rate tells little of how much others write
		if len(events) == 0 || events[0].Position != s.read+1 {
			return s.trimmed()
		}
		s.hub.recent.keep(events)
	}
	for _, e := range events {
		s.read = e.Position
		if s.want(e) {
			s.pending = append(s.pending, &Delivery{Event: e})
		}
	}
	return nil
}

// trimmed is how a stream ends whose next event the log no longer holds.
func (s *Stream) trimmed() error { return s.hub.Cursors.Resync(TooOld, errTrimmed.Message, "") }
