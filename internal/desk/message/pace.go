package message

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/desk/directory"
	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// A channel for which a limit of messages a second was set gives each message a turn: the
// channel's row in paces says when the next is free, for all processes. A lane rests until
// its first message's turn, so that no worker waits.

const (
	// mostAhead is how far ahead turns are given. Lanes that find none so near rest as
	// long and ask again: a lane never rests for longer than Messenger.free allows.
	mostAhead = 10 * time.Minute
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
	turn, err := takeTurn(ctx, tx, ch.Key, pace)
	if err != nil || turn == 0 {
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

// takeTurn takes the channel's next free turn; 0 when that is too far ahead.
func takeTurn(ctx context.Context, tx *store.Tx, key int64, pace time.Duration) (turn clock.Time, err error) {
	now := int64(tx.Now)
	near, set := int64(tx.Now.Add(mostAhead)), int64(tx.Now.Add(mostRetryAfter))
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
