package composer

import (
	"context"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"parley/ent"
	entcomponent "parley/ent/component"
	"parley/ent/componentversion"
	"parley/ent/predicate"
	"parley/internal/channel"
	"parley/internal/desk/component"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
	"parley/internal/ground/word"
)

// Filter chooses components; a nil field asks for nothing.
type Filter struct {
	Kind       *component.Kind
	Search     *string // what a word of the name begins with
	IsArchived *bool   // nil for those that are not
}

// Page is a page of components, by name.
type Page = page.Page[*Component]

// Edge is a component in a page.
type Edge = page.Edge[*Component]

const place cursor.Kind = "components"

const mostSearch = 200

// Cursor is its place in the list.
func (c *Component) Cursor() string { return c.service.Cursors.Seal(place, c.Key) }

// List reads a page of components, by name.
func (s *Service) List(ctx context.Context, filter *Filter, w page.Window) (*Page, error) {
	wanted, err := filter.wanted()
	if err != nil {
		return nil, err
	}
	query := s.Store.Ent.Component.Query().Where(wanted...)
	if w.Cursor != "" {
		behind, err := s.behind(ctx, w)
		if err != nil {
			return nil, err
		}
		query.Where(behind)
	}
	rows, err := query.Order(entcomponent.ByNameKey(), entcomponent.ByID()).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Component, len(rows))
	for i, row := range rows {
		nodes[i] = s.of(row)
	}
	p := page.Of(nodes, w)
	return &p, nil
}

func (f *Filter) wanted() ([]predicate.Component, error) {
	if f == nil {
		f = &Filter{}
	}
	wanted := []predicate.Component{entcomponent.Archived(f.IsArchived != nil && *f.IsArchived)}
	if f.Kind != nil {
		wanted = append(wanted, entcomponent.Kind(string(*f.Kind)))
	}
	if f.Search != nil && !channel.IsBlank(*f.Search) {
		if n := utf8.RuneCountInString(*f.Search); n > mostSearch {
			return nil, fault.Input("filterBy.search", "Use at most %d characters, not %d.", mostSearch, n)
		}
		begun := word.Title(channel.CleanText(*f.Search))
		wanted = append(wanted, entcomponent.Or(entcomponent.NameKeyHasPrefix(begun), entcomponent.NameKeyContains(" "+begun)))
	}
	return wanted, nil
}

// behind selects what follows a cursor. The cursor holds the component's key, not its
// name, because names change.
func (s *Service) behind(ctx context.Context, w page.Window) (predicate.Component, error) {
	var key int64
	if err := w.Place(s.Cursors.Sealer, place, "components", &key); err != nil {
		return nil, err
	}
	last, err := s.Store.Ent.Component.Get(ctx, key)
	if ent.IsNotFound(err) {
		return nil, fault.Input("after", "The component of this cursor is gone. Read the list from the start.")
	}
	if err != nil {
		return nil, err
	}
	return entcomponent.Or(
		entcomponent.NameKeyGT(last.NameKey),
		entcomponent.And(entcomponent.NameKey(last.NameKey), entcomponent.IDGT(key)),
	), nil
}

// ByKey reads components by key.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Component, error) {
	rows, err := s.Store.Ent.Component.Query().Where(entcomponent.IDIn(keys...)).All(ctx)
	found := make(map[int64]*Component, len(rows))
	for _, row := range rows {
		found[row.ID] = s.of(row)
	}
	return found, err
}

// Get reads one by its public id.
func (s *Service) Get(ctx context.Context, id string) (*Component, error) {
	key, _ := s.IDs.Decode(publicid.Component, id) // no component has the key 0
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		return nil, fault.Missing("component")
	}
	return found[key], err
}

// isNewest leaves the newest version of each component.
func isNewest(s *sql.Selector) {
	c := sql.Dialect(s.Dialect()).Table(entcomponent.Table).As("newest")
	s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(c.C("id")).From(c).Where(sql.And(
		sql.ColumnsEQ(c.C("id"), s.C(componentversion.FieldComponentID)), sql.ColumnsEQ(c.C("version"), s.C(componentversion.FieldNumber))))))
}
