package conversation

import (
	"context"

	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// PageQuery is the statement of a page, for tests that ask what it costs.
func (d *Service) PageQuery(s *Scope, o *Order, w Window) (store.Query, error) {
	return d.pageQuery(s, o, w, Selected{})
}

// RowCountQuery is the statement that counts a scope from its rows.
func (d *Service) RowCountQuery(s *Scope) store.Query { return d.rowCountQuery(s, true) }

// DueQuery is the statement that finds what is due.
func (d *Service) DueQuery() store.Query { return d.dueQuery() }

// ConditionCount is how many conditions there are.
const ConditionCount = conditionCount

// Only is the scope of what v sees and a condition wants.
func Only(v *viewer.Viewer, condition int, want any) *Scope {
	s := Everything(v)
	s.conds[condition] = want
	return s
}

// FilterField is the filter's field that asks a condition; empty when only views do.
func FilterField(condition int) string { return conditions[condition].field }

// WithoutCells takes a condition's form over the standing counts away until undone.
func WithoutCells(condition int) (undo func()) {
	c := &conditions[condition]
	was := *c
	c.cells, c.tally = nil, nil
	return func() { *c = was }
}

// SaveMany saves rows as a task for many conversations saves them.
func SaveMany(ctx context.Context, tx *store.Tx, before, after []*Row) error {
	edits := make([]edit, len(after))
	for i := range edits {
		edits[i] = edit{before[i], after[i]}
	}
	return saveAll(ctx, tx, edits)
}
