package conversation

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/anyof"
	"parley/internal/ground/price"
	"parley/internal/ground/store"
	"parley/internal/ground/table"
	"parley/internal/ground/viewer"
)

// Set is a source of conversations to do something with, all of which its viewer
// sees: a Scope, or some Among it.
type Set interface {
	// from writes the rest of a statement that selects from conversations, AS x.
	from(b *entsql.Builder)
	// access is what the set is narrowed to.
	access() store.Access
}

// taskColumns are the columns of a row that tasks ask for.
var taskColumns = conversations.Only("id", "owner_id", "assigned", "is_unread", "inbound_count", "read_count")

// rowsDecided is how many rows of a set cost a unit.
const rowsDecided = 4

// Each calls fn with the conversations of a set as one statement finds them, at
// most so many, and charges for them. The row holds the columns that tasks ask for,
// and only until fn returns.
func (d *Service) Each(ctx context.Context, s Set, most int, fn func(*Row)) error {
	b := &entsql.Builder{}
	b.SetDialect(d.Store.Dialect())
	b.WriteString("SELECT ").WriteString(strings.Join(conversations.Select("x", taskColumns), ", ")).WriteString(" FROM conversations AS x")
	s.from(b)
	b.WriteString(" LIMIT ").Arg(most)
	n := 0
	defer func() { price.Charge(ctx, n/rowsDecided) }()
	return d.Store.Each(ctx, s.access(), b, func(s *store.Row) error {
		n++
		row := Row{service: d}
		conversations.Read(&row, s, 0, taskColumns)
		fn(&row)
		return nil
	})
}

// from implements Set: newest first.
func (s *Scope) from(b *entsql.Builder) { s.among(b, nil) }

func (s *Scope) access() store.Access { return &s.sight }

// Among is the set of those conversations of a scope that have one of the keys.
func Among(s *Scope, keys []int64) Set { return among{s, keys} }

type among struct {
	scope *Scope
	keys  []int64
}

func (a among) access() store.Access { return a.scope.access() }

func (a among) from(b *entsql.Builder) {
	a.scope.among(b, entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "x.id", a.keys) }))
}

// among writes where the conversations of the scope come from, newest first, with
// one condition more where there is one.
func (s *Scope) among(b *entsql.Builder, only *entsql.Predicate) {
	col := qualify("x")
	p := append(s.conds.where(col), s.sight.SQL(col), only, s.conds.listed(col))
	if agent := s.conds[sentBy]; agent != nil {
		b.WriteString(" JOIN participants AS s ON s.conversation_id = x.id")
		p = append(p, entsql.EQ(qualify("s")("agent_id"), agent))
	}
	p = slices.DeleteFunc(p, func(p *entsql.Predicate) bool { return p == nil })
	if len(p) > 0 {
		b.WriteString(" WHERE ").Join(entsql.And(p...))
	}
	b.WriteString(" ORDER BY x.last_message_at DESC, x.id DESC")
}

// LoadAll is Load for many conversations, in one statement: those with the keys
// that the viewer of ctx sees, without those that were merged into others.
func (d *Service) LoadAll(ctx context.Context, tx *store.Tx, keys []int64) (map[int64]*Row, error) {
	t := entsql.Table("conversations")
	q := tx.Builder().Select(columns...).From(t).
		Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "conversations.id", keys) }))
	where(q, []*entsql.Predicate{listed(t.C), rule.Visible(viewer.FromContext(ctx)).SQL(t.C)})
	if tx.Locks() {
		q.OrderBy("id").ForUpdate() // whoever else locks many does so in this order
	}
	rows := make(map[int64]*Row, len(keys))
	err := tx.Query(ctx, q, func(r *sql.Rows) error {
		row, err := d.scan(r)
		if err == nil {
			rows[row.Key] = row
		}
		return err
	})
	return rows, err
}

// Done is what a task has come to with a conversation: what caused its event, none
// when there was nothing to change, or why it was refused.
type Done struct {
	Cause feed.Cause
	Err   error
}

// DoAll does the task with conversations that this write has loaded and locked,
// reading each up to an inbound ordinal, and returns what became of each. One
// statement saves those that change alike. The events carry the idempotency key.
func (d *Service) DoAll(ctx context.Context, tx *store.Tx, task Task, rows []*Row, upTo []int64, key string) ([]Done, error) {
	done, edits := make([]Done, len(rows)), make([]edit, 0, len(rows))
	for i, row := range rows {
		before := *row
		event, err := task.Do(ctx, row, upTo[i])
		if done[i] = (Done{event.Cause, err}); err != nil || event.Cause == "" {
			continue
		}
		edits = append(edits, edit{&before, row})
		event.IdempotencyKey = key
		if err := tell(ctx, tx, &before, row, &event); err != nil {
			return nil, err
		}
	}
	return done, saveAll(ctx, tx, edits)
}

// edit is a conversation before and after a change.
type edit struct{ before, after *Row }

// alike are conversations that get the same values in the same columns.
type alike struct {
	changed table.Columns
	like    *Row
	keys    []int64
}

// saveAll is save for many conversations: one statement saves those that change
// alike.
func saveAll(ctx context.Context, tx *store.Tx, edits []edit) error {
	var groups []alike
	for _, e := range edits {
		e.after.reschedule(e.before, tx.Now)
		changed := conversations.Differ(e.before, e.after, table.Columns{})
		i := slices.IndexFunc(groups, func(g alike) bool {
			return g.changed == changed && conversations.Differ(g.like, e.after, changed).IsZero()
		})
		if i < 0 {
			i, groups = len(groups), append(groups, alike{changed: changed, like: e.after})
		}
		groups[i].keys = append(groups[i].keys, e.after.Key)
		if err := saveCopies(ctx, tx, e.before, e.after); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if g.changed.IsZero() {
			continue
		}
		update := tx.Builder().Update("conversations").Where(entsql.P(func(b *entsql.Builder) { anyof.Keys(b, "id", g.keys) }))
		conversations.Set(update, g.like, g.changed)
		if _, err := tx.Exec(ctx, update); err != nil {
			return err
		}
	}
	return nil
}
