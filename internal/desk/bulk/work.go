package bulk

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/conversation"
	"parley/internal/desk/feed"
	"parley/internal/ground/fault"
	"parley/internal/ground/lease"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// judged is the verdict of what a task came to; an error is not the
// conversation's.
func judged(done conversation.Done) (verdict, error) {
	switch v, known := verdictOf(done.Err); {
	case done.Err == nil && done.Cause == "":
		return verdict{outcome: Unchanged}, nil
	case done.Err == nil:
		return verdict{outcome: Changed}, nil
	case known:
		return v, nil
	}
	return verdict{}, done.Err
}

// judge is the verdict that a conversation would get.
func judge(ctx context.Context, task conversation.Task, row *conversation.Row, it item) (verdict, error) {
	event, err := task.Do(ctx, row, it.inbound)
	return judged(conversation.Done{Cause: event.Cause, Err: err})
}

// Run works an operation off, batch by batch, until there is nothing left to do
// for this worker or ctx ends; then it reports whether another should go on. Two
// workers never work one operation: who comes second finds it held.
func (f *Service) Run(ctx context.Context, operation int64) (again bool, err error) {
	w := &worker{f: f, operation: operation, token: lease.Token()}
	for more := true; more; {
		if ctx.Err() != nil {
			return true, w.letGo(ctx)
		}
		began := time.Now()
		if more, err = w.step(ctx); err != nil {
			return false, errors.Join(err, w.letGo(ctx))
		}
		rest(ctx, time.Since(began))
	}
	return false, nil
}

// mostRest bounds the pause after a batch.
const mostRest = 250 * time.Millisecond

// rest waits as long as the batch took, so that the writes of people have at
// least half of the writer's time.
func rest(ctx context.Context, took time.Duration) {
	timer := time.NewTimer(min(took, mostRest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// worker is one worker's hold on an operation.
type worker struct {
	f         *Service
	operation int64
	token     int64
}

// step is one transaction: a batch is decided, or the operation ends. It reports
// whether there is more for this worker to do.
func (w *worker) step(ctx context.Context) (more bool, err error) {
	ctx = viewer.AsSystem(context.WithoutCancel(ctx), "bulk")
	err = w.f.Store.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		more = false
		op, err := w.f.load(ctx, tx, w.operation)
		if err != nil || op == nil || op.State == Paused || op.Ended() || !w.holds(tx, op) {
			return err
		}
		if !op.isKnown() {
			return ErrNewer
		}
		creator, err := w.f.creator(op)
		if err != nil {
			op.stopped = CreatorInactive
			return op.end(ctx, tx, Stopped)
		}
		if err := w.batch(viewer.NewContext(ctx, creator), tx, op); err != nil {
			return err
		}
		if op.Done == op.Total {
			return op.end(ctx, tx, Done)
		}
		more = true
		op.hold(tx, w.token)
		return op.save(ctx, tx)
	})
	return more && err == nil, err
}

// holds reports whether the operation is this worker's, or nobody's who is still
// at it.
func (w *worker) holds(tx *store.Tx, op *Row) bool {
	return op.holder == w.token || op.holder == 0 || w.f.isOver(op, tx)
}

// creator is the operation's creator with the rights they have now; an error when
// they may no longer sign in.
func (f *Service) creator(op *Row) (*viewer.Viewer, error) {
	agent := f.Directory.Agent(op.creator)
	if agent == nil {
		return nil, fault.Missing("agent")
	}
	return f.Directory.Viewer(agent.Username)
}

// batch decides the next batch under the viewer of ctx.
func (w *worker) batch(ctx context.Context, tx *store.Tx, op *Row) error {
	number := op.Done / op.batchSize
	this := entsql.And(entsql.EQ("operation_id", op.Key), entsql.EQ("number", number))
	var packed []byte
	q := tx.Builder().Select("items").From(entsql.Table("bulk_batches")).Where(this)
	if err := tx.Query(ctx, q, func(rows *sql.Rows) error { return rows.Scan(&packed) }); err != nil {
		return err
	}
	items, err := unpack(packed)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return errors.New("operation: a batch is missing")
	}
	outcomes, err := w.f.decide(ctx, tx, op, items)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, tx.Builder().Update("bulk_batches").Set("outcomes", outcomes).Set("decided_at", int64(tx.Now)).Where(this))
	return err
}

