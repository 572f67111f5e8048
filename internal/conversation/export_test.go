package conversation

import (
	"context"

	"parley/internal/store"
)

// PageQuery is the statement of a page, for tests that ask what it costs.
func (d *Desk) PageQuery(s *Scope, o *Order, w Window) (store.Query, error) {
	return d.pageQuery(s, o, w)
}

// RowCountQuery is the statement that counts a scope from its rows.
func (d *Desk) RowCountQuery(s *Scope) store.Query { return d.rowCountQuery(s, true) }

// DueQuery is the statement that finds what is due.
func (d *Desk) DueQuery() store.Query { return d.dueQuery() }

// SaveMany saves rows as a task for many conversations saves them.
func SaveMany(ctx context.Context, tx *store.Tx, before, after []*Row) error {
	edits := make([]edit, len(after))
	for i := range edits {
		edits[i] = edit{before[i], after[i]}
	}
	return saveAll(ctx, tx, edits)
}
