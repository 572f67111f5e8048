package message

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"parley/internal/channel"
	"parley/internal/ground/clock"
	"parley/internal/ground/lease"
	"parley/internal/ground/store"
	"parley/internal/ground/trace"
	"parley/internal/ground/viewer"
)

// call is one attempt that is SENDING, ready for the carrier.
type call struct {
	attempt  int64
	message  int64
	provider channel.Provider
	account  channel.Account
	out      channel.Outgoing
	again    bool           // it was called before, and what came of that nobody knows
	result   channel.Result // once it was made
}

// resting is the token of a lane that nobody holds but that must not be drained
// before its lease has run out.
const resting = 0

// lane is one worker's hold on a conversation's queue.
type lane struct {
	m            *Messenger
	conversation int64
	token        int64
	cutOff       int           // attempts that the step found in doubt
	left         time.Duration // how long the step leaves the first attempt to others
	rests        time.Duration // how long it is until the first attempt's turn
}

// Drain sends what waits in the conversation, one message after another, under
// the lane's lease: two workers never send for one conversation at a time. It
// returns how long to wait before the lane should be drained again, 0 when there
// is nothing left for this worker to do.
//
// SENDING is committed before the carrier is called. A crash in between leaves
// the attempt SENDING; whoever takes the lane next sends it again only through a
// provider that takes our key, else marks it UNKNOWN.
//
// When ctx ends, the call under way may finish, its answer is kept, and another
// job takes over.
func (m *Messenger) Drain(ctx context.Context, conversation int64) (again time.Duration, err error) {
	ctx = viewer.AsSystem(ctx, "lane")
	l := &lane{m: m, conversation: conversation, token: lease.Token()}
	next, again, err := l.step(ctx, l.take, nil)
	for err == nil && next != nil {
		next.result = l.send(ctx, next)
		next, again, err = l.step(ctx, l.renew, next)
	}
	return again, err
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
	name := c.provider.Name()
	ctx, span := trace.Start(ctx, "send by "+name, oteltrace.WithSpanKind(oteltrace.SpanKindClient))
	defer span.End()
	start := time.Now()
	result := c.provider.Send(ctx, c.account, c.out)
	l.m.uses.note(c.account.ID, result, l.m.Store.Clock.Now())
	l.m.Metrics.called(name, result.Outcome, time.Since(start))
	if span.IsRecording() {
		span.SetAttributes(attribute.String("parley.provider", name), attribute.String("parley.outcome", outcomeName(result.Outcome)))
	}
	return result
}

// step is one transaction of the lane: settle the call that was made, if any,
// make sure of the lease, and pick the next call. What is sure in the answer to a
// call is kept also when the lane was lost meanwhile or the worker has to stop.
func (l *lane) step(ctx context.Context, hold holder, made *call) (next *call, again time.Duration, err error) {
	stopping := ctx.Err() != nil
	err = l.m.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		next, again, l.cutOff, l.left, l.rests = nil, 0, 0, 0, 0
		// The lane is locked before the conversation, always.
		held, busy, err := hold(ctx, tx)
		var wait time.Duration
		if err == nil && made != nil {
			wait, err = l.settle(ctx, tx, made, held)
		}
		switch {
		case err != nil || !held:
			again = busy
			return err
		case wait > 0:
			again = wait
			return l.rest(ctx, tx, wait)
		case stopping:
			tx.Enqueue(DrainLane{l.conversation}, nil)
			return l.release(ctx, tx)
		}
		next, err = l.pick(ctx, tx)
		switch {
		case err != nil || next != nil:
		case l.rests > 0:
			again, err = l.rests, l.rest(ctx, tx, l.rests)
		default:
			again, err = l.left, l.release(ctx, tx)
		}
		return err
	})
	if err == nil {
		l.m.Metrics.cutOff(l.cutOff)
	}
	return next, again, err
}

type holder func(ctx context.Context, tx *store.Tx) (held bool, wait time.Duration, err error)

func (l *lane) mine() *entsql.Predicate {
	return entsql.And(entsql.EQ("id", l.conversation), entsql.EQ("token", l.token))
}

// take takes the lane when it is free or its lease has run out. A lane that
// another worker holds is left to them: every step of theirs locks the lane
// before it looks for messages, so they find what we came for. A lane that rests
// is to be tried again when it has rested, or when a reply hastens it.
func (l *lane) take(ctx context.Context, tx *store.Tx) (bool, time.Duration, error) {
	lanes := entsql.Table("lanes")
	insert := tx.Builder().Insert("lanes").Columns("id", "token", "leased_until").
		Values(l.conversation, l.token, int64(tx.Now.Add(l.m.lease()))).
		OnConflict(entsql.ConflictColumns("id"), entsql.ResolveWithNewValues(),
			entsql.UpdateWhere(l.m.free(lanes.C("token"), lanes.C("leased_until"), tx.Now)))
	n, err := tx.Exec(ctx, insert)
	if err != nil || n > 0 {
		return n > 0, 0, err
	}
	var holder int64
	var until clock.Time
	q := tx.Builder().Select("token", "leased_until").From(entsql.Table("lanes")).Where(entsql.EQ("id", l.conversation))
	err = tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&holder, &until) })
	if err != nil || holder != resting {
		return false, 0, err
	}
	if hastens, err := l.hasten(ctx, tx); err != nil || hastens {
		return hastens, 0, err
	}
	return false, max(until.Sub(tx.Now), time.Millisecond), nil
}

// free is the condition that a lane may be taken. One that rests may do so for
// longer than a lease.
func (m *Messenger) free(token, until string, now clock.Time) *entsql.Predicate {
	return entsql.Or(
		lease.IsOver(until, now, mostRetryAfter+m.lease()),
		entsql.And(entsql.NEQ(token, resting), lease.IsOver(until, now, 2*m.lease())))
}

// renew keeps the lease, unless another worker has taken the lane.
func (l *lane) renew(ctx context.Context, tx *store.Tx) (bool, time.Duration, error) {
	n, err := tx.Exec(ctx, tx.Builder().Update("lanes").Set("leased_until", int64(tx.Now.Add(l.m.lease()))).Where(l.mine()))
	return n > 0, 0, err
}

// rest keeps everybody off the lane until the carrier can be asked (again).
func (l *lane) rest(ctx context.Context, tx *store.Tx, wait time.Duration) error {
	_, err := tx.Exec(ctx, tx.Builder().Update("lanes").Set("token", resting).Set("leased_until", int64(tx.Now.Add(wait))).Where(l.mine()))
	return err
}

// release frees the lane.
func (l *lane) release(ctx context.Context, tx *store.Tx) error {
	_, err := tx.Exec(ctx, tx.Builder().Delete("lanes").Where(l.mine()))
	return err
}
