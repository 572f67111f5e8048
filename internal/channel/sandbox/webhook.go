package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"parley/internal/channel"
	"parley/internal/channel/platform"
	"parley/internal/ground/clock"
)

// SignatureHeader carries the signature of a webhook.
const SignatureHeader = "X-Parley-Sandbox-Signature"

// The bounds of a webhook.
const (
	maxEntries = 100
	maxMedia   = 10
	maxID      = 200 // bytes of an id, key or address
)

// Sign makes the signature of a webhook: "sha256=" and the hex HMAC-SHA256,
// keyed with the account's secret, over the URL, a line feed and the body.
func Sign(secret, publicURL string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, publicURL+"\n")
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Verify implements channel.Provider.
func (*Provider) Verify(a channel.Account, w channel.Webhook) bool {
	given, secret := w.Header.Values(SignatureHeader), string(credentials(a).Secret)
	if secret == "" || len(given) != 1 {
		return false
	}
	return hmac.Equal([]byte(given[0]), []byte(Sign(secret, w.PublicURL, w.Body)))
}

// Entry is one thing a webhook tells: a message from a customer ("message"), their tap on
// an option of the last component that this process's carrier took for them ("tap"), or
// what became of one of ours ("receipt").
type Entry struct {
	Type string `json:"type"`
	ID   string `json:"id"`           // unique per account; the same event twice has the same id
	At   string `json:"at,omitempty"` // RFC 3339

	From        string          `json:"from,omitempty"`
	To          string          `json:"to,omitempty"`
	FromName    string          `json:"fromName,omitempty"`
	Text        string          `json:"text,omitempty"`
	Media       []channel.Media `json:"media,omitempty"`
	Unsupported string          `json:"unsupported,omitempty"` // such as "sticker"
	// Channel and Event of a message tell a tap on an option of a component: the type of
	// the channel, and the event as the platform of that type has it.
	Channel channel.Type    `json:"channel,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"`
	Option  int             `json:"option,omitempty"` // of a tap, from 1

	MessageID string `json:"messageId,omitempty"`
	Status    string `json:"status,omitempty"` // SENT, DELIVERED, READ or FAILED
	Code      string `json:"code,omitempty"`   // of the domain, when FAILED
}

func encode(entries []Entry) ([]byte, error) {
	if len(entries) == 1 {
		return json.Marshal(entries[0])
	}
	return json.Marshal(entries)
}

// Parse implements channel.Provider. The body is one entry or an array; an entry
// that cannot be understood is kept alone, and of an array the entries after the
// hundredth are kept as an array, so that they can be run again.
func (p *Provider) Parse(a channel.Account, w channel.Webhook) channel.Delivery {
	var d channel.Delivery
	entries, rest := splitBody(w.Body)
	for _, raw := range entries {
		if err := p.parseEntry(&d, raw, a, w.Query); err != nil {
			d.Bad = append(d.Bad, bad(raw, err))
		}
	}
	if rest != nil {
		d.Bad = append(d.Bad, bad(rest, errors.New("there are more than 100 entries")))
	}
	return d
}

// splitBody returns the raw entries of a body and, of a longer array, the rest.
func splitBody(body []byte) (entries []json.RawMessage, rest []byte) {
	if json.Unmarshal(body, &entries) != nil || entries == nil {
		return []json.RawMessage{body}, nil
	}
	if len(entries) > maxEntries {
		// Marshalling raw JSON that was just read cannot fail.
		rest, _ = json.Marshal(entries[maxEntries:])
		entries = entries[:maxEntries]
	}
	return entries, rest
}

func bad(raw []byte, err error) channel.Bad {
	sum := sha256.Sum256(raw)
	return channel.Bad{EventID: hex.EncodeToString(sum[:]), Reason: err.Error(), Raw: raw}
}

