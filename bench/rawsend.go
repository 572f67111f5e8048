package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"
)

// rawSender writes by hand what a send writes: the idempotency key and its
// result, the message, its attempt, the conversation and its participants' times,
// the lane's job, the log's position, the counts where they move, and the event.
type rawSender struct {
	*rawWriter
	agent int64
	hash  []byte
}

var rawSendStatements = map[string]string{
	"claim": `INSERT INTO idempotency_keys (agent_id, mutation, key, payload_hash, result_id, created_at) VALUES (?, 'sendMessage', ?, ?, 0, ?)
		ON CONFLICT (agent_id, mutation, key) DO NOTHING`,
	"load": `SELECT c.channel_id, COALESCE(c.queue_id, 0), c.object_type, c.is_unread, c.inbound_count, c.read_count, c.last_seq,
		h.provider_account_id, u.consent_status FROM conversations c JOIN channels h ON h.id = c.channel_id
		JOIN messaging_users u ON u.id = c.messaging_user_id WHERE c.id = ?`,
	"message": `INSERT INTO messages (conversation_id, seq, direction, kind, source, text, author_id, status, inbound_ordinal, created_at)
		VALUES (?, ?, 'OUTBOUND', 'TEXT', 'DESK', ?, ?, 'QUEUED', ?, ?) RETURNING id`,
	"conversation": `UPDATE conversations SET preview = ?, last_message_at = ?, last_message_id = ?, last_direction = 'OUTBOUND',
		is_unread = ?, read_count = ?, last_seq = ? WHERE id = ?`,
	"attempt": `INSERT INTO attempts (conversation_id, message_id, number, status, provider_account_id, throttled, updated_at, created_at)
		VALUES (?, ?, 1, 'QUEUED', ?, 0, ?, ?)`,
	"result": `UPDATE idempotency_keys SET result_id = ? WHERE agent_id = ? AND mutation = 'sendMessage' AND key = ?`,
	"job":    `INSERT INTO river_job (kind, args, max_attempts) VALUES ('bench_send', ?, 25)`,
}

func openRawSender(ctx context.Context, path string, clients int, agent int64, keys []int64) (*rawWriter, error) {
	w, err := openRawWriter(ctx, path, clients, keys, rawSendStatements)
	if err == nil {
		w.write = (&rawSender{w, agent, make([]byte, 32)}).send
	}
	return w, err
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
		{"attempt", []any{conversation, message, c.account, now, now}},
		{"result", []any{message, s.agent, key}},
		{"job", []any{fmt.Sprintf(`{"conversation_id":%d}`, conversation)}},
	} {
		if _, err := tx.ExecContext(ctx, s.text[step.name], step.args...); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return s.record(ctx, tx, c.moves(s.agent), conversation, message, s.agent, now, key)
}

// moves is how a send by the owner moves the counts: what was unread is read.
func (c *loaded) moves(owner int64) cell {
	by := cell{owner: owner, channel: c.channel, queue: c.queue, objectType: c.objectType}
	if c.unread {
		by.unread, by.new = -1, c.read-c.inbound
		if c.inbound > 0 {
			by.inbound = -1
		}
	}
	return by
}
