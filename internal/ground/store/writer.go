package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/riverqueue/river"

	"parley/ent"
	"parley/internal/ground/clock"
)

// ErrClosed is what Write answers after Close.
var ErrClosed = errors.New("store: closed")

// Tx is one write inside a group's transaction.
type Tx struct {
	// Ent reads and writes inside the transaction, under the viewer of the
	// context: reads narrow to what an agent sees, writes need a system viewer.
	Ent *ent.Client
	// Now is one instant for everything the write does.
	Now clock.Time
	// First is the log's position of the first item, in a closing step of Logging.
	First int64

	group  *group
	parent string // the trace of the caller, for jobs to go on with
	tail   tail
}

// Enqueue adds a job to the transaction.
func (tx *Tx) Enqueue(args river.JobArgs, opts *river.InsertOpts) {
	tx.tail.jobs = append(tx.tail.jobs, river.InsertManyParams{Args: args, InsertOpts: withParent(opts, tx.parent)})
}

// Builder starts a statement in the database's dialect.
func (tx *Tx) Builder() *entsql.DialectBuilder { return tx.group.builder() }

// Locks reports whether rows read to be changed must be locked: on PostgreSQL,
// where other processes write at the same time. SQLite has one writer.
func (tx *Tx) Locks() bool { return tx.group.store.dialect == dialect.Postgres }

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, q Query) (int64, error) {
	n, err := tx.group.exec(ctx, q)
	tx.tail.wrote = tx.tail.wrote || n > 0
	return n, err
}

// Query runs a statement and calls scan for every row.
func (tx *Tx) Query(ctx context.Context, q Query, scan func(*sql.Rows) error) error {
	return tx.group.store.each(ctx, tx.group.tx, q, scan)
}

// Write runs fn in a transaction that it may share with other writes, and
// returns after the commit. An error from fn undoes this write alone.
//
// fn may run more than once (when a neighbour spoils the transaction), so it
// sets its results afresh each time and touches nothing outside; it returns the
// error of a statement that failed, after which the database may have undone
// more than that statement. Its context
// carries the caller's values but not its cancellation, which on a shared
// connection would undo the neighbours. A caller whose ctx ends before its turn
// gets ctx's error at once, and fn never runs; once fn runs, Write waits for what
// becomes of it, so that its outcome is always known.
func (s *Store) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error) error {
	it := &item{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case s.writer.queue <- it:
	case <-s.writer.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-it.done:
		return err
	case <-ctx.Done():
		if it.turn.CompareAndSwap(waiting, left) {
			return ctx.Err()
		}
	case <-s.writer.closed:
	}
	return s.outcome(it)
}

// outcome waits for what becomes of an item that the writer took, or will never
// take.
func (s *Store) outcome(it *item) error {
	select {
	case err := <-it.done:
		return err
	case <-s.writer.closed:
		// The writer has ended; it answered everything it took.
		select {
		case err := <-it.done:
			return err
		default:
			return ErrClosed
		}
	}
}

type item struct {
	ctx  context.Context
	fn   func(context.Context, *Tx) error
	done chan error
	turn atomic.Int32

	// These belong to the writer.
	err  error
	tail tail
}

// The turns of an item: it waits until the writer takes it or its caller leaves.
const (
	waiting int32 = iota
	taken
	left
)

// absent takes the item, unless its caller has gone: then it says why.
func (it *item) absent() error {
	it.turn.CompareAndSwap(waiting, taken) // loses only to a caller whose ctx ended
	return it.ctx.Err()
}

// wrote reports whether the item changed something, if its group commits.
func (it *item) wrote() bool { return it.err == nil && (it.tail.wrote || it.tail.logged() > 0) }

// writer is the one goroutine that writes. It takes what waits, without waiting
// for more, and commits it together.
type writer struct {
	store    *Store
	size     int
	time     time.Duration // for a transaction
	onCommit func(int64)
	metrics  *writerMetrics
	refusal  refusal
	queue    chan *item
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once
}

