// Package search finds conversations by name and number, and messages by their text,
// among those the viewer may see.
//
// Hits are ordered by kind (numbers, names, texts), and newest first within one kind.
// Everything that an index or a list finds is matched again in Go (package word), so the
// result never depends on how it was looked for.
//
// A page depends on what the viewer sees, and on nothing else: its hits, flags and
// cursors are those of a database without the rest. So the statement that reads rows
// also limits them to what the viewer sees; a call has a budget of such rows, and ends
// at the very row that exhausts it; a finished search has one cursor, whatever it passed
// over; and time only decides how much is read at once. The viewer's rights also decide
// where to look (plan), so that the rest of a database costs no time, except in the one
// case named there.
package search

import (
	"context"
	"slices"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/feed"
	"parley/internal/desk/textindex"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
	"parley/internal/ground/word"
)

// Kind is by what something was found.
type Kind string

// The kinds, in their order.
const (
	Number Kind = "NUMBER"
	Name   Kind = "NAME"
	Text   Kind = "TEXT"
)

var kinds = []Kind{Number, Name, Text}

// Bounds of a query.
const (
	MostQuery = 200 // characters
	MostWords = 10
	// mostTokens bounds what a run without spaces comes to.
	mostTokens = 40
)

// Searcher searches. All fields but Rows are required.
type Searcher struct {
	Store         *store.Store
	Directory     *directory.Directory
	Cursors       *feed.Cursors
	Conversations *conversation.Service
	// Rows is how many rows a call visits: messages with the words that the viewer
	// sees, in the view or not, and conversations of the view; 20,000 by default.
	Rows int

	ways ways
}

// defaultRows is the budget of a call.
const defaultRows = 20_000

// ways are the numbers by which one way of looking gives way to another. They
// change what a search costs, never what it finds.
type ways struct {
	// candidates is how many conversations of the index are read and sorted. When
	// there are more, the lists, which have their order, are searched instead: what
	// is so frequent is soon met there.
	candidates int
	// A view of few conversations with few messages together is searched in these
	// alone, and so is what a viewer sees beside the channels they see whole.
	few, messages int
	// step is how many conversations of a list are read at once.
	step int
}

var usual = ways{candidates: 3_000, few: 200, messages: 10_000, step: 500}

// Input asks for a page.
type Input struct {
	Query  string
	View   *conversation.View // nil for everything the viewer sees
	Kinds  []Kind             // none for all
	Size   int
	Cursor string // empty for the first page
}

// Hit is something found.
type Hit struct {
	Kind         Kind
	Conversation int64 // key
	Message      int64 // key, for texts; else 0
	// Highlights are in the message's text, the customer's name, or their address.
	Highlights []Highlight

	at   place
	desk *Searcher
}

// Highlight is a part of a text, in UTF-16 code units.
type Highlight = word.Range

// Cursor returns where the hit stands.
func (h *Hit) Cursor() string { return h.desk.cursor(h.at) }

// Page is a page of hits.
type Page struct {
	page.Page[*Hit]
	// IsComplete is false when the budget ended before the page was full, and while
	// the index still takes in what was there before it.
	IsComplete bool
	// Visited is how much of the budget was used.
	Visited int

	desk *Searcher
	end  place
}

// Edge is a hit with its place.
type Edge = page.Edge[*Hit]

// PageInfo is where the page stands. Its end cursor is where to go on: after the
// last hit, where the budget ended, or at the end of everything, which is the same
// for all searches.
func (p *Page) PageInfo() *page.Info {
	end := p.desk.cursor(p.end)
	info := &page.Info{HasNextPage: p.HasNextPage, EndCursor: &end}
	if len(p.Nodes) > 0 {
		start := p.Nodes[0].Cursor()
		info.StartCursor = &start
	}
	return info
}

// FindInTurn is Find in turn with the viewer's other searches.
func (d *Searcher) FindInTurn(ctx context.Context, in Input) (p *Page, err error) {
	err = d.Store.Walk(ctx, func(ctx context.Context) error {
		p, err = d.Find(ctx, in)
		return err
	})
	return p, err
}

