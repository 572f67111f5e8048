package conversation

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/clock"
	"parley/internal/fault"
	"parley/internal/publicid"
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
	edges := make([]*Edge, len(p.Rows))
	for i, r := range p.Rows {
		edges[i] = &Edge{r}
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

// List reads a page of a view under the viewer of ctx, in one statement that
// also reads the log's position. For every channel and queue of a viewer whose
// sight it must merge, it visits at most a page and one row that the view and
// filter let through, wherever the page lies.
func (d *Desk) List(ctx context.Context, view View, filter *Filter, order *Order, w Window) (*Page, error) {
	scope, err := d.Scope(viewer.FromContext(ctx), view, filter)
	if err != nil {
		return nil, err
	}
	return d.list(ctx, scope, order, w)
}

func (d *Desk) list(ctx context.Context, scope *Scope, order *Order, w Window) (*Page, error) {
	q, err := d.pageQuery(scope, order, w)
	if err != nil {
		return nil, err
	}
	page := &Page{Scope: scope, desk: d}
	err = d.Store.Read(ctx, q, func(rows *sql.Rows) error {
		row, err := d.scan(rows, &page.Position)
		if row != nil {
			page.Rows = append(page.Rows, row)
		}
		return err
	})
	page.cut(w)
	return page, err
}

func (d *Desk) pageQuery(scope *Scope, order *Order, w Window) (pageQuery, error) {
	q := pageQuery{desk: d, scope: scope, size: w.Size + 1}
	q.descending = (order == nil || order.Direction != Ascending) != w.Backward
	if w.Cursor == "" {
		return q, nil
	}
	at, err := d.parseCursor(w)
	q.after = &at
	return q, err
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

// place is where a row stands in a list.
type place struct {
	at  clock.Time
	key int64
}

// cursor hides the key as ids do.
func (d *Desk) cursor(r *Row) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.LastMessageAt))
	return base64.RawURLEncoding.EncodeToString(append(b, r.ID()...))
}

func (d *Desk) parseCursor(w Window) (place, error) {
	b, err := base64.RawURLEncoding.DecodeString(w.Cursor)
	if err == nil && len(b) > 8 {
		if key, ok := d.IDs.Decode(publicid.Conversation, string(b[8:])); ok {
			return place{clock.Time(binary.BigEndian.Uint64(b)), key}, nil
		}
	}
	field := "after"
	if w.Backward {
		field = "before"
	}
	return place{}, fault.Input(field, "This is not a cursor of a list of conversations. Pass a cursor from an edge, or none.")
}

// pageQuery is the statement of a page: the log's head, joined to the top rows.
type pageQuery struct {
	desk       *Desk
	scope      *Scope
	after      *place
	size       int
	descending bool
}

// Query implements store.Query.
func (q pageQuery) Query() (string, []any) {
	b := &entsql.Builder{}
	b.SetDialect(q.desk.Store.Dialect())
	b.WriteString("SELECT log_heads.position")
	for _, c := range columns {
		b.WriteString(", c." + c)
	}
	b.WriteString(" FROM log_heads LEFT JOIN (")
	q.top(b)
	b.WriteString(") AS p ON TRUE LEFT JOIN conversations AS c ON c.id = p.id WHERE log_heads.id = 1 ORDER BY p.at").
		WriteString(q.way()).WriteString(", p.id").WriteString(q.way())
	return b.Query()
}

func (q pageQuery) way() string {
	if q.descending {
		return " DESC"
	}
	return " ASC"
}

// top writes the places of the page: from one index when the conditions keep to
// what is seen or to the few conversations of a record, else merged from the
// tops of the sight's terms.
func (q pageQuery) top(b *entsql.Builder) {
	switch {
	case q.scope.conds.sentBy != nil:
		q.topSent(b)
	case q.scope.covered():
		q.topOf(b, nil)
	case q.scope.conds.record != nil:
		q.topOf(b, q.scope.sight.SQL(qualify("x")))
	default:
		q.topMerged(b)
	}
	q.limit(b)
}

