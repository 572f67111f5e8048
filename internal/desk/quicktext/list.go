package quicktext

import (
	"context"
	"slices"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/quicktext"
	"parley/internal/channel"
	"parley/internal/desk/rule"
	"parley/internal/ground/allowance"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
	"parley/internal/ground/word"
)

// Filter chooses quick texts; a nil field asks for nothing.
type Filter struct {
	Scope      *rule.Scope
	QueueID    *string
	Folder     *string
	Search     *string // what a word of the title begins with
	IsArchived *bool   // nil for those that are not
}

// Page is a page of quick texts, by title.
type Page struct {
	page.Page[*QuickText]
	FeedCursor string // the position of the log that the page was read at
}

// Edge is a quick text in a page.
type Edge = page.Edge[*QuickText]

const place cursor.Kind = "quick texts"

// Cursor is its place in the list.
func (q *QuickText) Cursor() string { return q.service.Cursors.Seal(place, q.Key) }

// List reads a page of those that the viewer of ctx sees, by title; their texts only
// if they are asked for, which may be 40 kB each.
func (s *Service) List(ctx context.Context, filter *Filter, w page.Window, texts bool) (*Page, error) {
	head, err := s.Store.Head(ctx) // first: what the page holds beyond it is streamed again
	if err != nil {
		return nil, err
	}
	wanted, err := s.wanted(filter)
	if err != nil {
		return nil, err
	}
	query := s.Store.Ent.QuickText.Query().Where(wanted...)
	if w.Cursor != "" {
		behind, err := s.behind(ctx, w)
		if err != nil {
			return nil, err
		}
		query.Where(behind)
	}
	if !texts {
		query.Select(untexted...)
	}
	rows, err := query.Order(quicktext.ByTitleKey(), quicktext.ByID()).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	nodes, bytes := make([]*QuickText, len(rows)), 0
	for i, row := range rows {
		nodes[i] = s.of(row)
		bytes += len(row.Text)
	}
	if err := allowance.FromContext(ctx).Read(ctx, bytes); err != nil {
		return nil, err
	}
	return &Page{page.Of(nodes, w), s.Cursors.Encode(head)}, nil
}

// untexted are the columns without the text.
var untexted = slices.DeleteFunc(slices.Clone(quicktext.Columns), func(column string) bool { return column == quicktext.FieldText })

func (s *Service) wanted(f *Filter) ([]predicate.QuickText, error) {
	if f == nil {
		f = &Filter{}
	}
	wanted := []predicate.QuickText{quicktext.Archived(f.IsArchived != nil && *f.IsArchived)}
	if f.Scope != nil {
		wanted = append(wanted, quicktext.Scope(string(*f.Scope)))
	}
	if f.QueueID != nil {
		queue, _ := s.IDs.Decode(publicid.Queue, *f.QueueID) // no queue has the key 0
		wanted = append(wanted, quicktext.QueueID(queue))
	}
	if f.Folder != nil {
		wanted = append(wanted, quicktext.Folder(channel.CleanText(*f.Folder)))
	}
	if f.Search != nil && !channel.IsBlank(*f.Search) {
		if err := bounded("filterBy.search", *f.Search, mostTitle); err != nil {
			return nil, err
		}
		begun := word.Title(channel.CleanText(*f.Search))
		wanted = append(wanted, quicktext.Or(quicktext.TitleKeyHasPrefix(begun), quicktext.TitleKeyContains(" "+begun)))
	}
	return wanted, nil
}

// behind selects what follows a cursor. The cursor holds the quick text's key, not its
// title, because titles change.
func (s *Service) behind(ctx context.Context, w page.Window) (predicate.QuickText, error) {
	var key int64
	if err := w.Place(s.Cursors.Sealer, place, "quick texts", &key); err != nil {
		return nil, err
	}
	last, err := s.Store.Ent.QuickText.Get(ctx, key)
	if ent.IsNotFound(err) {
		return nil, fault.Input("after", "The quick text of this cursor may no longer be seen. Read the list from the start.")
	}
	if err != nil {
		return nil, err
	}
	return quicktext.Or(
		quicktext.TitleKeyGT(last.TitleKey),
		quicktext.And(quicktext.TitleKey(last.TitleKey), quicktext.IDGT(key)),
	), nil
}

// ByKey reads quick texts by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*QuickText, error) {
	rows, err := s.Store.Ent.QuickText.Query().Where(quicktext.IDIn(keys...)).All(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]*QuickText, len(rows))
	for _, row := range rows {
		found[row.ID] = s.of(row)
	}
	return found, nil
}

// Get reads one by its public id.
func (s *Service) Get(ctx context.Context, id string) (*QuickText, error) {
	key, _ := s.IDs.Decode(publicid.QuickText, id)
	return s.reread(ctx, key)
}
