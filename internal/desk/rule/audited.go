package rule

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	gen "parley/ent"
	"parley/ent/intercept"
	"parley/ent/privacy"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/viewer"
)

// AuditEntry lets administrators read the audit as AuditShows says, and the system write
// it.
func AuditEntry() privacy.Policy {
	return privacy.Policy{
		Query: privacy.QueryPolicy{denyWithoutViewer(), allowSystem(), privacy.QueryRuleFunc(func(ctx context.Context, q gen.Query) error {
			query, err := intercept.NewQuery(q)
			if err != nil {
				return err
			}
			v := viewer.FromContext(ctx)
			query.WhereP(func(s *sql.Selector) {
				switch {
				case !Administers(v):
					s.Where(sql.False())
				case !v.Can(viewer.ViewAllData):
					s.Where(sql.NotIn(s.C("subject_type"), ofCustomers, ofRecords))
				}
			})
			return privacy.Skip
		}), privacy.AlwaysAllowRule()},
		Mutation: onlySystemWrites(),
	}
}

// The types of the entries that name customers and records.
const (
	ofCustomers = "MessagingUser"
	ofRecords   = "Record"
)

// AuditShows reports whether v sees the audit's entries of a type: administrators do, but
// for those of customers and records, which they may not all see without ViewAllData.
func AuditShows(v *viewer.Viewer, subjectType string) bool {
	return Administers(v) && (v.Can(viewer.ViewAllData) || subjectType != ofCustomers && subjectType != ofRecords)
}

// ErrUnaudited is why an audited type cannot be written outside directory.Apply.
var ErrUnaudited = errors.New("rule: an audited type is written without a journal")

// Written is a write of an audited type: what one row was and is.
type Written struct {
	Type    string // as ent and the graph call it
	Key     int64  // 0 for rows that one statement changes together
	Name    string // what people call the row
	Op      ent.Op
	Changes []Change
}

// Change is a field, or an edge, that a write changed. The audit stores it as JSON.
type Change struct {
	Field  string  `json:"f"` // as the graph would call it
	Before *string `json:"b,omitempty"`
	After  *string `json:"a,omitempty"`
	// Secret marks a field whose values are nowhere but in its row.
	Secret bool `json:"s,omitempty"`
	// Of is the type of the rows that an edge gained and lost.
	Of     string  `json:"o,omitempty"`
	Gained []int64 `json:"g,omitempty"`
	Lost   []int64 `json:"l,omitempty"`
}

type journalKey struct{}

// WithJournal returns a context whose writes of audited types are told to journal, in
// their transaction. Its error undoes the write.
func WithJournal(ctx context.Context, journal func(context.Context, *Written) error) context.Context {
	return context.WithValue(ctx, journalKey{}, journal)
}

// Audited are the hooks of a type whose every write is told to the journal of the
// context, with what was there before. Fields that are marked as sensitive are named,
// never shown. Without a journal nothing is written.
func Audited(of ent.Interface) []ent.Hook {
	a := audited{of: map[string]relation{}, plain: map[string]bool{}}
	for _, f := range of.Fields() {
		d := f.Descriptor()
		if !slices.Contains(untold, d.Name) {
			a.plain[d.Name] = d.Sensitive
		}
	}
	for _, e := range of.Edges() {
		d := e.Descriptor()
		a.of[d.Name] = relation{d.Type, d.Field}
		delete(a.plain, d.Field)
	}
	return []ent.Hook{a.hook}
}

// untold are fields that say nothing new, or whose change is an entry of its own.
var untold = []string{"created_at", "updated_at", "tokens_valid_from", "signed_out_at", "name_key"}

// references are columns without an edge that hold the key of a row of a type.
var references = map[string]string{"default_channel_id": "Channel"}

type audited struct {
	plain map[string]bool // fields, and whether they are sensitive
	of    map[string]relation
}

// relation is an edge: the type that it leads to, and the column that holds it, if one
// does.
type relation struct{ to, column string }

func (a audited) hook(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		journal, ok := ctx.Value(journalKey{}).(func(context.Context, *Written) error)
		if !ok {
			return nil, ErrUnaudited
		}
		w := &Written{Type: m.Type(), Op: m.Op(), Name: nameOf(ctx, m), Changes: a.changes(ctx, m)}
		if len(w.Changes) == 0 && m.Op().Is(ent.OpUpdate|ent.OpUpdateOne) {
			return next.Mutate(ctx, m)
		}
		v, err := next.Mutate(ctx, m)
		if err != nil {
			return nil, err
		}
		if one, is := m.(interface{ ID() (int64, bool) }); is && !m.Op().Is(ent.OpUpdate|ent.OpDelete) {
			w.Key, _ = one.ID()
		}
		return v, journal(ctx, w)
	})
}

