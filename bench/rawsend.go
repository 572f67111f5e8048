package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

// rawSender writes by hand what a send writes: the idempotency key and its
// result, the message, its attempt, the conversation and its participants' times,
// the lane's job, the log's position, the counts where they move, and the event.
type rawSender struct {
	db     *database
	agent  int64
	keys   []int64
	queue  chan rawItem
	next   atomic.Int64
	text   map[string]string // statements by name, bound
	hash   []byte
	filler []byte // facts of an event, of the usual length
}

type rawItem struct {
	key  int64
	done chan error
}

// rawStatements are in the order of a send.
var rawStatements = map[string]string{
	"claim": `INSERT INTO idempotency_keys (agent_id, mutation, key, payload_hash, result_id, created_at) VALUES (?, 'sendMessage', ?, ?, 0, ?)
		ON CONFLICT (agent_id, mutation, key) DO NOTHING`,
	"load": `SELECT c.channel_id, COALESCE(c.queue_id, 0), c.object_type, c.is_unread, c.inbound_count, c.read_count, c.last_seq,
		h.provider_account_id, u.consent_status FROM conversations c JOIN channels h ON h.id = c.channel_id
		JOIN messaging_users u ON u.id = c.messaging_user_id WHERE c.id = ?`,
	"message": `INSERT INTO messages (conversation_id, seq, direction, kind, source, text, author_id, status, inbound_ordinal, created_at)
		VALUES (?, ?, 'OUTBOUND', 'TEXT', 'DESK', ?, ?, 'QUEUED', ?, ?) RETURNING id`,
	"conversation": `UPDATE conversations SET preview = ?, last_message_at = ?, last_message_id = ?, last_direction = 'OUTBOUND',
		is_unread = ?, read_count = ?, last_seq = ? WHERE id = ?`,
	"participants": `UPDATE participants SET last_message_at = ? WHERE conversation_id = ?`,
	"attempt": `INSERT INTO attempts (conversation_id, message_id, number, status, provider_account_id, throttled, updated_at, created_at)
		VALUES (?, ?, 1, 'QUEUED', ?, 0, ?, ?)`,
	"result":   `UPDATE idempotency_keys SET result_id = ? WHERE agent_id = ? AND mutation = 'sendMessage' AND key = ?`,
	"job":      `INSERT INTO river_job (kind, args, max_attempts) VALUES ('bench_send', ?, 25)`,
	"position": `UPDATE log_heads SET position = position + 1 WHERE id = 1 RETURNING position`,
	"cells": `INSERT INTO count_cells (owner_id, channel_id, queue_id, object_type, conversations, with_inbound, unread, unread_inbound, new)
		VALUES (?, ?, ?, ?, 0, 0, -1, ?, ?) ON CONFLICT (owner_id, channel_id, queue_id, object_type) DO UPDATE SET
		unread = count_cells.unread + excluded.unread, unread_inbound = count_cells.unread_inbound + excluded.unread_inbound,
		new = count_cells.new + excluded.new`,
	"event": `INSERT INTO events (id, cause, conversation_id, message_id, actor_id, idempotency_key, facts, created_at)
		VALUES (?, 'MESSAGE_ADDED', ?, ?, ?, ?, ?, ?)`,
}

func (s *rawSender) prepare(ctx context.Context) error {
	s.text, s.hash = map[string]string{}, make([]byte, 32)
	for name, statement := range rawStatements {
		s.text[name] = s.db.bind(statement)
	}
	if s.db.postgres {
		s.text["load"] += " FOR UPDATE OF c"
	}
	row := s.db.QueryRowContext(ctx, "SELECT facts FROM events WHERE cause = 'CONVERSATION_CHANGED' ORDER BY id LIMIT 1")
	if err := row.Scan(&s.filler); err != nil {
		return fmt.Errorf("read an event: %w", err)
	}
	s.filler = append(s.filler[:len(s.filler)-1], append([]byte(`,"b":`), append(s.filler[len(`{"a":`):len(s.filler)-1], '}')...)...)
	return nil
}

func (s *rawSender) pick() int64 { return s.keys[int(s.next.Add(1))%len(s.keys)] }

// alone sends in a transaction of its own.
func (s *rawSender) alone(ctx context.Context, _ int) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := s.send(ctx, tx, s.pick()); err != nil {
		return err
	}
	return tx.Commit()
}

// grouped waits for a commit that it shares.
func (s *rawSender) grouped(context.Context, int) error {
	it := rawItem{s.pick(), make(chan error, 1)}
	s.queue <- it
	return <-it.done
}

// group commits what waits together, 64 at most, until the queue closes.
func (s *rawSender) group() {
	for it := range s.queue {
		items := []rawItem{it}
		for more := true; more && len(items) < 64; {
			select {
			case it, ok := <-s.queue:
				if more = ok; ok {
					items = append(items, it)
				}
			default:
				more = false
			}
		}
		err := s.commit(items)
		for _, it := range items {
			it.done <- err
		}
	}
}

func (s *rawSender) commit(items []rawItem) error {
	ctx := context.Background()
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, it := range items {
		if err := s.send(ctx, tx, it.key); err != nil {
			return err
		}
	}
	return tx.Commit()
}

const rawText = "Thank you, we will be there on Tuesday."

// loaded is what a send needs to know of its conversation.
type loaded struct {
	channel, queue, inbound, read, seq, account int64
	objectType, consent                         string
	unread                                      bool
}

func (s *rawSender) send(ctx context.Context, tx *sql.Tx, conversation int64) error {
	now, key := time.Now().UnixMicro(), rand.Text()
	var c loaded
	var message int64
	if _, err := tx.ExecContext(ctx, s.text["claim"], s.agent, key, s.hash, now); err != nil {
		return err
	}
	err := tx.QueryRowContext(ctx, s.text["load"], conversation).
		Scan(&c.channel, &c.queue, &c.objectType, &c.unread, &c.inbound, &c.read, &c.seq, &c.account, &c.consent)
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, s.text["message"], conversation, c.seq+1, rawText, s.agent, c.inbound, now).Scan(&message)
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		args []any
	}{
		{"conversation", []any{rawText, now, message, false, c.inbound, c.seq + 1, conversation}},
		{"participants", []any{now, conversation}},
		{"attempt", []any{conversation, message, c.account, now, now}},
		{"result", []any{message, s.agent, key}},
		{"job", []any{fmt.Sprintf(`{"conversation_id":%d}`, conversation)}},
	} {
		if _, err := tx.ExecContext(ctx, s.text[step.name], step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return s.record(ctx, tx, c, conversation, message, now, key)
}

// record writes the end: position, counts, event.
func (s *rawSender) record(ctx context.Context, tx *sql.Tx, c loaded, conversation, message, now int64, key string) error {
	var position int64
	if err := tx.QueryRowContext(ctx, s.text["position"]).Scan(&position); err != nil {
		return err
	}
	if c.unread {
		withInbound := 0
		if c.inbound > 0 {
			withInbound = -1
		}
		if _, err := tx.ExecContext(ctx, s.text["cells"], s.agent, c.channel, c.queue, c.objectType, withInbound, c.read-c.inbound); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, s.text["event"], position, conversation, message, s.agent, key, s.filler, now)
	return err
}
