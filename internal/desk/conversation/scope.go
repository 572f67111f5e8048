package conversation

import (
	entsql "entgo.io/ent/dialect/sql"

	"parley/internal/desk/count"
	"parley/internal/desk/feed"
	"parley/internal/desk/object"
	"parley/internal/desk/related"
	"parley/internal/desk/rule"
	"parley/internal/ground/viewer"
)

// Matches reports whether a conversation with these facts is in the scope and
// seen: the Go form. No facts match nothing.
func (s *Scope) Matches(f *feed.Facts) bool {
	return f != nil && s.sight.Sees(f.Subject()) && s.conds.match(f)
}

// Trail is the trail that the view is of, nil for other views.
func (s *Scope) Trail() *related.Trail {
	trail, _ := s.conds[onTrail].(*related.Trail)
	return trail
}

// RelatedBy is the mapping by which a record is related to that of the view; nil for that
// record itself, and in other views.
func (s *Scope) RelatedBy(record int64) *object.Mapping {
	if trail := s.Trail(); trail != nil {
		return trail.By(record)
	}
	return nil
}

// Along is the scope along another trail.
func (s *Scope) Along(trail *related.Trail) *Scope {
	along := &Scope{sight: s.sight, conds: s.conds}
	along.conds[onTrail] = trail
	return along
}

// Known is the position up to which what was read at a position of the log is known to
// hold everything: a trail is read before its conversations.
func (s *Scope) Known(position int64) int64 {
	if trail := s.Trail(); trail != nil {
		return min(position, trail.Position)
	}
	return position
}

// Under returns the scope with the sight that v has now.
func (s *Scope) Under(v *viewer.Viewer) *Scope {
	return &Scope{sight: rule.Visible(v), conds: s.conds}
}

// asked holds what a scope wants of each condition; nil where it asks nothing. All that
// it asks must hold.
type asked [conditionCount]any

// meet joins what is wanted of a condition to what the view already wants of it.
func (a *asked) meet(condition int, want any) {
	if have := a[condition]; have != nil && have != want {
		a[nothing] = true
	}
	a[condition] = want
}

// filter asks what a filter does.
func (a *asked) filter(d *Service, f *Filter) error {
	for i := range conditions {
		if conditions[i].filter == nil {
			continue
		}
		want, err := conditions[i].filter(d, f)
		if err != nil {
			return err
		}
		if want != nil {
			a.meet(i, want)
		}
	}
	return nil
}

func (a *asked) match(f *feed.Facts) bool {
	for i, want := range a {
		if want != nil && !conditions[i].matches(f, want) {
			return false
		}
	}
	return true
}

// where is the SQL form over conversations, without the sight and without sentBy.
func (a *asked) where(col columnOf) (p []*entsql.Predicate) {
	for i, want := range a {
		if want != nil && conditions[i].where != nil {
			p = append(p, conditions[i].where(col, want))
		}
	}
	return p
}

// whereCells is the SQL form over count_cells.
func (a *asked) whereCells(col columnOf) (p []*entsql.Predicate) {
	for i, want := range a {
		if want != nil && conditions[i].cells != nil {
			p = append(p, conditions[i].cells(col, want))
		}
	}
	return p
}

// inCells reports whether the standing counts answer for all conditions.
func (a *asked) inCells() bool {
	for i, want := range a {
		if want != nil && !conditions[i].counted() {
			return false
		}
	}
	return true
}

// counts reads from a tally what the conditions choose of it.
func (a *asked) counts(t count.Tally) Counts {
	for i, want := range a {
		if want != nil && conditions[i].tally != nil {
			t = conditions[i].tally(t, want)
		}
	}
	return Counts{Total: t.Conversations, Unread: t.Unread, New: t.New}
}

// walks reports whether a page may pass over many rows that do not match: the
// conditions are more than the index serves that the page is read by.
func (a *asked) walks() bool {
	var w Walk
	for i, want := range a {
		if want != nil {
			w += conditions[i].walk
		}
	}
	return w > OwnIndex
}

// Counts are the counts of a view.
type Counts struct{ Total, Unread, New int64 }

// Fold returns the counts after an event: what matched before goes, what matches
// after comes.
func (s *Scope) Fold(c Counts, e *feed.Event) Counts {
	if s.Matches(e.Before) {
		c = c.add(e.Before, -1)
	}
	if s.Matches(e.After) {
		c = c.add(e.After, 1)
	}
	return c
}

func (c Counts) add(f *feed.Facts, sign int64) Counts {
	c.Total += sign
	c.New += sign * f.New()
	if f.Unread {
		c.Unread += sign
	}
	return c
}