func (q pageQuery) limit(b *entsql.Builder) {
	b.WriteString(" ORDER BY at").WriteString(q.way()).WriteString(", id").WriteString(q.way()).
		WriteString(" LIMIT ").Arg(q.size)
}

// topOf writes a selection of places from conversations, without its limit.
func (q pageQuery) topOf(b *entsql.Builder, term *entsql.Predicate) {
	b.WriteString("SELECT x.id AS id, x.last_message_at AS at FROM conversations AS x")
	p := q.scope.conds.where(qualify("x"))
	q.filter(b, append(p, term, q.beyond("x.last_message_at", "x.id")))
}

// topSent writes the places of conversations that an agent sent in.
func (q pageQuery) topSent(b *entsql.Builder) {
	b.WriteString("SELECT s.conversation_id AS id, s.last_message_at AS at FROM participants AS s " +
		"JOIN conversations AS x ON x.id = s.conversation_id")
	p := append(q.scope.conds.where(qualify("x")),
		entsql.EQ(qualify("s")("agent_id"), *q.scope.conds.sentBy), q.scope.sight.SQL(qualify("x")),
		q.beyond("s.last_message_at", "s.conversation_id"))
	q.filter(b, p)
}

func (q pageQuery) filter(b *entsql.Builder, p []*entsql.Predicate) {
	p = slices.DeleteFunc(p, func(p *entsql.Predicate) bool { return p == nil })
	if len(p) > 0 {
		b.WriteString(" WHERE ").Join(entsql.And(p...))
	}
}

// beyond keeps to what comes after the cursor.
func (q pageQuery) beyond(at, id string) *entsql.Predicate {
	if q.after == nil {
		return nil
	}
	op := ">"
	if q.descending {
		op = "<"
	}
	return entsql.P(func(b *entsql.Builder) {
		b.WriteString("("+at+", "+id+") "+op+" (").Args(int64(q.after.at), q.after.key).WriteString(")")
	})
}

// topMerged writes the union of the tops of the sight's terms. A term over many
// channels or queues is one selection whatever their number: each key's top is a
// correlated subquery, which stops at the page's size.
func (q pageQuery) topMerged(b *entsql.Builder) {
	b.WriteString("SELECT id, at FROM (")
	terms := q.scope.terms()
	if len(terms) == 0 {
		q.topOf(b, entsql.False())
	}
	for i, t := range terms {
		if i > 0 {
			b.WriteString(" UNION ")
		}
		if len(t.IDs) == 0 {
			b.WriteString("SELECT * FROM (")
			q.topOf(b, entsql.GT(qualify("x")(t.Column), 0))
			q.limit(b)
			b.WriteString(")").WriteString(" AS any_owner")
			continue
		}
		q.topPerKey(b, t.Column, t.IDs)
	}
	b.WriteString(") AS merged")
}

// topPerKey writes the tops for a list of keys, passed as one JSON argument so
// that the statement's text does not depend on them.
func (q pageQuery) topPerKey(b *entsql.Builder, column string, keys []int64) {
	equal := func(value string) *entsql.Predicate {
		return entsql.P(func(b *entsql.Builder) { b.WriteString("x." + column + " = " + value) })
	}
	list := jsonKeys(keys)
	if q.desk.Store.Dialect() == dialect.Postgres {
		b.WriteString("SELECT t.id, t.at FROM json_array_elements_text(").Arg(list).WriteString("::json) AS k(value), LATERAL (")
		q.topOf(b, equal("k.value::bigint"))
		q.limit(b)
		b.WriteString(") AS t")
		return
	}
	b.WriteString("SELECT t.id AS id, t.last_message_at AS at FROM json_each(").Arg(list).
		WriteString(") AS k CROSS JOIN conversations AS t ON t.id IN (SELECT id FROM (")
	q.topOf(b, equal("k.value"))
	q.limit(b)
	b.WriteString("))")
}

// qualify names columns of a table as ent's builders do.
func qualify(table string) func(string) string {
	return func(column string) string { return "`" + table + "`.`" + column + "`" }
}
