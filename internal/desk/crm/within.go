package crm

import (
	"context"
	"crypto/rand"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"parley/internal/desk/conversation"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/number"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Name is what a record is called in the CRM.
type Name = conversation.RecordName

// Holding is a record inside a write with all that it holds, whoever asks: whoever reads
// it for an agent keeps to their rights.
type Holding struct {
	Name

	Key    int64
	Title  string // its name, as conversations show it
	Region string // its country, where its numbers are dialed; empty if that is not known
	held   body
}

// Value is what the record holds in a field, named as its definition does.
func (h *Holding) Value(field string) object.Value { return h.held[field] }

// Hold reads the records with the keys that are there, in one statement.
func (s *Service) Hold(ctx context.Context, tx *store.Tx, keys []int64) (map[int64]*Holding, error) {
	out := make(map[int64]*Holding, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	err := tx.Query(ctx, selected(tx).Where(inKeys("id", keys)), func(rows *sql.Rows) error {
		r, err := scan(rows)
		if h := s.holding(r); h != nil {
			out[r.key] = h
		}
		return err
	})
	return out, err
}

// HoldNamed reads the records with the names that are there, in one statement.
func (s *Service) HoldNamed(ctx context.Context, tx *store.Tx, names []Name) (map[Name]*Holding, error) {
	found, err := readNamed(ctx, tx, names)
	out := make(map[Name]*Holding, len(found))
	for _, r := range found {
		if h := s.holding(r); h != nil {
			out[h.Name] = h
		}
	}
	return out, err
}

func (s *Service) holding(r *stored) *Holding {
	def := s.Definitions.ObjectType(r.ObjectType)
	if def == nil || r.stub || r.deletedAt != 0 || r.mergedInto != 0 {
		return nil
	}
	held := bodyOf(&def.Definition, r.body, r.title, r.mobile, r.optedOut)
	return &Holding{r.name, r.key, r.title, number.Region(held.text(def.Messaging.Country)), held}
}

// Lock has other writes of records wait for this one. Call it before the write locks a
// conversation, or two writes may wait for each other.
func (*Service) Lock(ctx context.Context, tx *store.Tx) error { return lock(ctx, tx) }

// OwnPrefix begins the external ids of records that no CRM knows yet.
const OwnPrefix = conversation.OwnPrefix

// NewName is a name for a record that is made here: nothing else has it, and it stays until
// the CRM has the record.
func NewName(objectType string) Name {
	return Name{ObjectType: objectType, ExternalID: OwnPrefix + strings.ToLower(rand.Text())}
}

// Edit is a change of one record, as Change made it.
type Edit struct {
	Key     int64
	Outcome Outcome
	Fields  []FieldEdit // those that the change named
	// Base is the version that was changed: when the record changed in the CRM; 0 for none.
	Base clock.Time
	// At is the version that the change made.
	At clock.Time
}

// FieldEdit is a field before and after a change.
type FieldEdit struct {
	Definition    *object.Field
	Before, After object.Value
}

// editedAt is the time of a change that is made here to a record, which may not be there.
func editedAt(was *stored, now clock.Time, written bool) clock.Time {
	switch {
	case was == nil:
		return now
	case written:
		return was.at + 1
	}
	return max(now, was.at)
}

// ChangedFields is where Change says that a field is wrong, followed by its index.
const ChangedFields = "record.fields"

// Change adds a record, or changes the one that is there, within a write that took Lock.
// It goes by the given rights. It is never older than what the CRM said last, for whoever
// makes it sees that. If it is written to the CRM, it is hardly newer either: the CRM decides,
// so that whatever changed there later counts, also what has not come yet.
func (s *Service) Change(ctx context.Context, tx *store.Tx, rights *object.Rights, in *RecordInput, written bool) (*Edit, error) {
	w, problem := s.prepare(rights, "record", in)
	if problem != nil {
		return nil, problem
	}
	w.result = &Result{}
	known, err := readNamed(ctx, tx, []Name{w.name})
	if err != nil {
		return nil, err
	}
	was := known[w.name]
	there := was != nil && !was.stub && was.deletedAt == 0
	w.at = editedAt(was, tx.Now, there && written)
	w.decide(was, tx.Now)
	switch {
	case w.result.Error != nil:
		return nil, w.result.Error
	case *w.result.Outcome == Merged:
		return nil, fault.New(fault.Conflict, "The record was merged into another. Read the conversation again.")
	}
	edit := &Edit{Key: w.key(), Outcome: *w.result.Outcome, At: w.at}
	if there {
		edit.Base = was.at
	}
	before := body{}
	if was != nil {
		before = w.holds(was)
	}
	for i := range w.def.Fields {
		f := &w.def.Fields[i]
		if v, named := w.values[f.Name]; named {
			edit.Fields = append(edit.Fields, FieldEdit{f, before[f.Name], v})
		}
	}
	if w.after == nil {
		return edit, nil
	}
	ctx = viewer.AsSystem(ctx, "records")
	if err := s.save(ctx, tx, []*writing{w}, known); err != nil {
		return nil, err
	}
	edit.Key = w.after.key
	return edit, s.tell(ctx, tx, []*writing{w})
}

// tell reports records that changed to whoever waits for that.
func (s *Service) tell(ctx context.Context, tx *store.Tx, changed []*writing) error {
	if s.Changed == nil {
		return nil
	}
	byType := map[string][]int64{}
	for _, w := range changed {
		if !w.noted && w.after.mergedInto == 0 {
			byType[w.ObjectType] = append(byType[w.ObjectType], w.after.key)
		}
	}
	for objectType, keys := range byType {
		if err := s.Changed(ctx, tx, objectType, keys); err != nil {
			return err
		}
	}
	return nil
}

// tellNumbered reports records that have other phone numbers than before, or may meet a
// condition now.
func (s *Service) tellNumbered(ctx context.Context, tx *store.Tx, changed []*writing) {
	if s.Numbered == nil {
		return
	}
	conditional := func(objectType string) bool { return s.Conditional != nil && s.Conditional(objectType) }
	byType := map[string][]int64{}
	for _, w := range changed {
		if !w.noted && (w.renumbered() || conditional(w.ObjectType) && w.hasNumber()) {
			byType[w.ObjectType] = append(byType[w.ObjectType], w.after.key)
		}
	}
	for _, objectType := range slices.Sorted(maps.Keys(byType)) {
		s.Numbered(ctx, tx, objectType, byType[objectType])
	}
}

// renumbered reports whether the record may have other numbers than before.
func (w *writing) renumbered() bool {
	after, before := w.holds(w.after), body{}
	if w.before != nil && w.before.deletedAt == 0 && !w.again {
		before = w.holds(w.before)
	}
	m := w.def.Messaging
	return slices.ContainsFunc(m.Phones, func(p object.PhoneField) bool {
		is := after[p.Field].Text
		return is != "" && (is != before[p.Field].Text || after.text(m.Country) != before.text(m.Country))
	})
}

func (w *writing) hasNumber() bool {
	after := w.holds(w.after)
	return slices.ContainsFunc(w.def.Messaging.Phones, func(p object.PhoneField) bool { return after[p.Field].Text != "" })
}
