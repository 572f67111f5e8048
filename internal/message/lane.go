package message

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"net/url"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/clock"
	"parley/internal/conversation"
	"parley/internal/directory"
	"parley/internal/publicid"
	"parley/internal/store"
	"parley/internal/viewer"
)

// DrainLane is the job that sends a conversation's queued messages, in order.
type DrainLane struct {
	ConversationID int64 `json:"conversation_id"`
}

// Kind implements river.JobArgs.
func (DrainLane) Kind() string { return "drain_lane" }

// mostThrottled is how often in a row a message waits for a busy carrier before
// it fails.
const mostThrottled = 8

// call is one attempt that is SENDING, ready for the carrier.
type call struct {
	attempt  int64
	message  int64
	provider channel.Provider
	account  channel.Account
	out      channel.Outgoing
}

// lane is one worker's hold on a conversation's queue.
type lane struct {
	m            *Messenger
	conversation int64
	token        int64
}

// Drain sends what waits in the conversation, one message after another, under
// the lane's lease: two workers never send for one conversation at a time. It
// returns how long to wait before the lane should be drained again, 0 when there
// is nothing left to do.
//
// SENDING is committed before the carrier is called. A crash in between leaves
// the attempt SENDING; whoever takes the lane next sends it again only through a
// provider that takes our key, else marks it UNKNOWN.
func (m *Messenger) Drain(ctx context.Context, conversation int64) (again time.Duration, err error) {
	ctx = viewer.AsSystem(ctx, "lane")
	l := &lane{m: m, conversation: conversation, token: randomToken()}
	next, again, err := l.step(ctx, l.take, nil, channel.Result{})
	for err == nil && next != nil {
		result := l.send(ctx, next)
		next, again, err = l.step(ctx, l.renew, next, result)
	}
	return again, err
}

func randomToken() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:])>>1) | 1
}

func (m *Messenger) callTimeout() time.Duration {
	if m.CallTimeout > 0 {
		return m.CallTimeout
	}
	return 10 * time.Second
}

func (m *Messenger) lease() time.Duration {
	if m.Lease > 0 {
		return m.Lease
	}
	return 3 * m.callTimeout()
}

// send calls the carrier. A server that shuts down lets the call finish.
func (l *lane) send(ctx context.Context, c *call) channel.Result {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.m.callTimeout())
	defer cancel()
	return c.provider.Send(ctx, c.account, c.out)
}

// step is one transaction of the lane: settle the call that was made, if any,
// make sure of the lease, and pick the next call.
func (l *lane) step(ctx context.Context, hold holder, made *call, result channel.Result) (next *call, again time.Duration, err error) {
	err = l.m.Desk.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		next, again = nil, 0
		if made != nil {
			if again, err = l.settle(ctx, tx, made, result); err != nil {
				return err
			}
			if again > 0 {
				return l.rest(ctx, tx, again)
			}
		}
		held, wait, err := hold(ctx, tx)
		if err != nil || !held {
			again = wait
			return err
		}
		next, err = l.pick(ctx, tx)
		if err == nil && next == nil {
			_, err = tx.Exec(ctx, tx.Builder().Delete("lanes").Where(l.mine()))
		}
		return err
	})
	return next, again, err
}

type holder func(ctx context.Context, tx *store.Tx) (held bool, wait time.Duration, err error)

func (l *lane) mine() *entsql.Predicate {
	return entsql.And(entsql.EQ("id", l.conversation), entsql.EQ("token", l.token))
}

// take takes the lane when it is free or its lease has run out; else it tells
// how long the present holder may keep it.
func (l *lane) take(ctx context.Context, tx *store.Tx) (bool, time.Duration, error) {
	insert := tx.Builder().Insert("lanes").Columns("id", "token", "leased_until").
		Values(l.conversation, l.token, int64(tx.Now.Add(l.m.lease()))).
		OnConflict(entsql.ConflictColumns("id"), entsql.ResolveWithNewValues(),
			entsql.UpdateWhere(entsql.LTE("leased_until", int64(tx.Now))))
	n, err := tx.Exec(ctx, insert)
	if err != nil || n > 0 {
		return n > 0, 0, err
	}
	var until clock.Time
	q := tx.Builder().Select("leased_until").From(entsql.Table("lanes")).Where(entsql.EQ("id", l.conversation))
	err = tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&until) })
	return false, max(until.Sub(tx.Now), time.Millisecond), err
}

