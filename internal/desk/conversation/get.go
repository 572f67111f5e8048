package conversation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
	"parley/internal/ground/fault"
	"parley/internal/ground/publicid"
	"parley/internal/ground/viewer"
)

// Get reads a conversation by its public id; nil when it is not there or the
// viewer of ctx may not see it.
func (d *Service) Get(ctx context.Context, id string) (*Row, error) {
	key, ok := d.IDs.Decode(publicid.Conversation, id)
	if !ok {
		return nil, nil
	}
	rows, err := d.ByKey(ctx, []int64{key})
	return rows[key], err
}

// ByKey reads conversations by key, as far as the viewer of ctx may see them, in
// one statement. Whoever sees a conversation sees those merged into it.
func (d *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Row, error) {
	t := entsql.Table("conversations").As("x")
	in := make([]any, len(keys))
	for i, k := range keys {
		in[i] = k
	}
	q := d.Store.Builder().Select(t.Columns(columns...)...).From(t).Where(entsql.In(t.C("id"), in...))
	sight := rule.Visible(viewer.FromContext(ctx))
	sight.Narrow(q, t)
	out := make(map[int64]*Row, len(keys))
	err := d.Store.Read(ctx, sight, q, func(rows *sql.Rows) error {
		row, err := d.scan(rows)
		if err == nil {
			out[row.Key] = row
		}
		return err
	})
	return out, err
}

// Current is the conversation that a row, which the viewer of ctx sees, was merged into;
// the row itself when it was not.
func (d *Service) Current(ctx context.Context, row *Row) (*Row, error) {
	if row.MergedInto == 0 {
		return row, nil
	}
	rows, err := d.ByKey(ctx, []int64{row.MergedInto})
	if err == nil && rows[row.MergedInto] == nil {
		err = fault.Missing("conversation")
	}
	return rows[row.MergedInto], err
}

// Sees reports whether v may see the conversation.
func Sees(v *viewer.Viewer, r *Row) bool { return rule.Visible(v).Sees(r.Subject()) }

// SeesFacts reports whether v may see a conversation with these facts; none are
// never seen.
func SeesFacts(v *viewer.Viewer, f *feed.Facts) bool {
	return f != nil && rule.Visible(v).Sees(f.Subject())
}
