// Package content describes a message apart from its storage: its direction, kind and
// source, and the union of what it can contain.
package content

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/desk/action"
)

// Direction is which way a message went. Notes and system lines have none.
type Direction string

// The directions.
const (
	Inbound  Direction = "INBOUND"
	Outbound Direction = "OUTBOUND"
)

// Shown is the direction as the graph shows it: none for one that is not known.
func (d Direction) Shown() Direction {
	if d == Inbound || d == Outbound {
		return d
	}
	return ""
}

// Kind is what kind of item a message is.
type Kind string

// The kinds.
const (
	Text      Kind = "TEXT"
	MediaKind Kind = "MEDIA"
	Template  Kind = "TEMPLATE"
	Component Kind = "COMPONENT"
	Note      Kind = "NOTE"
	Event     Kind = "EVENT"
	Action    Kind = "ACTION"
	Answer    Kind = "ANSWER"
)

// Shown is the kind as the graph shows it: EVENT for one that a newer version wrote,
// and this one does not know.
func (k Kind) Shown() Kind {
	switch k {
	case Text, MediaKind, Template, Component, Note, Event, Action, Answer:
		return k
	}
	return Event
}

// Source is where a message came from.
type Source string

// The sources.
const (
	Customer     Source = "CUSTOMER"
	Desk         Source = "DESK"
	API          Source = "API"
	Automation   Source = "AUTOMATION"
	Broadcast    Source = "BROADCAST"
	SendRequest  Source = "SEND_REQUEST"
	AutoResponse Source = "AUTO_RESPONSE"
	Bot          Source = "BOT"
	System       Source = "SYSTEM"
)

// Shown is the source as the graph shows it: SYSTEM for one that is not known.
func (s Source) Shown() Source {
	switch s {
	case Customer, Desk, API, Automation, Broadcast, SendRequest, AutoResponse, Bot, System:
		return s
	}
	return System
}

// ByPerson reports whether a person wrote the message, so that sending it makes
// them owner and clears unread. Automated messages change neither.
func (s Source) ByPerson() bool { return s == Desk || s == API }

// TemplateType is the kind of registered template a message used.
type TemplateType string

// The template types.
const (
	Session    TemplateType = "SESSION"
	MTM        TemplateType = "MTM"
	MessageTag TemplateType = "MESSAGE_TAG"
)

// Shown is the type as the graph shows it: none for one that is not known.
func (t TemplateType) Shown() TemplateType {
	switch t {
	case Session, MTM, MessageTag:
		return t
	}
	return ""
}

// Content is what a message says: one of TextContent, MediaContent, NoteContent,
// EventContent, ActionContent, ComponentContent and AnswerContent. The union only grows.
type Content interface{ IsMessageContent() }

// TextContent is text.
type TextContent struct {
	Text        string
	IsTruncated bool
}

// MediaContent is files, perhaps with text.
type MediaContent struct {
	Text        string
	IsTruncated bool
	Files       []channel.Media
}

// NoteContent is an internal note.
type NoteContent struct {
	Text        string
	IsTruncated bool
}

// EventContent is a line by the system.
type EventContent struct {
	Text        string
	IsTruncated bool
}

// ActionContent is a line about an action that was taken. It holds nothing of what the
// action wrote.
type ActionContent struct {
	Text        string // what happened, in English
	IsTruncated bool
	ActionName  string
	Performs    action.Kind
}

// actionRest is what is stored of an ActionContent beside its text.
type actionRest struct {
	Name     string      `json:"name"`
	Performs action.Kind `json:"performs"`
}

// Kind is what the action performed, OTHER for one that only a newer version knows.
func (c ActionContent) Kind() action.Kind { return c.Performs.Known() }

// IsMessageContent marks a member of the union.
func (ActionContent) IsMessageContent() {}

// IsMessageContent marks a member of the union.
func (TextContent) IsMessageContent() {}

// IsMessageContent marks a member of the union.
func (MediaContent) IsMessageContent() {}

// IsMessageContent marks a member of the union.
func (NoteContent) IsMessageContent() {}

// IsMessageContent marks a member of the union.
func (EventContent) IsMessageContent() {}

