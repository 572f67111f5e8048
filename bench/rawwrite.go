package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
)

// rawWriter writes by hand what Parley writes for one message: alone, or with its
// neighbours in one commit.
type rawWriter struct {
	db    *database
	write func(ctx context.Context, tx *sql.Tx, conversation int64) error
	keys  []int64 // of conversations, taken in turn
	next  atomic.Int64
	queue chan rawItem
	ended chan struct{}
	text  map[string]string // statements by name, bound
	facts []byte            // of an event, of the usual length
}

type rawItem struct {
	key  int64
	done chan error
}

// rawEnd is how each write ends, whatever it was.
var rawEnd = map[string]string{
	"participants": `UPDATE participants SET last_message_at = ? WHERE conversation_id = ?`,
	"position":     `UPDATE log_heads SET position = position + 1 WHERE id = 1 RETURNING position`,
	"cells": `INSERT INTO count_cells (owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new)
		VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?) ON CONFLICT (owner_id, channel_id, queue_id, object_type) DO UPDATE SET
		unread = count_cells.unread + excluded.unread, unread_inbound = count_cells.unread_inbound + excluded.unread_inbound,
		new = count_cells.new + excluded.new`,
	"event": `INSERT INTO events (id, cause, conversation_id, message_id, actor_id, idempotency_key, facts, created_at)
		VALUES (?, 'MESSAGE_ADDED', ?, ?, ?, ?, ?, ?)`,
}

// openRawWriter opens the database for so many clients; write follows.
func openRawWriter(ctx context.Context, path string, clients int, keys []int64, statements map[string]string) (*rawWriter, error) {
	db, err := openRaw(ctx, path, true, clients)
	if err != nil {
		return nil, err
	}
	w := &rawWriter{db: db, keys: keys, queue: make(chan rawItem), ended: make(chan struct{}), text: map[string]string{}}
	for _, some := range []map[string]string{statements, rawEnd} {
		for name, statement := range some {
			w.text[name] = db.bind(statement)
		}
	}
	if db.postgres {
		w.text["load"] += " FOR UPDATE OF c"
	}
	go func() { defer close(w.ended); w.group() }()
	row := db.QueryRowContext(ctx, "SELECT facts FROM events WHERE cause = 'CONVERSATION_CHANGED' ORDER BY id LIMIT 1")
	if err := row.Scan(&w.facts); err != nil {
		_ = w.close()
		return nil, fmt.Errorf("read an event: %w", err)
	}
	w.facts = append(w.facts[:len(w.facts)-1], append([]byte(`,"b":`), append(w.facts[len(`{"a":`):len(w.facts)-1], '}')...)...)
	return w, nil
}

func (w *rawWriter) close() error {
	close(w.queue)
	<-w.ended
	return w.db.Close()
}

func (w *rawWriter) pick() int64 { return w.keys[int(w.next.Add(1))%len(w.keys)] }

// alone sends in a transaction of its own.
func (w *rawWriter) alone(ctx context.Context, _ int) error {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := w.write(ctx, tx, w.pick()); err != nil {
		return err
	}
	return tx.Commit()
}

// grouped waits for a commit that it sharew.
func (w *rawWriter) grouped(context.Context, int) error {
	it := rawItem{w.pick(), make(chan error, 1)}
	w.queue <- it
	return <-it.done
}

// group commits what waits together, 64 at most, until the queue closew.
func (w *rawWriter) group() {
	for it := range w.queue {
		items := []rawItem{it}
		for more := true; more && len(items) < 64; {
			select {
			case it, ok := <-w.queue:
				if more = ok; ok {
					items = append(items, it)
				}
			default:
				more = false
			}
		}
		err := w.commit(items)
		for _, it := range items {
			it.done <- err
		}
	}
}

func (w *rawWriter) commit(items []rawItem) error {
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, it := range items {
		if err := w.write(ctx, tx, it.key); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// cell is a count cell that moves, and by how much.
type cell struct {
	owner, channel, queue int64
	objectType            string
	unread, inbound, new  int64
}

// record writes the end: participants' times, position, counts where they move,
// event.
func (w *rawWriter) record(ctx context.Context, tx *sql.Tx, c cell, conversation, message, actor, now int64, key string) error {
	if _, err := tx.ExecContext(ctx, w.text["participants"], now, conversation); err != nil {
		return err
	}
	var position int64
	if err := tx.QueryRowContext(ctx, w.text["position"]).Scan(&position); err != nil {
		return err
	}
	if c.unread != 0 || c.new != 0 {
		if _, err := tx.ExecContext(ctx, w.text["cells"], c.owner, c.channel, c.queue, c.objectType, c.unread, c.inbound, c.new); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, w.text["event"], position, conversation, message, actor, key, w.facts, now)
	return err
}
