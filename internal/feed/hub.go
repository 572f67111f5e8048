package feed

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/store"
)

// Hub follows the log for one process: it reads every new event once and hands
// it to the streams that want it.
type Hub struct {
	Cursors *Cursors

	store    *store.Store
	wake     chan struct{}
	stopBus  func()
	observe  func(context.Context, *Event)
	interval time.Duration

	mu       sync.Mutex
	position int64
	streams  map[*Stream]struct{}
	closed   bool
}

// HubOptions are the settings of a Hub.
type HubOptions struct {
	// Bus brings hints. Required.
	Bus Bus
	// Observe sees every event before the streams do, in order; nil for none.
	Observe func(context.Context, *Event)
	// Check is how often the head of the log is looked at in case a hint was
	// lost; one second by default.
	Check time.Duration
}

// pageSize is how many events are read from the log at a time.
const pageSize = 500

// NewHub returns a hub that stands at the log's head. Run makes it follow.
func NewHub(ctx context.Context, s *store.Store, cursors *Cursors, o HubOptions) (*Hub, error) {
	position, err := s.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("feed: read the log's head: %w", err)
	}
	h := &Hub{
		Cursors: cursors, store: s, wake: make(chan struct{}, 1), observe: o.Observe, interval: o.Check,
		position: position, streams: map[*Stream]struct{}{},
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
		events, err := readLog(ctx, h.store, h.Position(), pageSize)
		if err != nil {
			return err
		}
		for _, e := range events {
			if h.observe != nil {
				h.observe(ctx, e)
			}
		}
		h.deliver(events)
		if len(events) < pageSize {
			return nil
		}
	}
}

func (h *Hub) deliver(events []*Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		for s := range h.streams {
			if s.wants(e) && !s.offer(e) {
				delete(h.streams, s)
			}
		}
		h.position = e.Position
	}
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
	return len(h.streams)
}

// join makes s live from the returned position on.
func (h *Hub) join(s *Stream) (int64, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, errShutdown
	}
	h.streams[s] = struct{}{}
	return h.position, nil
}

func (h *Hub) leave(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s)
}

func (h *Hub) close() {
	h.stopBus()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.streams {
		close(s.live)
		delete(h.streams, s)
	}
}

// readLog returns up to limit events after a position, in order.
func readLog(ctx context.Context, s *store.Store, after int64, limit int) ([]*Event, error) {
	q := s.Builder().
		Select("id", "cause", "conversation_id", "message_id", "actor_id", "idempotency_key", "facts", "created_at").
		From(entsql.Table("events")).Where(entsql.GT("id", after)).OrderBy("id").Limit(limit)
	var events []*Event
	err := s.Read(ctx, q, func(rows *sql.Rows) error {
		e, facts := &Event{}, []byte(nil)
		if err := rows.Scan(&e.Position, &e.Cause, &e.ConversationID, &e.MessageID, &e.ActorID, &e.IdempotencyKey, &facts, &e.At); err != nil {
			return err
		}
		events = append(events, e)
		return e.decode(facts)
	})
	return events, err
}
