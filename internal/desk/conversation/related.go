package conversation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/ground/anyof"
	"parley/internal/ground/page"
	"parley/internal/ground/price"
	"parley/internal/ground/publicid"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Related are the conversations of a record and of those that are related to it, by object
// type: the view RecordTrail.
type Related struct {
	Groups    []*Group // that with the newest message first
	Counts    Counts   // of all groups
	Truncated bool     // there are more related records than a trail has

	scope *Scope
	desk  *Service
}

// Group are the related conversations of one object type.
type Group struct {
	ObjectType string
	Counts     Counts

	of *Related
}

// FeedCursor is the position of the log up to which it holds everything.
func (r *Related) FeedCursor() string { return r.desk.Cursors.Encode(r.scope.Trail().Position) }

// Related reads the conversations related to a record under the viewer of ctx, in three
// statements, two of which read the trail.
func (d *Service) Related(ctx context.Context, record int64) (*Related, error) {
	subject := d.IDs.Encode(publicid.Record, record)
	scope, err := d.Scope(ctx, viewer.FromContext(ctx), View{Kind: RecordTrail, Subject: &subject}, nil)
	if err != nil {
		return nil, err
	}
	r := &Related{Groups: []*Group{}, Truncated: scope.Trail().Truncated, scope: scope, desk: d}
	err = d.Store.Scan(ctx, func(ctx context.Context) error {
		return d.Store.Read(ctx, &scope.sight, d.groupQuery(scope), func(rows *sql.Rows) error {
			g := &Group{of: r}
			err := rows.Scan(&g.ObjectType, &g.Counts.Total, &g.Counts.Unread, &g.Counts.New)
			r.Groups, r.Counts = append(r.Groups, g), r.Counts.plus(g.Counts)
			return err
		})
	})
	price.Charge(ctx, int(r.Counts.Total/rowsCounted))
	return r, err
}

func (c Counts) plus(other Counts) Counts {
	return Counts{c.Total + other.Total, c.Unread + other.Unread, c.New + other.New}
}

// groupQuery counts the conversations of a scope by object type.
func (d *Service) groupQuery(s *Scope) store.Query {
	t := entsql.Table("conversations").As("x")
	q := d.Store.Builder().SelectExpr(append([]entsql.Querier{entsql.Raw("object_type"), entsql.Raw("COUNT(*)")}, unreadAndNew...)...).From(t)
	where(q, append(s.conds.where(t.C), s.sight.SQL(t.C), s.conds.listed(t.C)))
	return q.GroupBy("object_type").OrderBy("MAX(last_message_at) DESC", "object_type")
}

// GroupPages reads the newest conversations of groups, those of a record's together in one
// statement.
func (d *Service) GroupPages(ctx context.Context, groups []*Group, size int, selected Selected) ([]*Page, error) {
	read := map[*Related]map[string][]*Row{}
	pages := make([]*Page, len(groups))
	for i, g := range groups {
		if read[g.of] == nil {
			rows, err := d.newest(ctx, g.of.scope, size, selected)
			if err != nil {
				return nil, err
			}
			read[g.of] = rows
		}
		pages[i] = &Page{
			Page: page.Of(read[g.of][g.ObjectType], Window{Size: size}), Position: g.of.scope.Trail().Position,
			Scope: g.of.scope, total: &g.Counts.Total, desk: d,
		}
	}
	return pages, nil
}

// newest reads the newest conversations of each object type in a scope, one more of each
// than size.
func (d *Service) newest(ctx context.Context, s *Scope, size int, selected Selected) (map[string][]*Row, error) {
	selected.Unplaced = true
	q, err := d.pageQuery(s, nil, Window{Size: size}, selected)
	if err != nil {
		return nil, err
	}
	q.grouped = true
	if !q.columns.IsZero() {
		q.columns = q.columns.And(conversations.Only("object_type"))
	}
	var rows []*Row
	err = d.Store.Scan(ctx, func(ctx context.Context) error {
		return d.Store.Each(ctx, &s.sight, q, func(r *store.Row) error {
			row, err := q.row(r)
			rows = append(rows, row)
			return err
		})
	})
	q.sort(rows)
	out := map[string][]*Row{}
	for _, row := range rows {
		out[row.Type] = append(out[row.Type], row)
	}
	return out, err
}

// topOfGroups writes where the rows of a page of every group come from.
func (q *pageQuery) topOfGroups(b *entsql.Builder) {
	b.WriteString(" FROM (SELECT x.id AS id, ROW_NUMBER() OVER (PARTITION BY x.object_type ORDER BY x.last_message_at DESC, x.id DESC) AS place FROM conversations AS x")
	q.where(b, q.scope.sight.SQL(ofX))
	b.WriteString(") AS places JOIN ").WriteString(q.oneByOne("places.id"))
	q.join(b)
	b.WriteString(" WHERE places.place <= ").Arg(q.size)
}

// Total counts the whole list that the page is of, if it was not counted with it.
func (p *Page) Total(ctx context.Context) (int64, error) {
	if p.total != nil {
		return *p.total, nil
	}
	return p.desk.Total(ctx, p.Scope)
}

// Turned reads the conversations of records, as the scope of a trail asks for them whether
// the trail has the records or not, the oldest first and at most one more than most.
func (d *Service) Turned(ctx context.Context, s *Scope, records []int64, most int) (rows []*Row, err error) {
	if len(records) == 0 {
		return nil, nil
	}
	conds := s.conds
	conds[onTrail] = nil
	t := entsql.Table("conversations").As("x")
	q := d.Store.Builder().Select(t.Columns(columns...)...).From(t)
	where(q, append(conds.where(t.C), entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "x.record_id", records) }), s.sight.SQL(t.C), s.conds.listed(t.C)))
	err = d.Store.Read(ctx, &s.sight, q.OrderBy(t.C("last_message_at"), t.C("id")).Limit(most+1), func(r *sql.Rows) error {
		row, err := d.scan(r)
		rows = append(rows, row)
		return err
	})
	return rows, err
}
