package audit

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"parley/ent/auditentry"
	"parley/ent/auditmention"
	"parley/ent/predicate"
	"parley/internal/desk/journal"
	"parley/internal/ground/clock"
	"parley/internal/ground/cursor"
	"parley/internal/ground/page"
	"parley/internal/ground/publicid"
)

// Filter chooses entries; a nil field asks for nothing.
type Filter struct {
	Action    *journal.Action
	ActorID   *string
	SubjectID *string
	Since     *clock.Time
	Before    *clock.Time
}

// Page is a page of entries, newest first.
type Page struct {
	page.Page[*Entry]
	FeedCursor string // the position of the log that the page was read at
}

// Edge is an entry in a page.
type Edge = page.Edge[*Entry]

const place cursor.Kind = "audit entries"

// Cursor is its place in the list.
func (e *Entry) Cursor() string { return e.service.Cursors.Seal(place, e.Key) }

// List reads a page for the viewer of ctx: empty for one who is no administrator.
func (s *Service) List(ctx context.Context, filter *Filter, w page.Window) (*Page, error) {
	head, err := s.Store.Head(ctx) // first: what the page holds beyond it is streamed again
	if err != nil {
		return nil, err
	}
	query := s.Store.Ent.AuditEntry.Query().Where(s.wanted(filter)...)
	order := auditentry.ByID(entsql.OrderDesc())
	if w.Backward {
		order = auditentry.ByID()
	}
	if w.Cursor != "" {
		var key int64
		if err := w.Place(s.Cursors.Sealer, place, "audit entries", &key); err != nil {
			return nil, err
		}
		if w.Backward {
			query.Where(auditentry.IDGT(key))
		} else {
			query.Where(auditentry.IDLT(key))
		}
	}
	rows, err := query.Order(order).Limit(w.Size + 1).All(ctx)
	if err != nil {
		return nil, err
	}
	nodes := make([]*Entry, len(rows))
	for i, row := range rows {
		nodes[i] = s.of(row)
	}
	return &Page{page.Of(nodes, w), s.Cursors.Encode(head)}, nil
}

func (s *Service) wanted(f *Filter) (wanted []predicate.AuditEntry) {
	if f == nil {
		return nil
	}
	if f.Action != nil {
		wanted = append(wanted, auditentry.Action(string(*f.Action)))
	}
	if f.ActorID != nil {
		key, ok := s.IDs.Decode(publicid.Agent, *f.ActorID)
		if !ok {
			key = -1 // nobody
		}
		wanted = append(wanted, auditentry.ActorID(key))
	}
	if f.SubjectID != nil {
		kind, key, _ := s.IDs.Parse(*f.SubjectID)
		wanted = append(wanted, about(typeOf(kind), key))
	}
	if f.Since != nil {
		wanted = append(wanted, auditentry.CreatedAtGTE(*f.Since))
	}
	if f.Before != nil {
		wanted = append(wanted, auditentry.CreatedAtLT(*f.Before))
	}
	return wanted
}

// about are the entries of a subject, and those whose changes add or remove it.
func about(kind string, key int64) predicate.AuditEntry {
	return func(s *entsql.Selector) {
		mentions := entsql.Select(auditmention.FieldEntryID).From(entsql.Table(auditmention.Table)).
			Where(entsql.And(entsql.EQ(auditmention.FieldSubjectType, kind), entsql.EQ(auditmention.FieldSubjectID, key)))
		s.Where(entsql.Or(
			entsql.And(entsql.EQ(s.C(auditentry.FieldSubjectType), kind), entsql.EQ(s.C(auditentry.FieldSubjectID), key)),
			entsql.In(s.C(auditentry.FieldID), mentions),
		))
	}
}

// typeOf is the type whose ids are of a kind; one that no entry has, for none.
func typeOf(kind publicid.Kind) string {
	for name, k := range kinds {
		if k == kind {
			return name
		}
	}
	return "none"
}

// ByKey reads entries by key, as far as the viewer of ctx sees them.
func (s *Service) ByKey(ctx context.Context, keys []int64) (map[int64]*Entry, error) {
	rows, err := s.Store.Ent.AuditEntry.Query().Where(auditentry.IDIn(keys...)).All(ctx)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]*Entry, len(rows))
	for _, row := range rows {
		found[row.ID] = s.of(row)
	}
	return found, nil
}