// renew keeps the lease, unless another worker has taken the lane.
func (l *lane) renew(ctx context.Context, tx *store.Tx) (bool, time.Duration, error) {
	n, err := tx.Exec(ctx, tx.Builder().Update("lanes").Set("leased_until", int64(tx.Now.Add(l.m.lease()))).Where(l.mine()))
	return n > 0, 0, err
}

// rest keeps everybody off the lane until the carrier can be asked again.
func (l *lane) rest(ctx context.Context, tx *store.Tx, wait time.Duration) error {
	_, err := tx.Exec(ctx, tx.Builder().Update("lanes").Set("token", 0).Set("leased_until", int64(tx.Now.Add(wait))).Where(l.mine()))
	return err
}

// waiting is the first attempt of the queue.
type waiting struct {
	attempt, message int64
	status           channel.Status
	text             string
	consent          channel.Consent
}

// pick makes the next attempt SENDING and returns it; nil when none waits. It
// settles by itself what needs no carrier: an attempt that hangs from a crash,
// and one that may not be sent any more.
func (l *lane) pick(ctx context.Context, tx *store.Tx) (*call, error) {
	for {
		w, err := l.first(ctx, tx)
		if err != nil || w == nil {
			return nil, err
		}
		row, err := l.m.Desk.Load(ctx, tx, l.conversation)
		if err != nil {
			return nil, err
		}
		ch := row.Channel()
		again, result := w.blocked(l.m, ch)
		if !again {
			if err := l.m.settle(ctx, tx, row, w.attempt, result); err != nil {
				return nil, err
			}
			continue
		}
		if w.status == channel.Queued {
			if err := l.m.settle(ctx, tx, row, w.attempt, settlement{status: channel.Sending}); err != nil {
				return nil, err
			}
		}
		return l.m.call(w, row, ch), nil
	}
}

// blocked reports whether the attempt may go to the carrier, and if not, how it
// is settled instead.
func (w *waiting) blocked(m *Messenger, ch *directory.Channel) (send bool, instead settlement) {
	provider := m.Providers[ch.Account.Provider]
	switch {
	case w.status == channel.Sending && (provider == nil || !provider.TakesKey()):
		return false, settlement{status: channel.Unsettled, code: channel.TimedOut, detail: "no answer before the server stopped"}
	case w.status == channel.Sending:
		return true, settlement{}
	case w.consent == channel.OptOut:
		return false, settlement{status: channel.Failed, code: channel.RecipientBlocked, detail: "opted out while queued"}
	case !ch.IsActive || !m.online(ch):
		return false, settlement{status: channel.Failed, code: channel.ChannelCannotSend, detail: "the channel is switched off"}
	}
	return true, settlement{}
}

func (l *lane) first(ctx context.Context, tx *store.Tx) (w *waiting, err error) {
	a, m := entsql.Table("attempts").As("a"), entsql.Table("messages").As("m")
	c, u := entsql.Table("conversations").As("c"), entsql.Table("messaging_users").As("u")
	q := tx.Builder().Select(a.C("id"), a.C("message_id"), a.C("status"), m.C("text"), u.C("consent_status")).
		From(a).Join(m).On(a.C("message_id"), m.C("id")).
		Join(c).On(m.C("conversation_id"), c.C("id")).Join(u).On(c.C("messaging_user_id"), u.C("id")).
		Where(entsql.And(entsql.EQ(a.C("conversation_id"), l.conversation), inLane(a))).
		OrderBy(a.C("message_id"), a.C("id")).Limit(1)
	err = tx.Query(ctx, q, func(rows *sql.Rows) error {
		w = &waiting{}
		return rows.Scan(&w.attempt, &w.message, &w.status, &w.text, &w.consent)
	})
	return w, err
}

