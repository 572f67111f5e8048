package feed

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

// everything reads the log whole: streams narrow what they give.
const everything = store.System("the log, which streams narrow")

// Hub follows the log for one process: it reads every new event once and hands
// it to the streams that want it.
type Hub struct {
	Cursors *Cursors

	store    *store.Store
	wake     chan struct{}
	stopBus  func()
	observe  func(context.Context, *Event)
	interval time.Duration
	handedOn atomic.Int64 // events
	recent   *recent

	mu       sync.Mutex
	position int64
	moved    chan struct{} // closed when position moves; nil while nobody waits
	streams  *index
	closed   bool
}

// HubOptions are the settings of a Hub.
type HubOptions struct {
	// Bus brings hints. Required.
	Bus Bus
	// Observe sees every event before any stream does, in order; nil for none. It
	// returns when it is done with the event or ctx ends.
	Observe func(context.Context, *Event)
	// Check is how often the head of the log is looked at in case a hint was
	// lost; one second by default.
	Check time.Duration
	// Recent is how many of the newest events are kept for streams that come back
	// to them, no more than the log always keeps; none by default.
	Recent int
}

// pageSize is how many events are read from the log at a time.
const pageSize = 500

// pageUnits is what a page costs the viewer who replays it: some of what its events
// take to be read.
const pageUnits = 2 * pageSize

// NewHub returns a hub that stands at the log's head. Run makes it follow.
func NewHub(ctx context.Context, s *store.Store, cursors *Cursors, o HubOptions) (*Hub, error) {
	position, err := s.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("feed: read the log's head: %w", err)
	}
	h := &Hub{
		Cursors: cursors, store: s, wake: make(chan struct{}, 1), observe: o.Observe, interval: o.Check,
		recent: newRecent(o.Recent), position: position, streams: newIndex(),
	}
	if h.interval == 0 {
		h.interval = time.Second
	}
	h.stopBus = o.Bus.Subscribe(h.hint)
	return h, nil
}

func (h *Hub) hint(int64) {
	select {
	case h.wake <- struct{}{}:
	default: // a look at the log is due already, and it will see this too
	}
}

// Run follows the log until ctx ends; then every stream ends with ctx's error.
func (h *Hub) Run(ctx context.Context) {
	defer h.close()
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { h.store.WatchOthers(ctx, func() { h.hint(0) }) })
	ticker := time.NewTicker(h.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-ticker.C:
		}
		if err := h.follow(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "cannot read the event log; will try again", "error", err)
		}
	}
}

// follow hands on everything the log holds after the hub's position.
func (h *Hub) follow(ctx context.Context) error {
	for {
		after := h.Position()
		events, err := readLog(ctx, h.store, after, math.MaxInt64, pageSize)
		if err != nil {
			return err
		}
		if len(events) == 0 || events[0].Position != after+1 {
			return h.checkHead(ctx, after)
		}
		h.observeAll(ctx, events)
		if ctx.Err() != nil {
			return ctx.Err() // what was not observed is not handed on
		}
		h.deliver(events)
		if len(events) < pageSize {
			return nil
		}
	}
}

func (h *Hub) observeAll(ctx context.Context, events []*Event) {
	if h.observe == nil {
		return
	}
	for _, e := range events {
		h.observe(ctx, e)
	}
}

// checkHead looks whether the log has gone on although what comes after a
// position could not be read: then it has been removed, and nobody knows what it
// was. Whoever observes is told that the directory may have changed, and every
// stream ends.
func (h *Hub) checkHead(ctx context.Context, after int64) error {
	head, err := h.store.Head(ctx)
	if err != nil || head == after {
		return err
	}
	if events, err := readLog(ctx, h.store, after, head, 1); err != nil || len(events) == 1 && events[0].Position == after+1 {
		h.hint(head) // it came in between
		return err
	}
	h.observeAll(ctx, []*Event{{Position: head, Cause: DirectoryChanged}})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	slog.WarnContext(ctx, "the event log was trimmed before this process had read it; its streams must resync", "from", after, "to", head)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.position = head
	h.endAll(errTrimmed)
	h.announce()
	return nil
}

func (h *Hub) deliver(events []*Event) {
	h.recent.keep(events)
	h.mu.Lock()
	defer h.mu.Unlock()
	var concerned []*Stream
	for _, e := range events {
		var d *Delivery // made for the first that wants it
		concerned = h.streams.concerned(e, concerned[:0])
		for _, s := range concerned {
			if !s.want(e) {
				continue
			}
			if d == nil {
				d = &Delivery{Event: e}
			}
			if !s.offer(d) {
				h.streams.remove(s)
			}
		}
		h.position = e.Position
	}
	h.handedOn.Add(int64(len(events)))
	h.announce()
}

// announce wakes those who Await. The caller holds the lock.
func (h *Hub) announce() {
	if h.moved != nil {
		close(h.moved)
		h.moved = nil
	}
}

// Await returns when everything up to a position of the log has been observed
// and handed on. It ends with ctx's error, or with UNAVAILABLE when the server
// shuts down.
func (h *Hub) Await(ctx context.Context, position int64) error {
	for {
		moved, err := h.awaited(position)
		if moved == nil || err != nil {
			return err
		}
		h.hint(position) // it is in the log, whatever became of its hint
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-moved:
		}
	}
}

// awaited returns what to wait for until the hub has come further; nil when it is
// there.
func (h *Hub) awaited(position int64) (<-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.position >= position:
		return nil, nil
	case h.closed:
		return nil, errShutdown
	case h.moved == nil:
		h.moved = make(chan struct{})
	}
	return h.moved, nil
}

// Position is the last position handed on.
func (h *Hub) Position() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.position
}

// Streams is how many streams are live.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams.all)
}

// join makes s live from the returned position on.
func (h *Hub) join(s *Stream) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, errShutdown
	}
	h.streams.add(s)
	return h.position, nil
}

func (h *Hub) leave(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams.remove(s)
}

func (h *Hub) close() {
	h.stopBus()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.announce()
	h.endAll(errShutdown)
}

// endAll ends every stream. The caller holds the lock.
func (h *Hub) endAll(why error) {
	for s := range h.streams.all {
		s.end(why)
	}
	h.streams = newIndex()
}

// readLog returns up to limit events after a position and not beyond another, in
// order.
func readLog(ctx context.Context, s *store.Store, after, upTo int64, limit int) ([]*Event, error) {
	q := s.Builder().
		Select("id", "cause", "conversation_id", "message_id", "actor_id", "idempotency_key", "facts", "created_at").
		From(entsql.Table("events")).
		Where(entsql.And(entsql.GT("id", after), entsql.LTE("id", upTo))).OrderBy("id").Limit(limit)
	var events []*Event
	err := s.Read(ctx, everything, q, func(rows *sql.Rows) error {
		e, facts := &Event{}, []byte(nil)
		if err := rows.Scan(&e.Position, &e.Cause, &e.ConversationID, &e.MessageID, &e.ActorID, &e.IdempotencyKey, &facts, &e.At); err != nil {
			return err
		}
		e.read(ctx, facts)
		events = append(events, e)
		return nil
	})
	return events, err
}
