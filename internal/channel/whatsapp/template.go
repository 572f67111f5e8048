package whatsapp

import (
	"strconv"

	"parley/internal/channel"
)

// templateOf fills in a message that is registered with WhatsApp. Its options are quick
// replies, and a suffix is of its first button.
func templateOf(s channel.Structured) *template {
	of := s.Template
	t := &template{Name: of.Name, Language: language{"deterministic", of.Language}}
	switch {
	case of.Image != nil && of.Image.URL != "":
		t.add(component{Type: "header", Parameters: []parameter{{Type: "image", Image: &media{of.Image.URL}}}})
	case of.Header != "":
		t.add(component{Type: "header", Parameters: []parameter{{Type: "text", Name: of.HeaderName, Text: of.Header}}})
	}
	if len(of.Body) > 0 {
		body := component{Type: "body"}
		for _, p := range of.Body {
			body.Parameters = append(body.Parameters, parameter{Type: "text", Name: p.Name, Text: p.Text})
		}
		t.add(body)
	}
	for i, o := range s.Options {
		t.add(component{Type: "button", SubType: quickReply, Index: strconv.Itoa(i), Parameters: []parameter{{Type: "payload", Payload: o.Token}}})
	}
	if of.Suffix != "" {
		t.add(component{Type: "button", SubType: "url", Index: "0", Parameters: []parameter{{Type: "text", Text: of.Suffix}}})
	}
	return t
}

const quickReply = "quick_reply"
