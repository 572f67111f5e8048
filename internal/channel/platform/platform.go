// Package platform picks, by the type of a channel, the platform whose documents carry
// components to its customers and their taps back.
package platform

import (
	"encoding/json"
	"fmt"

	"parley/internal/channel"
	"parley/internal/channel/messenger"
	"parley/internal/channel/webchat"
	"parley/internal/channel/whatsapp"
)

// dialect is a platform's documents.
type dialect struct {
	encode   func(to string, s channel.Structured) ([]byte, error)
	readTap  func(event []byte) (channel.Tap, bool)
	writeTap func(f channel.Format, o channel.Option) ([]byte, error)
}

var dialects = map[channel.Type]dialect{
	channel.FacebookEnhanced: {messenger.Encode, messenger.ReadTap, messenger.WriteTap},
	channel.WhatsAppEnhanced: {whatsapp.Encode, whatsapp.ReadTap, whatsapp.WriteTap},
	channel.Web:              web(channel.Web),
	channel.InApp:            web(channel.InApp),
	channel.SMSLongCode:      sms(channel.SMSLongCode),
	channel.SMSTollFree:      sms(channel.SMSTollFree),
	channel.SMSShortCode:     sms(channel.SMSShortCode),
}

func web(t channel.Type) dialect {
	encode := func(to string, s channel.Structured) ([]byte, error) { return webchat.Encode(t, to, s) }
	return dialect{encode, webchat.ReadTap, webchat.WriteTap}
}

// sms has no documents for components: they are texts, and their answers are typed.
func sms(t channel.Type) dialect {
	encode := func(to string, s channel.Structured) ([]byte, error) {
		if err := channel.CapabilitiesOf(t).Check(s); err != nil {
			return nil, err
		}
		return json.Marshal(struct {
			To   string `json:"to"`
			Text string `json:"text"`
		}{to, s.Plain})
	}
	none := func([]byte) (channel.Tap, bool) { return channel.Tap{}, false }
	refuse := func(channel.Format, channel.Option) ([]byte, error) {
		return nil, fmt.Errorf("a text message has no options to tap: the customer types an answer")
	}
	return dialect{encode, none, refuse}
}

// Encode returns the JSON document that shows s to a customer on channels of type on. It
// is pure. What these cannot show is a *channel.UnfitError.
func Encode(on channel.Type, to string, s channel.Structured) ([]byte, error) {
	d, known := dialects[on]
	if !known {
		return nil, channel.CapabilitiesOf(on).Check(s)
	}
	return d.encode(to, s)
}

// ReadTap reads the tap on an option in one event of a webhook of the platform; false for
// any other event.
func ReadTap(on channel.Type, event []byte) (channel.Tap, bool) {
	d, known := dialects[on]
	if !known {
		return channel.Tap{}, false
	}
	return d.readTap(event)
}

// WriteTap is the event by which the platform tells of a tap on option n, from 1, of s.
func WriteTap(on channel.Type, s channel.Structured, n int) ([]byte, error) {
	d, known := dialects[on]
	switch {
	case !known:
		return nil, fmt.Errorf("channels of type %s have no components", on)
	case s.Format == channel.PlainText:
		return nil, fmt.Errorf("a component that is shown as text has no options to tap: the customer types an answer")
	case n < 1 || n > len(s.Options):
		return nil, fmt.Errorf("there is no option %d: the component has %d", n, len(s.Options))
	}
	return d.writeTap(s.Format, s.Options[n-1])
}
