// Package match decides which records customers belong to: what a linking rule may say,
// the forms in which records may have a customer's number, and which of several records
// comes first. It reads and writes nothing.
package match

import (
	"cmp"
	"slices"
	"strings"

	"parley/internal/channel"
	"parley/internal/desk/object"
	"parley/internal/ground/clock"
	"parley/internal/ground/fault"
)

// Bounds of linking rules.
const (
	MostRules = 20    // of a channel
	MostOrder = 1_000 // the highest order that a rule takes
)

// Mode is what a rule does with the records that it finds.
type Mode string

// The modes.
const (
	Automatic Mode = "AUTOMATIC" // the first of them becomes the conversation's
	Suggested Mode = "SUGGESTED" // an agent chooses
	// OtherMode is one that only a newer version knows.
	OtherMode Mode = "OTHER"
)

// Known is the mode, OtherMode when it is not known.
func (m Mode) Known() Mode {
	if m == Automatic || m == Suggested {
		return m
	}
	return OtherMode
}

// Timing is when an Automatic rule links.
type Timing string

// The timings.
const (
	During Timing = "DURING" // with the message
	After  Timing = "AFTER"  // by a job, soon after it
	// OtherTiming is one that only a newer version knows.
	OtherTiming Timing = "OTHER"
)

// Known is the timing, OtherTiming when it is not known.
func (t Timing) Known() Timing {
	if t == During || t == After {
		return t
	}
	return OtherTiming
}

// Rule says which records the customers of a channel may belong to.
type Rule struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Active      bool     `json:"isActive"`
	Order       int      `json:"order"` // the lowest goes first
	ObjectType  string   `json:"objectType"`
	Fields      []string `json:"matchFields,omitempty"` // phone fields; empty for all
	Condition   string   `json:"condition,omitempty"`   // a formula over the record's own fields; empty for none
	Mode        Mode     `json:"mode"`
	Timing      Timing   `json:"timing"`
}

// Links reports whether customers of a type of channel are known by a phone number, so
// that rules can find their records.
func Links(t channel.Type) bool {
	return t.IsSMS() || t == channel.WhatsApp || t == channel.WhatsAppEnhanced
}

// Check refuses a rule that could never find anything, given the object types that are
// defined. Its texts are clean.
func (r *Rule) Check(defined func(name string) *object.Definition) error {
	def := defined(r.ObjectType)
	switch {
	case def == nil:
		return &fault.Error{Code: fault.NotFound, Field: "input.objectType", Message: "No such object type. objectTypes lists them."}
	case len(def.Messaging.Phones) == 0:
		return fault.Input("input.objectType", "%s has no phone fields: name them in its messaging configuration first.", def.Name)
	case r.Order < 0 || r.Order > MostOrder:
		return fault.Input("input.order", "Use an order from 0 to %d.", MostOrder)
	case r.Mode.Known() == OtherMode:
		return fault.Input("input.mode", "Only a newer version of Parley knows this mode. Use AUTOMATIC or SUGGESTED.")
	case r.Timing.Known() == OtherTiming:
		return fault.Input("input.timing", "Only a newer version of Parley knows this timing. Use DURING or AFTER.")
	case len(r.Fields) > object.MostPhones:
		return fault.Input("input.matchFields", "Give at most %d fields, not %d.", object.MostPhones, len(r.Fields))
	}
	for i, name := range r.Fields {
		at := slices.IndexFunc(def.Messaging.Phones, func(p object.PhoneField) bool { return strings.EqualFold(p.Field, name) })
		if at < 0 {
			return fault.Input("input.matchFields", "%s has no phone field %q in its messaging configuration. objectType lists them in messaging.", def.Name, channel.Cut(name, object.MostName))
		}
		if r.Fields[i] = def.Messaging.Phones[at].Field; slices.Contains(r.Fields[:i], r.Fields[i]) {
			return fault.Input("input.matchFields", "%s is there twice. Pass it once.", r.Fields[i])
		}
	}
	return r.checkCondition(defined)
}

// takes reports whether the rule is about a field of an object type.
func (r *Rule) takes(objectType, field string) bool {
	return r.ObjectType == objectType && (len(r.Fields) == 0 || slices.Contains(r.Fields, field))
}

// Record is a record that has a customer's number.
type Record struct {
	Key        int64
	ObjectType string
	Name       string
	Field      string     // where the number is
	Place      int        // of the field among the phone fields, from 0
	Messaged   clock.Time // when the record was last messaged; zero for never
	// Held is what the record holds, by the names of its fields; nil if it was not read, since
	// no rule had a condition then.
	Held map[string]object.Value
}

// Reason is why a record was chosen.
type Reason string

// The reasons.
const (
	OnlyMatch    Reason = "ONLY_MATCH"
	LastMessaged Reason = "LAST_MESSAGED"
	FieldOrder   Reason = "FIELD_ORDER"
	Chosen       Reason = "CHOSEN" // by an agent
	Acted        Reason = "ACTION" // by a CRM action
	// OtherReason is one that only a newer version knows.
	OtherReason Reason = "OTHER"
)

// Known is the reason, OtherReason when it is not known.
func (r Reason) Known() Reason {
	switch r {
	case OnlyMatch, LastMessaged, FieldOrder, Chosen, Acted:
		return r
	}
	return OtherReason
}

// Candidate is a record that a rule found.
type Candidate[R any] struct {
	Record

	Rule   R
	Reason Reason
}

// Candidates are the records that rules find among those with the customer's number: in the
// order of the rules, each record once. A rule finds only records that meet its condition. Of
// those that one rule finds, the record last messaged is first, then the one whose number is
// in the field that is tried first, then the oldest.
func Candidates[R any](rules []R, of func(R) *Rule, found []Record, env *Environment) (all []Candidate[R]) {
	if len(found) == 0 { // as for most customers without a record: no condition is compiled
		return nil
	}
	found = byPlace(found)
	seen := map[int64]bool{}
	for _, rule := range rules {
		of := of(rule)
		if !of.Active || of.Mode.Known() == OtherMode {
			continue
		}
		var own []Candidate[R]
		meets := of.condition(env)
		for _, r := range found {
			if of.takes(r.ObjectType, r.Field) && !seen[r.Key] && meets(&r) {
				seen[r.Key] = true
				own = append(own, Candidate[R]{r, rule, FieldOrder})
			}
		}
		slices.SortStableFunc(own, func(a, b Candidate[R]) int { return cmp.Compare(b.Messaged, a.Messaged) })
		for i := range own {
			switch {
			case len(own) == 1:
				own[i].Reason = OnlyMatch
			case own[i].Messaged > 0:
				own[i].Reason = LastMessaged
			}
		}
		all = append(all, own...)
	}
	return all
}

// byPlace puts records in the order of their fields, and then of their age.
func byPlace(found []Record) []Record {
	sorted := slices.Clone(found)
	slices.SortFunc(sorted, func(a, b Record) int { return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Key, b.Key)) })
	return sorted
}
