package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"
)

// Event is a row of the event log before it has a position. Package feed gives
// its facts their meaning.
type Event struct {
	Cause          string
	ConversationID int64
	MessageID      int64
	ActorID        int64
	IdempotencyKey string
	Facts          []byte
}

// Cell is what standing counts are kept by; zero and "" stand for none.
type Cell struct {
	Owner, Channel, Queue int64
	ObjectType            string
}

// Tally is what a cell counts, or by how much it moves.
type Tally struct{ Conversations, WithInbound, Unread, UnreadInbound, New int64 }

// Add returns the sum of t and u.
func (t Tally) Add(u Tally) Tally {
	return Tally{
		t.Conversations + u.Conversations, t.WithInbound + u.WithInbound,
		t.Unread + u.Unread, t.UnreadInbound + u.UnreadInbound, t.New + u.New,
	}
}

// Negative returns t with every count's sign turned.
func (t Tally) Negative() Tally {
	return Tally{-t.Conversations, -t.WithInbound, -t.Unread, -t.UnreadInbound, -t.New}
}

// tail is what a group's writes leave for its end, in the order of the items.
type tail struct {
	events []Event
	cells  map[Cell]Tally
	jobs   []river.InsertManyParams
	late   []leftover
	wrote  bool // rows were changed already
}

func (t *tail) add(u tail) {
	for _, l := range u.late {
		t.leave(l.to, l.items...)
	}
	t.events = append(t.events, u.events...)
	t.jobs = append(t.jobs, u.jobs...)
	for cell, tally := range u.cells {
		t.move(cell, tally)
	}
}

func (t *tail) move(c Cell, by Tally) {
	if t.cells == nil {
		t.cells = map[Cell]Tally{}
	}
	t.cells[c] = t.cells[c].Add(by)
}

// write is the end of every writing transaction. The update of the head row is
// the tail lock: whoever holds it is the only one to move counts and to give
// positions until its commit, so positions are commit order and have no holes.
// It returns the last position, 0 when the group added no event.
func (t *tail) write(ctx context.Context, g *group) (int64, error) {
	if len(t.jobs) > 0 {
		if err := g.enqueue(ctx, t.jobs); err != nil {
			return 0, fmt.Errorf("enqueue jobs: %w", err)
		}
	}
	if len(t.events) == 0 && len(t.late) == 0 {
		return 0, nil
	}
	last, err := lockTail(ctx, g, len(t.events))
	if err != nil {
		return 0, err
	}
	if err := t.writeLate(ctx, g); err != nil || len(t.events) == 0 {
		return 0, err
	}
	if err := moveCells(ctx, g, t.cells); err != nil {
		return 0, fmt.Errorf("move counts: %w", err)
	}
	return last, insertEvents(ctx, g, t.events, last-int64(len(t.events))+1)
}

var takePositions = Fixed("UPDATE log_heads SET position = position + ? WHERE id = 1 RETURNING position")

func lockTail(ctx context.Context, g *group, n int) (last int64, err error) {
	err = g.store.each(ctx, g.tx, takePositions.With(n), func(rows *sql.Rows) error { return rows.Scan(&last) })
	if err == nil && last == 0 && n > 0 {
		err = fmt.Errorf("the log head is missing: the database was not prepared")
	}
	return last, err
}

// moveCells adds all moves of the group in one statement per 500 cells.
func moveCells(ctx context.Context, g *group, cells map[Cell]Tally) error {
	const most = 500
	columns := []string{"owner_id", "channel_id", "queue_id", "object_type", "conversations", "with_inbound", "unread", "unread_inbound", "new"}
	insert, n := (*entsql.InsertBuilder)(nil), 0
	flush := func() error {
		if n == 0 {
			return nil
		}
		_, err := g.exec(ctx, insert)
		n = 0
		return err
	}
	for c, by := range cells {
		if by == (Tally{}) {
			continue
		}
		if n == 0 {
			insert = g.builder().Insert("count_cells").Columns(columns...).OnConflict(
				entsql.ConflictColumns(columns[:4]...), entsql.ResolveWith(addExcluded(columns[4:])))
		}
		insert.Values(c.Owner, c.Channel, c.Queue, c.ObjectType, by.Conversations, by.WithInbound, by.Unread, by.UnreadInbound, by.New)
		if n++; n == most {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func addExcluded(columns []string) func(*entsql.UpdateSet) {
	return func(u *entsql.UpdateSet) {
		for _, c := range columns {
			u.Set(c, entsql.ExprFunc(func(b *entsql.Builder) {
				b.WriteString("count_cells." + c + " + excluded." + c)
			}))
		}
	}
}

var eventColumns = []string{"id", "cause", "conversation_id", "message_id", "actor_id", "idempotency_key", "facts", "created_at"}

func insertEvents(ctx context.Context, g *group, events []Event, first int64) error {
	const most = 500
	for start := 0; start < len(events); start += most {
		some := events[start:min(start+most, len(events))]
		args := make([]any, 0, len(some)*len(eventColumns))
		for i, e := range some {
			args = append(args, first+int64(start+i), e.Cause, e.ConversationID, e.MessageID, e.ActorID, e.IdempotencyKey, e.Facts, int64(g.now))
		}
		if _, err := g.exec(ctx, Fixed(insertText("events", eventColumns, len(some))).With(args...)); err != nil {
			return fmt.Errorf("append events: %w", err)
		}
	}
	return nil
}

// startLog makes the head row with a random epoch on first start.
func (s *Store) startLog(ctx context.Context) error {
	insert := s.Builder().Insert("log_heads").Columns("id", "epoch", "position").Values(1, NewEpoch(), 0).
		OnConflict(entsql.ConflictColumns("id"), entsql.DoNothing())
	text, args := insert.Query()
	if _, err := s.db.ExecContext(ctx, text, args...); err != nil {
		return fmt.Errorf("start the event log: %w", err)
	}
	head := s.Builder().Select("epoch").From(entsql.Table("log_heads")).Where(entsql.EQ("id", 1))
	return s.Read(ctx, head, func(rows *sql.Rows) error { return rows.Scan(&s.Epoch) })
}

// NewEpoch returns a random name for a new event log.
func NewEpoch() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:]) >> 1)
}

// Secret returns the key that all processes share under name, 32 random bytes
// made by whoever asks first.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	text, args := s.Builder().Insert("secrets").Columns("name", "value").Values(name, fresh).
		OnConflict(entsql.ConflictColumns("name"), entsql.DoNothing()).Query()
	if _, err := s.db.ExecContext(ctx, text, args...); err != nil {
		return nil, fmt.Errorf("keep the key %q: %w", name, err)
	}
	var value []byte
	q := s.Builder().Select("value").From(entsql.Table("secrets")).Where(entsql.EQ("name", name))
	err := s.each(ctx, s.db, q, func(rows *sql.Rows) error { return rows.Scan(&value) })
	return value, err
}

// Head returns the log's last position.
func (s *Store) Head(ctx context.Context) (position int64, err error) {
	q := s.Builder().Select("position").From(entsql.Table("log_heads")).Where(entsql.EQ("id", 1))
	err = s.Read(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&position) })
	return position, err
}