// inLane is the condition of the partial index attempt_lane, spelled out.
func inLane(a *entsql.SelectTable) *entsql.Predicate {
	return entsql.P(func(b *entsql.Builder) { b.Ident(a.C("status")).WriteString(" IN ('QUEUED', 'SENDING')") })
}

func (m *Messenger) call(w *waiting, row *conversation.Row, ch *directory.Channel) *call {
	key := m.Desk.IDs.Encode(publicid.Attempt, w.attempt)
	return &call{
		attempt: w.attempt, message: w.message, provider: m.Providers[ch.Account.Provider], account: ch.Account.Account,
		out: channel.Outgoing{
			AttemptKey: key, From: ch.Address, To: row.Address, Text: w.text,
			StatusURL: m.PublicURL + "/webhooks/" + ch.Account.Provider + "/" + ch.Account.Key + "?attempt=" + url.QueryEscape(key),
		},
	}
}

// settle records what the carrier answered. A carrier that surely did not take
// the message, because it is busy or out of reach, gets a new attempt later: the
// returned wait.
func (l *lane) settle(ctx context.Context, tx *store.Tx, c *call, r channel.Result) (time.Duration, error) {
	row, err := l.m.Desk.Load(ctx, tx, l.conversation)
	if err != nil {
		return 0, err
	}
	s := settlement{code: r.Code, detail: r.Detail}
	switch r.Outcome {
	case channel.Accepted:
		s = settlement{status: channel.Sent, providerID: r.ProviderID}
	case channel.Rejected:
		s.status = channel.Failed
	case channel.Throttled, channel.Unreachable:
		s.status = channel.Failed
		return l.m.putOff(ctx, tx, row, c, s, r.RetryAfter)
	default:
		s.status, s.code = channel.Unsettled, channel.TimedOut
	}
	if err := l.m.settle(ctx, tx, row, c.attempt, s); err != nil {
		return 0, err
	}
	return 0, l.m.applyPending(ctx, tx, c.account.ID, r.ProviderID)
}

// putOff fails the attempt and queues the next one, after a wait that doubles up
// to five minutes; after mostThrottled in a row the message has failed.
func (m *Messenger) putOff(ctx context.Context, tx *store.Tx, row *conversation.Row, c *call, s settlement, wait time.Duration) (time.Duration, error) {
	a, err := loadAttempt(ctx, tx, entsql.EQ("`a`.`id`", c.attempt))
	if err != nil {
		return 0, err
	}
	if err := m.settle(ctx, tx, row, c.attempt, s); err != nil || a.throttled+1 >= mostThrottled {
		return 0, err
	}
	if err := m.again(ctx, tx, row, a, a.throttled+1, ""); err != nil {
		return 0, err
	}
	backoff := min(time.Second<<a.throttled, 5*time.Minute)
	return min(max(wait, backoff), 15*time.Minute), nil
}

// SweepLanes wakes lanes that hold something older than a lease and that nobody
// holds: their job was lost with the process that ran it. It tells how many.
func (m *Messenger) SweepLanes(ctx context.Context) (n int, err error) {
	ctx = viewer.AsSystem(ctx, "lane")
	err = m.Desk.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		n = 0
		a, l := entsql.Table("attempts").As("a"), entsql.Table("lanes").As("l")
		q := tx.Builder().Select(a.C("conversation_id")).Distinct().From(a).LeftJoin(l).On(a.C("conversation_id"), l.C("id")).
			Where(entsql.And(inLane(a), entsql.LT(a.C("updated_at"), int64(tx.Now.Add(-m.lease()))),
				entsql.Or(entsql.IsNull(l.C("id")), entsql.LTE(l.C("leased_until"), int64(tx.Now))))).Limit(1000)
		return tx.Query(ctx, q, func(rows *sql.Rows) error {
			var conversation int64
			err := rows.Scan(&conversation)
			tx.Enqueue(DrainLane{conversation}, nil)
			n++
			return err
		})
	})
	return n, err
}