// decide does the task with each item and counts what became of them.
func (f *Service) decide(ctx context.Context, tx *store.Tx, op *Row, items []item) (outcomes []byte, err error) {
	if op.Task.Links() {
		if err := f.Linker.Lock(ctx, tx); err != nil {
			return nil, err
		}
	}
	var rows map[int64]*conversation.Row
	none := verdict{Refused, fault.NotFound}
	if err := f.Conversations.May(ctx, op.Task); err != nil {
		v, known := verdictOf(err)
		if !known {
			return nil, err
		}
		none = v // of each
	} else if rows, err = f.loadAll(ctx, tx, items); err != nil {
		return nil, err
	}
	seen, upTo := make([]*conversation.Row, 0, len(items)), make([]int64, 0, len(items))
	for _, it := range items {
		if row := rows[it.key]; row != nil {
			seen, upTo = append(seen, row), append(upTo, it.inbound)
		}
	}
	done, err := f.doAll(ctx, tx, op, seen, upTo)
	if err != nil {
		return nil, err
	}
	t := tally{op.Done, op.Changed, op.refused}
	for _, it := range items {
		v := none
		if rows[it.key] != nil {
			if v, err = judged(done[0]); err != nil {
				return nil, err
			}
			done = done[1:]
		}
		t.add(v)
		outcomes = append(outcomes, v.place())
	}
	op.Done, op.Changed, op.refused = t.done, t.changed, t.refused
	return outcomes, nil
}

// doAll does the task with conversations that are locked.
func (f *Service) doAll(ctx context.Context, tx *store.Tx, op *Row, rows []*conversation.Row, upTo []int64) ([]conversation.Done, error) {
	if !op.Task.Links() {
		return f.Conversations.DoAll(ctx, tx, op.Task, rows, upTo, op.IdempotencyKey)
	}
	var changed []int64
	var err error
	if op.Task.Action == conversation.Linking {
		changed, err = f.Linker.Relink(ctx, tx, rows, op.IdempotencyKey)
	} else {
		changed, err = f.Linker.Undo(ctx, tx, rows, times(upTo), op.IdempotencyKey)
	}
	done := make([]conversation.Done, len(rows))
	for i, row := range rows {
		if slices.Contains(changed, row.Key) {
			done[i].Cause = feed.ConversationChanged
		}
	}
	return done, err
}

func (f *Service) loadAll(ctx context.Context, tx *store.Tx, items []item) (map[int64]*conversation.Row, error) {
	keys := make([]int64, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	return f.Conversations.LoadAll(ctx, tx, keys)
}

// hold lets a worker keep the operation for another lease.
func (r *Row) hold(tx *store.Tx, token int64) {
	if r.started == 0 {
		r.started = tx.Now
	}
	r.State, r.holder, r.heldUntil = Running, token, tx.Now.Add(r.service.lease())
}

// end ends the operation.
func (r *Row) end(ctx context.Context, tx *store.Tx, as State) error {
	if r.started == 0 && as == Done {
		r.started = tx.Now
	}
	r.State, r.holder, r.finished = as, 0, tx.Now
	return r.save(ctx, tx)
}

// save writes how far the operation is, and tells those who watch it.
func (r *Row) save(ctx context.Context, tx *store.Tx) error {
	refused, err := json.Marshal(r.refused)
	if err != nil {
		return err
	}
	update := tx.Builder().Update("bulk_operations").
		Set("state", string(r.State)).Set("stop_reason", string(r.stopped)).
		Set("done", r.Done).Set("changed", r.Changed).Set("refused", string(refused)).
		Set("holder", r.holder).Set("held_until", int64(r.heldUntil)).
		Set("started_at", int64(r.started)).Set("touched_at", int64(tx.Now)).Set("finished_at", int64(r.finished)).
		Where(entsql.EQ("id", r.Key))
	if _, err := tx.Exec(ctx, update); err != nil {
		return err
	}
	return feed.Record(tx, &feed.Event{Cause: feed.BulkChanged, Subject: &feed.Subject{Kind: publicid.BulkOperation, Key: r.Key}})
}

// letGo leaves the operation to the next worker, who need not wait for the lease.
func (w *worker) letGo(ctx context.Context) error {
	return w.f.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, tx.Builder().Update("bulk_operations").Set("holder", 0).
			Where(entsql.And(entsql.EQ("id", w.operation), entsql.EQ("holder", w.token))))
		return err
	})
}
