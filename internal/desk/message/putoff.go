package message

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// mostThrottled is how often in a row a message is put off by a busy carrier
// before it fails.
const mostThrottled = 8

// The longest a lane rests before a message is tried again: by our own doubling,
// and when the carrier asks for more.
const (
	mostBackoff    = 5 * time.Minute
	mostRetryAfter = 15 * time.Minute
)

func (m *Messenger) backoff(throttled int) time.Duration {
	base := m.Backoff
	if base <= 0 {
		base = time.Second
	}
	return min(base<<throttled, mostBackoff)
}

// settle records what the carrier answered. A carrier that surely did not take
// the message, because it is busy or out of reach, is asked again later: the
// returned wait.
//
// A worker that has lost its lane tells only what is sure: another may be calling
// for the same attempt, or be past it already.
func (l *lane) settle(ctx context.Context, tx *store.Tx, c *call, held bool) (wait time.Duration, err error) {
	row, err := l.m.Conversations.LoadCurrent(ctx, tx, l.conversation)
	if err != nil {
		return 0, err
	}
	a, err := loadAttempt(ctx, tx, entsql.EQ("`a`.`id`", c.attempt))
	if err != nil || a == nil {
		return 0, err
	}
	open := a.status == channel.Sending || a.status == channel.Unsettled
	untaken := c.result.Outcome == channel.Throttled || c.result.Outcome == channel.Unreachable
	switch {
	case c.result.Outcome == channel.Accepted:
		return 0, l.m.settle(ctx, tx, row, a, c.learnt())
	case !open, !held && c.provider.TakesKey():
		return 0, nil // what becomes of it is for the other call under the same key
	case untaken && c.again:
		return l.repeat(ctx, tx, row, a, c)
	case untaken && held && a.latest && a.throttled+1 < mostThrottled:
		return l.pause(a, c), l.m.putOff(ctx, tx, row, a, c.learnt())
	}
	return 0, l.m.settle(ctx, tx, row, a, c.learnt())
}

// learnt is what the carrier's answer says of the attempt.
func (c *call) learnt() settlement {
	r := c.result
	switch r.Outcome {
	case channel.Accepted:
		return settlement{status: channel.Sent, providerID: r.ProviderID}
	case channel.Rejected, channel.Throttled, channel.Unreachable:
		return settlement{status: channel.Failed, code: r.Code, detail: r.Detail, optedOut: r.OptedOut}
	}
	return settlement{status: channel.Unsettled, detail: r.Detail}
}

// pause is how long the lane rests before the carrier is asked again.
func (l *lane) pause(a *attempt, c *call) time.Duration {
	return max(min(c.result.RetryAfter, mostRetryAfter), l.m.backoff(a.throttled))
}

// repeat puts a repeated call off under its own key: the carrier did not take
// this one, but may have taken the one before. After too many the attempt is
// UNKNOWN.
func (l *lane) repeat(ctx context.Context, tx *store.Tx, row *conversation.Row, a *attempt, c *call) (time.Duration, error) {
	if a.throttled+1 >= mostThrottled {
		s := c.learnt()
		s.status, s.code = channel.Unsettled, ""
		return 0, l.m.settle(ctx, tx, row, a, s)
	}
	_, err := tx.Exec(ctx, tx.Builder().Update("attempts").Add("throttled", 1).Set("updated_at", int64(tx.Now)).Where(entsql.EQ("id", a.key)))
	return l.pause(a, c), err
}

// putOff fails the attempt and queues the next one in its place. To those who
// watch, the message is simply QUEUED again.
func (m *Messenger) putOff(ctx context.Context, tx *store.Tx, row *conversation.Row, a *attempt, s settlement) error {
	if _, err := m.moveAttempt(ctx, tx, a, s); err != nil {
		return err
	}
	return m.again(ctx, tx, row, a, a.throttled+1, "")
}

// SweepLanes wakes lanes that hold something older than a lease and that nobody
// holds: their job was lost with the process that ran it. It tells how many.
func (m *Messenger) SweepLanes(ctx context.Context) (n int, err error) {
	ctx = viewer.AsSystem(ctx, "lane")
	now := m.Store.Clock.Now()
	a, l := entsql.Table("attempts").As("a"), entsql.Table("lanes").As("l")
	// From before the clock was set back.
	fromTheFuture := entsql.GT(a.C("updated_at"), int64(now.Add(m.lease())))
	q := m.Store.Builder().Select(a.C("conversation_id")).Distinct().From(a).
		LeftJoin(l).On(a.C("conversation_id"), l.C("id")).
		Where(entsql.And(inLane(a), entsql.Or(entsql.LT(a.C("updated_at"), int64(now.Add(-m.lease()))), fromTheFuture),
			entsql.Or(entsql.IsNull(l.C("id")), m.free(l.C("token"), l.C("leased_until"), now)))).Limit(1000)
	var lost []DrainLane
	err = m.Store.Read(ctx, atWork, q, func(rows *sql.Rows) error {
		var job DrainLane
		err := rows.Scan(&job.ConversationID)
		lost = append(lost, job)
		return err
	})
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	return len(lost), m.Store.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, job := range lost {
			tx.Enqueue(job, &river.InsertOpts{UniqueOpts: oneAtATime})
		}
		return nil
	})
}

// oneAtATime keeps a sweep from adding jobs for lanes whose last one still
// waits for a worker.
var oneAtATime = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}}
