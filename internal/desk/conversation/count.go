package conversation

import (
	"context"
	"database/sql"
	"fmt"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/count"
	"parley/internal/desk/rule"
	"parley/internal/ground/memo"
	"parley/internal/ground/price"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Total counts the whole list of a page.
func (d *Service) Total(ctx context.Context, s *Scope) (int64, error) {
	if s.conds.inCells() {
		c, _, err := d.Count(ctx, s)
		return c.Total, err
	}
	var total, position int64
	err := d.numbers(ctx, s, d.rowCountQuery(s, false), &position, &total)
	return total, err
}

// Count counts a scope and returns the position of the log it counted at, in one
// statement: from the standing cells where they can answer, else from the rows. A
// query that counts the same scope again gets the same counts.
func (d *Service) Count(ctx context.Context, s *Scope) (c Counts, position int64, err error) {
	if !s.conds.inCells() {
		err = d.numbers(ctx, s, d.rowCountQuery(s, true), &position, &c.Total, &c.Unread, &c.New)
		return c, position, err
	}
	var t count.Tally
	err = d.numbers(ctx, s, d.cellQuery(s), &position, &t.Conversations, &t.WithInbound, &t.Unread, &t.UnreadInbound, &t.New)
	return s.conds.counts(t), position, err
}

// numbers reads the one row of whole numbers that a statement counts, the same
// statement once in a query.
func (d *Service) numbers(ctx context.Context, s *Scope, query store.Query, into ...*int64) error {
	text, args := query.Query() // once: a selector numbers its parameters on
	counted, err := memo.Read(ctx, fmt.Sprintf("%s %#v", text, args), func() ([]int64, error) {
		return d.count(ctx, s, statement{text, args}, len(into))
	})
	for i, n := range counted {
		*into[i] = n
	}
	return err
}

// rowsCounted is how many rows that were counted cost a unit.
const rowsCounted = 20

// count reads standing counts and the few rows of a record at once. Other rows are
// counted in turn with whoever else walks through many, and charged for by the
// second number, how many there are.
func (d *Service) count(ctx context.Context, s *Scope, query store.Query, columns int) ([]int64, error) {
	n, row := make([]int64, columns), make([]any, columns)
	for i := range n {
		row[i] = &n[i]
	}
	read := func(ctx context.Context) error {
		return d.Store.Read(ctx, &s.sight, query, func(rows *sql.Rows) error { return rows.Scan(row...) })
	}
	if s.conds.inCells() || s.conds[aboutRecord] != nil {
		return n, read(ctx)
	}
	err := d.Store.Scan(ctx, read)
	price.Charge(ctx, int(n[1]/rowsCounted))
	return n, err
}

// statement is SQL with its arguments.
type statement struct {
	text string
	args []any
}

// Query implements store.Query.
func (s statement) Query() (string, []any) { return s.text, s.args }

// headPosition is the log's position as a column, so that it is read in the same
// statement as what it goes with.
const headPosition = "(SELECT position FROM log_heads WHERE id = 1)"

func (d *Service) cellQuery(s *Scope) store.Query {
	t := entsql.Table("count_cells")
	q := d.Store.Builder().SelectExpr(
		entsql.Raw(headPosition), sum("conversations"), sum("with_inbound"), sum("unread"), sum("unread_inbound"), sum("new"),
	).From(t)
	where(q, append(s.conds.whereCells(t.C), s.sight.SQL(t.C)))
	return q
}

// sum is 0, not NULL, over no rows; the cast keeps PostgreSQL from a numeric.
func sum(column string) entsql.Querier {
	return entsql.ExprFunc(func(b *entsql.Builder) {
		b.WriteString("CAST(COALESCE(SUM(").Ident(column).WriteString("), 0) AS BIGINT)")
	})
}

// unreadAndNew count the rows that are unread, and the new messages.
var unreadAndNew = []entsql.Querier{
	entsql.Raw("CAST(COALESCE(SUM(CASE WHEN is_unread THEN 1 ELSE 0 END), 0) AS BIGINT)"),
	entsql.Raw("CAST(COALESCE(SUM(inbound_count - read_count), 0) AS BIGINT)"),
}

// rowCountQuery counts the rows; and those that are unread and the new messages too,
// for which each row must be read, where the index alone could be counted.
func (d *Service) rowCountQuery(s *Scope, whole bool) store.Query {
	t := entsql.Table("conversations").As("x")
	counts := []entsql.Querier{entsql.Raw(headPosition), entsql.Raw("COUNT(*)")}
	if whole {
		counts = append(counts, unreadAndNew...)
	}
	p := s.conds.where(t.C)
	if visible := s.sight.SQL(t.C); visible != nil {
		p = append(p, visible)
	}
	q := d.Store.Builder().SelectExpr(counts...)
	agent := s.conds[sentBy]
	if agent == nil {
		return where(q.From(t), append(p, s.conds.listed(t.C)))
	}
	sent := entsql.Table("participants").As("s")
	q.From(sent).Where(entsql.And(entsql.EQ(sent.C("agent_id"), agent), listed(sent.C)))
	if whole || len(p) > 0 {
		q.Join(t).On(t.C("id"), sent.C("conversation_id"))
	}
	return where(q, p)
}

func where(q *entsql.Selector, p []*entsql.Predicate) *entsql.Selector {
	for _, p := range p {
		if p != nil {
			q.Where(p)
		}
	}
	return q
}

// Inbox is one inbox of a viewer with its standing counts.
type Inbox struct {
	Kind    ViewKind
	Subject *string
	Title   string
	Counts  Counts

	Scope *Scope
}

// ID tells the viewer's inboxes apart; it is no id of any other object.
func (i *Inbox) ID() string {
	if i.Subject == nil {
		return "ibx_" + string(i.Kind)
	}
	return "ibx_" + string(i.Kind) + "_" + *i.Subject
}

// InboxList is all inboxes of a viewer, counted at one position of the log.
type InboxList struct {
	Inboxes  []*Inbox
	Position int64

	desk *Service
}

// FeedCursor is the position the counts were taken at.
func (l *InboxList) FeedCursor() string { return l.desk.Cursors.Encode(l.Position) }

// Inboxes counts the inboxes of the viewer of ctx in one statement: My Inbox,
// sender IDs, Unassigned, object types, and for holders of ViewTeamInbox one
// per agent.
func (d *Service) Inboxes(ctx context.Context) (*InboxList, error) {
	v := viewer.FromContext(ctx)
	list := &InboxList{desk: d}
	cells, err := d.visibleCells(ctx, rule.Visible(v), &list.Position)
	if err != nil {
		return nil, err
	}
	sums := sumCells(cells)
	for _, view := range views {
		if view.inboxes == nil {
			continue
		}
		for _, in := range view.inboxes(d, v, sums) {
			in.Kind = view.kind
			in.Scope, err = d.Scope(ctx, v, View{in.Kind, in.Subject}, nil)
			if err != nil {
				return nil, err
			}
			in.Counts = sums.counts(&in.Scope.conds)
			list.Inboxes = append(list.Inboxes, in)
		}
	}
	return list, nil
}

type cellTally struct {
	count.Cell
	count.Tally
}

func (d *Service) visibleCells(ctx context.Context, sight rule.Visibility, position *int64) ([]cellTally, error) {
	h, t := entsql.Table("log_heads"), entsql.Table("count_cells").As("cells")
	on := []*entsql.Predicate{entsql.NEQ(t.C("conversations"), 0)}
	if visible := sight.SQL(t.C); visible != nil {
		on = append(on, visible)
	}
	q := d.Store.Builder().Select(h.C("position"), t.C("owner_id"), t.C("channel_id"), t.C("queue_id"), t.C("object_type"),
		t.C("conversations"), t.C("with_inbound"), t.C("unread"), t.C("unread_inbound"), t.C("new")).
		From(h).LeftJoin(t).OnP(entsql.And(on...)).Where(entsql.EQ(h.C("id"), 1))
	var cells []cellTally
	err := d.Store.Read(ctx, sight, q, func(rows *sql.Rows) error {
		var n [8]sql.NullInt64
		var objectType sql.NullString
		err := rows.Scan(position, &n[0], &n[1], &n[2], &objectType, &n[3], &n[4], &n[5], &n[6], &n[7])
		if err == nil && n[1].Valid {
			cells = append(cells, cellTally{
				count.Cell{Owner: n[0].Int64, Channel: n[1].Int64, Queue: n[2].Int64, ObjectType: objectType.String},
				count.Tally{
					Conversations: n[3].Int64, WithInbound: n[4].Int64, Unread: n[5].Int64,
					UnreadInbound: n[6].Int64, New: n[7].Int64,
				},
			})
		}
		return err
	})
	return cells, err
}

// cellSums are cells summed by each thing that an inbox can be about: a pass over
// the cells, however many inboxes there are.
type cellSums struct {
	owner, channel map[int64]count.Tally
	objectType     map[string]count.Tally
}

func sumCells(cells []cellTally) cellSums {
	s := cellSums{map[int64]count.Tally{}, map[int64]count.Tally{}, map[string]count.Tally{}}
	for _, c := range cells {
		s.owner[c.Owner] = s.owner[c.Owner].Add(c.Tally)
		s.channel[c.Channel] = s.channel[c.Channel].Add(c.Tally)
		if c.ObjectType != "" {
			s.objectType[c.ObjectType] = s.objectType[c.ObjectType].Add(c.Tally)
		}
	}
	return s
}

// counts are those of an inbox: a view with one condition.
func (s cellSums) counts(a *asked) Counts {
	switch {
	case a[ownedBy] != nil:
		return a.counts(s.owner[a[ownedBy].(int64)])
	case a[onChannel] != nil:
		return a.counts(s.channel[a[onChannel].(int64)])
	}
	return a.counts(s.objectType[a[ofObjectType].(string)])
}
