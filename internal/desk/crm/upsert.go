package crm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/desk/conversation"
	"parley/internal/desk/directory"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
	"parley/internal/ground/store"
	"parley/internal/ground/viewer"
)

// Bounds of a call and of a record.
const (
	MostPerCall = 200
	mostBody    = 256_000 // bytes of all fields of a record
	mostAhead   = 24 * time.Hour
)

// earliest is the first time that a change can have.
var earliest = clock.Of(time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC))

// RecordInput is what a CRM says of a record. Fields that it does not name stay as they
// are.
type RecordInput struct {
	ObjectType string
	ExternalID string
	// ModifiedAt is when the record changed in the CRM: a change that is older than the
	// last one taken is left out. Now, for nil.
	ModifiedAt *clock.Time
	Fields     []*FieldInput
}

// FieldInput is the value of a field, as its kind writes it. Without text and choices the
// field becomes blank.
type FieldInput struct {
	Name    string
	Text    *string
	Choices []string
}

// Outcome is what became of a record.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "CREATED"
	Updated   Outcome = "UPDATED"
	Unchanged Outcome = "UNCHANGED" // it held all that already
	Older     Outcome = "OLDER"     // a later change was taken before
	Merged    Outcome = "MERGED"    // another record took its place
	Deleted   Outcome = "DELETED"
)

// Result is what became of one record of a call: an outcome, or an error.
type Result struct {
	ObjectType, ExternalID string
	Outcome                *Outcome
	Record                 *conversation.Record // as it is now; nil when it is not there
	Error                  *fault.Error
}

// writing is a record of a call under way.
type writing struct {
	name
	at     clock.Time // zero for now
	def    *directory.ObjectType
	values map[string]object.Value
	read   map[written][2]string // numbers with the country code, and as dialed
	rights *object.Rights
	result *Result
	before *stored // nil for a new record
	after  *stored
	noted  bool // nothing but the time of the change differs
	again  bool // what follows from it may never have been written, or by another definition
	unseen bool // a deletion of a record that may never have come
}

// Upsert adds records, or changes those that are there. Each is decided by itself; all
// that are taken are written together. The same call again changes nothing.
func (s *Service) Upsert(ctx context.Context, records []*RecordInput) ([]*Result, error) {
	if n := len(records); n == 0 || n > MostPerCall {
		return nil, fault.Input("input.records", "Pass 1 to %d records, not %d.", MostPerCall, n)
	}
	rights := s.Definitions.RecordRights(viewer.FromContext(ctx))
	results, todo := make([]*Result, len(records)), make([]*writing, 0, len(records))
	seen := map[name]bool{}
	for i, in := range records {
		results[i] = &Result{ObjectType: in.ObjectType, ExternalID: in.ExternalID}
		at := fmt.Sprintf("input.records.%d", i)
		w, err := s.prepare(rights, at, in)
		if err == nil {
			err = once(seen, w.name, at)
		}
		if err != nil {
			results[i].Error = err
			continue
		}
		w.result = results[i]
		todo = append(todo, w)
	}
	if len(todo) == 0 {
		return results, nil
	}
	return results, s.write(ctx, todo)
}

// once refuses a record that the call has named before.
func once(seen map[name]bool, n name, at string) *fault.Error {
	if seen[n] {
		return fault.Input(at, "%s %s is there twice in this call. Pass it once.", n.ObjectType, n.ExternalID)
	}
	seen[n] = true
	return nil
}

