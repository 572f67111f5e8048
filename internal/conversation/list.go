package conversation

import (
	"context"
	"slices"

	"parley/internal/clock"
	"parley/internal/cursor"
	"parley/internal/fault"
	"parley/internal/store"
	"parley/internal/viewer"
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

// Window asks for a page: first after a cursor, or last before one. Package
// resolvers has checked its bounds.
type Window struct {
	Size     int
	Backward bool
	Cursor   string // empty from the end

	// Columns are what the page's rows are read with; all when zero. The rest of
	// them is not to be looked at.
	Columns store.Columns
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
	Rows            []*Row
	HasNextPage     bool
	HasPreviousPage bool
	// Position of the log that the page was read at.
	Position int64
	// Scope can count the whole list.
	Scope *Scope

	desk *Desk
}

// Edge is a conversation in a page.
type Edge struct{ Node *Row }

// Cursor is where the edge stands in its list.
func (e *Edge) Cursor() string { return e.Node.desk.cursor(e.Node) }

// Edges are the page's conversations with cursors.
func (p *Page) Edges() []*Edge {
	all, edges := make([]Edge, len(p.Rows)), make([]*Edge, len(p.Rows))
	for i, r := range p.Rows {
		all[i].Node = r
		edges[i] = &all[i]
	}
	return edges
}

// Nodes are the page's conversations.
func (p *Page) Nodes() []*Row { return p.Rows }

// PageInfo is where a page stands in its list.
type PageInfo struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// PageInfo is where the page stands.
func (p *Page) PageInfo() *PageInfo {
	info := &PageInfo{HasNextPage: p.HasNextPage, HasPreviousPage: p.HasPreviousPage}
	if n := len(p.Rows); n > 0 {
		first, last := p.desk.cursor(p.Rows[0]), p.desk.cursor(p.Rows[n-1])
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
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
func (d *Desk) List(ctx context.Context, view View, filter *Filter, order *Order, w Window) (*Page, error) {
	scope, err := d.Scope(viewer.FromContext(ctx), view, filter)
	if err != nil {
		return nil, err
	}
	q, err := d.pageQuery(scope, order, w)
	if err != nil {
		return nil, err
	}
	page := &Page{Scope: scope, Rows: make([]*Row, 0, min(q.size, 64)), desk: d}
	read := func(ctx context.Context) error {
		return d.Store.Each(ctx, q, func(s *store.Row) error {
			if s.Null(1) {
				page.Position = s.Int(0)
				return nil
			}
			row, err := q.row(s)
			page.Rows = append(page.Rows, row)
			return err
		})
	}
	if scope.conds.walks() {
		err = d.Store.Scan(ctx, read)
	} else {
		err = read(ctx)
	}
	q.sort(page.Rows)
	page.cut(w)
	return page, err
}

// cut takes off the row that only tells whether there is more, and puts a page
// read backwards into order.
func (p *Page) cut(w Window) {
	more := len(p.Rows) > w.Size
	if more {
		p.Rows = p.Rows[:w.Size]
	}
	if w.Backward {
		slices.Reverse(p.Rows)
		p.HasPreviousPage, p.HasNextPage = more, w.Cursor != ""
		return
	}
	p.HasNextPage, p.HasPreviousPage = more, w.Cursor != ""
}

// spot is where a row stands in a list.
type spot struct {
	at  clock.Time
	key int64
}

func (d *Desk) cursor(r *Row) string { return d.CursorAt(r.LastMessageAt, r.Key) }

// CursorAt is the cursor of a place in lists: that of a conversation with this key
// and this time of its last message.
func (d *Desk) CursorAt(at clock.Time, key int64) string {
	return d.Cursors.Seal(cursor.Conversations, int64(at), key)
}

func (d *Desk) parseCursor(w Window) (at spot, err error) {
	if d.Cursors.Open(cursor.Conversations, w.Cursor, (*int64)(&at.at), &at.key) {
		return at, nil
	}
	field := "after"
	if w.Backward {
		field = "before"
	}
	return spot{}, fault.Input(field, "This cursor does not belong to a list of conversations. Pass a cursor from an edge, or leave it out.")
}
