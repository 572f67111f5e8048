package message

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"parley/internal/channel"
	"parley/internal/conversation"
	"parley/internal/store"
	"parley/internal/viewer"
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
// the message, because it is busy or out of reach, gets a new attempt later: the
// returned wait.
func (l *lane) settle(ctx context.Context, tx *store.Tx, c *call) (wait time.Duration, err error) {
	row, err := l.m.Desk.Load(ctx, tx, l.conversation)
	if err != nil {
		return 0, err
	}
	a, err := loadAttempt(ctx, tx, entsql.EQ("`a`.`id`", c.attempt))
	if err != nil || a == nil {
		return 0, err
	}
	r := c.result
	s := settlement{status: channel.Failed, code: r.Code, detail: r.Detail}
	switch r.Outcome {
	case channel.Accepted:
		s = settlement{status: channel.Sent, providerID: r.ProviderID}
	case channel.Rejected, channel.Throttled, channel.Unreachable:
		if a.status != channel.Sending && a.status != channel.Unsettled {
			return 0, nil // it went out by another call under the same key
		}
	default:
		s.status, s.code = channel.Unsettled, channel.TimedOut
	}
	untaken := r.Outcome == channel.Throttled || r.Outcome == channel.Unreachable
	if untaken && a.latest && a.throttled+1 < mostThrottled {
		return max(min(r.RetryAfter, mostRetryAfter), l.m.backoff(a.throttled)), l.m.putOff(ctx, tx, row, a, s)
	}
	return 0, l.m.settle(ctx, tx, row, a, s)
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
	now := m.Desk.Store.Clock.Now()
	a, l := entsql.Table("attempts").As("a"), entsql.Table("lanes").As("l")
	q := m.Desk.Store.Builder().Select(a.C("conversation_id")).Distinct().From(a).
		LeftJoin(l).On(a.C("conversation_id"), l.C("id")).
		Where(entsql.And(inLane(a), entsql.LT(a.C("updated_at"), int64(now.Add(-m.lease()))),
			entsql.Or(entsql.IsNull(l.C("id")), entsql.LTE(l.C("leased_until"), int64(now))))).Limit(1000)
	var lost []DrainLane
	err = m.Desk.Store.Read(ctx, q, func(rows *sql.Rows) error {
		var job DrainLane
		err := rows.Scan(&job.ConversationID)
		lost = append(lost, job)
		return err
	})
	if err != nil || len(lost) == 0 {
		return 0, err
	}
	return len(lost), m.Desk.Store.Write(ctx, func(_ context.Context, tx *store.Tx) error {
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
