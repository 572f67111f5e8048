package message

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/content"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// A channel for which a limit of messages a second was set gives each message a turn: the
// channel's row in paces says when the next is free, for all processes. A lane rests until
// its first message's turn, so that no worker waits.
//
// Agents' replies take turns as far ahead as they have to. What programs send takes one only
// if it is near; until then its lane rests without a turn, for as long as all that programs
// sent before needs. So a reply never waits for more than what fits in mostNear.

const (
	// mostAhead is how far ahead turns are given. Lanes that find none so near rest as
	// long and ask again: a lane never rests for longer than Messenger.free allows.
	mostAhead = 10 * time.Minute
	// mostNear is how far ahead turns are given to what programs send.
	mostNear = time.Second
	// mostLate is by how much a turn may be missed, as workers look for jobs from time to
	// time. What misses it by more, as after a stop of all servers, takes another.
	mostLate = time.Second
)

// turn gives the attempt its turn on a channel that is paced, and says how long it is
// until then. An attempt that was called before has had its turn.
func (l *lane) turn(ctx context.Context, tx *store.Tx, w *waiting, ch *directory.Channel) (time.Duration, error) {
	if ch.Pace() == 0 || w.status == channel.Sending {
		return 0, nil
	}
	pace, err := paceOf(ctx, tx, ch.Key)
	if err != nil || pace == 0 {
		return 0, err
	}
	if wait := w.turn.Sub(tx.Now); -mostLate <= wait && wait <= mostAhead {
		return max(0, wait), nil
	}
	reply, err := l.replies(ctx, tx, w)
	if err != nil {
		return 0, err
	}
	ahead := mostAhead
	if !reply {
		ahead = mostNear
	}
	turn, err := takeTurn(ctx, tx, ch.Key, pace, ahead)
	switch {
	case err == nil && turn == 0 && !reply:
		return stepAside(ctx, tx, ch.Key, pace)
	case err != nil || turn == 0:
		return mostAhead, err
	}
	wait := turn.Sub(tx.Now)
	if wait <= 0 {
		return 0, nil
	}
	_, err = tx.Exec(ctx, tx.Builder().Update("attempts").Set("turn_at", int64(turn)).Where(entsql.EQ("id", w.attempt)))
	return wait, err
}

// paceOf reads the channel's pace as it is now: the directory may be a moment behind. The
// limit stays until the commit, so that a RepaceChannel finds every turn given by an older.
func paceOf(ctx context.Context, tx *store.Tx, key int64) (time.Duration, error) {
	q := tx.Builder().Select("send_limits").From(entsql.Table("channels")).Where(entsql.EQ("id", key))
	if tx.Locks() {
		q.ForShare()
	}
	var limits channel.SendLimits
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var stored []byte
		if err := rows.Scan(&stored); err != nil || stored == nil {
			return err
		}
		return json.Unmarshal(stored, &limits)
	})
	return limits.Pace(), err
}

// replies reports whether an agent's reply waits in the lane, at its head or behind it.
func (l *lane) replies(ctx context.Context, tx *store.Tx, w *waiting) (is bool, err error) {
	if w.source == content.Desk {
		return true, nil
	}
	err = tx.Query(ctx, l.queued(tx, entsql.EQ).Limit(1), func(*sql.Rows) error { is = true; return nil })
	return is, err
}

// queued selects what waits in the lane: by EQ agents' replies, by NEQ what programs sent.
func (l *lane) queued(tx *store.Tx, by func(column string, source any) *entsql.Predicate) *entsql.Selector {
	a, m := entsql.Table("attempts").As("a"), entsql.Table("messages").As("m")
	return tx.Builder().Select(a.C("id")).From(a).Join(m).On(a.C("message_id"), m.C("id")).
		Where(entsql.And(entsql.EQ(a.C("conversation_id"), l.conversation), inLane(a), by(m.C("source"), content.Desk)))
}

// hasten takes a lane that rests without a turn, behind what programs sent, if an agent's
// reply waits in it by now: it takes a turn as replies do. One that rests for its turn, or
// because of the carrier, goes on resting.
func (l *lane) hasten(ctx context.Context, tx *store.Tx) (bool, error) {
	a := entsql.Table("attempts").As("r")
	asked := tx.Builder().Select(a.C("id")).From(a).Where(entsql.And(entsql.EQ(a.C("conversation_id"), l.conversation), inLane(a),
		entsql.Or(entsql.EQ(a.C("status"), channel.Sending), entsql.GT(a.C("turn_at"), 0), entsql.GT(a.C("throttled"), 0))))
	n, err := tx.Exec(ctx, tx.Builder().Update("lanes").Set("token", l.token).Set("leased_until", int64(tx.Now.Add(l.m.lease()))).
		Where(entsql.And(entsql.EQ("id", l.conversation), entsql.EQ("token", resting), entsql.Exists(l.queued(tx, entsql.EQ)), entsql.Exists(l.queued(tx, entsql.NEQ)), entsql.NotExists(asked))))
	return n > 0, err
}

// takeTurn takes the channel's next free turn; 0 when that is further ahead than wanted.
func takeTurn(ctx context.Context, tx *store.Tx, key int64, pace, ahead time.Duration) (turn clock.Time, err error) {
	now := int64(tx.Now)
	near, set := int64(tx.Now.Add(ahead)), int64(tx.Now.Add(mostRetryAfter))
	q := nextTurn.With(key, int64(tx.Now.Add(pace)), now, set, now, pace.Microseconds(), near, set)
	err = tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&turn) })
	if turn > 0 {
		turn = turn.Add(-pace)
	}
	return turn, err
}

// nextTurn begins anew where turns are past, or so far ahead that the clock was set back
// since they were given.
var nextTurn = store.Fixed(`INSERT INTO paces (id, next_at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE
	SET next_at = CASE WHEN paces.next_at < ? OR paces.next_at > ? THEN ? ELSE paces.next_at END + ?
	WHERE paces.next_at <= ? OR paces.next_at > ? RETURNING next_at`)

// stepAside says how long what a program sent rests before it asks for a turn again: behind
// the turns that are given, and behind what programs sent before.
func stepAside(ctx context.Context, tx *store.Tx, key int64, pace time.Duration) (time.Duration, error) {
	after := clock.Time(0)
	near, set := int64(tx.Now.Add(mostAhead)), int64(tx.Now.Add(mostRetryAfter))
	q := nextAside.With(set, pace.Microseconds(), key, near, near, set)
	err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&after) })
	if err != nil || after == 0 {
		return mostAhead, err
	}
	return after.Add(-pace).Sub(tx.Now), nil
}

// nextAside begins behind the turns that are given, as nextTurn begins anew.
var nextAside = store.Fixed(`UPDATE paces SET programs_at = CASE WHEN programs_at < next_at OR programs_at > ? THEN next_at ELSE programs_at END + ?
	WHERE id = ? AND next_at <= ? AND (programs_at <= ? OR programs_at > ?) RETURNING programs_at`)
