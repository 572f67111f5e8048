package message

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/desk/content"
	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// Response is what a channel says by itself in a conversation.
type Response struct {
	Conversation int64
	Moment       component.Moment
	Prepared     *component.Prepared // a text if it is of no component; nil if the answer is late
}

// stale is how old what a customer wrote may be when a channel answers it by itself.
const stale = time.Hour

// ErrLate is why nothing is said any more: somebody answered before, or an hour went by.
var ErrLate = errors.New("the customer was answered before, or wrote too long ago")

// IsLate reports whether nothing is said in a conversation any more.
func IsLate(row *conversation.Row, now clock.Time) bool {
	return row.LastDirection != content.Inbound || now.Sub(row.LastIncoming) > stale
}

// Respond queues what a channel says by itself, once for a conversation and a moment: it
// reports whether this call did. It moves neither owner, unread, preview nor place in lists,
// so that the customer goes on waiting for a person. A refusal is a *RefusedError or ErrLate.
func (m *Messenger) Respond(ctx context.Context, r Response) (sent bool, err error) {
	err = m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		sent, err = m.respond(ctx, tx, r)
		return err
	})
	if sent && err == nil {
		m.waiting.ring()
	}
	return sent, err
}

func (m *Messenger) respond(ctx context.Context, tx *store.Tx, r Response) (sent bool, err error) {
	row, err := m.Conversations.LoadCurrent(ctx, tx, r.Conversation)
	if err != nil {
		return false, err
	}
	said := false
	if err := tx.Query(ctx, findResponse.With(r.Conversation, string(r.Moment)), func(*sql.Rows) error { said = true; return nil }); err != nil || said {
		return false, err
	}
	if r.Prepared == nil || IsLate(row, tx.Now) {
		return false, ErrLate
	}
	party, err := m.party(ctx, tx, row)
	if err != nil {
		return false, err
	}
	p := m.responsePlan(ctx, row, party, r.Prepared)
	if s := Judge(p); !s.CanSend() {
		return false, &RefusedError{s.Refusals}
	}
	var made *Row
	if err := m.Conversations.Apply(ctx, tx, row, func(ctx context.Context, row *conversation.Row) (_ feed.Event, err error) {
		made, err = m.Insert(ctx, tx, row, New{Direction: content.Outbound, Source: content.AutoResponse, Content: p.content(), Status: channel.Queued})
		return added(made, ""), err
	}); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, noteResponse.With(r.Conversation, string(r.Moment), made.Key, int64(tx.Now))); err != nil {
		return false, err
	}
	if err := p.use(ctx, tx); err != nil {
		return false, err
	}
	return true, m.enqueue(ctx, tx, row.Channel(), row.Key, made.Key, 1, 0)
}

var (
	findResponse = store.Fixed(`SELECT message_id FROM auto_responses WHERE conversation_id = ? AND moment = ? AND session_id = 0`)
	noteResponse = store.Fixed(`INSERT INTO auto_responses (conversation_id, moment, message_id, created_at) VALUES (?, ?, ?, ?)`)
)

// responsePlan gathers what decides an automatic answer. No agent sends it, so that none
// needs a licence.
func (m *Messenger) responsePlan(ctx context.Context, row *conversation.Row, c *party, prepared *component.Prepared) Plan {
	p := m.plan(ctx, row, c, &prepared.Formats[0].Plain)
	p.Licensed, p.MaySend, p.Automatic = true, true, true
	if prepared.Component == 0 && len(prepared.Missing) == 0 {
		return p
	}
	p.Component = &Filled{prepared, prepared.Choose(row.Channel().Type, p.Header)}
	if chosen := p.Component.Choice.Chosen; chosen != nil {
		p.Text = &chosen.Plain
	}
	return p
}

// Codes are the refusals' codes, for logs.
func (e *RefusedError) Codes() string {
	codes := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		codes[i] = string(r.Code)
	}
	return strings.Join(codes, " ")
}
