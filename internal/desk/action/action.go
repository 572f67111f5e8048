// Package action defines what agents, and triggers, do with CRM records from a
// conversation: create, update or link one, open an address, call a webhook. It checks
// definitions, says who may run them and why not, and decides conditions. It reads and
// writes nothing.
package action

import (
	"slices"

	"parley/internal/desk/object"
)

// Bounds of definitions and of runs.
const (
	MostActions    = 200
	MostParameters = 50
	MostConditions = 10
	MostTypes      = 20   // object types that an action is mapped to
	MostValue      = 4000 // characters of a parameter's value, or of an agent's
	MostSteps      = 5    // lookups that a path follows before its field
	MostDepth      = 5    // actions that may follow from each other's changes
	MostRuns       = 20   // of an action with a record, or a conversation without one, in an hour
)

// Kind is what an action performs.
type Kind string

// The kinds.
const (
	CreateRecord Kind = "CREATE_RECORD"
	UpdateRecord Kind = "UPDATE_RECORD"
	LinkRecord   Kind = "LINK_RECORD"
	OpenURL      Kind = "OPEN_URL"
	CallWebhook  Kind = "CALL_WEBHOOK"
	SendTemplate Kind = "SEND_TEMPLATE"
	// OtherKind is one that only a newer version knows. It is never run here.
	OtherKind Kind = "OTHER"
)

// Kinds lists every kind.
var Kinds = []Kind{CreateRecord, UpdateRecord, LinkRecord, OpenURL, CallWebhook, SendTemplate}

// Known is the kind, OtherKind for one that only a newer version knows.
func (k Kind) Known() Kind { return known(k, Kinds, OtherKind) }

// Mode says who runs an action: an agent, or a trigger.
type Mode string

// The modes.
const (
	Manual    Mode = "MANUAL"
	Automatic Mode = "AUTOMATIC"
)

// Trigger is what an automatic action runs on.
type Trigger string

// The triggers.
const (
	ConversationBegun Trigger = "CONVERSATION_BEGUN"
	FirstInbound      Trigger = "FIRST_INBOUND"
	UnknownSender     Trigger = "UNKNOWN_SENDER"
	MessageReceived   Trigger = "MESSAGE_RECEIVED"
	RecordChanged     Trigger = "RECORD_CHANGED"
	ComponentAnswered Trigger = "COMPONENT_ANSWERED"
	// OtherTrigger is one that only a newer version knows. It never fires here.
	OtherTrigger Trigger = "OTHER"
)

// Triggers lists every trigger.
var Triggers = []Trigger{ConversationBegun, FirstInbound, UnknownSender, MessageReceived, RecordChanged, ComponentAnswered}

// Known is the trigger, OtherTrigger for one that only a newer version knows.
func (t Trigger) Known() Trigger { return known(t, Triggers, OtherTrigger) }

func known[T comparable](v T, all []T, other T) T {
	if slices.Contains(all, v) {
		return v
	}
	return other
}

// Source says where a parameter's value comes from.
type Source string

// The sources.
const (
	Field Source = "FIELD" // a field of a record, at the end of a path
	URL   Source = "URL"   // an address
	Value Source = "VALUE" // what is written in the definition, or what the agent gives
)

// Keys that kinds know beside the names of fields. A field of such a name is not written
// by actions.
const (
	ObjectName       = "ObjectName"       // CreateRecord: the object type
	LinkConversation = "LinkConversation" // CreateRecord: "true" anchors the conversation to the new record
	RecordID         = "RecordId"         // LinkRecord: the record, such as Account/ACC1
	Address          = "Url"              // OpenURL, CallWebhook
	TemplateName     = "TemplateName"     // SendTemplate
)

// Parameter is a value that an action works with.
type Parameter struct {
	Label  string `json:"label"`
	Key    string `json:"key"`
	Source Source `json:"type"`
	Object string `json:"object,omitempty"` // of a Field: the object type that the path starts from
	Value  string `json:"value"`            // of a Field the path, such as AccountId.Name
	Asked  bool   `json:"isAsked,omitempty"`
}

