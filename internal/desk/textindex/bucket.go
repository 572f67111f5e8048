package textindex

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"sort"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/clock"
	"parley/internal/ground/store"
)

// BucketSize is about how many messages a bucket holds: few enough that one in
// which every message matches is read at once, and so many that ten million
// messages are 600 buckets.
const BucketSize = 16_384

// An era has as many buckets as the root of the number of channels. A search of half
// of them then looks for a rare word a few times as often as one of all channels
// does, and reads a few times as much at once for a common one; that of one channel
// does both more seldom.
func eraSize(channels int) int { return int(math.Ceil(math.Sqrt(float64(channels)))) }

// Bucket is a stretch of time: from its first spot up to the next bucket's. What
// lies before all of them is bucket 0.
type Bucket struct {
	ID   int64
	From Spot

	first int64 // key of the message that opened it
	era   int64 // the bucket that began its era
}

// directory is the buckets of a generation, as far as a write needs them, newest
// first.
type directory struct {
	generation
	buckets []Bucket
}

// directory reads the newest bucket, which is all that live messages need; for
// older entries all of them.
func (g generation) directory(ctx context.Context, tx *store.Tx, entries []entry) (*directory, error) {
	d := &directory{generation: g, buckets: g.newest}
	if len(d.buckets) == 0 || entries[0].spot < d.buckets[0].From {
		var err error
		if d.buckets, err = g.Buckets(ctx, tx); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Buckets are all of a generation, newest first.
func (g generation) Buckets(ctx context.Context, from Reader) ([]Bucket, error) {
	q := from.Builder().Select("id", "from_spot", "first_message", "era").From(entsql.Table("search_buckets")).
		Where(entsql.EQ("generation", g.number)).OrderBy(entsql.Desc("from_spot"))
	var out []Bucket
	err := from.Query(ctx, q, func(rows *sql.Rows) error {
		var b Bucket
		err := rows.Scan(&b.ID, &b.From, &b.first, &b.era)
		out = append(out, b)
		return err
	})
	return out, err
}

// bucketFor is the bucket whose stretch an entry is in. One that is newer than
// all there are opens another when the last has had its share: by then nothing
// stands there, so that no bucket is ever divided.
func (d *directory) bucketFor(ctx context.Context, tx *store.Tx, e entry) (Bucket, error) {
	i := sort.Search(len(d.buckets), func(i int) bool { return d.buckets[i].From <= e.spot })
	if i > 0 {
		if i == len(d.buckets) {
			return Bucket{}, nil
		}
		return d.buckets[i], nil
	}
	current := Bucket{}
	if len(d.buckets) > 0 {
		if current = d.buckets[0]; e.message-current.first < BucketSize {
			return current, nil
		}
	}
	if empty, err := d.emptyFrom(ctx, tx, e.spot, Last); err != nil || !empty {
		return current, err
	}
	return d.open(ctx, tx, Bucket{From: e.spot, first: e.message, era: current.era})
}

// open adds a bucket. It goes on with the era that it is given, unless that has had
// its share of buckets.
func (d *directory) open(ctx context.Context, tx *store.Tx, b Bucket) (Bucket, error) {
	var most, inEra, channels int64
	q := statement{fmt.Sprintf("SELECT COALESCE(MAX(id), 0), COALESCE(SUM(CASE WHEN era = %d THEN 1 ELSE 0 END), 0), "+
		"(SELECT COUNT(*) FROM channels) FROM search_buckets WHERE generation = %d", b.era, d.number), nil}
	if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&most, &inEra, &channels) }); err != nil {
		return b, err
	}
	b.ID = most + 1
	if b.era == 0 || inEra >= int64(eraSize(int(channels))) {
		b.era = b.ID
	}
	insert := tx.Builder().Insert("search_buckets").Columns("generation", "from_spot", "id", "first_message", "era").
		Values(d.number, int64(b.From), b.ID, b.first, b.era)
	if _, err := tx.Exec(ctx, insert); err != nil {
		return b, err
	}
	i := sort.Search(len(d.buckets), func(i int) bool { return d.buckets[i].From <= b.From })
	d.buckets = slices.Insert(slices.Clone(d.buckets), i, b)
	return b, nil
}

// emptyFrom reports whether nothing stands from one spot up to another.
func (d *directory) emptyFrom(ctx context.Context, tx *store.Tx, from, to Spot) (bool, error) {
	table := d.places()
	if tx.Locks() {
		table = d.texts() // which holds the spots on PostgreSQL
	}
	q := tx.Builder().Select("spot").From(entsql.Table(table)).
		Where(entsql.And(entsql.GTE("spot", int64(from)), entsql.LT("spot", int64(to)))).Limit(1)
	empty := true
	err := tx.Query(ctx, q, func(*sql.Rows) error { empty = false; return nil })
	return empty, err
}

// Expect makes room for about n messages that a bulk loader is going to add, whose
// times are spread as the sample's are: buckets of the usual size wherever no
// messages stand yet. Without it a load that does not come in order of time is
// found as well, but from buckets that are too large to be read fast, until the
// index is built anew.
func Expect(ctx context.Context, s *store.Store, n int, sample []clock.Time) error {
	if n < BucketSize || len(sample) == 0 {
		return nil
	}
	sample = slices.Clone(sample)
	slices.Sort(sample)
	err := s.Write(ctx, func(_ context.Context, tx *store.Tx) error {
		expecting.Defer(tx, expected{n, sample})
		return nil
	})
	if err != nil {
		return fmt.Errorf("make room in the search index: %w", err)
	}
	return nil
}

type expected struct {
	n      int
	sample []clock.Time // sorted
}

var expecting = &store.Deferred[expected]{Name: "make room in the search index", Do: func(ctx context.Context, tx *store.Tx, loads []expected) error {
	state, err := ReadState(ctx, tx)
	if err != nil {
		return err
	}
	for _, item := range loads {
		for _, g := range state.written() {
			if err := g.expect(ctx, tx, item); err != nil {
				return err
			}
		}
	}
	return nil
}}

// expect divides stretches in which nothing stands. What comes after the load
// goes on in its last bucket.
func (g generation) expect(ctx context.Context, tx *store.Tx, e expected) error {
	all, err := g.Buckets(ctx, tx)
	if err != nil {
		return err
	}
	last, err := lastKey(ctx, tx, "messages")
	if err != nil {
		return err
	}
	d := &directory{generation: g, buckets: all}
	parts, era := e.n/BucketSize+1, int64(0)
	for i := range parts {
		from := SpotOf(e.sample[i*len(e.sample)/parts], 0)
		at := sort.Search(len(d.buckets), func(i int) bool { return d.buckets[i].From <= from })
		if at < len(d.buckets) && d.buckets[at].From == from {
			continue
		}
		next := Last
		if at > 0 {
			next = d.buckets[at-1].From
		}
		empty, err := d.emptyFrom(ctx, tx, from, next)
		if err != nil {
			return err
		}
		if !empty {
			continue
		}
		b, err := d.open(ctx, tx, Bucket{From: from, first: last + int64(e.n), era: era})
		if err != nil {
			return err
		}
		era = b.era
	}
	return nil
}

// lastKey is the greatest key of a table, 0 when it is empty.
func lastKey(ctx context.Context, from Reader, table string) (key int64, err error) {
	q := from.Builder().Select("id").From(entsql.Table(table)).OrderBy(entsql.Desc("id")).Limit(1)
	err = from.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&key) })
	return key, err
}
