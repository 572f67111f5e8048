package messenger

import (
	"encoding/json"

	"parley/internal/channel"
)

// ReadTap reads the tap on an option in one event of a webhook: a postback, or a message
// with a quick reply. It is false for any other event.
func ReadTap(raw []byte) (channel.Tap, bool) {
	var e event
	if json.Unmarshal(raw, &e) != nil {
		return channel.Tap{}, false
	}
	switch {
	case e.Postback != nil:
		return channel.TapOf(e.Postback.Payload, e.Postback.Title)
	case e.Message != nil && e.Message.QuickReply != nil:
		return channel.TapOf(e.Message.QuickReply.Payload, e.Message.Text)
	}
	return channel.Tap{}, false
}

// Taps are the events of taps on the options of a request body that Encode wrote, in
// their order, as Messenger makes them.
func Taps(body []byte) ([][]byte, error) {
	var r request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	var events []event
	for _, q := range r.Message.QuickReplies {
		events = append(events, event{Message: &replied{Text: q.Title, QuickReply: &reply{q.Payload}}})
	}
	for _, b := range r.Message.postbacks() {
		events = append(events, event{Postback: &postback{Title: b.Title, Payload: b.Payload}})
	}
	return channel.Documents(events)
}

// postbacks are the buttons that tell of a tap.
func (m message) postbacks() (all []button) {
	if m.Attachment == nil {
		return nil
	}
	buttons := m.Attachment.Payload.Buttons
	for _, e := range m.Attachment.Payload.Elements {
		buttons = append(buttons, e.Buttons...)
	}
	for _, b := range buttons {
		if b.Type == "postback" {
			all = append(all, b)
		}
	}
	return all
}
