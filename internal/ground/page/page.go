// Package page is the one shape of a list: a page of nodes, an edge with a cursor
// for each, and what the page says about its place in the list.
//
// A subject names its pages after its nodes, and the graph binds to these names:
//
//	type Page = page.Page[*Row]
//	type Edge = page.Edge[*Row]
package page

import (
	"slices"

	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
)

// Node is an object in a list. Its cursor is its place there, sealed on each call:
// only cursors that a client selects cost anything.
type Node interface{ Cursor() string }

// Page is a page of a list.
type Page[N Node] struct {
	Nodes                        []N
	HasNextPage, HasPreviousPage bool
}

// Edge is a node in a page.
type Edge[N Node] struct{ Node N }

// Cursor returns the node's place in its list.
func (e *Edge[N]) Cursor() string { return e.Node.Cursor() }

// Edges returns the page's nodes with cursors.
func (p *Page[N]) Edges() []*Edge[N] {
	all, edges := make([]Edge[N], len(p.Nodes)), make([]*Edge[N], len(p.Nodes))
	for i, n := range p.Nodes {
		all[i].Node = n
		edges[i] = &all[i]
	}
	return edges
}

// Info says where a page is in its list. A page without nodes has no cursors.
type Info struct {
	HasNextPage, HasPreviousPage bool
	StartCursor, EndCursor       *string
}

// PageInfo returns where the page is in its list.
func (p *Page[N]) PageInfo() *Info {
	info := &Info{HasNextPage: p.HasNextPage, HasPreviousPage: p.HasPreviousPage}
	if n := len(p.Nodes); n > 0 {
		first, last := p.Nodes[0].Cursor(), p.Nodes[n-1].Cursor()
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// Window asks for a page: the first nodes after a cursor, or the last ones before
// it. Package resolvers checks its bounds.
type Window struct {
	Size     int
	Backward bool
	Cursor   string // empty for a page at the end of the list
}

// Of makes a page of the nodes read for a window, in the window's direction. One
// node more than the window's size shows that there are more.
func Of[N Node](nodes []N, w Window) Page[N] {
	p := Page[N]{Nodes: nodes, HasNextPage: len(nodes) > w.Size, HasPreviousPage: w.Cursor != ""}
	if p.HasNextPage {
		p.Nodes = nodes[:w.Size]
	}
	if w.Backward {
		slices.Reverse(p.Nodes)
		p.HasNextPage, p.HasPreviousPage = p.HasPreviousPage, p.HasNextPage
	}
	return p
}

// Place reads the window's cursor, which must be one of a list of this kind; of
// says of what, to whoever passed another.
func (w Window) Place(s *cursor.Sealer, kind cursor.Kind, of string, place ...*int64) error {
	if s.Open(kind, w.Cursor, place...) {
		return nil
	}
	field := "after"
	if w.Backward {
		field = "before"
	}
	return fault.Input(field, "This cursor does not belong to a list of %s. Pass a cursor from an edge, or leave it out.", of)
}
