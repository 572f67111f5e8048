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

// WriteTap is the message of a tap on option o in the format, as WhatsApp makes it.
func WriteTap(f channel.Format, o channel.Option) ([]byte, error) {
	tapped := &interactiveTap{Type: "button_reply", ButtonReply: &reply{ID: o.Token, Title: o.Title}}
	if f == channel.OptionList {
		tapped = &interactiveTap{Type: "list_reply", ListReply: &reply{ID: o.Token, Title: o.Title, Description: o.Subtitle}}
	}
	return json.Marshal(event{Type: "interactive", Interactive: tapped})
}
