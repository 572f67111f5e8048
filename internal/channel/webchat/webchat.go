// Package webchat is the JSON in which web and in-app channels get components and bring
// back answers. The shape is Parley's own, and documented for frontends.
//
//	{"format": "BUTTONS", "text": "Which size?", "plain": "Which size?\n1. Small\n2. Large",
//	 "options": [{"token": "…", "title": "Small"}, {"token": "…", "title": "Large"}]}
//
//	{"type": "answer", "token": "…", "title": "Small"}
package webchat

import (
	"encoding/json"

	"parley/internal/channel"
)

// document is a component as it is sent.
type document struct {
	Recipient string         `json:"recipient"`
	Format    channel.Format `json:"format"`
	Text      string         `json:"text,omitempty"`
	Link      *link          `json:"link,omitempty"`
	Options   []option       `json:"options,omitempty"`
	Plain     string         `json:"plain"` // all of it as text, for whoever cannot show the format
}

type link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
	Image *image `json:"image,omitempty"`
	Popup bool   `json:"popup,omitempty"`
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt,omitempty"`
}

type option struct {
	Token string `json:"token"`
	Title string `json:"title"`
	Image *image `json:"image,omitempty"`
	// StartsAt and DurationMinutes are of a time, for pages that show it in the customer's zone.
	StartsAt        string `json:"startsAt,omitempty"`
	DurationMinutes *int   `json:"durationMinutes,omitempty"`
}

// Encode returns the document that shows s to a customer, on channels of type on. What
// they cannot show is a *channel.UnfitError.
func Encode(on channel.Type, to string, s channel.Structured) ([]byte, error) {
	if err := channel.CapabilitiesOf(on).Check(s); err != nil {
		return nil, err
	}
	return encode(to, s)
}

func encode(to string, s channel.Structured) ([]byte, error) {
	d := document{Recipient: to, Format: s.Format, Plain: s.Plain}
	switch s.Format {
	case channel.PlainText:
	case channel.QuickReplies:
		d.Text, d.Options = s.Text, options(s.Options, true)
	case channel.Buttons:
		d.Text, d.Options = s.Text, options(s.Options, false)
	default:
		d.Text, d.Link = s.Text, linkOf(s.Link, s.Format == channel.RichLink)
	}
	return json.Marshal(d)
}

func options(of []channel.Option, images bool) []option {
	all := make([]option, len(of))
	for i, o := range of {
		all[i] = option{Token: o.Token, Title: o.Title, DurationMinutes: o.DurationMinutes}
		if o.StartsAt != nil {
			all[i].StartsAt = o.StartsAt.String()
		}
		if images {
			all[i].Image = imageOf(o.Image)
		}
	}
	return all
}

func linkOf(l *channel.Link, image bool) *link {
	shown := &link{Title: l.Title, URL: l.URL, Popup: l.Popup}
	if image {
		shown.Image = imageOf(l.Image)
	}
	return shown
}

func imageOf(i *channel.Image) *image {
	if i == nil || i.URL == "" {
		return nil
	}
	return &image{URL: i.URL, Alt: i.Alt}
}

// answer is the customer's tap.
type answer struct {
	Type  string `json:"type"`
	Token string `json:"token"`
	Title string `json:"title"`
}

// ReadTap reads an answer; false for any other event.
func ReadTap(raw []byte) (channel.Tap, bool) {
	var a answer
	if json.Unmarshal(raw, &a) != nil || a.Type != "answer" {
		return channel.Tap{}, false
	}
	return channel.TapOf(a.Token, a.Title)
}

// Taps are the answers that taps on the options of a document make, in their order.
func Taps(body []byte) ([][]byte, error) {
	var d document
	if err := json.Unmarshal(body, &d); err != nil {
		return nil, err
	}
	var answers []answer
	for _, o := range d.Options {
		answers = append(answers, answer{Type: "answer", Token: o.Token, Title: o.Title})
	}
	return channel.Documents(answers)
}
