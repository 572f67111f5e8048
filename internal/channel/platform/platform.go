// Package platform picks, by the type of a channel, the platform whose documents carry
// components to its customers and their taps back.
package platform

import (
	"encoding/json"

	"parley/internal/channel"
	"parley/internal/channel/messenger"
	"parley/internal/channel/webchat"
	"parley/internal/channel/whatsapp"
)

// dialect is a platform's documents.
type dialect struct {
	encode  func(to string, s channel.Structured) ([]byte, error)
	readTap func(event []byte) (channel.Tap, bool)
	taps    func(document []byte) ([][]byte, error)
}

var dialects = map[channel.Type]dialect{
	channel.FacebookEnhanced: {messenger.Encode, messenger.ReadTap, messenger.Taps},
	channel.WhatsAppEnhanced: {whatsapp.Encode, whatsapp.ReadTap, whatsapp.Taps},
	channel.Web:              web(channel.Web),
	channel.InApp:            web(channel.InApp),
	channel.SMSLongCode:      sms(channel.SMSLongCode),
	channel.SMSTollFree:      sms(channel.SMSTollFree),
	channel.SMSShortCode:     sms(channel.SMSShortCode),
}

func web(t channel.Type) dialect {
	encode := func(to string, s channel.Structured) ([]byte, error) { return webchat.Encode(t, to, s) }
	return dialect{encode, webchat.ReadTap, webchat.Taps}
}

// sms has no documents for components: they are texts, and their answers are typed.
func sms(t channel.Type) dialect {
	encode := func(to string, s channel.Structured) ([]byte, error) {
		if err := channel.CapabilitiesOf(t).Check(s); err != nil {
			return nil, err
		}
		return texted(to, s)
	}
	return dialect{
		encode,
		func([]byte) (channel.Tap, bool) { return channel.Tap{}, false },
		func([]byte) ([][]byte, error) { return nil, nil },
	}
}

// texted is the document of an SMS, whether or not its text fits.
func texted(to string, s channel.Structured) ([]byte, error) {
	return json.Marshal(struct {
		To   string `json:"to"`
		Text string `json:"text"`
	}{to, s.Plain})
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

// Taps are the events by which the platform tells of taps on the options of a document
// that Encode wrote, in their order; none where customers type their answers.
func Taps(on channel.Type, document []byte) ([][]byte, error) {
	d, known := dialects[on]
	if !known {
		return nil, nil
	}
	return d.taps(document)
}