// Find searches under the viewer of ctx.
func (d *Searcher) Find(ctx context.Context, in Input) (*Page, error) {
	r, err := d.begin(ctx, in)
	if err != nil {
		return nil, err
	}
	if r.where, err = r.plan(ctx); err != nil {
		return nil, err
	}
	if !r.where.indexed {
		return r.page(ctx)
	}
	for {
		if r.index, err = textindex.Open(ctx, d.Store); err != nil {
			return nil, err
		}
		page, err := r.page(ctx)
		if err != nil {
			return nil, err
		}
		// An index that another has followed may be empty by now.
		if current, err := r.index.Current(ctx); current || err != nil {
			return page, err
		}
	}
}

// begin checks what is asked for.
func (d *Searcher) begin(ctx context.Context, in Input) (*run, error) {
	if d.ways == (ways{}) {
		with := *d
		with.ways = usual
		d = &with
	}
	if n := utf8.RuneCountInString(in.Query); n > MostQuery { // before it is folded, which takes time
		return nil, fault.Input("query", "A query may have at most %d characters; this one has %d.", MostQuery, n)
	}
	r := &run{Searcher: d, in: in, words: word.Ask(in.Query), sought: kinds}
	r.tokens = r.words.Tokens()
	var isNumber bool
	r.number, isNumber = word.AskNumber(in.Query, d.regions())
	switch {
	case r.words.Len() > MostWords || len(r.tokens) > mostTokens:
		return nil, fault.Input("query", "A query may have at most %d words, or %d characters in scripts without spaces. Leave some out.", MostWords, mostTokens)
	case r.words.Len() == 0 || channel.IsBlank(in.Query):
		return nil, fault.Input("query", "The query is empty. Give at least one letter or digit.")
	}
	if len(in.Kinds) > 0 {
		r.sought = slices.DeleteFunc(slices.Clone(kinds), func(k Kind) bool { return !slices.Contains(in.Kinds, k) })
	}
	if !isNumber {
		r.sought = slices.DeleteFunc(slices.Clone(r.sought), func(k Kind) bool { return k == Number })
	}
	if r.in.View == nil {
		r.in.View = &conversation.View{Kind: conversation.All}
	}
	var err error
	if r.scope, err = d.Conversations.Scope(ctx, viewer.FromContext(ctx), *r.in.View, nil); err != nil {
		return nil, err
	}
	r.from, err = d.parseCursor(in.Cursor)
	return r, err
}

// regions are the countries whose national numbers people write.
func (d *Searcher) regions() []string {
	var out []string
	for _, ch := range d.Directory.Channels() {
		if ch.Country != "" && !slices.Contains(out, ch.Country) {
			out = append(out, ch.Country)
		}
	}
	return out
}

// place is where a hit stands: the time of a conversation's last message and its
// key, or the spot and key of a message.
type place struct {
	kind Kind
	at   int64
	key  int64
}

func (p place) text() textindex.Place {
	return textindex.Place{Spot: textindex.Spot(p.at), Message: p.key}
}

// top is before everything of a kind.
func top(kind Kind) place { return place{kind, int64(textindex.Last), 1 << 47} }

// bottom is behind everything: where a search ends that came to its end.
var bottom = place{kind: Text}

// cursor seals a place.
func (d *Searcher) cursor(p place) string {
	return d.Cursors.Seal(cursor.Search, int64(slices.Index(kinds, p.kind)), p.at, p.key)
}

func (d *Searcher) parseCursor(text string) (p place, err error) {
	if text == "" {
		return place{}, nil
	}
	var kind int64
	if !d.Cursors.Open(cursor.Search, text, &kind, &p.at, &p.key) || kind >= int64(len(kinds)) {
		return place{}, fault.Input("after", "This cursor does not belong to a search. Pass a cursor from an edge or pageInfo, or leave it out.")
	}
	p.kind = kinds[kind]
	return p, nil
}
