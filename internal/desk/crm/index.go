package crm

import (
	"cmp"
	"context"
	"database/sql"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"

	"parley/internal/ground/job"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// indexBatch is how many records are indexed in one write.
const indexBatch = 200

// Jobs index records that came without: by an import, or before records had fields; and
// those of an object type whose definition says otherwise now.
func (s *Service) Jobs() []job.Job {
	return []job.Job{
		job.Periodic{Name: "index_records", Queue: job.Upkeep, Every: time.Minute, Run: func(ctx context.Context) error {
			return cmp.Or(s.index(ctx, entsql.IsNull("name_key")), s.fill(ctx))
		}},
		job.Work[reindex]{Run: func(ctx context.Context, args reindex) error {
			if err := s.Definitions.Refresh(ctx); err != nil { // the change may not be known here yet
				return err
			}
			return s.index(ctx, entsql.EQ("object_type", args.ObjectType))
		}, Timeout: time.Hour, Queue: indexQueue},
	}
}

// indexQueue leaves the workers of the lanes alone.
var indexQueue = job.Queue{Name: "index", Workers: 1, Poll: time.Second}

// reindex is the job that reads the records of an object type again.
type reindex struct {
	ObjectType string `json:"object_type"`
}

// Kind implements river.JobArgs.
func (reindex) Kind() string { return "reindex_records" }

// untilKnown is when every process knows a changed definition, and writes records by it.
const untilKnown = 5 * time.Second

// Reindex enqueues, in the transaction of a changed definition, that the records of the
// object type with the name are read again.
func (s *Service) Reindex(_ context.Context, tx *store.Tx, objectType string) error {
	tx.Enqueue(reindex{objectType}, &river.InsertOpts{Queue: indexQueue.Name, ScheduledAt: time.Now().Add(untilKnown)})
	return nil
}

// index reads records again and writes what follows from what they hold, some at a time.
func (s *Service) index(ctx context.Context, which *entsql.Predicate) error {
	ctx = viewer.AsSystem(ctx, "records")
	for last := int64(0); ; {
		more := false
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := lock(ctx, tx); err != nil {
				return err
			}
			rows, err := readAfter(ctx, tx, which, last)
			if err != nil || len(rows) == 0 {
				return err
			}
			last, more = rows[len(rows)-1].key, len(rows) == indexBatch
			return s.again(ctx, tx, rows)
		})
		if err != nil || !more {
			return err
		}
	}
}

// fill writes the types of records into lookups that a version before wrote without.
func (s *Service) fill(ctx context.Context) error {
	ctx = viewer.AsSystem(ctx, "records")
	for n := int64(fillBatch); n == fillBatch; {
		err := s.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			err := lock(ctx, tx)
			if err == nil {
				n, err = tx.Exec(ctx, fillLookups.With(fillBatch))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillBatch is how many lookups are filled in one write.
const fillBatch = 500

var fillLookups = store.Fixed(`UPDATE lookups SET record_type = (SELECT r.object_type FROM records AS r WHERE r.id = lookups.record_id)
	WHERE id IN (SELECT l.id FROM lookups AS l WHERE l.record_type = '' ORDER BY l.id LIMIT ?)`)

func readAfter(ctx context.Context, tx *store.Tx, which *entsql.Predicate, after int64) (rows []*stored, err error) {
	q := selected(tx).Where(entsql.And(which, entsql.GT("id", after))).OrderBy("id").Limit(indexBatch)
	err = tx.Query(ctx, q, func(r *sql.Rows) error {
		row, err := scan(r)
		rows = append(rows, row)
		return err
	})
	return rows, err
}

// again saves records as their definitions have them now. Of what is not there, and of
// types that are not defined, only the name is indexed.
func (s *Service) again(ctx context.Context, tx *store.Tx, rows []*stored) error {
	var plain []*stored
	var changed []*writing
	known := map[name]*stored{}
	for _, row := range rows {
		def := s.Definitions.ObjectType(row.ObjectType)
		if def == nil || row.stub || row.deletedAt != 0 || row.mergedInto != 0 {
			plain = append(plain, row)
			continue
		}
		w := &writing{name: row.name, def: def, before: row, again: true}
		after := *row
		after.unindexed = false
		if w.after = &after; row.body != "" {
			w.fill(&after, row, w.holds(row))
			if !row.unindexed {
				after.body = row.body // a newer version may know more of it
			}
		}
		changed = append(changed, w)
	}
	if err := save(ctx, tx, plain); err != nil {
		return err
	}
	return s.save(ctx, tx, changed, known)
}
