// Package whatsapp writes the messages of Meta's WhatsApp Cloud API and reads what its
// webhooks say of a tap. It makes no call.
package whatsapp

import (
	"cmp"
	"encoding/json"

	"parley/internal/channel"
)

// Encode returns the request body that sends s to a phone number. What enhanced WhatsApp
// channels cannot show is a *channel.UnfitError. Registered templates apart, WhatsApp
// takes it inside the care window alone.
func Encode(to string, s channel.Structured) ([]byte, error) {
	if err := channel.CapabilitiesOf(channel.WhatsAppEnhanced).Check(s); err != nil {
		return nil, err
	}
	return encode(to, s)
}

func encode(to string, s channel.Structured) ([]byte, error) {
	r := request{Product: "whatsapp", RecipientType: "individual", To: to}
	switch s.Format {
	case channel.PlainText:
		r.Type, r.Text = "text", &body{Body: s.Plain}
	case channel.RegisteredTemplate:
		r.Type, r.Template = "template", templateOf(s)
	default:
		r.Type, r.Interactive = "interactive", interactiveOf(s)
	}
	return json.Marshal(r)
}

func interactiveOf(s channel.Structured) *interactive {
	switch s.Format {
	case channel.Buttons:
		return &interactive{Type: "button", Body: text{s.Text}, Action: action{Buttons: buttons(s.Options)}}
	case channel.OptionList:
		return &interactive{Type: "list", Body: text{s.Text}, Action: action{Button: s.Label, Sections: []section{{rows(s.Options)}}}}
	}
	return linkMessage(s)
}

// linkMessage opens a link by a button. A body is obligatory, so that without words
// about the link its title is there too.
func linkMessage(s channel.Structured) *interactive {
	l := s.Link
	i := &interactive{
		Type: "cta_url", Body: text{cmp.Or(s.Text, l.Title)},
		Action: action{Name: "cta_url", Parameters: &ctaParameters{DisplayText: l.Title, URL: l.URL}},
	}
	if l.Image != nil && l.Image.URL != "" {
		i.Header = &header{Type: "image", Image: media{l.Image.URL}}
	}
	return i
}

func buttons(options []channel.Option) []button {
	all := make([]button, len(options))
	for i, o := range options {
		all[i] = button{Type: "reply", Reply: reply{ID: o.Token, Title: o.Title}}
	}
	return all
}

func rows(options []channel.Option) []reply {
	all := make([]reply, len(options))
	for i, o := range options {
		all[i] = reply{ID: o.Token, Title: o.Title, Description: o.Subtitle}
	}
	return all
}