// Definition is an action.
type Definition struct {
	Name          string      `json:"name"`
	DeveloperName string      `json:"developerName"` // unique ignoring case; never changes
	Kind          Kind        `json:"performs"`      // never changes
	Mode          Mode        `json:"type"`
	Description   string      `json:"description,omitempty"`
	Active        bool        `json:"isActive"`
	ObjectTypes   []string    `json:"objectTypes"` // of the conversations' records; empty for every conversation
	Parameters    []Parameter `json:"parameters"`
	Trigger       Trigger     `json:"trigger,omitempty"` // of an Automatic one
	Conditions    []Condition `json:"conditions,omitempty"`
}

// Types returns the definition of the object type with a name, nil for none.
type Types func(name string) *object.Definition

// ConversationObject stands for the conversation among object types, for parameters and
// conditions. Every agent who sees the conversation may read it.
const ConversationObject = "$Conversation"

var conversationFields = object.Definition{Name: ConversationObject, Fields: []object.Field{
	{Name: "Name", Kind: object.Text},
	{Name: "Address", Kind: object.Text},
	{Name: "ChannelName", Kind: object.Text},
	{Name: "ChannelAddress", Kind: object.Text},
}}

// AnswerObject stands for the answer that set an action off, for parameters and conditions
// of ComponentAnswered. Every agent who sees the conversation may read it.
const AnswerObject = "$Answer"

var answerFields = object.Definition{Name: AnswerObject, Fields: []object.Field{
	{Name: "Component", Kind: object.Text}, // its name for programs
	{Name: "Title", Kind: object.Text},     // of the option, as the customer saw it
	{Name: "Index", Kind: object.Number},   // of the option, from 1
	// Value is what a field takes: the option's title before it was translated, such as Case/C1
	// of a record, and when a slot begins.
	{Name: "Value", Kind: object.Text},
	{Name: "IsOver", Kind: object.Boolean},  // whether the slot had begun when the customer answered
	{Name: "Duration", Kind: object.Number}, // of the slot, in minutes; blank for what is none
}}

// beside are the objects that actions read and that are no records.
var beside = map[string]*object.Definition{ConversationObject: &conversationFields, AnswerObject: &answerFields}

// IsRecord reports whether an object's name stands for records.
func IsRecord(name string) bool { return beside[name] == nil }

// WithBeside are the types, ConversationObject and AnswerObject.
func (t Types) WithBeside() Types {
	return func(name string) *object.Definition {
		if d := beside[name]; d != nil {
			return d
		}
		return t(name)
	}
}

// Concerns reports whether the action is for conversations whose record is of an object
// type, empty for none.
func (d *Definition) Concerns(objectType string) bool {
	return len(d.ObjectTypes) == 0 || slices.Contains(d.ObjectTypes, objectType)
}

// NeedsRecord reports whether the action changes the conversation's record.
func (d *Definition) NeedsRecord() bool { return d.Kind == UpdateRecord }

// Fires reports whether a trigger runs the action.
func (d *Definition) Fires(t Trigger) bool {
	return d.Active && d.Mode == Automatic && d.Trigger == t && t.Known() != OtherTrigger
}

// Parameter returns the parameter with a key for a record of an object type: of several
// that read fields, the one that reads that type. Nil for none.
func (d *Definition) Parameter(key, objectType string) *Parameter {
	var other *Parameter
	for i := range d.Parameters {
		p := &d.Parameters[i]
		switch {
		case p.Key != key:
		case p.Source != Field || p.Object == objectType:
			return p
		case !IsRecord(p.Object):
			other = p
		}
	}
	return other
}

// Keys are the keys of the parameters, each once, in order.
func (d *Definition) Keys() (keys []string) {
	for _, p := range d.Parameters {
		if !slices.Contains(keys, p.Key) {
			keys = append(keys, p.Key)
		}
	}
	return keys
}

// Target is the object type whose records the action writes, given that of the
// conversation's record; empty for none.
func (d *Definition) Target(objectType string) string {
	switch d.Kind {
	case UpdateRecord:
		return objectType
	case CreateRecord:
		if p := d.Parameter(ObjectName, objectType); p != nil {
			return p.Value
		}
	}
	return ""
}

// Writes are the keys that name fields which the action writes.
func (d *Definition) Writes() []string {
	if d.Kind != UpdateRecord && d.Kind != CreateRecord {
		return nil
	}
	return slices.DeleteFunc(d.Keys(), func(key string) bool { return key == ObjectName || key == LinkConversation })
}
