package operation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/conversation"
	"parley/internal/cursor"
	"parley/internal/fault"
	"parley/internal/publicid"
	"parley/internal/viewer"
)

// Window asks for a page: so many after a cursor, or from the start.
type Window struct {
	Size   int
	Cursor string
}

// Page is a page of operations, newest first.
type Page struct {
	Rows    []*Row
	HasNext bool

	window Window
}

// Edge is an operation in a page.
type Edge struct{ Node *Row }

// Cursor is where the edge stands in its list.
func (e *Edge) Cursor() string { return e.Node.cursor() }

func (r *Row) cursor() string { return r.foreman.Desk.Cursors.Seal(cursor.Operations, r.Key) }

// Edges are the page's operations with cursors.
func (p *Page) Edges() []*Edge {
	edges := make([]*Edge, len(p.Rows))
	for i, r := range p.Rows {
		edges[i] = &Edge{r}
	}
	return edges
}

// Nodes are the page's operations.
func (p *Page) Nodes() []*Row { return p.Rows }

// PageInfo is where the page stands.
func (p *Page) PageInfo() *conversation.PageInfo {
	info := &conversation.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.window.Cursor != ""}
	if n := len(p.Rows); n > 0 {
		first, last := p.Rows[0].cursor(), p.Rows[n-1].cursor()
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// Mine reads a page of the operations that the viewer of ctx began, newest first.
func (f *Foreman) Mine(ctx context.Context, w Window) (*Page, error) {
	q := selected(f.Desk.Store.Builder(), entsql.EQ("creator_id", viewer.FromContext(ctx).AgentID))
	if w.Cursor != "" {
		var key int64
		if !f.Desk.Cursors.Open(cursor.Operations, w.Cursor, &key) {
			return nil, fault.Input("after", "This cursor does not belong to a list of bulk operations. Pass a cursor from an edge, or leave it out.")
		}
		q.Where(entsql.LT("id", key))
	}
	page := &Page{window: w}
	err := f.Desk.Store.Read(ctx, q.OrderBy(entsql.Desc("id")).Limit(w.Size+1), func(rows *sql.Rows) error {
		r, err := f.scan(rows)
		page.Rows = append(page.Rows, r)
		return err
	})
	if page.HasNext = len(page.Rows) > w.Size; page.HasNext {
		page.Rows = page.Rows[:w.Size]
	}
	return page, err
}

// Result is what became of one conversation of an operation.
type Result struct {
	// Key is the conversation's.
	Key     int64
	Outcome Outcome

	verdict verdict
	number  int64
	foreman *Foreman
}

// ConversationID is the public id of the conversation.
func (r *Result) ConversationID() string {
	return r.foreman.Desk.IDs.Encode(publicid.Conversation, r.Key)
}

// Error is why it was refused; nil when it was not.
func (r *Result) Error() *fault.Error { return r.verdict.refusal() }

// ResultPage is a page of results, in the order of the set.
type ResultPage struct {
	Results []*Result
	HasNext bool

	window Window
}

// ResultEdge is a result in a page.
type ResultEdge struct{ Node *Result }

// Cursor is where the edge stands in its list.
func (e *ResultEdge) Cursor() string {
	return e.Node.foreman.Desk.Cursors.Seal(cursor.Results, e.Node.number)
}

// Edges are the page's results with cursors.
func (p *ResultPage) Edges() []*ResultEdge {
	edges := make([]*ResultEdge, len(p.Results))
	for i, r := range p.Results {
		edges[i] = &ResultEdge{r}
	}
	return edges
}

// Nodes are the page's results.
func (p *ResultPage) Nodes() []*Result { return p.Results }

// PageInfo is where the page stands.
func (p *ResultPage) PageInfo() *conversation.PageInfo {
	info := &conversation.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.window.Cursor != ""}
	if n := len(p.Results); n > 0 {
		first, last := (&ResultEdge{p.Results[0]}).Cursor(), (&ResultEdge{p.Results[n-1]}).Cursor()
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// mostBatches is how many batches of an operation one statement reads, some
// 60 kB.
const mostBatches = 100

// Results reads the same page of the results of many operations, all results or
// those with an outcome, in the order of the set. Without an outcome asked for
// that is one statement; a rare one takes another for every 10,000 conversations
// between.
func (f *Foreman) Results(ctx context.Context, of []*Row, only *Outcome, w Window) ([]*ResultPage, error) {
	after := int64(-1)
	if w.Cursor != "" && !f.Desk.Cursors.Open(cursor.Results, w.Cursor, &after) {
		return nil, fault.Input("after", "This cursor does not belong to a list of results. Pass a cursor from an edge, or leave it out.")
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
		more := len(r.found) > w.Size
		pages[i] = &ResultPage{Results: r.found[:min(len(r.found), w.Size)], HasNext: more, window: w}
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
func (f *Foreman) readOn(ctx context.Context, readers []*reader) (more bool, err error) {
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
	q := f.Desk.Store.Builder().Select("operation_id", "number", "items", "outcomes").From(entsql.Table("bulk_batches")).
		Where(entsql.Or(ranges...)).OrderBy("operation_id", "number")
	return true, f.Desk.Store.Read(ctx, q, func(rows *sql.Rows) error {
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
			r.found = append(r.found, &Result{Key: it.key, Outcome: v.outcome, verdict: v, number: number, foreman: r.op.foreman})
		}
	}
}