func startWriter(s *Store, o Options) *writer {
	w := &writer{
		store: s, size: o.GroupSize, time: o.TransactionTime, onCommit: o.OnCommit, metrics: newWriterMetrics(), queue: make(chan *item, 1024),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	if w.size <= 0 {
		w.size = 64
	}
	if w.time <= 0 {
		w.time = 30 * time.Second
	}
	go w.run()
	return w
}

func (w *writer) close() {
	w.once.Do(func() { close(w.closing) })
	<-w.closed
}

func (w *writer) run() {
	defer close(w.closed)
	for {
		select {
		case it := <-w.queue:
			w.commit(w.gather(it))
		case <-w.closing:
			w.drain()
			return
		}
	}
}

func (w *writer) drain() {
	for {
		select {
		case it := <-w.queue:
			w.commit(w.gather(it))
		default:
			return
		}
	}
}

func (w *writer) gather(first *item) []*item {
	items := []*item{first}
	for len(items) < w.size {
		select {
		case it := <-w.queue:
			items = append(items, it)
		default:
			return items
		}
	}
	return items
}

// commit writes the items together; when that spoils the transaction, each by
// itself. Then it answers all.
func (w *writer) commit(items []*item) {
	last, err := w.attempt(items)
	if err != nil && len(items) > 1 && !errors.Is(err, errCommit) && !errors.Is(err, errBegin) && !errors.Is(err, errNoAnswer) {
		w.metrics.retries.WithLabelValues("spoiled").Inc()
		for _, it := range items {
			w.commit([]*item{it})
		}
		return
	}
	for tries := 1; lostRace(err) && tries < 5; tries++ {
		w.metrics.retries.WithLabelValues("race").Inc()
		last, err = w.attempt(items)
	}
	w.refusal.learn(items, err)
	if err == nil && last > 0 && w.onCommit != nil {
		w.onCommit(last)
	}
	for _, it := range items {
		if it.err == nil || errors.Is(err, errNoAnswer) {
			it.err = err
		}
		it.done <- it.err
	}
}

// Errors after which nothing is run again and every item gets the error.
var (
	// errCommit marks a failed commit: whether it took effect is unknown.
	errCommit = errors.New("commit")
	// errBegin marks a transaction that did not begin: the database is locked or
	// away, and waiting for it once for each item would help none.
	errBegin = errors.New("begin")
	// errNoAnswer marks a transaction that ran out of time. Its connection is
	// closed.
	errNoAnswer = errors.New("the database did not answer in time")
)

// attempt runs the items in one transaction and tells the last position. An error
// means that none of them took effect (or, with errCommit, that it is not known).
func (w *writer) attempt(items []*item) (last int64, err error) {
	start := time.Now()
	ctx, span := w.store.traceGroup(items)
	var end tail
	last, err = w.together(ctx, items, &end)
	endGroup(span, len(items), end.logged(), err)
	w.metrics.group(len(items), time.Since(start))
	return last, err
}

func (w *writer) together(ctx context.Context, items []*item, end *tail) (last int64, err error) {
	for _, it := range items {
		it.err, it.tail = nil, tail{} // what an attempt before left
	}
	ctx, cancel := w.store.within(ctx, w.time)
	defer cancel()
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %v", errNoAnswer, err) //nolint:errorlint // the deadline is the store's, not the caller's
		}
	}()
	if err := w.store.place.known(); err != nil {
		return 0, fmt.Errorf("%w: %w", errBegin, err)
	}
	g, err := w.begin(ctx)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errBegin, err)
	}
	defer g.release()
	shared := len(items) > 1
	if shared {
		if err := g.waitAtMost(ctx, groupPatience); err != nil {
			return 0, err
		}
	}
	for _, it := range items {
		if err := g.run(ctx, it, shared); err != nil {
			return 0, err
		}
		if it.err == nil {
			end.add(it.tail)
		}
	}
	if shared { // the tail's lock comes last and closes no circle
		if err := g.waitAtMost(ctx, 0); err != nil {
			return 0, err
		}
	}
	if last, err = end.write(ctx, g); err != nil {
		return 0, err
	}
	committing := time.Now()
	err = g.tx.Commit()
	w.metrics.commits.Observe(time.Since(committing).Seconds())
	// A file that was moved while it was written to has it, and is nowhere.
	if err := cmp.Or(w.store.place.lookAfterCommit(), err); err != nil {
		return 0, fmt.Errorf("%w: %w", errCommit, err)
	}
	return last, nil
}
