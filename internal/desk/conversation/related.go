package conversation

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/related"
	"parley/internal/desk/rule"
	"parley/internal/ground/anyof"
	"parley/internal/ground/page"
	"parley/internal/ground/price"
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

// Related reads the conversations related to records under the viewer of ctx: the trails, and
// one statement for the groups of all of them.
func (d *Service) Related(ctx context.Context, records []int64) (map[int64]*Related, error) {
	trails, err := related.ReadAll(ctx, d.Store, d.Directory, records)
	if err != nil || len(trails) == 0 {
		return nil, err
	}
	sight := rule.Visible(viewer.FromContext(ctx))
	out, byRoot := make(map[int64]*Related, len(trails)), make(map[int64]*Related, len(trails))
	for record, trail := range trails {
		if byRoot[trail.Root] == nil {
			byRoot[trail.Root] = &Related{Groups: []*Group{}, Truncated: trail.Truncated, scope: &Scope{sight: sight, conds: asked{onTrail: trail}}, desk: d}
		}
		out[record] = byRoot[trail.Root]
	}
	return out, d.group(ctx, sight, byRoot)
}

// group counts the groups of related conversations.
func (d *Service) group(ctx context.Context, sight rule.Visibility, byRoot map[int64]*Related) error {
	var counted int64
	query := d.groupQuery(sight, placesOf(slices.Collect(maps.Values(byRoot))))
	err := d.Store.Scan(ctx, func(ctx context.Context) error {
		return d.Store.Read(ctx, &sight, query, func(rows *sql.Rows) error {
			g, root := &Group{}, int64(0)
			if err := rows.Scan(&root, &g.ObjectType, &g.Counts.Total, &g.Counts.Unread, &g.Counts.New); err != nil {
				return err
			}
			g.of = byRoot[root]
			g.of.Groups, g.of.Counts = append(g.of.Groups, g), g.of.Counts.plus(g.Counts)
			counted += g.Counts.Total
			return nil
		})
	})
	price.Charge(ctx, int(counted/rowsCounted))
	return err
}

// placesOf are the records of trails, each with the root of its trail.
func placesOf(all []*Related) (places [][2]int64) {
	for _, r := range all {
		trail := r.scope.Trail()
		for _, record := range trail.Records() {
			places = append(places, [2]int64{trail.Root, record})
		}
	}
	return places
}

func (c Counts) plus(other Counts) Counts {
	return Counts{c.Total + other.Total, c.Unread + other.Unread, c.New + other.New}
}

// groupQuery counts the conversations of each trail by object type.
func (d *Service) groupQuery(sight rule.Visibility, places [][2]int64) store.Query {
	b := &entsql.Builder{}
	b.SetDialect(d.Store.Dialect())
	b.WriteString("SELECT k.root, x.object_type, COUNT(*)")
	for _, sum := range unreadAndNew {
		b.WriteString(", ").Join(sum)
	}
	b.WriteString(" FROM ")
	d.onTrails(b, places, sight)
	return b.WriteString(" GROUP BY k.root, x.object_type ORDER BY k.root, MAX(x.last_message_at) DESC, x.object_type")
}

// onTrails writes the conversations x of the records on trails, as k has them with their
// roots, record by record.
func (d *Service) onTrails(b *entsql.Builder, places [][2]int64, sight rule.Visibility) {
	anyof.Pairs(b, "k", [2]string{"root", "record"}, places)
	of := ofRecord("k.record", sight)
	if d.Store.Dialect() == dialect.Postgres {
		b.WriteString(" CROSS JOIN LATERAL (SELECT * FROM conversations AS x WHERE ").Join(of).WriteString(" OFFSET 0) AS x")
		return
	}
	b.WriteString(" CROSS JOIN conversations AS x WHERE ").Join(of)
}

// GroupPages reads the newest conversations of groups, those of all records together in one
// statement.
func (d *Service) GroupPages(ctx context.Context, groups []*Group, size int, selected Selected) ([]*Page, error) {
	var of []*Related
	known := map[*Related]bool{}
	for _, g := range groups {
		if !known[g.of] {
			known[g.of], of = true, append(of, g.of)
		}
	}
	if of == nil {
		return nil, nil
	}
	rows, err := d.newest(ctx, of, size, selected)
	byType := map[string][]*Row{}
	for _, row := range rows {
		byType[row.Type] = append(byType[row.Type], row)
	}
	pages := make([]*Page, len(groups))
	for i, g := range groups {
		pages[i] = &Page{
			Page: page.Of(g.among(byType[g.ObjectType]), Window{Size: size}), Position: g.of.scope.Trail().Position,
			Scope: g.of.scope, total: func(context.Context) (int64, error) { return g.Counts.Total, nil }, desk: d,
		}
	}
	return pages, err
}

// among are the rows, of its object type, that are of the group.
func (g *Group) among(rows []*Row) (of []*Row) {
	for _, row := range rows {
		if g.of.scope.Trail().Has(row.RecordID) {
			of = append(of, row)
		}
	}
	return of
}

// newest reads the newest conversations of each object type on each trail, one more of each
// than size. What is on several trails comes once.
func (d *Service) newest(ctx context.Context, of []*Related, size int, selected Selected) ([]*Row, error) {
	selected.Unplaced = true
	q, err := d.pageQuery(&Scope{sight: of[0].scope.sight}, nil, Window{Size: size}, selected)
	if err != nil {
		return nil, err
	}
	if q.onTrails = placesOf(of); !q.columns.IsZero() {
		q.columns = q.columns.And(conversations.Only("object_type", "record_id"))
	}
	var rows []*Row
	err = d.Store.Scan(ctx, func(ctx context.Context) error {
		rows, _, err = q.read(ctx)
		return err
	})
	return rows, err
}

// topOfGroups writes where the rows of a page of every group come from.
func (q *pageQuery) topOfGroups(b *entsql.Builder) {
	b.WriteString(" FROM (SELECT DISTINCT id FROM (SELECT x.id AS id, ROW_NUMBER() OVER (PARTITION BY k.root, x.object_type ORDER BY x.last_message_at DESC, x.id DESC) AS place FROM ")
	q.desk.onTrails(b, q.onTrails, q.scope.sight)
	b.WriteString(") AS ranked WHERE place <= ").Arg(q.size).WriteString(") AS places JOIN ").WriteString(q.oneByOne("places.id"))
	q.join(b)
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
