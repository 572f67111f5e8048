package action

import (
	"parley/internal/desk/object"
)

// ReasonCode says why an action cannot be run.
type ReasonCode string

// The codes.
const (
	MissingPermission  ReasonCode = "MISSING_PERMISSION"
	ConversationMerged ReasonCode = "CONVERSATION_MERGED"
	NotForObjectType   ReasonCode = "NOT_FOR_OBJECT_TYPE"
	NoRecord           ReasonCode = "NO_RECORD"
	FieldNotReadable   ReasonCode = "FIELD_NOT_READABLE"
	FieldNotWritable   ReasonCode = "FIELD_NOT_WRITABLE"
	DefinitionOutdated ReasonCode = "DEFINITION_OUTDATED"
	NoTemplates        ReasonCode = "TEMPLATES_UNAVAILABLE"
)

// Reason is one reason why an action cannot be run.
type Reason struct {
	Code    ReasonCode
	Message string
}

var messages = map[ReasonCode]string{
	MissingPermission:  "Taking actions needs the permission TAKE_ACTION. Ask an administrator.",
	ConversationMerged: "The conversation was merged into another. Take the action there.",
	NotForObjectType:   "The action is not for records of this type.",
	NoRecord:           "The conversation has no record, or one of an object type that is not defined. Link it to another first.",
	FieldNotReadable:   "The action reads a field that you may not read. Ask an administrator.",
	FieldNotWritable:   "The action writes a field, or a type of record, that you may not write. Ask an administrator.",
	DefinitionOutdated: "The action names a field or an object type that takes no values any more, or is of a kind that this version does not know. Ask an administrator to correct it.",
	NoTemplates:        "This version has no templates yet.",
}

func reason(code ReasonCode) *Reason { return &Reason{code, messages[code]} }

// Case is who wants to run an action, and where.
type Case struct {
	MayAct     bool // holds TAKE_ACTION
	Rights     *object.Rights
	Merged     bool
	ObjectType string // of the conversation's record; empty for none
	Types      Types
}

// Judge gives every reason why the action cannot be run; none if it can. It names no
// field, for there may be fields that the viewer is not to know of.
func (d *Definition) Judge(c Case) []*Reason {
	reasons := []*Reason{}
	add := func(applies bool, code ReasonCode) {
		if applies {
			reasons = append(reasons, reason(code))
		}
	}
	add(!c.MayAct, MissingPermission)
	add(c.Merged, ConversationMerged)
	missing := c.ObjectType == "" && (d.NeedsRecord() || len(d.ObjectTypes) > 0)
	add(missing, NoRecord)
	add(!missing && !d.Concerns(c.ObjectType), NotForObjectType)
	add(d.Kind == SendTemplate, NoTemplates)
	outdated := d.Kind.Known() == OtherKind
	if len(reasons) == 0 && !outdated {
		var writable bool
		writable, outdated = d.writable(c)
		add(!outdated && !writable, FieldNotWritable)
		add(!d.Reads(c), FieldNotReadable)
	}
	add(outdated, DefinitionOutdated)
	return reasons
}

// writable reports whether the rights give what the action writes, or that the definition
// has fallen behind the object types.
func (d *Definition) writable(c Case) (writable, outdated bool) {
	target := d.Target(c.ObjectType)
	if target == "" {
		return true, false
	}
	to := c.Types(target)
	if to == nil {
		return false, true
	}
	writable = c.Rights.Object(target).Includes(object.Write)
	for _, key := range d.Writes() {
		f := to.Field(key)
		if f == nil || f.Retired {
			return false, true
		}
		writable = writable && c.Rights.Field(to, f).Includes(object.Write)
	}
	return writable, false
}

// Reads reports whether the rights give every field that the action reads, for its
// parameters and its conditions, when the conversation's record is of the type.
func (d *Definition) Reads(c Case) bool {
	types := c.Types.WithBeside()
	for _, key := range d.Keys() {
		p := d.Parameter(key, c.ObjectType)
		if p != nil && p.Source == Field && !PathOf(p.Value).Readable(types, c.Rights, p.Object) {
			return false
		}
	}
	for i := range d.Conditions {
		cond := &d.Conditions[i]
		if !cond.Counts(c.ObjectType) {
			continue
		}
		for _, p := range cond.Reads(c.Types) {
			if !p.Path.Readable(types, c.Rights, p.Object) {
				return false
			}
		}
	}
	return true
}

// Within reports whether rights give all that the action does by itself, whatever the
// conversation: nobody is to have done by a trigger what they may not do.
func (d *Definition) Within(rights *object.Rights, types Types) bool {
	froms := d.ObjectTypes
	if len(froms) == 0 {
		froms = []string{""}
		for _, p := range d.Parameters {
			froms = append(froms, p.Object)
		}
		for _, c := range d.Conditions {
			froms = append(froms, c.Object)
		}
	}
	for _, from := range froms {
		c := Case{Rights: rights, ObjectType: from, Types: types}
		if writable, _ := d.writable(c); !writable || !d.Reads(c) {
			return false
		}
	}
	return true
}