// Encode splits content into how it is stored: its kind, the text that search
// and previews read, and the rest as JSON (nil when there is no rest).
func Encode(c Content) (kind Kind, text string, rest []byte, err error) {
	switch c := c.(type) {
	case TextContent:
		return Text, c.Text, nil, nil
	case NoteContent:
		return Note, c.Text, nil, nil
	case EventContent:
		return Event, c.Text, nil, nil
	case ActionContent:
		rest, err = json.Marshal(actionRest{c.ActionName, c.Performs})
		return Action, c.Text, rest, err
	case MediaContent:
		rest, err = json.Marshal(c.Files)
		return MediaKind, c.Text, rest, err
	case ComponentContent:
		rest, err = c.rest()
		return Component, c.Text, rest, err
	case AnswerContent:
		rest, err = json.Marshal(c.rest())
		return Answer, c.Text, rest, err
	}
	return "", "", nil, fmt.Errorf("content: unknown type %T", c)
}

// Decode is the inverse of Encode. What a newer version stored in a way that this
// one cannot read is a line that says so, with the text that there is.
func Decode(kind Kind, text string, rest []byte) Content {
	switch kind {
	case Text:
		return TextContent{Text: text}
	case Note:
		return NoteContent{Text: text}
	case Event:
		return EventContent{Text: text}
	case Action:
		var a actionRest
		if err := json.Unmarshal(rest, &a); err == nil {
			return ActionContent{Text: text, ActionName: a.Name, Performs: a.Performs}
		}
	case MediaKind:
		var files []channel.Media
		if err := json.Unmarshal(rest, &files); err == nil {
			return MediaContent{Text: text, Files: files}
		}
	case Component:
		var r componentRest
		if err := json.Unmarshal(rest, &r); err == nil && r.Format != "" {
			return r.content(text)
		}
	case Answer:
		var r answerRest
		if err := json.Unmarshal(rest, &r); err == nil && r.Option > 0 {
			return r.content(text)
		}
	}
	return notShown(text)
}

func notShown(text string) EventContent {
	const sentence = "This version of Parley cannot show this message"
	if channel.IsBlank(text) {
		return EventContent{Text: sentence + "."}
	}
	return EventContent{Text: sentence + " as it was sent. Its text: " + text}
}

// MostListed is how many characters of a text are shown wherever more than its
// message is asked for: as many as search reads, so that what it highlights is
// shown, and more than anybody writes at the desk.
const MostListed = 16_384

// Cut is the beginning of a text that is longer than MostListed.
func Cut(text string) (beginning string, longer bool) {
	if len(text) <= MostListed {
		return text, false
	}
	n := 0
	for i := range text {
		if n == MostListed {
			return text[:i], true
		}
		n++
	}
	return text, false
}

// Truncated is c, of whose text more is stored.
func Truncated(c Content) Content {
	switch c := c.(type) {
	case TextContent:
		c.IsTruncated = true
		return c
	case NoteContent:
		c.IsTruncated = true
		return c
	case EventContent:
		c.IsTruncated = true
		return c
	case ActionContent:
		c.IsTruncated = true
		return c
	case MediaContent:
		c.IsTruncated = true
		return c
	case ComponentContent:
		c.IsTruncated = true
		return c
	case AnswerContent:
		c.IsTruncated = true
		return c
	}
	return c
}

// PreviewLength is how many characters of a message a list shows.
const PreviewLength = 120

// Preview is the line that a list shows for a message: its text on one line,
// cut at PreviewLength characters, or how many files came.
func Preview(c Content) string {
	text := ""
	switch c := c.(type) {
	case TextContent:
		text = c.Text
	case EventContent:
		text = c.Text
	case ComponentContent:
		text = c.Text
	case AnswerContent:
		text = c.Text
	case MediaContent:
		text = c.Text
		if text == "" {
			text = "[" + channel.Files(len(c.Files)) + "]"
		}
	}
	return cut(oneLine(text), PreviewLength)
}

// oneLine folds white space; a preview never needs more than its first bytes.
func oneLine(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 8*PreviewLength {
		s = strings.ToValidUTF8(s[:8*PreviewLength], "")
	}
	return strings.Join(strings.Fields(s), " ")
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return string(runes[:most-1]) + "…"
}
