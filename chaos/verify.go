package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/store"
)

func is(key int64) *entsql.Predicate { return entsql.EQ("id", key) }

func scan(into ...any) func(*sql.Rows) error {
	return func(rows *sql.Rows) error { return rows.Scan(into...) }
}

// leaseTime is how long queued messages may wait after a fault: a lease (30 s),
// the sweep that finds the lane (15 s), and time to send.
const leaseTime = 60 * time.Second

// finish ends a scenario whose fault is over: a new write succeeds, queued
// messages leave, streams come to the truth, and the database and the carriers
// hold what was acknowledged.
func (w *world) finish(ctx context.Context, l *load, c *crowd) error {
	took, err := l.reaches(ctx, threads/2, leaseTime)
	if err != nil {
		return err
	}
	l.stop()
	seconds := time.Since(l.began).Seconds()
	drained, err := w.drained(ctx)
	if err == nil {
		err = c.settle(ctx, l)
	}
	c.end()
	if err != nil {
		return err
	}
	breaks, resyncs := c.breaks()
	w.note("%d writes acknowledged (%.0f/s), failed calls:%s", l.count(), float64(l.count())/seconds, l.refusals())
	w.note("%d streams broken and resumed, %d resyncs", breaks, resyncs)
	w.note("writes after %s, queue empty after %s", round(took), round(drained))
	return errors.Join(w.stop(), l.problem, w.inspect(ctx, func(s *store.Store) error { return w.verify(ctx, s, l) }))
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// drained waits until nothing is queued or on its way to a carrier.
func (w *world) drained(ctx context.Context) (took time.Duration, err error) {
	err = w.inspect(ctx, func(s *store.Store) error {
		took, err = eventually(ctx, leaseTime, "queued messages leave", func() (bool, string) {
			waiting := 0
			err := s.Read(ctx, store.System("a check after faults"), store.SQL("SELECT COUNT(*) FROM attempts WHERE status = 'QUEUED' OR status = 'SENDING'"), scan(&waiting))
			return err == nil && waiting == 0, fmt.Sprint(waiting, " wait ", err)
		})
		return err
	})
	return took, err
}

// none are statements that must find nothing.
var none = map[string]string{
	"numbers are dense": `SELECT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id GROUP BY c.id, c.first_seq, c.last_seq
		HAVING COUNT(*) <> c.last_seq - c.first_seq + 1 OR MIN(m.seq) <> c.first_seq OR MAX(m.seq) <> c.last_seq`,
	"no text twice": `SELECT MIN(id) FROM messages WHERE text <> 'Hello' GROUP BY text HAVING COUNT(*) > 1`,
	"inbound counts": `SELECT c.id FROM conversations c WHERE c.read_count > c.inbound_count OR c.inbound_count <>
		(SELECT COUNT(*) FROM messages m WHERE m.conversation_id = c.id AND m.direction = 'INBOUND')`,
	"the log is dense and ends at its head": `SELECT h.id FROM log_heads h WHERE h.position <> (SELECT COALESCE(MAX(id), 0) FROM events)
		OR h.position <> (SELECT COUNT(*) + COALESCE(MIN(id), 1) - 1 FROM events)`,
	"counts equal the rows": `SELECT 1 FROM (` + recounted + ` EXCEPT ` + cells + `) a UNION ALL SELECT 1 FROM (` + cells + ` EXCEPT ` + recounted + `) b`,
	"every outbound has an attempt of its status": `SELECT m.id FROM messages m WHERE m.direction = 'OUTBOUND' AND NOT EXISTS
		(SELECT 1 FROM attempts a WHERE a.message_id = m.id AND a.status = m.status)`,
	"webhook entries have their message": `SELECT r.id FROM raw_inbounds r JOIN provider_accounts p ON p.id = r.provider_account_id
		WHERE p.provider = 'sandbox' AND r.event_id LIKE 'm %' AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.text = r.event_id)`,
}

const recounted = `SELECT COALESCE(owner_id, 0) AS o, channel_id, COALESCE(queue_id, 0) AS q, object_type, COUNT(*) AS n,
	SUM(CASE WHEN inbound_count > 0 THEN 1 ELSE 0 END) AS i, SUM(CASE WHEN is_unread THEN 1 ELSE 0 END) AS u,
	SUM(CASE WHEN is_unread AND inbound_count > 0 THEN 1 ELSE 0 END) AS ui, SUM(inbound_count - read_count) AS w
	FROM conversations GROUP BY 1, 2, 3, 4`

const cells = `SELECT owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new
	FROM count_cells WHERE conversations <> 0`

// consistent checks what must hold of a database whatever happened to it.
func consistent(ctx context.Context, s *store.Store) error {
	for what, statement := range none {
		found := 0
		if err := s.Read(ctx, store.System("a check after faults"), store.SQL(statement), func(*sql.Rows) error { found++; return nil }); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if found > 0 {
			return fmt.Errorf("%s: not so in %d cases", what, found)
		}
	}
	if s.Pool() != nil {
		return nil
	}
	said := ""
	if err := s.Read(ctx, store.System("a check after faults"), store.SQL("PRAGMA integrity_check"), scan(&said)); err != nil || said != "ok" {
		return fmt.Errorf("the file is damaged: %s %w", said, err)
	}
	return nil
}

// verify checks that the database and the carriers hold what was acknowledged,
// once and in order.
func (w *world) verify(ctx context.Context, s *store.Store, l *load) error {
	if err := consistent(ctx, s); err != nil {
		return err
	}
	stored, err := w.stored(ctx, s)
	if err != nil {
		return err
	}
	for words := range l.acknowledged {
		if stored[words] == nil {
			return fmt.Errorf("%q was acknowledged and is lost", words)
		}
	}
	for words := range stored {
		if l.acknowledged[words] == nil && !l.open[words] {
			return fmt.Errorf("%q is there and nobody wrote it", words)
		}
	}
	return w.sentOnce(stored)
}

// row is a stored message.
type row struct {
	conversation, seq int64
	direction, status string
}

// stored reads the messages of the load and checks that each client's come in
// the order it wrote them.
func (w *world) stored(ctx context.Context, s *store.Store) (map[string]*row, error) {
	stored, last := map[string]*row{}, map[string]int{}
	q := store.SQL("SELECT text, conversation_id, seq, direction, status FROM messages WHERE text <> 'Hello' ORDER BY conversation_id, seq")
	err := s.Read(ctx, store.System("a check after faults"), q, func(rows *sql.Rows) error {
		words, m := "", &row{}
		if err := rows.Scan(&words, &m.conversation, &m.seq, &m.direction, &m.status); err != nil {
			return err
		}
		stored[words] = m
		client, _, _ := strings.Cut(words, ".")
		number := numberOf(words)
		if number <= last[client] {
			return fmt.Errorf("%q comes after number %d of its client", words, last[client])
		}
		last[client] = number
		return nil
	})
	return stored, err
}

// sentOnce checks that the carriers got each message once and in order: a send
// that was answered by a carrier that takes our key, exactly once; by one that
// takes none, at most once and, if it did not get it, visibly UNKNOWN.
func (w *world) sentOnce(stored map[string]*row) error {
	got, last := map[string]bool{}, map[int64]int64{}
	for _, m := range w.carriers.got() {
		s := stored[m.Text]
		switch {
		case got[m.Text]:
			return fmt.Errorf("%q was sent twice", m.Text)
		case s == nil:
			return fmt.Errorf("%q was sent and is not there", m.Text)
		case s.seq <= last[s.conversation]:
			return fmt.Errorf("%q was sent out of its order", m.Text)
		}
		got[m.Text], last[s.conversation] = true, s.seq
	}
	unknown := 0
	for words, s := range stored {
		switch {
		case s.direction != "OUTBOUND" || got[words] && s.status != "UNKNOWN" && s.status != "FAILED":
		case s.status == "UNKNOWN" && (w.loses || w.threadOf(words).keyless):
			unknown++
		default:
			return fmt.Errorf("%q is %s; the carrier got it: %t", words, s.status, got[words])
		}
	}
	w.note("%d messages at the carriers, each once, %d shown as UNKNOWN", len(got), unknown)
	return nil
}

// numberOf is a text's number among those of its client.
func numberOf(words string) (n int) {
	client := 0
	_, _ = fmt.Sscanf(words, "m %d.%d", &client, &n) // as load wrote it
	return n
}

func (w *world) threadOf(words string) *thread {
	n := 0
	_, _ = fmt.Sscanf(words, "m %d.", &n) // as load wrote it
	return w.threads[n]
}
