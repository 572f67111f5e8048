package quicktext

import (
	"cmp"
	"context"
	"strings"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/quicktext"
	"parley/internal/channel"
	"parley/internal/conversation"
	"parley/internal/cursor"
	"parley/internal/fault"
	"parley/internal/publicid"
	"parley/internal/rule"
	"parley/internal/search/word"
)

// Filter chooses quick texts; a nil field asks for nothing.
type Filter struct {
	Scope      *rule.Scope
	QueueID    *string
	Folder     *string
	Search     *string // what a word of the title begins with
	IsArchived *bool   // nil for those that are not
}

// Window asks for a page: so many after a cursor, or from the start.
type Window struct {
	Size   int
	Cursor string
}

// Page is a page of quick texts, by title.
type Page struct {
	Rows       []*QuickText
	HasNext    bool
	FeedCursor string

	window Window
}

// Edge is a quick text in a page.
type Edge struct{ Node *QuickText }

// Cursor is where the edge stands in its list.
func (e *Edge) Cursor() string { return e.Node.cursor() }

func (q *QuickText) cursor() string {
	return q.service.Live.Cursors.Seal(cursor.QuickTexts, q.Key)
}

// Edges are the page's quick texts with cursors.
func (p *Page) Edges() []*Edge {
	edges := make([]*Edge, len(p.Rows))
	for i, q := range p.Rows {
		edges[i] = &Edge{q}
	}
	return edges
}

// Nodes are the page's quick texts.
func (p *Page) Nodes() []*QuickText { return p.Rows }

// PageInfo is where the page stands.
func (p *Page) PageInfo() *conversation.PageInfo {
	info := &conversation.PageInfo{HasNextPage: p.HasNext, HasPreviousPage: p.window.Cursor != ""}
	if n := len(p.Rows); n > 0 {
		first, last := p.Rows[0].cursor(), p.Rows[n-1].cursor()
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// List reads a page of those that the viewer of ctx sees, by title.
func (s *Service) List(ctx context.Context, filter *Filter, w Window) (*Page, error) {
	head, err := s.Live.Store.Head(ctx) // first: what the page holds beyond it is streamed again
	if err != nil {
		return nil, err
	}
	wanted, err := s.wanted(filter)
	if err != nil {
		return nil, err
	}
	query := s.Live.Store.Ent.QuickText.Query().Where(wanted...)
	if w.Cursor != "" {
		behind, err := s.behind(ctx, w.Cursor)
		if err != nil {
			return nil, err
		}
		query.Where(behind)
	}
	rows, err := query.Order(quicktext.ByTitleKey(), quicktext.ByID()).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	page := &Page{HasNext: len(rows) > w.Size, FeedCursor: s.Live.Cursors.Encode(head), window: w}
	for _, row := range rows[:min(len(rows), w.Size)] {
		page.Rows = append(page.Rows, s.of(row))
	}
	return page, nil
}

func (s *Service) wanted(f *Filter) ([]predicate.QuickText, error) {
	if f == nil {
		f = &Filter{}
	}
	wanted := []predicate.QuickText{quicktext.Archived(f.IsArchived != nil && *f.IsArchived)}
	if f.Scope != nil {
		wanted = append(wanted, quicktext.Scope(string(*f.Scope)))
	}
	if f.QueueID != nil {
		queue, _ := s.Live.IDs.Decode(publicid.Queue, *f.QueueID) // no queue has the key 0
		wanted = append(wanted, quicktext.QueueID(queue))
	}
	if f.Folder != nil {
		wanted = append(wanted, quicktext.Folder(channel.CleanText(*f.Folder)))
	}
	if f.Search != nil {
		begun := keyOf(channel.CleanText(*f.Search))
		if err := bounded("filterBy.search", *f.Search, 0, mostTitle); err != nil {
			return nil, err
		}
		wanted = append(wanted, quicktext.Or(quicktext.TitleKeyHasPrefix(begun), quicktext.TitleKeyContains(" "+begun)))
	}
	return wanted, nil
}

// behind is what stands after a cursor. Titles may change, so that it names the quick
// text and not its title; nobody learns from it, for what comes is what they see.
func (s *Service) behind(ctx context.Context, text string) (predicate.QuickText, error) {
	var key int64
	if !s.Live.Cursors.Open(cursor.QuickTexts, text, &key) {
		return nil, fault.Input("after", "This is not a cursor of a list of quick texts. Pass a cursor from an edge, or none.")
	}
	last, err := s.Live.Store.Ent.QuickText.Get(ctx, key)
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
	rows, err := s.Live.Store.Ent.QuickText.Query().Where(quicktext.IDIn(keys...)).All(ctx)
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
	key, _ := s.Live.IDs.Decode(publicid.QuickText, id)
	found, err := s.ByKey(ctx, []int64{key})
	if err == nil && found[key] == nil {
		err = fault.Missing("quick text")
	}
	return found[key], err
}

// keyOf is a title as lists are ordered and searched by: its words, without case and
// accents.
func keyOf(title string) string {
	var words []string
	for _, w := range strings.Fields(title) {
		if w = word.Fold(w); w != "" {
			words = append(words, w)
		}
	}
	return cmp.Or(strings.Join(words, " "), title)
}
