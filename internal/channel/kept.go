package channel

import "net/url"

// Kept is one entry of a webhook as it is kept raw, so that it can be run again:
// exactly one of its fields is set.
type Kept struct {
	Message *Inbound    `json:"message,omitempty"`
	Receipt *Receipt    `json:"receipt,omitempty"`
	Raw     *RawWebhook `json:"raw,omitempty"`
}

// RawWebhook is what could not be understood, with as much of its request as
// Provider.Parse reads. Signatures and other headers are not kept.
type RawWebhook struct {
	ContentType string     `json:"contentType,omitempty"`
	Query       url.Values `json:"query,omitempty"`
	Body        []byte     `json:"body"`
}

// Webhook is the request to parse again. It was verified when it came.
func (r *RawWebhook) Webhook() Webhook {
	w := Webhook{Query: r.Query, Header: map[string][]string{}, Body: r.Body}
	if r.ContentType != "" {
		w.Header.Set("Content-Type", r.ContentType)
	}
	return w
}
