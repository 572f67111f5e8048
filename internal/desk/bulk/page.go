package bulk

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Window asks for a page: so many after a cursor, or from the start.
type Window = page.Window

// Page is a page of operations, newest first.
type Page = page.Page[*Row]

// Edge is an operation in a page.
type Edge = page.Edge[*Row]

// Cursor returns the operation's place among those of its creator.
func (r *Row) Cursor() string { return r.service.Cursors.Seal(cursor.Operations, r.Key) }

// Mine reads a page of the operations that the viewer of ctx began, newest first.
func (f *Service) Mine(ctx context.Context, w Window) (*Page, error) {
	q := selected(f.Store.Builder(), entsql.EQ("creator_id", viewer.FromContext(ctx).AgentID))
	if w.Cursor != "" {
		var key int64
		if err := w.Place(f.Cursors.Sealer, cursor.Operations, "bulk operations", &key); err != nil {
			return nil, err
		}
		q.Where(entsql.LT("id", key))
	}
	var ops []*Row
	err := f.Store.Read(ctx, viewer.FromContext(ctx), q.OrderBy(entsql.Desc("id")).Limit(w.Size+1), func(rows *sql.Rows) error {
		r, err := f.scan(rows)
		ops = append(ops, r)
		return err
	})
	p := page.Of(ops, w)
	return &p, err
}

// Result is what became of one conversation of an operation.
type Result struct {
	// Key is the conversation's.
	Key     int64
	Outcome Outcome

	verdict verdict
	number  int64
	foreman *Service
}

// ConversationID is the public id of the conversation.
func (r *Result) ConversationID() string {
	return r.foreman.IDs.Encode(publicid.Conversation, r.Key)
}

// Error is why it was refused; nil when it was not.
func (r *Result) Error() *fault.Error { return r.verdict.refusal() }

// ResultPage is a page of results, in the order of the set.
type ResultPage = page.Page[*Result]

// ResultEdge is a result in a page.
type ResultEdge = page.Edge[*Result]

// Cursor returns the result's place in the set.
func (r *Result) Cursor() string {
	return r.foreman.Cursors.Seal(cursor.Results, r.number)
}

// mostBatches is how many batches of an operation one statement reads, some
// 60 kB.
const mostBatches = 100

// Results reads the same page of the results of many operations, all results or
// those with an outcome, in the order of the set. Without an outcome asked for
// that is one statement; a rare one takes another for every 10,000 conversations
// between.
func (f *Service) Results(ctx context.Context, of []*Row, only *Outcome, w Window) ([]*ResultPage, error) {
	after := int64(-1)
	if w.Cursor != "" {
		if err := w.Place(f.Cursors.Sealer, cursor.Results, "results", &after); err != nil {
			return nil, err
		}
	}
	pages, readers := make([]*ResultPage, len(of)), make([]*reader, len(of))
	for i, op := range of {
		readers[i] = &reader{op: op, only: only, after: after, size: w.Size, next: (after + 1) / op.batchSize}
	}
	for {
		more, err := f.readOn(ctx, readers)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	for i, r := range readers {
		p := page.Of(r.found, w)
		pages[i] = &p
	}
	return pages, nil
}

// reader finds the results of a page, and the one that tells whether there are
// more.
type reader struct {
	op          *Row
	only        *Outcome
	after, next int64 // after a result, from a batch on
	size        int
	found       []*Result
}

func (r *reader) full() bool { return len(r.found) > r.size || r.next*r.op.batchSize >= r.op.Total }

// readOn reads on for those that are not full, in one statement; false when all
// are.
func (f *Service) readOn(ctx context.Context, readers []*reader) (more bool, err error) {
	var ranges []*entsql.Predicate
	byOperation := map[int64][]*reader{}
	for _, r := range readers {
		if r.full() {
			continue
		}
		n := int64(mostBatches)
		if r.only == nil {
			n = int64(r.size)/r.op.batchSize + 2
		}
		ranges = append(ranges, entsql.And(entsql.EQ("operation_id", r.op.Key), entsql.GTE("number", r.next), entsql.LT("number", r.next+n)))
		r.next += n
		byOperation[r.op.Key] = append(byOperation[r.op.Key], r)
	}
	if len(ranges) == 0 {
		return false, nil
	}
	q := f.Store.Builder().Select("operation_id", "number", "items", "outcomes").From(entsql.Table("bulk_batches")).
		Where(entsql.Or(ranges...)).OrderBy("operation_id", "number")
	return true, f.Store.Read(ctx, inHand, q, func(rows *sql.Rows) error {
		var packed, outcomes []byte
		var operation, number int64
		if err := rows.Scan(&operation, &number, &packed, &outcomes); err != nil {
			return err
		}
		items, err := unpack(packed)
		for _, r := range byOperation[operation] {
			r.take(number, items, outcomes)
		}
		return err
	})
}

// take looks through a batch.
func (r *reader) take(batch int64, items []item, outcomes []byte) {
	for i, it := range items {
		v, number := verdicts[0], batch*r.op.batchSize+int64(i)
		if i < len(outcomes) {
			v = verdictAt(outcomes[i])
		}
		if number > r.after && (r.only == nil || *r.only == v.outcome) && len(r.found) <= r.size {
			r.found = append(r.found, &Result{Key: it.key, Outcome: v.outcome, verdict: v, number: number, foreman: r.op.service})
		}
	}
}
