package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"time"

	"parley/internal/channel"
)

// rawReceiver writes by hand what a customer's message writes: the raw entry, the
// message, the conversation and its participants' times, the log's position, the
// counts, and the event. The customer is found, and known.
type rawReceiver struct {
	*rawWriter
	customers map[int64]customer // by conversation
}

// customer is who writes in a conversation, and where to.
type customer struct {
	address, to      string
	channel, account int64
}

var rawReceiveStatements = map[string]string{
	"raw": `INSERT INTO raw_inbounds (provider_account_id, event_id, state, provider_id, payload, created_at) VALUES (?, ?, 'DONE', '', ?, ?)
		ON CONFLICT (provider_account_id, event_id) DO NOTHING`,
	"load": `SELECT c.id, c.channel_id, COALESCE(c.owner_id, 0), COALESCE(c.queue_id, 0), c.object_type, c.is_unread, c.inbound_count, c.last_seq
		FROM messaging_users u JOIN conversations c ON c.messaging_user_id = u.id WHERE u.channel_id = ? AND u.address = ?`,
	"message": `INSERT INTO messages (conversation_id, seq, direction, kind, source, text, inbound_ordinal, provider_account_id, provider_id, created_at)
		VALUES (?, ?, 'INBOUND', 'TEXT', 'CUSTOMER', ?, ?, ?, ?, ?) RETURNING id`,
	"conversation": `UPDATE conversations SET preview = ?, last_message_at = ?, last_message_id = ?, last_direction = 'INBOUND', last_incoming_at = ?,
		is_unread = ?, inbound_count = ?, last_seq = ? WHERE id = ?`,
}

func openRawReceiver(ctx context.Context, path string, clients int, keys []int64, customers map[int64]customer) (*rawWriter, error) {
	w, err := openRawWriter(ctx, path, clients, keys, rawReceiveStatements)
	if err == nil {
		w.write = (&rawReceiver{w, customers}).receive
	}
	return w, err
}

func (r *rawReceiver) receive(ctx context.Context, tx *sql.Tx, conversation int64) error {
	now, id, from := time.Now().UnixMicro(), rand.Text(), r.customers[conversation]
	entry, err := json.Marshal(channel.Kept{Message: &channel.Inbound{EventID: id, ProviderID: id, From: from.address, To: from.to, Text: rawText}})
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, r.text["raw"], from.account, id, entry, now); err != nil {
		return err
	}
	var key, inbound, seq, message int64
	var unread bool
	moves := cell{new: 1}
	err = tx.QueryRowContext(ctx, r.text["load"], from.channel, from.address).
		Scan(&key, &moves.channel, &moves.owner, &moves.queue, &moves.objectType, &unread, &inbound, &seq)
	if err != nil {
		return err
	}
	if !unread {
		moves.unread, moves.inbound = 1, 1
	}
	err = tx.QueryRowContext(ctx, r.text["message"], key, seq+1, rawText, inbound+1, from.account, id, now).Scan(&message)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, r.text["conversation"], rawText, now, message, now, true, inbound+1, seq+1, key); err != nil {
		return err
	}
	return r.record(ctx, tx, moves, key, message, 0, now, "")
}
