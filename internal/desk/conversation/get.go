package conversation

import (
	"context"
	"database/sql"

	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/feed"
	"parley/internal/desk/rule"
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
// one statement.
func (d *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Row, error) {
	t := entsql.Table("conversations")
	in := make([]any, len(keys))
	for i, k := range keys {
		in[i] = k
	}
	q := d.Store.Builder().Select(columns...).From(t).Where(entsql.In("id", in...))
	sight := rule.Visible(viewer.FromContext(ctx))
	if visible := sight.SQL(t.C); visible != nil {
		q.Where(visible)
	}
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

// Sees reports whether v may see the conversation.
func Sees(v *viewer.Viewer, r *Row) bool { return rule.Visible(v).Sees(r.Subject()) }

// SeesFacts reports whether v may see a conversation with these facts; none are
// never seen.
func SeesFacts(v *viewer.Viewer, f *feed.Facts) bool {
	return f != nil && rule.Visible(v).Sees(f.Subject())
}
