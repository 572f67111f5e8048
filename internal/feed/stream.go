package feed

import (
	"context"
	"sync/atomic"

	"parley/internal/fault"
)

// bufferSize is how many events may wait for a slow reader before its stream
// ends with RESYNC_REQUIRED.
const bufferSize = 1024

var errShutdown = fault.New(fault.Unavailable, "The server is shutting down. Subscribe again from the last cursor.")

// Stream is one reader of the log: events after a position that it wants, in
// order, each once. It is read from one goroutine.
type Stream struct {
	hub      *Hub
	filter   func(*Event) bool
	live     chan *Event
	overflow atomic.Bool

	pending []*Event // read from the log, not yet given
	read    int64    // position read or received up to
	given   int64    // position of the last event given, or where it began
	joined  bool
}

// Follow opens a stream of the events after a position for which want holds.
// want is called from other goroutines and must not block. Close ends it.
func (h *Hub) Follow(after int64, want func(*Event) bool) *Stream {
	return &Stream{hub: h, filter: want, live: make(chan *Event, bufferSize), read: after, given: after}
}

// Close ends the stream. It must be called.
func (s *Stream) Close() { s.hub.leave(s) }

// offer is called under the hub's lock. It reports false when the stream is too
// slow and must end.
func (s *Stream) offer(e *Event) bool {
	select {
	case s.live <- e:
		return true
	default:
		s.overflow.Store(true)
		close(s.live)
		return false
	}
}

// Next returns the next event. It ends with ctx's error, with UNAVAILABLE when
// the server shuts down, or with RESYNC_REQUIRED when the reader was too slow.
func (s *Stream) Next(ctx context.Context) (*Event, error) {
	for {
		if len(s.pending) > 0 {
			e := s.pending[0]
			s.pending = s.pending[1:]
			s.given = e.Position
			return e, nil
		}
		if !s.joined {
			if err := s.replay(ctx); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-s.live:
			if !ok {
				return nil, s.ended()
			}
			if e.Position > s.read {
				s.read, s.given = e.Position, e.Position
				return e, nil
			}
		}
	}
}

func (s *Stream) ended() error {
	if s.overflow.Load() {
		return resync("This stream was read too slowly. Run the query again and subscribe from its feedCursor.", s.hub.Cursors.Encode(s.given))
	}
	return errShutdown
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
	// What was handed on between the look and the joining. What came since waits
	// in live.
	for s.read < upTo {
		if err := s.readPage(ctx, upTo); err != nil {
			return err
		}
	}
	return nil
}

// readPage reads on in the log. Positions have no holes, so one that is missing
// has been removed since the cursor was made.
func (s *Stream) readPage(ctx context.Context, upTo int64) error {
	events, err := readLog(ctx, s.hub.store, s.read, upTo, pageSize)
	if err != nil {
		return err
	}
	if len(events) == 0 || events[0].Position != s.read+1 {
		return resync("The event log no longer reaches back to this cursor. Run the query again and subscribe from its feedCursor.", "")
	}
	for _, e := range events {
		s.read = e.Position
		if s.filter(e) {
			s.pending = append(s.pending, e)
		}
	}
	return nil
}
