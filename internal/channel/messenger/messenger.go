// Package messenger writes the messages of Meta's Messenger Send API and reads what its
// webhooks say of a tap. It makes no call.
package messenger

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"parley/internal/channel"
)

// maxButton is the most characters of a button's title.
const maxButton = 20

// Encode returns the request body that sends s to a customer's page-scoped id. What
// enhanced Facebook channels cannot show is a *channel.UnfitError.
func Encode(to string, s channel.Structured) ([]byte, error) {
	if err := channel.CapabilitiesOf(channel.FacebookEnhanced).Check(s); err != nil {
		return nil, err
	}
	return encode(to, s)
}

// encode writes a response to the customer, or, after the 24 hours in which the platform
// takes these, a person's message with the tag that it asks for then.
// Source: https://developers.facebook.com/docs/messenger-platform/send-messages/message-tags.
func encode(to string, s channel.Structured) ([]byte, error) {
	r := request{Recipient: recipient{to}, MessagingType: "RESPONSE", Message: messageOf(s)}
	if s.HumanAgent {
		r.MessagingType, r.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
	}
	return json.Marshal(r)
}

func messageOf(s channel.Structured) message {
	switch s.Format {
	case channel.MediaCard:
		return templated(linkTemplate(s))
	case channel.Buttons:
		return templated(template{Type: "button", Text: s.Text, Buttons: postbacks(s.Options...)})
	case channel.QuickReplies:
		return message{Text: s.Text, QuickReplies: quickReplies(s.Options)}
	case channel.CardCarousel:
		return templated(template{Type: "generic", Elements: cards(s)})
	}
	return message{Text: s.Plain}
}

// linkTemplate shows a link with its image. The media template takes images that lie at
// Facebook alone, and its link is a button with a button's title; all others go as a
// card of the generic template, which opens the link when it is tapped.
func linkTemplate(s channel.Structured) template {
	l := s.Link
	if l.Image != nil && atFacebook(l.Image.URL) && s.Text == "" && utf8.RuneCountInString(l.Title) <= maxButton {
		return template{Type: "media", Elements: []element{{
			MediaType: "image", URL: l.Image.URL, Buttons: []button{{Type: "web_url", Title: l.Title, URL: l.URL}},
		}}}
	}
	card := element{Title: l.Title, Subtitle: s.Text, Action: &button{Type: "web_url", URL: l.URL}}
	if l.Image != nil {
		card.ImageURL = l.Image.URL
	}
	return template{Type: "generic", Elements: []element{card}}
}

// atFacebook reports whether an address is that of a photo at Facebook, which no other
// template shows.
func atFacebook(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host != "www.facebook.com" && u.Host != "business.facebook.com" {
		return false
	}
	return strings.Contains(u.Path, "/photos/") || u.Path == "/photo.php"
}

// cards are one for each option. The generic template has no text of its own, so that
// each card has the question as its title and the option on its button.
func cards(s channel.Structured) []element {
	all := make([]element, len(s.Options))
	for i, o := range s.Options {
		all[i] = element{Title: s.Text, Subtitle: o.Subtitle, Buttons: postbacks(o)}
		if o.Image != nil {
			all[i].ImageURL = o.Image.URL
		}
	}
	return all
}

func postbacks(options ...channel.Option) []button {
	all := make([]button, len(options))
	for i, o := range options {
		all[i] = button{Type: "postback", Title: o.Title, Payload: o.Token}
	}
	return all
}

func quickReplies(options []channel.Option) []quickReply {
	all := make([]quickReply, len(options))
	for i, o := range options {
		all[i] = quickReply{ContentType: "text", Title: o.Title, Payload: o.Token}
		if o.Image != nil {
			all[i].ImageURL = o.Image.URL
		}
	}
	return all
}

func templated(t template) message {
	return message{Attachment: &attachment{Type: "template", Payload: t}}
}
