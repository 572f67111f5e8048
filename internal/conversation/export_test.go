package conversation

import "parley/internal/store"

// PageQuery is the statement of a page, for tests that ask what it costs.
func (d *Desk) PageQuery(s *Scope, o *Order, w Window) (store.Query, error) {
	return d.pageQuery(s, o, w, Selected{})
}

// RowCountQuery is the statement that counts a scope from its rows.
func (d *Desk) RowCountQuery(s *Scope) store.Query { return d.rowCountQuery(s, true) }

// DueQuery is the statement that finds what is due.
func (d *Desk) DueQuery() store.Query { return d.dueQuery() }
