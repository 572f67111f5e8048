package feed

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"sort"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/clock"
	"parley/internal/ground/job"
	"parley/internal/ground/store"
)

// Retention says how much of the event log is kept, and how often the rest is removed. Zero fields take the default
// stated.
type Retention struct {
	// Age is how far the log reaches back from its newest event; a week by
	// default.
	Age time.Duration
	// Events is how many events are kept at most; 5,000,000 by default.
	Events int64
	// Least is how many of the newest are kept whatever their age and whatever
	// Events says; 10,000 by default.
	Least int64
	// Every is how often the log is trimmed; a minute by default.
	Every time.Duration
}

// The defaults of Retention.
const (
	DefaultLogAge    = 7 * 24 * time.Hour
	DefaultLogEvents = 5_000_000
	DefaultLogLeast  = 10_000
)

// Jobs trim the log.
func Jobs(s *store.Store, r Retention) []job.Job {
	return []job.Job{job.Periodic{Name: "trim_log", Every: cmp.Or(r.Every, time.Minute), Run: func(ctx context.Context) error {
		_, err := Trim(ctx, s, r)
		return err
	}}}
}

// trimBatch is how many events one write removes: a few milliseconds, for which
// its neighbours wait. trimBatches bounds one call of Trim.
const (
	trimBatch   = 1_000
	trimBatches = 500
)

// Trim removes the oldest events that r does not keep, up to 500,000 at a
// call, and tells how many. Streams that stand before what is left end with
// RESYNC_REQUIRED.
//
// Age is counted back from the newest event and not from the clock, so that a
// clock that is wrong while nothing is written removes nothing. When events are
// written under a clock that is far ahead, those before them are removed but for
// the Least newest; back in time, fewer are removed than could be, within Events.
func Trim(ctx context.Context, s *store.Store, r Retention) (removed int64, err error) {
	oldest, head, err := logSpan(ctx, s)
	if err != nil || oldest == 0 {
		return 0, err
	}
	keep, err := keepFrom(ctx, s, r.withDefaults(), oldest, head)
	if err != nil {
		return 0, err
	}
	for batch := 0; oldest < keep && batch < trimBatches; batch++ {
		upTo := min(oldest+trimBatch, keep)
		err := s.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, tx.Builder().Delete("events").Where(entsql.And(entsql.GTE("id", oldest), entsql.LT("id", upTo))))
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("trim the event log: %w", err)
		}
		removed += upTo - oldest
		oldest = upTo
	}
	return removed, nil
}

func (r Retention) withDefaults() Retention {
	if r.Age <= 0 {
		r.Age = DefaultLogAge
	}
	if r.Events <= 0 {
		r.Events = DefaultLogEvents
	}
	if r.Least <= 0 {
		r.Least = DefaultLogLeast
	}
	return r
}

// logSpan returns the first and last position in the log, 0 when it is empty.
func logSpan(ctx context.Context, s *store.Store) (oldest, newest int64, err error) {
	end := func(order string) (id int64, err error) {
		q := s.Builder().Select("id").From(entsql.Table("events")).OrderBy(order).Limit(1)
		err = s.Read(ctx, everything, q, func(rows *sql.Rows) error { return rows.Scan(&id) })
		return id, err
	}
	if oldest, err = end(entsql.Asc("id")); err == nil {
		newest, err = end(entsql.Desc("id"))
	}
	return oldest, newest, err
}

// keepFrom returns the first position to keep. Times go up with positions, but
// for clocks that were set back, so that the bound is searched by halves.
func keepFrom(ctx context.Context, s *store.Store, r Retention, oldest, newest int64) (int64, error) {
	last, err := eventTime(ctx, s, newest)
	if err != nil {
		return 0, err
	}
	cutoff := last.Add(-r.Age)
	first := max(oldest, newest-r.Events+1)
	n := sort.Search(int(newest-first), func(i int) bool {
		at, failed := eventTime(ctx, s, first+int64(i))
		if failed != nil {
			err = failed
			return true
		}
		return at >= cutoff
	})
	return min(first+int64(n), newest-r.Least+1), err
}

// eventTime is when the event at a position was written; positions have no
// holes.
func eventTime(ctx context.Context, s *store.Store, position int64) (at clock.Time, err error) {
	q := s.Builder().Select("created_at").From(entsql.Table("events")).Where(entsql.EQ("id", position))
	err = s.Read(ctx, everything, q, func(rows *sql.Rows) error { return rows.Scan(&at) })
	return at, err
}
