package search

import "fmt"

// Ways returns a Searcher that changes from one way of looking to another at these
// numbers.
func (d *Searcher) Ways(candidates, few, messages, step int) *Searcher {
	with := *d
	with.ways = ways{candidates, few, messages, step}
	return &with
}

// Budget returns a Searcher whose calls visit so many rows.
func (d *Searcher) Budget(rows int) *Searcher {
	with := *d
	with.Rows = rows
	return &with
}

// Opened is everything that a page says, with its cursors opened.
func (p *Page) Opened() string {
	out := fmt.Sprint(p.HasNextPage, p.IsComplete, p.Visited, p.end)
	for _, h := range p.Nodes {
		out += fmt.Sprintln(h.Kind, h.Conversation, h.Message, h.Highlights, h.at)
	}
	return out
}

// AtEnd reports whether the page ends where all finished searches do.
func (p *Page) AtEnd() bool { return p.end == bottom }