func (p *Provider) parseEntry(d *channel.Delivery, raw []byte, a channel.Account, query url.Values) error {
	var e Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return errors.New("the entry is not JSON in the documented format")
	}
	if !validID(e.ID) {
		return errors.New("the entry's id is missing or malformed")
	}
	if e.Type == "tap" {
		var err error
		if e, err = p.tapped(a, e); err != nil {
			return err
		}
	}
	switch e.Type {
	case "message":
		m, err := e.inbound()
		if err == nil {
			d.Messages = append(d.Messages, m)
		}
		return err
	case "receipt":
		r, err := e.receipt(query)
		if err == nil {
			d.Receipts = append(d.Receipts, r)
		}
		return err
	}
	return errors.New("the entry's type is unknown")
}

// inbound is a customer's message. What cannot be taken of it costs that alone.
func (e Entry) inbound() (channel.Inbound, error) {
	m := channel.Inbound{
		EventID: e.ID, ProviderID: e.ID, From: e.From, To: e.To, FromName: bounded(e.FromName),
		Text: channel.CleanText(e.Text), Unsupported: bounded(e.Unsupported),
	}
	if !validID(e.To) {
		return m, errors.New("to is missing or malformed")
	}
	m.At, _ = timeOf(e.At) // a time that cannot be read is none
	if len(e.Event) > 0 {
		tap, ok := platform.ReadTap(e.Channel, e.Event)
		if !ok {
			return m, errors.New("the event is no tap on an option, as the channel's platform tells it")
		}
		m.Tapped, m.Text = tap.Token, tap.Title
	}
	foreign := 0
	for _, file := range e.Media[:min(len(e.Media), maxMedia)] {
		if !absolute(file.URL) {
			foreign++
			continue
		}
		m.Media = append(m.Media, channel.Media{ContentType: bounded(file.ContentType), URL: channel.CleanText(file.URL)})
	}
	if foreign > 0 {
		m.Missing = append(m.Missing, channel.Files(foreign)+" missing at the carrier")
	}
	if more := len(e.Media) - maxMedia; more > 0 {
		m.Missing = append(m.Missing, fmt.Sprintf("%s beyond the first %d", channel.Files(more), maxMedia))
	}
	return m, nil
}

func (e Entry) receipt(query url.Values) (channel.Receipt, error) {
	at, err := timeOf(e.At)
	if err != nil {
		return channel.Receipt{}, err
	}
	r := channel.Receipt{
		EventID: e.ID, AttemptKey: bounded(query.Get("attempt")), ProviderID: e.MessageID,
		Status: channel.Status(e.Status), At: at,
	}
	if !validID(e.MessageID) {
		return r, errors.New("the message's id is missing or malformed")
	}
	switch r.Status {
	case channel.Sent, channel.Delivered, channel.Read:
		return r, nil
	case channel.Failed:
		r.Code = codeOf(e.Code)
		return r, nil
	}
	return r, errors.New("the status is unknown")
}

func timeOf(s string) (clock.Time, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return 0, errors.New("the time is not RFC 3339")
	}
	return clock.Of(t), nil
}

func validID(s string) bool {
	return s != "" && len(s) <= maxID && channel.CleanText(s) == s
}

func bounded(s string) string { return channel.CleanText(s[:min(len(s), maxID)]) }

// Compose implements channel.Caller. Without an id the message gets a random
// one, so that saying a thing twice is two messages.
func (*Provider) Compose(a channel.Account, webhookURL string, m channel.Inbound) (*http.Request, error) {
	return Compose(string(credentials(a).Secret), webhookURL, entryOf(m))
}

// ComposeTap implements channel.Tapper. Which component it is, the server knows that
// plays the carrier.
func (*Provider) ComposeTap(a channel.Account, webhookURL string, m channel.Inbound, n int) (*http.Request, error) {
	e := entryOf(m)
	e.Type, e.Text, e.Option = "tap", "", n
	return Compose(string(credentials(a).Secret), webhookURL, e)
}

func entryOf(m channel.Inbound) Entry {
	e := Entry{
		Type: "message", ID: m.EventID, From: m.From, To: m.To, FromName: m.FromName, Text: m.Text,
		Media: m.Media, Unsupported: m.Unsupported,
	}
	if e.ID == "" {
		e.ID = "SI" + rand.Text()
	}
	if !m.At.IsZero() {
		e.At = m.At.String()
	}
	return e
}
