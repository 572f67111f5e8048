package message

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/channel"
	"parley/internal/ground/anyof"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// RepaceChannel is the job that gives what waits on a channel new turns after its limit of
// messages a second was changed or removed.
type RepaceChannel struct {
	ChannelID int64 `json:"channel_id"`
}

// Kind implements river.JobArgs.
func (RepaceChannel) Kind() string { return "repace_channel" }

// repacedAtOnce is how many lanes a transaction of Repace locks.
const repacedAtOnce = 200

// Repace takes back the turns of a channel and wakes the lanes that rested until theirs.
// Those that rest because of the carrier go on resting.
func (m *Messenger) Repace(ctx context.Context, args RepaceChannel) error {
	ctx = viewer.AsSystem(ctx, "lane")
	// In a transaction of its own: lanes lock themselves before the channel's turns.
	err := m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Delete("paces").Where(entsql.EQ("id", args.ChannelID)))
		return err
	})
	for after, last := int64(0), int64(0); err == nil && last >= 0; after = last {
		err = m.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			last, err = repaceLanes(ctx, tx, args.ChannelID, after)
			return err
		})
	}
	return err
}

// repaceLanes does so for some lanes, and returns the last of them; -1 when there are no
// more.
func repaceLanes(ctx context.Context, tx *store.Tx, key, after int64) (last int64, err error) {
	lanes, err := lockLanes(ctx, tx, key, after)
	if err != nil || len(lanes) == 0 {
		return -1, err
	}
	resting, err := restingForTurns(ctx, tx, lanes)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, tx.Builder().Update("attempts").Set("turn_at", 0).
		Where(entsql.And(entsql.In("conversation_id", anyof.Args(lanes)...), inLane(entsql.Table("attempts")), entsql.GT("turn_at", 0))))
	if err == nil && len(resting) > 0 {
		_, err = tx.Exec(ctx, tx.Builder().Delete("lanes").Where(entsql.In("id", anyof.Args(resting)...)))
	}
	for _, lane := range resting {
		tx.Enqueue(DrainLane{lane}, nil)
	}
	return lanes[len(lanes)-1], err
}

// lockLanes waits for the steps under way in lanes of the channel, which may have read a
// turn.
func lockLanes(ctx context.Context, tx *store.Tx, key, after int64) (lanes []int64, err error) {
	l, c := entsql.Table("lanes").As("l"), entsql.Table("conversations").As("c")
	q := tx.Builder().Select(l.C("id")).From(l).Join(c).On(l.C("id"), c.C("id")).
		Where(entsql.And(entsql.EQ(c.C("channel_id"), key), entsql.GT(l.C("id"), after))).OrderBy(l.C("id")).Limit(repacedAtOnce)
	if tx.Locks() {
		q.ForUpdate(entsql.WithLockTables("l"))
	}
	return lanes, tx.Query(ctx, q, addKey(&lanes))
}

// restingForTurns are those of the lanes that rest, but not because of the carrier: it put
// off an attempt that has asked for no turn since, or left one in doubt.
func restingForTurns(ctx context.Context, tx *store.Tx, lanes []int64) (out []int64, err error) {
	l, a := entsql.Table("lanes").As("l"), entsql.Table("attempts").As("a")
	byCarrier := entsql.And(entsql.ColumnsEQ(a.C("conversation_id"), l.C("id")), inLane(a), entsql.Or(
		entsql.EQ(a.C("status"), channel.Sending),
		entsql.And(entsql.GT(a.C("throttled"), 0), entsql.EQ(a.C("turn_at"), 0))))
	q := tx.Builder().Select(l.C("id")).From(l).Where(entsql.And(
		entsql.In(l.C("id"), anyof.Args(lanes)...), entsql.EQ(l.C("token"), resting),
		entsql.NotExists(entsql.Select(a.C("id")).From(a).Where(byCarrier)))).OrderBy(l.C("id"))
	return out, tx.Query(ctx, q, addKey(&out))
}

// addKey scans a key into a list.
func addKey(keys *[]int64) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var key int64
		err := rows.Scan(&key)
		*keys = append(*keys, key)
		return err
	}
}
