package component

import (
	"slices"
	"strings"
	"time"

	"parley/internal/desk/formula"
	"parley/internal/desk/formula/recordfields"
	"parley/internal/ground/decimal"
)

// Types finds the definition of an object type; nil when there is none.
type Types = recordfields.Types

// Where names begin in templates, in lower case.
const (
	constantsPrefix  = "$constants."
	parametersPrefix = "$parameters."
	listsPrefix      = "$listtemplates."

	conversationPrefix = "$conversation."
)

// linkAddress is, in plain text, the address of the first format's link with its query.
const linkAddress = "$Link.Url"

// ofConversation are the fields of the conversation. A Token names it to whoever the customer
// shows it to.
var ofConversation = formula.NewFields(
	formula.Field{Name: "Name", Type: formula.Text}, formula.Field{Name: "Address", Type: formula.Text},
	formula.Field{Name: "ChannelName", Type: formula.Text}, formula.Field{Name: "ChannelAddress", Type: formula.Text},
	formula.Field{Name: "Token", Type: formula.Text},
)

// ConversationField is the path of a field of the conversation, as values have it.
func ConversationField(name string) string { return conversationPrefix + strings.ToLower(name) }

// fields is what the texts of a design may use.
type fields struct {
	design *Design
	types  Types
	plain  bool // the texts are those of TEXT
}

// item are the fields of an option and of an item, as $ListItem.Value has them.
var item = formula.NewFields(
	formula.Field{Name: "Name", Type: formula.Text}, formula.Field{Name: "Subtitle", Type: formula.Text},
	formula.Field{Name: "Image", Type: formula.Text}, formula.Field{Name: "Image.Alt", Type: formula.Text},
)

// Find implements formula.Schema.
func (s fields) Find(path string) (formula.Field, bool) {
	lower := strings.ToLower(path)
	switch {
	case s.hasLink() && strings.EqualFold(path, linkAddress):
		return formula.Field{Name: linkAddress, Type: formula.Text}, true
	case strings.HasPrefix(lower, constantsPrefix):
		return s.constant(path[len(constantsPrefix):])
	case strings.HasPrefix(lower, parametersPrefix):
		return s.parameter(path[len(parametersPrefix):])
	case strings.HasPrefix(lower, conversationPrefix):
		f, ok := ofConversation.Find(path[len(conversationPrefix):])
		f.Name = "$Conversation." + f.Name
		return f, ok
	case strings.HasPrefix(lower, listsPrefix):
		name := path[len(listsPrefix):]
		i := slices.IndexFunc(s.design.ListTemplates, func(t ListTemplate) bool { return strings.EqualFold(t.Name, name) })
		if i < 0 {
			return formula.Field{}, false
		}
		t := &s.design.ListTemplates[i]
		return formula.Field{Name: "$ListTemplates." + t.Name, Type: formula.List, Template: t.Template, Items: item}, true
	}
	return formula.Field{}, false
}

// hasLink reports whether the texts may use the address of a link.
func (s fields) hasLink() bool {
	return s.plain && slices.ContainsFunc(s.design.Formats, func(f Format) bool { return f.URL != "" })
}

func (s fields) constant(name string) (formula.Field, bool) {
	name, of, _ := strings.Cut(name, ".")
	c := s.design.Constant(name)
	switch {
	case c == nil || c.Type == ListConstant:
		return formula.Field{}, false
	case of == "":
		return formula.Field{Name: "$Constants." + c.Name, Type: formula.Text}, true
	case strings.EqualFold(of, "Alt") && c.Type == ImageConstant:
		return formula.Field{Name: "$Constants." + c.Name + ".Alt", Type: formula.Text}, true
	}
	return formula.Field{}, false
}

func (s fields) parameter(path string) (formula.Field, bool) {
	name, rest, deep := strings.Cut(path, ".")
	p := s.design.Parameter(name)
	switch {
	case p == nil:
		return formula.Field{}, false
	case !deep:
		return formula.Field{Name: "$Parameters." + p.Name, Type: p.Type}, true
	case p.Type != formula.Record:
		return formula.Field{}, false
	}
	f, ok := recordfields.Of(p.ObjectType, s.types).Find(rest)
	f.Name = "$Parameters." + p.Name + "." + f.Name
	return f, ok
}

// Names implements formula.Schema.
func (s fields) Names() (names []string) {
	for _, c := range s.design.Constants {
		names = append(names, "$Constants."+c.Name)
	}
	for _, p := range s.design.Parameters {
		names = append(names, "$Parameters."+p.Name)
		if p.Type == formula.Record {
			for _, name := range recordfields.Of(p.ObjectType, s.types).Names() {
				names = append(names, "$Parameters."+p.Name+"."+name)
			}
		}
	}
	for _, t := range s.design.ListTemplates {
		names = append(names, "$ListTemplates."+t.Name)
	}
	for _, name := range ofConversation.Names() {
		names = append(names, "$Conversation."+name)
	}
	if s.hasLink() {
		names = append(names, linkAddress)
	}
	return names
}

// beside is what an option is made of: the fields of its record or its slot, and what the
// texts of the design may use, but for lists, which are made of options.
type beside struct {
	formula.Schema
	texts fields
}

// isOfDesign reports whether a path of an option leads to the design, not to the record.
func isOfDesign(path string) bool { return strings.HasPrefix(path, "$") }

func isList(path string) bool { return strings.HasPrefix(strings.ToLower(path), listsPrefix) }

// Find implements formula.Schema.
func (s beside) Find(path string) (formula.Field, bool) {
	switch {
	case isList(path):
		return formula.Field{}, false
	case isOfDesign(path):
		return s.texts.Find(path)
	}
	return s.Schema.Find(path)
}

// Names implements formula.Schema.
func (s beside) Names() []string {
	return append(slices.Clone(s.Schema.Names()), slices.DeleteFunc(s.texts.Names(), isList)...)
}

// slots are what the options of a time selector are written with.
var slots = formula.NewFields(
	formula.Field{Name: "Start", Type: formula.DateTime}, formula.Field{Name: "End", Type: formula.DateTime},
	formula.Field{Name: "Duration", Type: formula.Number},
)

// Slot is a time that a customer can choose.
type Slot struct {
	Start    time.Time
	Duration time.Duration
}

func (s Slot) value(name string) formula.Value {
	switch name {
	case "Start":
		return formula.DateTimeOf(s.Start)
	case "End":
		return formula.DateTimeOf(s.Start.Add(s.Duration))
	}
	return formula.NumberOf(decimal.Of(int64(s.Duration / time.Minute)))
}

// Field finds a field that the texts of the design may use, whatever its case.
func (d *Design) Field(types Types, path string) (formula.Field, bool) {
	return fields{design: d, types: types}.Find(path)
}
