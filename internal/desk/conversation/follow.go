package conversation

import (
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"

	"parley/internal/desk/feed"
	"parley/internal/ground/anyof"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// What a conversation holds of its record (that it is anchored to it, its type, its name)
// moves with the record: at once for so many conversations, and by a job for the rest.
const (
	mostFollowing  = 1_000
	followingBatch = 500
)

// anchor is what conversations need to know of a record.
type anchor struct {
	name, objectType string
	gone, optedOut   bool
	mergedInto       int64
}

// FollowRecords gives the conversations of records what this write has made of the
// records: name, and another anchor, or none, for a record that was merged or deleted.
// Each is an event, since what may be sent may have changed too. An opt-out outlives its
// record: where no other record has it, it becomes the customer's.
func (d *Service) FollowRecords(ctx context.Context, tx *store.Tx, records []int64) error {
	last, err := d.followSome(ctx, tx, records, 0, mostFollowing)
	if last > 0 {
		tx.Enqueue(followRecords{records, last}, nil)
	}
	return err
}

// followRecords is the job for the conversations of records after a key.
type followRecords struct {
	Records []int64 `json:"records"`
	After   int64   `json:"after"`
}

// Kind implements river.JobArgs.
func (followRecords) Kind() string { return "follow_records" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (followRecords) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: followQueue.Name} }

// followQueue leaves the workers of the lanes alone.
var followQueue = job.Queue{Name: "records", Workers: 1, Poll: 500 * time.Millisecond}

func (d *Service) follow(ctx context.Context, args followRecords) error {
	ctx = viewer.AsSystem(ctx, "records")
	for last := args.After; last > 0; {
		err := d.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			last, err = d.followSome(ctx, tx, args.Records, args.After, followingBatch)
			return err
		})
		if err != nil {
			return err
		}
		args.After = last
	}
	return nil
}

// followSome is FollowRecords for conversations after a key. It returns the key of the
// last, or 0 when there are no more.
func (d *Service) followSome(ctx context.Context, tx *store.Tx, records []int64, after int64, most int) (last int64, err error) {
	keys, former, err := anchored(ctx, tx, records, after, most+1)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	if len(keys) > most {
		keys = keys[:most]
		last = keys[most-1]
	}
	rows, err := d.LoadAll(viewer.AsSystem(ctx, "records"), tx, keys)
	if err != nil {
		return 0, err
	}
	anchors, err := d.anchorsOf(ctx, tx, records)
	if err != nil {
		return 0, err
	}
	names, err := d.namesOf(ctx, tx, rows, anchors)
	if err != nil {
		return 0, err
	}
	f := &following{Service: d, tx: tx, anchors: anchors}
	for _, key := range keys {
		if row := rows[key]; row != nil { // nil for one that was merged into another
			if err := f.take(ctx, row, former[key], names[row.MessagingUserID]); err != nil {
				return 0, err
			}
		}
	}
	return last, f.save(ctx)
}

// following is conversations on their way after their records.
type following struct {
	*Service
	tx      *store.Tx
	anchors map[int64]anchor
	edits   []edit
	lost    [][]any // conversations whose record is gone, and the one that had its place
	back    []int64 // conversations that have it back
}

// take moves what a conversation holds of its record, or of the one that was deleted
// from under it, which may be back.
func (f *following) take(ctx context.Context, row *Row, former int64, customer string) error {
	at, anchored := f.anchors[row.RecordID]
	if row.RecordID != 0 && !anchored { // anchored to another meanwhile
		return nil
	}
	if at.optedOut && (at.gone || at.mergedInto != 0 && !f.anchors[at.mergedInto].optsOut()) {
		if err := f.KeepOptOut(ctx, f.tx, row); err != nil {
			return err
		}
	}
	before := *row
	if row.RecordID == 0 {
		row.RecordID = former
	}
	place := row.follow(f.anchors, customer)
	switch {
	case before.RecordID == 0 && row.RecordID == 0:
		if place != former {
			f.lost = append(f.lost, []any{row.Key, place})
		}
		return nil
	case before.RecordID == 0:
		f.back = append(f.back, row.Key)
	case row.RecordID == 0:
		f.lost = append(f.lost, []any{row.Key, place})
	}
	f.edits = append(f.edits, edit{&before, row})
	return tell(ctx, f.tx, &before, row, &feed.Event{Cause: feed.ConversationChanged})
}

func (f *following) save(ctx context.Context) error {
	if len(f.lost) > 0 {
		insert := f.tx.Builder().Insert("former_anchors").Columns("conversation_id", "record_id")
		for _, l := range f.lost {
			insert.Values(l...)
		}
		insert.OnConflict(entsql.ConflictColumns("conversation_id"), entsql.ResolveWithNewValues())
		if _, err := f.tx.Exec(ctx, insert); err != nil {
			return err
		}
	}
	if len(f.back) > 0 {
		gone := f.tx.Builder().Delete("former_anchors").Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "conversation_id", f.back) }))
		if _, err := f.tx.Exec(ctx, gone); err != nil {
			return err
		}
	}
	return saveAll(ctx, f.tx, f.edits)
}