// prepare checks what can be checked without the database.
func (s *Service) prepare(rights *object.Rights, at string, in *RecordInput) (*writing, *fault.Error) {
	named, def, err := s.writable(rights, inputNames{at + ".objectType", at + ".externalId"}, in.ObjectType, in.ExternalID)
	if err != nil {
		return nil, err
	}
	w := &writing{name: named, def: def, rights: rights, values: make(map[string]object.Value, len(in.Fields))}
	if in.ModifiedAt != nil {
		if w.at = *in.ModifiedAt; w.at < earliest || w.at > s.Store.Clock.Now().Add(mostAhead) {
			return nil, fault.Input(at+".modifiedAt", "Use a time from 1971 on that is at most a day ahead: a later one would shut out every change until then.")
		}
	}
	for i, f := range in.Fields {
		if err := w.take(rights, f); err != nil {
			return nil, faultAt(fmt.Sprintf("%s.fields.%d", at, i), err)
		}
	}
	w.readNumbers()
	return w, nil
}

// inputNames are the fields by which an input names a record.
type inputNames struct{ objectType, externalID string }

// writable is the record of an input, if the viewer may write records of its type.
func (s *Service) writable(rights *object.Rights, at inputNames, objectType, externalID string) (name, *directory.ObjectType, *fault.Error) {
	def := s.Definitions.ObjectType(objectType)
	id := strings.TrimSpace(externalID)
	switch {
	case def == nil || !rights.Object(objectType).Includes(object.Read):
		return name{}, nil, &fault.Error{Code: fault.NotFound, Field: at.objectType, Message: "No such object type, or you may not read its records. objectTypes lists them."}
	case !rights.Object(objectType).Includes(object.Write):
		return name{}, nil, &fault.Error{Code: fault.Forbidden, Field: at.objectType, Message: "You may not write records of this object type. Ask an administrator."}
	case id == "" || channel.CleanText(id) != id || len([]rune(id)) > object.MostID:
		return name{}, nil, fault.Input(at.externalID, "Use the record's id in the CRM, of 1 to %d characters.", object.MostID)
	}
	return name{ObjectType: objectType, ExternalID: id}, def, nil
}

// faultAt is a fault in a value, at its field.
func faultAt(field string, err error) *fault.Error {
	var f *fault.Error
	if errors.As(fault.At(field, err), &f) {
		return f
	}
	return fault.Input(field, "%s", err)
}

func (w *writing) take(rights *object.Rights, in *FieldInput) error {
	f := w.def.Field(in.Name)
	if f == nil || f.Retired || rights.Field(&w.def.Definition, f) == object.None {
		return fault.New(fault.BadInput, "%s has no field %q. objectType lists its fields.", w.def.Name, channel.Cut(in.Name, object.MostName))
	}
	if !rights.Field(&w.def.Definition, f).Includes(object.Write) {
		return fault.New(fault.BadInput, "You may not write %s. Leave it out, or ask an administrator.", f.Name)
	}
	if _, twice := w.values[f.Name]; twice {
		return fault.New(fault.BadInput, "%s is there twice. Pass it once.", f.Name)
	}
	text := ""
	if in.Text != nil {
		text = channel.CleanText(*in.Text)
	}
	v, err := f.Parse(text, in.Choices)
	if err != nil {
		return err
	}
	if f.Required && v.IsBlank() {
		return fault.New(fault.BadInput, "%s is required. Pass a value, or leave the field out to keep what is there.", f.Name)
	}
	w.values[f.Name] = v
	return nil
}

// write decides against what is stored and writes what differs, in one transaction.
func (s *Service) write(ctx context.Context, todo []*writing) error {
	err := s.Store.Write(viewer.AsSystem(ctx, "records"), func(ctx context.Context, tx *store.Tx) error {
		if err := lock(ctx, tx); err != nil {
			return err
		}
		names := make([]name, len(todo))
		for i, w := range todo {
			names[i] = w.name
		}
		known, err := readNamed(ctx, tx, names)
		if err == nil {
			err = markConverted(ctx, tx, known)
		}
		if err != nil {
			return err
		}
		var changed []*writing
		for _, w := range todo {
			if w.decide(known[w.name], tx.Now); w.after != nil {
				changed = append(changed, w)
			}
		}
		if err := s.save(ctx, tx, changed, known); err != nil {
			return err
		}
		return s.tell(ctx, tx, changed)
	})
	if err != nil {
		return err
	}
	return s.show(ctx, todo)
}

