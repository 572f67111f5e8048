package conversation

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/anyof"
	"parley/internal/ground/cursor"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
)

// pageQuery is the statement of a page: the log's head, and the top rows.
type pageQuery struct {
	desk       *Service
	scope      *Scope
	after      *spot
	size       int
	descending bool
	columns    table.Columns
	along      *Alongside
	unplaced   bool
	onTrails   [][2]int64 // a page of every object type on each of these trails
	ofRecords  []int64    // a page of each of these records
	conds      asked      // what the rows are asked beyond where the page reads them

	slab *store.Slab[Row]
}

var slabs store.Slabs[Row]

func (d *Service) pageQuery(scope *Scope, order *Order, w Window, selected Selected) (*pageQuery, error) {
	q := &pageQuery{
		desk: d, scope: scope, size: w.Size + 1, slab: slabs.Slab(selected.Until),
		columns: selected.Columns, along: selected.Along, unplaced: selected.Unplaced, conds: scope.conds,
	}
	if scope.conds[ownedBy] != nil && !q.columns.IsZero() {
		q.columns = q.columns.Without(conversations.Only("owner_id")) // it is known
	}
	if scope.Trail() != nil && !q.columns.IsZero() {
		q.columns = q.columns.And(conversations.Only("record_id")) // it says what relates the conversation
	}
	q.descending = (order == nil || order.Direction != Ascending) != w.Backward
	if w.Cursor == "" {
		return q, nil
	}
	q.after = &spot{}
	return q, w.Place(d.Cursors.Sealer, cursor.Conversations, "conversations", (*int64)(&q.after.at), &q.after.key)
}

// along is the name of the table that is read with a page.
const along = "along"

// Query implements store.Query. The first row holds the log's position in place
// of a key, and nothing else, where it is asked for: beside an outer join a page
// would be gathered before it is read.
func (q *pageQuery) Query() (string, []any) {
	columns := conversations.Select("x", q.columns)
	if q.along != nil {
		columns = append(columns, q.along.Columns(along)...)
	}
	b := &entsql.Builder{}
	b.SetDialect(q.desk.Store.Dialect())
	if q.unplaced {
		q.top(b.WriteString("SELECT ").WriteString(strings.Join(columns, ", ")))
		return b.Query()
	}
	b.WriteString("SELECT position").WriteString(strings.Repeat(", NULL", len(columns)-1)).
		WriteString(" FROM log_heads WHERE id = 1 UNION ALL SELECT * FROM (SELECT ").WriteString(strings.Join(columns, ", "))
	q.top(b)
	return b.WriteString(") AS page").Query()
}

func (q *pageQuery) way() string {
	if q.descending {
		return " DESC"
	}
	return " ASC"
}

// top writes where the rows of the page come from: one index, when the
// conditions keep to what is seen or to the few conversations of a record, else
// their places, merged from the tops of the sight's terms.
func (q *pageQuery) top(b *entsql.Builder) {
	switch {
	case q.onTrails != nil:
		q.topOfGroups(b)
		return
	case q.ofRecords != nil:
		q.topPerKey(b.WriteString(" FROM ("), "record_id", q.ofRecords, q.scope.sight.SQL(ofX))
		b.WriteString(") AS places JOIN ").WriteString(q.oneByOne("places.id"))
		q.join(b)
		return
	case q.scope.conds[sentBy] != nil:
		q.topSent(b.WriteString(" FROM ("))
	case q.scope.Trail() != nil:
		q.conds[onTrail] = nil
		q.topPerKey(b.WriteString(" FROM ("), "record_id", q.scope.Trail().Records(), q.scope.sight.SQL(ofX))
	case q.scope.covered():
		q.rowsOf(b, nil)
		return
	case q.scope.conds[aboutRecord] != nil:
		q.rowsOf(b, q.scope.sight.SQL(ofX))
		return
	default:
		q.topMerged(b.WriteString(" FROM ("))
	}
	q.limit(b)
	b.WriteString(") AS places JOIN ").WriteString(q.oneByOne("places.id"))
	q.join(b)
}

// oneByOne joins a conversation by its key: on PostgreSQL in the order of what it
// is joined to, however small it thinks the tables are.
func (q *pageQuery) oneByOne(key string) string {
	if q.desk.Store.Dialect() == dialect.Postgres {
		return "LATERAL (SELECT * FROM conversations AS c WHERE c.id = " + key + " OFFSET 0) AS x ON TRUE"
	}
	return "conversations AS x ON x.id = " + key
}

// rowsOf writes the rows of the page as they stand in conversations.
func (q *pageQuery) rowsOf(b *entsql.Builder, term *entsql.Predicate) {
	b.WriteString(" FROM conversations AS x")
	q.join(b)
	q.where(b, term)
	b.WriteString(" ORDER BY x.last_message_at").WriteString(q.way()).WriteString(", x.id").WriteString(q.way()).
		WriteString(" LIMIT ").Arg(q.size)
}

