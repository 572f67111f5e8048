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

// WriteTap is the event of a tap on option o in the format, as Messenger makes it.
func WriteTap(f channel.Format, o channel.Option) ([]byte, error) {
	if f == channel.QuickReplies {
		return json.Marshal(event{Message: &replied{Text: o.Title, QuickReply: &reply{o.Token}}})
	}
	return json.Marshal(event{Postback: &postback{Title: o.Title, Payload: o.Token}})
}
