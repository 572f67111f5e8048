package conversation

import (
	"context"

	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/page"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// OrderField is what a list is sorted by.
type OrderField string

// LastMessageAt is the one order so far, and the one every view has an index for.
const LastMessageAt OrderField = "LAST_MESSAGE_AT"

// OrderDirection is which way a list runs.
type OrderDirection string

// The directions.
const (
	Ascending  OrderDirection = "ASC"
	Descending OrderDirection = "DESC"
)

// Order is how a list is sorted; newest first by default.
type Order struct {
	Field     OrderField
	Direction OrderDirection
}

// Window asks for a page.
type Window = page.Window

// Selected is what a page reads of its rows: everything when zero.
type Selected struct {
	// Columns are what the page's rows are read with; all when zero. Fields of other
	// columns are zero and must not be read.
	Columns table.Columns
	// Along is read with every row, in the same statement; nil for nothing.
	Along *Alongside
	// Unplaced leaves out the page's Position.
	Unplaced bool
	// Until takes what to call when nobody looks at the page's rows any more; nil
	// where they are kept.
	Until func(done func())
}

// Page is a page of conversations.
type Page struct {
	page.Page[*Row]
	// Position of the log that the page was read at.
	Position int64
	// Scope can count the whole list.
	Scope *Scope

	total func(context.Context) (int64, error) // nil where the scope is to be counted
	desk  *Service
}

// Total counts the whole list that the page is of, if it was not counted with it.
func (p *Page) Total(ctx context.Context) (int64, error) {
	if p.total != nil {
		return p.total(ctx)
	}
	return p.desk.Total(ctx, p.Scope)
}

// Edge is a conversation in a page.
type Edge struct {
	Node *Row
	// RelatedBy is the mapping by which its record is related to the record of the view;
	// nil for that record's own conversations, and in other views.
	RelatedBy *object.Mapping
}

// Cursor returns the conversation's place in its list.
func (e *Edge) Cursor() string { return e.Node.Cursor() }

// Edges returns the page's conversations with cursors.
func (p *Page) Edges() []*Edge {
	edges := make([]*Edge, len(p.Nodes))
	for i, row := range p.Nodes {
		edges[i] = &Edge{row, p.Scope.RelatedBy(row.RecordID)}
	}
	return edges
}

// FeedCursor is the position of the log that the page was read at.
func (p *Page) FeedCursor() string { return p.desk.Cursors.Encode(p.Position) }

// Alongside reads with a conversation an object that one of its columns names.
type Alongside struct {
	// Table has the object, by its id in On, a column of conversations.
	Table, On string
	// Columns are read of the table named x, the id first.
	Columns func(x string) []string
	// Read makes the object from the columns from place i on. It is called only
	// where there is one.
	Read func(c *Row, s *store.Row, i int) (any, error)
}

// List reads a page of a view under the viewer of ctx, in one statement that
// also reads the log's position. For every channel and queue of a viewer whose
// sight it must merge, it visits at most a page and one row that the view and
// filter let through, wherever the page lies. Where the filter has more conditions
// than an index serves, it walks past what they keep out, in turn with other scans.
func (d *Service) List(ctx context.Context, view View, filter *Filter, order *Order, w Window, selected Selected) (*Page, error) {
	scope, err := d.Scope(ctx, viewer.FromContext(ctx), view, filter)
	if err != nil {
		return nil, err
	}
	q, err := d.pageQuery(scope, order, w, selected)
	if err != nil {
		return nil, err
	}
	var rows []*Row
	p := &Page{Scope: scope, desk: d}
	read := func(ctx context.Context) (err error) {
		rows, p.Position, err = q.read(ctx)
		return err
	}
	if scope.conds.walks() {
		err = d.Store.Scan(ctx, read)
	} else {
		err = read(ctx)
	}
	p.Page, p.Position = page.Of(rows, w), scope.Known(p.Position)
	return p, err
}

// spot is where a row stands in a list.
type spot struct {
	at  clock.Time
	key int64
}

// Cursor returns the conversation's place in lists.
func (r *Row) Cursor() string { return r.service.CursorAt(r.LastMessageAt, r.Key) }

// CursorAt is the cursor of a place in lists: that of a conversation with this key
// and this time of its last message.
func (d *Service) CursorAt(at clock.Time, key int64) string {
	return d.Cursors.Seal(cursor.Conversations, int64(at), key)
}