// join writes what is read along.
func (q *pageQuery) join(b *entsql.Builder) {
	if q.along != nil {
		b.WriteString(" LEFT JOIN ").WriteString(q.along.Table).WriteString(" AS " + along + " ON " + along + ".id = x.").WriteString(q.along.On)
	}
}

func (q *pageQuery) limit(b *entsql.Builder) {
	b.WriteString(" ORDER BY at").WriteString(q.way()).WriteString(", id").WriteString(q.way()).
		WriteString(" LIMIT ").Arg(q.size)
}

// topOf writes a selection of places from conversations, without its limit.
func (q *pageQuery) topOf(b *entsql.Builder, term *entsql.Predicate) {
	b.WriteString("SELECT x.id AS id, x.last_message_at AS at FROM conversations AS x")
	q.where(b, term)
}

func (q *pageQuery) where(b *entsql.Builder, term *entsql.Predicate) {
	p := q.conds.where(ofX)
	if !q.fromCursor() {
		p = append(p, q.scope.conds.listed(ofX))
	}
	q.filter(b, append(p, term, q.beyond("x.last_message_at", "x.id")))
}

// topSent writes the places of conversations that an agent sent in.
func (q *pageQuery) topSent(b *entsql.Builder) {
	b.WriteString("SELECT s.conversation_id AS id, s.last_message_at AS at FROM participants AS s JOIN ").
		WriteString(q.oneByOne("s.conversation_id"))
	p := append(q.conds.where(ofX),
		entsql.EQ(ofS("agent_id"), q.scope.conds[sentBy]), q.scope.sight.SQL(ofX),
		q.beyond("s.last_message_at", "s.conversation_id"))
	if !q.fromCursor() {
		p = append(p, listed(ofS))
	}
	q.filter(b, p)
}

func (q *pageQuery) filter(b *entsql.Builder, p []*entsql.Predicate) {
	p = slices.DeleteFunc(p, func(p *entsql.Predicate) bool { return p == nil })
	if len(p) > 0 {
		b.WriteString(" WHERE ").Join(entsql.And(p...))
	}
}

// fromCursor reports whether the page begins at its cursor and goes on to what is newer,
// which is all in lists.
func (q *pageQuery) fromCursor() bool { return q.after != nil && !q.descending }

// beyond keeps to what comes after the cursor.
func (q *pageQuery) beyond(at, id string) *entsql.Predicate {
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
func (q *pageQuery) topMerged(b *entsql.Builder) {
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
			q.topOf(b, entsql.GT(ofX(t.Column), 0))
			q.limit(b)
			b.WriteString(")").WriteString(" AS any_owner")
			continue
		}
		q.topPerKey(b, t.Column, t.IDs, nil)
	}
	b.WriteString(") AS merged")
}

// topPerKey writes the tops for a list of keys, passed as one JSON argument so
// that the statement's text does not depend on them, with one condition more where there
// is one.
func (q *pageQuery) topPerKey(b *entsql.Builder, column string, keys []int64, also *entsql.Predicate) {
	equal := func(value string) *entsql.Predicate {
		is := entsql.P(func(b *entsql.Builder) { b.WriteString("x." + column + " = " + value) })
		if also == nil {
			return is
		}
		return entsql.And(is, also)
	}
	list := anyof.JSON(keys)
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

// ofX and ofS name columns of the conversations and participants of a page.
var ofX, ofS = qualify("x"), qualify("s")

// qualify names columns of a table as ent's builders do.
func qualify(table string) columnOf {
	return func(column string) string { return "`" + table + "`.`" + column + "`" }
}

// row reads a row of the page.
func (q *pageQuery) row(s *store.Row) (*Row, error) {
	r := q.slab.Next()
	r.service = q.desk
	i := conversations.Read(r, s, 0, q.columns)
	if owner, known := q.scope.conds[ownedBy].(int64); known {
		r.OwnerID = owner
	}
	if q.along == nil || s.Null(i) {
		return r, nil
	}
	var err error
	r.Along, err = q.along.Read(r, s, i)
	return r, err
}

// read runs the statement: the rows in the order of the list, and the position of the log if
// it is asked for.
func (q *pageQuery) read(ctx context.Context) (rows []*Row, position int64, err error) {
	rows = make([]*Row, 0, min(q.size, 64))
	err = q.desk.Store.Each(ctx, &q.scope.sight, q, func(s *store.Row) error {
		if !q.unplaced && s.Null(1) {
			position = s.Int(0)
			return nil
		}
		row, err := q.row(s)
		rows = append(rows, row)
		return err
	})
	q.sort(rows)
	return rows, position, err
}

// sort puts rows into the order of the list. They come in it as a rule, which no
// database promises.
func (q *pageQuery) sort(rows []*Row) {
	slices.SortFunc(rows, func(a, b *Row) int {
		if q.descending {
			a, b = b, a
		}
		return cmp.Or(cmp.Compare(a.LastMessageAt, b.LastMessageAt), cmp.Compare(a.Key, b.Key))
	})
}