// follow moves what the row holds of its record. A conversation without a named record
// goes by the customer's own name. It returns the record that has the place of its own,
// though it may be gone.
func (r *Row) follow(anchors map[int64]anchor, customer string) (place int64) {
	at := anchors[r.RecordID]
	if at.mergedInto != 0 {
		r.RecordID = at.mergedInto
		at = anchors[r.RecordID]
	}
	place = r.RecordID
	if at.gone {
		r.RecordID, r.Type, r.Title = 0, "", customer
		return place
	}
	r.Type, r.Title = at.objectType, at.name
	if at.name == "" {
		r.Title = customer
	}
	return place
}

// optsOut reports whether conversations of the record are closed to sending by it.
func (a anchor) optsOut() bool { return a.optedOut && !a.gone }

// anchored are the conversations of records after a key, and the records that they had
// until these were deleted.
func anchored(ctx context.Context, tx *store.Tx, records []int64, after int64, most int) (keys []int64, former map[int64]int64, err error) {
	of := func(column string) *entsql.Predicate {
		return entsql.P(func(b *entsql.Builder) { anyof.Keys(b, column, records) })
	}
	c, f := tx.Builder().Table("conversations"), tx.Builder().Table("former_anchors")
	had := tx.Builder().Select(f.C("conversation_id"), f.C("record_id")).From(f).Join(c).On(c.C("id"), f.C("conversation_id")).
		Where(entsql.And(of("former_anchors.record_id"), entsql.GT(f.C("conversation_id"), after), entsql.IsNull(c.C("record_id"))))
	q := tx.Builder().Select("id").AppendSelectExpr(entsql.Raw("0 AS former")).From(entsql.Table("conversations")).
		Where(entsql.And(of("record_id"), entsql.GT("id", after))).UnionAll(had).OrderBy("id").Limit(most)
	former = map[int64]int64{}
	err = tx.Query(ctx, q, func(r *sql.Rows) error {
		var key, had int64
		err := r.Scan(&key, &had)
		keys, former[key] = append(keys, key), had
		return err
	})
	return keys, former, err
}

// anchorsOf reads records as they are now, and those that they were merged into.
func (d *Service) anchorsOf(ctx context.Context, tx *store.Tx, records []int64) (map[int64]anchor, error) {
	r := entsql.Table("records")
	loser := entsql.Table("records").As("loser")
	winners := tx.Builder().Select(loser.C("merged_into")).From(loser).
		Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "loser.id", records) }))
	q := tx.Builder().Select("id", "name", "object_type", "opted_out", "deleted_at", "merged_into").From(r).
		Where(entsql.Or(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "records.id", records) }), entsql.In(r.C("id"), winners)))
	out := map[int64]anchor{}
	err := tx.Query(ctx, q, func(rows *sql.Rows) error {
		var key, deleted int64
		var a anchor
		err := rows.Scan(&key, &a.name, &a.objectType, &a.optedOut, &deleted, &a.mergedInto)
		a.gone = deleted != 0
		out[key] = a
		return err
	})
	return out, err
}

// namesOf reads the own names of the customers whose conversations lose the record's.
func (d *Service) namesOf(ctx context.Context, tx *store.Tx, rows map[int64]*Row, anchors map[int64]anchor) (map[int64]string, error) {
	var users []int64
	for _, row := range rows {
		at := anchors[row.RecordID]
		if at.mergedInto != 0 {
			at = anchors[at.mergedInto]
		}
		if at.gone || at.name == "" {
			users = append(users, row.MessagingUserID)
		}
	}
	names := make(map[int64]string, len(users))
	if len(users) == 0 {
		return names, nil
	}
	q := tx.Builder().Select("id", "name").From(entsql.Table("messaging_users")).
		Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "id", users) }))
	err := tx.Query(ctx, q, func(r *sql.Rows) error {
		var key int64
		var name string
		err := r.Scan(&key, &name)
		names[key] = name
		return err
	})
	return names, err
}

// LatestOf is the conversation of a record with the newest message, 0 for none.
func (d *Service) LatestOf(ctx context.Context, tx *store.Tx, record int64) (key int64, err error) {
	err = tx.Query(ctx, latestOf.With(record), func(rows *sql.Rows) error { return rows.Scan(&key) })
	return key, err
}

var latestOf = store.Fixed("SELECT id FROM conversations WHERE record_id = ? AND merged_into IS NULL ORDER BY last_message_at DESC, id DESC LIMIT 1")

// OwnName is what a customer is called apart from any record.
func (d *Service) OwnName(ctx context.Context, tx *store.Tx, user int64) (name string, err error) {
	err = tx.Query(ctx, ownName.With(user), func(rows *sql.Rows) error { return rows.Scan(&name) })
	return name, err
}

var ownName = store.Fixed("SELECT name FROM messaging_users WHERE id = ?")