// changes are what a mutation changes, by field. What stands in the row before is known
// of one row only.
func (a audited) changes(ctx context.Context, m ent.Mutation) (changes []Change) {
	for _, name := range slices.Concat(m.Fields(), m.ClearedFields()) {
		sensitive, told := a.plain[name]
		if !told {
			continue
		}
		value, _ := m.Field(name) // none for one that is cleared
		if to := references[name]; to != "" {
			changes = append(changes, Change{Field: graphName(name, nil), Of: to, Gained: keysIn([]ent.Value{value}), Lost: keysIn([]ent.Value{old(ctx, m, name)})})
			continue
		}
		before, after := apart(old(ctx, m, name), value)
		c := Change{Field: graphName(name, value), Before: textOf(before), After: textOf(after), Secret: sensitive}
		if equal(c.Before, c.After) && !m.Op().Is(ent.OpUpdate) {
			continue
		}
		if sensitive {
			c.Before, c.After = nil, nil
		}
		changes = append(changes, c)
	}
	for _, edge := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(m.AddedEdges(), m.RemovedEdges(), m.ClearedEdges())))) {
		c := Change{Field: graphName(edge, nil), Of: a.of[edge].to, Gained: keysIn(m.AddedIDs(edge)), Lost: keysIn(m.RemovedIDs(edge))}
		if column := a.of[edge].column; column != "" {
			c.Lost = keysIn([]ent.Value{old(ctx, m, column)})
		}
		if len(c.Gained)+len(c.Lost) > 0 || m.EdgeCleared(edge) {
			changes = append(changes, c)
		}
	}
	return changes
}

// old is a field's value before the mutation; nil for a new row, and where many are
// changed.
func old(ctx context.Context, m ent.Mutation, name string) ent.Value {
	if !m.Op().Is(ent.OpUpdateOne) {
		return nil
	}
	v, err := m.OldField(ctx, name)
	if err != nil {
		return nil
	}
	return v
}

// apart leaves of two lists what only one of them has: lists of fields and of rights are
// long, and a change is of few.
func apart(before, after ent.Value) (ent.Value, ent.Value) {
	switch after := after.(type) {
	case []object.Field:
		is, _ := before.([]object.Field)
		return without(is, after), without(after, is)
	case []object.Right:
		is, _ := before.([]object.Right)
		return without(is, after), without(after, is)
	}
	return before, after
}

func without[T any](list, other []T) ent.Value {
	has := func(a T) bool { return slices.ContainsFunc(other, func(b T) bool { return reflect.DeepEqual(a, b) }) }
	if rest := slices.DeleteFunc(slices.Clone(list), has); len(rest) > 0 {
		return rest
	}
	return nil
}

func keysIn(values []ent.Value) (keys []int64) {
	for _, v := range values {
		switch key := v.(type) {
		case int64:
			keys = append(keys, key)
		case *int64:
			if key != nil {
				keys = append(keys, *key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// nameOf is what people call the row, after the write.
func nameOf(ctx context.Context, m ent.Mutation) string {
	if m.Op().Is(ent.OpDeleteOne) {
		return removed(ctx, m)
	}
	for _, field := range []string{"username", "name"} {
		v, set := m.Field(field)
		if !set {
			v = old(ctx, m, field)
		}
		if name, is := v.(string); is {
			return name
		}
	}
	return ""
}

// removed is what people call a row that is about to be removed.
func removed(ctx context.Context, m ent.Mutation) string {
	switch m := m.(type) {
	case *gen.QueueMutation:
		key, _ := m.ID()
		if row, err := m.Client().Queue.Get(ctx, key); err == nil {
			return row.Name
		}
	case *gen.PermissionSetMutation:
		key, _ := m.ID()
		if row, err := m.Client().PermissionSet.Get(ctx, key); err == nil {
			return row.Name
		}
	}
	return ""
}

// graphName turns a column's name into a field's.
func graphName(column string, value ent.Value) string {
	words := strings.Split(column, "_")
	if _, is := value.(bool); is {
		words = append([]string{"is"}, words...)
	}
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// mostShown is how many bytes of a value the audit keeps.
const mostShown = 1_000

// textOf is a value as people read it, nil for none and for an empty one.
func textOf(v ent.Value) *string {
	switch x := v.(type) {
	case clock.Time:
		if v = x.String(); x.IsZero() {
			return nil
		}
	case []viewer.Permission:
		v = viewer.PermissionNames(x)
	}
	encoded, err := json.Marshal(v)
	if err != nil || v == nil {
		return nil
	}
	text := string(encoded)
	if json.Unmarshal(encoded, &text) != nil {
		text = string(encoded) // no string: as JSON writes it
	}
	if len(text) > mostShown {
		text = strings.ToValidUTF8(text[:mostShown], "") + "…"
	}
	if text == "" || text == "null" || !utf8.ValidString(text) {
		return nil
	}
	return &text
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