// show reads the records of a call as they are now.
func (s *Service) show(ctx context.Context, done []*writing) error {
	keys := make([]int64, 0, len(done))
	for _, w := range done {
		keys = append(keys, w.key())
	}
	records, err := s.Conversations.Records(ctx, keys)
	for _, w := range done {
		w.result.Record = records[w.key()]
	}
	return err
}

// key is the record's, 0 for one that was never there.
func (w *writing) key() int64 {
	switch {
	case w.after != nil:
		return w.after.placeKey()
	case w.before != nil:
		return w.before.placeKey()
	}
	return 0
}

// save writes records that changed, what follows from them, and their conversations.
func (s *Service) save(ctx context.Context, tx *store.Tx, changed []*writing, known map[name]*stored) error {
	if len(changed) == 0 {
		return nil
	}
	rows, err := s.keyed(ctx, tx, changed, known)
	if err != nil {
		return err
	}
	var old, followed []int64
	d, l := &derived{}, &links{}
	for _, w := range changed {
		if rows = append(rows, w.after); w.noted {
			continue
		}
		w.derive(d, known)
		if w.before != nil {
			old = append(old, w.after.key)
			if w.before.deletedAt != 0 {
				l.moved = append(l.moved, w.after.key)
			}
			if w.follows() {
				followed = append(followed, w.after.key)
			}
		}
	}
	if err := save(ctx, tx, rows); err != nil {
		return err
	}
	if l.before, err = clear(ctx, tx, old, references(changed)); err != nil {
		return err
	}
	if err := d.insert(ctx, tx); err != nil {
		return err
	}
	l.take(d.lookups)
	s.tellNumbered(ctx, tx, changed)
	if err := l.record(ctx, tx); err != nil || len(followed) == 0 {
		return err
	}
	return s.Conversations.FollowRecords(ctx, tx, followed)
}

// references are the names of the fields by which the records' types reference others.
func references(changed []*writing) (names []string) {
	seen := map[*directory.ObjectType]bool{}
	for _, w := range changed {
		if seen[w.def] {
			continue
		}
		seen[w.def] = true
		for _, f := range w.def.Fields {
			if f.Kind == object.Reference && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// follows reports whether the record's conversations show what changed.
func (w *writing) follows() bool {
	return w.before.title != w.after.title || w.before.optedOut != w.after.optedOut || w.before.deletedAt != w.after.deletedAt
}

// keyed gives new records their keys, and makes a stub for each that is referenced and
// has not come yet.
func (s *Service) keyed(ctx context.Context, tx *store.Tx, changed []*writing, known map[name]*stored) (stubs []*stored, err error) {
	var fresh []*stored
	for _, w := range changed {
		known[w.name] = w.after
		if w.before == nil {
			fresh = append(fresh, w.after)
		}
	}
	var targets []name
	for _, w := range changed {
		if w.noted {
			continue
		}
		for _, target := range w.references(readBody(w.after.body)) {
			if known[target] == nil {
				targets = append(targets, target)
			}
		}
	}
	targets = distinct(targets)
	if err := readKeys(ctx, tx, targets, known); err != nil {
		return nil, err
	}
	for _, target := range targets {
		if known[target] == nil {
			known[target] = &stored{name: target, stub: true}
			stubs = append(stubs, known[target])
		}
	}
	return stubs, reserve(ctx, tx, append(fresh, stubs...))
}

// reserve gives new records their keys.
func reserve(ctx context.Context, tx *store.Tx, fresh []*stored) error {
	if len(fresh) == 0 {
		return nil
	}
	keys, err := tx.ReserveKeys(ctx, "records", len(fresh))
	if err != nil {
		return err
	}
	for i, record := range fresh {
		record.key = keys[i]
	}
	return nil
}
