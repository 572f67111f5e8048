package whatsapp

import (
	"encoding/json"

	"parley/internal/channel"
)

// ReadTap reads the tap on an option in one message of a webhook: on a button, on a row
// of a list, or on a template's quick reply. It is false for any other message.
func ReadTap(raw []byte) (channel.Tap, bool) {
	var e event
	if json.Unmarshal(raw, &e) != nil {
		return channel.Tap{}, false
	}
	switch {
	case e.Type == "button" && e.Button != nil:
		return channel.TapOf(e.Button.Payload, e.Button.Text)
	case e.Type != "interactive" || e.Interactive == nil:
		return channel.Tap{}, false
	case e.Interactive.ButtonReply != nil:
		return channel.TapOf(e.Interactive.ButtonReply.ID, e.Interactive.ButtonReply.Title)
	case e.Interactive.ListReply != nil:
		return channel.TapOf(e.Interactive.ListReply.ID, e.Interactive.ListReply.Title)
	}
	return channel.Tap{}, false
}

// taps are those on quick replies, whose titles only WhatsApp knows.
func (t *template) taps() (events []event) {
	for _, c := range t.Components {
		if c.SubType == quickReply {
			events = append(events, event{Type: "button", Button: &templateTap{c.Parameters[0].Payload, "Reply " + c.Index}})
		}
	}
	return events
}

// Taps are the messages of taps on the options of a request body that Encode wrote, in
// their order, as WhatsApp makes them.
func Taps(body []byte) ([][]byte, error) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	var events []event
	if r.Template != nil {
		events = r.Template.taps()
	}
	if r.Interactive == nil {
		return channel.Documents(events)
	}
	for _, b := range r.Interactive.Action.Buttons {
		events = append(events, event{Type: "interactive", Interactive: &interactiveTap{Type: "button_reply", ButtonReply: &b.Reply}})
	}
	for _, s := range r.Interactive.Action.Sections {
		for _, row := range s.Rows {
			events = append(events, event{Type: "interactive", Interactive: &interactiveTap{Type: "list_reply", ListReply: &row}})
		}
	}
	return channel.Documents(events)
}
