package rule

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"parley/ent"
	"parley/ent/intercept"
	"parley/ent/privacy"
	"parley/ent/quicktext"
	"parley/internal/ground/viewer"
)

// Scope is whose a quick text is.
type Scope string

// The scopes.
const (
	Mine     Scope = "MINE"  // its creator's
	OfQueue  Scope = "QUEUE" // of the members of a queue
	Everyone Scope = "ALL"   // of the organisation
)

// Shelf is where a quick text lies: all that decides who may see and change it.
//
// Events hold it as JSON, for processes of several versions: the names stay.
type Shelf struct {
	Scope   Scope `json:"s"`
	Creator int64 `json:"c"`
	Queue   int64 `json:"q,omitempty"` // zero for no queue
}

// Sees reports whether v may see and use a quick text that lies there.
func (s Shelf) Sees(v *viewer.Viewer) bool {
	switch s.Scope {
	case Mine:
		return v.AgentID == s.Creator
	case OfQueue:
		return s.Queue != 0 && (v.HasQueue(s.Queue) || v.Can(viewer.ViewAllData))
	case Everyone:
		return v.AgentID != 0
	}
	return false
}

// Edits reports whether v may put a quick text there, and change one that lies
// there: their own; one of a queue if they created it and work the queue, or see it and
// hold ConfigureMessaging; everybody's with ConfigureMessaging.
func (s Shelf) Edits(v *viewer.Viewer) bool {
	configures := v.Can(viewer.ConfigureMessaging)
	switch s.Scope {
	case Mine:
		return v.AgentID == s.Creator
	case OfQueue:
		return v.AgentID == s.Creator && v.HasQueue(s.Queue) || configures && s.Sees(v)
	case Everyone:
		return configures
	}
	return false
}

// QuickText lets agents read and change the quick texts that Shelf lets them see and
// edit.
func QuickText() privacy.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), narrowToShelves(), privacy.AlwaysAllowRule()},
		Mutation: privacy.MutationPolicy{
			denyWithoutViewer(), allowSystem(), privacy.QuickTextMutationRuleFunc(putOnShelf), privacy.AlwaysDenyRule(),
		},
	}
}

func narrowToShelves() privacy.QueryRule {
	return privacy.QueryRuleFunc(func(ctx context.Context, q ent.Query) error {
		query, err := intercept.NewQuery(q)
		if err != nil {
			return err
		}
		query.WhereP(seenShelves(viewer.FromContext(ctx)))
		return privacy.Skip
	})
}

// seenShelves is Shelf.Sees in SQL: a scope that only a newer version knows is seen by
// nobody.
func seenShelves(v *viewer.Viewer) func(*sql.Selector) {
	return func(s *sql.Selector) {
		seen := []*sql.Predicate{
			sql.EQ(s.C(quicktext.FieldScope), string(Everyone)),
			sql.And(sql.EQ(s.C(quicktext.FieldScope), string(Mine)), sql.EQ(s.C(quicktext.FieldCreatorID), v.AgentID)),
		}
		queues := Term{Column: quicktext.FieldQueueID}
		if !v.Can(viewer.ViewAllData) {
			queues.IDs = v.Queues
		}
		if v.Can(viewer.ViewAllData) || len(v.Queues) > 0 {
			seen = append(seen, sql.And(sql.EQ(s.C(quicktext.FieldScope), string(OfQueue)), queues.sql(s.C)))
		}
		s.Where(sql.Or(seen...))
	}
}

// putOnShelf allows an agent what Shelf.Edits says: of a new one by its fields, of
// one that is there by its row. Nothing is removed, or changed by the many.
func putOnShelf(ctx context.Context, m *ent.QuickTextMutation) error {
	v := viewer.FromContext(ctx)
	shelf := Shelf{}
	switch {
	case m.Op().Is(ent.OpCreate):
		scope, _ := m.Scope()
		queue, _ := m.QueueID()
		creator, _ := m.CreatorID()
		if shelf = (Shelf{Scope(scope), creator, queue}); creator != v.AgentID {
			return privacy.Deny
		}
	case m.Op().Is(ent.OpUpdateOne):
		id, _ := m.ID()
		row, err := m.Client().QuickText.Get(ctx, id)
		if err != nil {
			return err
		}
		shelf = ShelfOf(row)
	}
	if shelf.Edits(v) {
		return privacy.Allow
	}
	return privacy.Deny
}

// ShelfOf is where a quick text lies.
func ShelfOf(q *ent.QuickText) Shelf {
	s := Shelf{Scope: Scope(q.Scope), Creator: q.CreatorID}
	if q.QueueID != nil {
		s.Queue = *q.QueueID
	}
	return s
}
