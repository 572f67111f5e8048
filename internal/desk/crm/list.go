package crm

import (
	"context"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/predicate"
	"parley/ent/record"
	"parley/internal/desk/conversation"
	"parley/internal/desk/object"
	"parley/internal/ground/cursor"
	"parley/internal/ground/fault"
	"parley/internal/ground/page"
	"parley/internal/ground/viewer"
)

// Entry is a record in a list.
type Entry struct {
	*conversation.Record

	service *Service
}

const place cursor.Kind = "records"

// Cursor is its place in the list.
func (e Entry) Cursor() string { return e.service.Cursors.Seal(place, e.Key) }

// Page is a page of records, by name.
type Page struct{ page.Page[Entry] }

// Nodes are the page's records without cursors.
func (p *Page) Nodes() []*conversation.Record {
	nodes := make([]*conversation.Record, len(p.Page.Nodes))
	for i, n := range p.Page.Nodes {
		nodes[i] = n.Record
	}
	return nodes
}

// Edge is a record in a page.
type Edge struct {
	Node   *conversation.Record
	Cursor string
}

// Edges are the page's records with cursors.
func (p *Page) Edges() []*Edge {
	edges := make([]*Edge, len(p.Page.Nodes))
	for i, n := range p.Page.Nodes {
		edges[i] = &Edge{n.Record, n.Cursor()}
	}
	return edges
}

// List reads a page of the records of an object type that the viewer of ctx may read, by
// name.
func (s *Service) List(ctx context.Context, objectType string, filter *Filter, w page.Window) (*Page, error) {
	a, wanted, err := s.asked(ctx, objectType, filter)
	if err != nil {
		return nil, err
	}
	query := s.Store.Ent.Record.Query().Where(append(wanted, record.ObjectType(a.def.Name), there(), record.NameKeyNotNil())...)
	if w.Cursor != "" {
		behind, err := s.behind(ctx, a.def.Name, w)
		if err != nil {
			return nil, err
		}
		query.Where(behind)
	}
	var keys []int64
	err = s.Store.Scan(ctx, func(ctx context.Context) (err error) {
		keys, err = query.Order(byName(w.Backward)).Limit(w.Size + 1).IDs(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	records, err := s.Conversations.Records(ctx, keys)
	if err != nil {
		return nil, err
	}
	nodes := make([]Entry, len(keys))
	for i, key := range keys {
		nodes[i] = Entry{records[key], s}
	}
	p := page.Of(nodes, w)
	p.Nodes = slices.DeleteFunc(p.Nodes, func(e Entry) bool { return e.Record == nil }) // lost from sight in between
	return &Page{p}, nil
}

// asked is an object type that the viewer of ctx asks for, and what a filter asks of its
// records.
func (s *Service) asked(ctx context.Context, objectType string, filter *Filter) (asked, []predicate.Record, error) {
	a := asked{s.Definitions.ObjectType(objectType), s.Definitions.RecordRights(viewer.FromContext(ctx))}
	if a.def == nil || !a.rights.Object(objectType).Includes(object.Read) {
		return a, nil, &fault.Error{Code: fault.NotFound, Field: "objectType", Message: "No such object type, or you may not read its records. objectTypes lists them."}
	}
	wanted, err := a.wanted(filter)
	return a, wanted, err
}

// byName sorts by name, and records of one name by their age.
func byName(backward bool) record.OrderOption {
	order := entsql.Asc
	if backward {
		order = entsql.Desc
	}
	return func(q *entsql.Selector) { q.OrderBy(order(q.C(record.FieldNameKey)), order(q.C(record.FieldID))) }
}

// there leaves out what the CRM does not hold, as far as is known.
func there() predicate.Record {
	return record.And(record.Stub(false), record.DeletedAt(0), record.MergedInto(0))
}

// behind is what comes after the record at the cursor, or before it, as it is named now.
func (s *Service) behind(ctx context.Context, objectType string, w page.Window) (predicate.Record, error) {
	var key int64
	if err := w.Place(s.Cursors.Sealer, place, "records", &key); err != nil {
		return nil, err
	}
	at, err := s.Store.Ent.Record.Query().Where(record.ID(key), record.ObjectType(objectType), there(), record.NameKeyNotNil()).
		Select(record.FieldNameKey).Only(viewer.AsSystem(ctx, "records"))
	if ent.IsNotFound(err) {
		return nil, fault.Input("after", "The record at this cursor is gone, or of another type. Read the list from the start.")
	}
	if err != nil {
		return nil, err
	}
	compare := " > "
	if w.Backward {
		compare = " < "
	}
	return func(q *entsql.Selector) {
		q.Where(entsql.P(func(b *entsql.Builder) {
			b.WriteByte('(').Ident(q.C(record.FieldNameKey)).Comma().Ident(q.C(record.FieldID)).WriteString(")"+compare+"(").Args(*at.NameKey, key).WriteByte(')')
		}))
	}, nil
}
