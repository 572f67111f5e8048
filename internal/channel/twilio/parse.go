package twilio

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"parley/internal/channel"
)

// The bounds of what a webhook may say.
const (
	maxMedia = 10  // files of one message, as documented
	maxName  = 200 // bytes of a profile name
	maxKey   = 200 // bytes of an attempt's key
	maxURL   = 500 // bytes kept of a file's address that is not taken
)

// Parse implements channel.Provider. A webhook of Twilio holds one thing: an
// inbound message, a status that changes nothing for us, or a receipt.
func (*Provider) Parse(a channel.Account, w channel.Webhook) channel.Delivery {
	delivery, err := parse(a, w)
	if err != nil {
		return channel.Delivery{Bad: []channel.Bad{bad(w, err)}}
	}
	return delivery
}

// bad keeps the whole body under an id made from it.
func bad(w channel.Webhook, err error) channel.Bad {
	sum := sha256.Sum256(w.Body)
	return channel.Bad{EventID: hex.EncodeToString(sum[:]), Reason: err.Error(), Raw: w.Body}
}

func parse(a channel.Account, w channel.Webhook) (channel.Delivery, error) {
	if !isForm(w) {
		return channel.Delivery{}, errors.New("the body is not a form")
	}
	form, ok := readForm(string(w.Body))
	if !ok {
		return channel.Delivery{}, errors.New("the form cannot be read")
	}
	if sid, own := form.Get("AccountSid"), credentials(a).SID; sid != "" && own != "" && sid != own {
		return channel.Delivery{}, errors.New("it is for another account")
	}
	sid := first(form, "MessageSid", "SmsSid", "SmsMessageSid")
	if !validSID(sid) {
		return channel.Delivery{}, errors.New("the message sid is missing or malformed")
	}
	return dispatch(a, w, form, sid)
}

// dispatch tells what the form is. Inbound messages say SmsStatus "received" and
// have a Body, be it empty; status callbacks have a MessageStatus, or, under its old
// name, no Body. What has a status that nobody documents and a Body is a message.
func dispatch(a channel.Account, w channel.Webhook, form url.Values, sid string) (channel.Delivery, error) {
	status := first(form, "MessageStatus", "SmsStatus")
	to, known := statuses[status]
	said := form.Has("Body") && !form.Has("MessageStatus")
	switch {
	case status == "" || status == "received" || said && !known && (status == "receiving" || !passing[status]):
		return inbound(a, form, sid)
	case passing[status]:
		return channel.Delivery{}, nil
	case !known:
		return channel.Delivery{}, errors.New("the message status is unknown")
	}
	r := receipt(sid, status, to, form.Get("ErrorCode"))
	r.AttemptKey = bounded(w.Query.Get("attempt"), maxKey)
	return channel.Delivery{Receipts: []channel.Receipt{r}}, nil
}

// passing are statuses that say nothing of where a message of ours ends.
var passing = map[string]bool{"accepted": true, "scheduled": true, "queued": true, "sending": true, "receiving": true}

// canceled is the status of a message that was cancelled at Twilio before it went
// out (an update of the Message resource; nothing of ours does it).
const canceled = "canceled"

// statuses are Twilio's that move a message of ours. "partially_delivered" is in
// Twilio's list without a description: a part is with the customer and the rest is
// not reported. So it stands as SENT, and what is reported after it decides.
var statuses = map[string]channel.Status{
	"sent":                channel.Sent,
	"partially_delivered": channel.Sent,
	"delivered":           channel.Delivered,
	"read":                channel.Read,
	"undelivered":         channel.Failed,
	"failed":              channel.Failed,
	canceled:              channel.Failed,
}

// receipt is what a status says of a message, with Twilio's error number or none.
func receipt(sid, status string, to channel.Status, errorCode string) channel.Receipt {
	r := channel.Receipt{EventID: sid + "." + status, ProviderID: sid, Status: to}
	if to != channel.Failed {
		return r
	}
	number, err := strconv.Atoi(errorCode)
	switch {
	case err == nil && number != 0:
		r.Code, r.Detail = failure(number), "Twilio error "+strconv.Itoa(number)
	case status == canceled:
		r.Code, r.Detail = channel.ChannelCannotSend, "cancelled at Twilio"
	default:
		r.Code = failure(0)
	}
	r.OptedOut = number == optedOut
	return r
}

// inbound reads a customer's message. What cannot be taken of it costs that alone.
func inbound(a channel.Account, form url.Values, sid string) (channel.Delivery, error) {
	if form.Get("To") == "" {
		return channel.Delivery{}, errors.New("the destination is missing")
	}
	m := channel.Inbound{
		EventID:    sid,
		ProviderID: sid,
		From:       form.Get("From"),
		To:         form.Get("To"),
		FromName:   bounded(form.Get("ProfileName"), maxName),
		Text:       channel.CleanText(form.Get("Body")),
		Consent:    consent(form.Get("OptOutType"), form.Get("Body")),
	}
	if !form.Has("Body") && !form.Has("NumMedia") {
		m.Unsupported = "a message without text or files"
	}
	addMedia(a, form, &m)
	return channel.Delivery{Messages: []channel.Inbound{m}}, nil
}

// addMedia gives the message its first ten files, as far as they lie at Twilio.
func addMedia(a channel.Account, form url.Values, m *channel.Inbound) {
	count := 0
	if said := form.Get("NumMedia"); said != "" {
		n, err := strconv.Atoi(said)
		if err != nil || n < 0 {
			m.Missing = append(m.Missing, "files whose number cannot be read")
		}
		count = max(n, 0)
	}
	foreign := 0
	for i := range min(count, maxMedia) {
		file := channel.Media{
			ContentType: bounded(form.Get("MediaContentType"+strconv.Itoa(i)), maxName),
			URL:         form.Get("MediaUrl" + strconv.Itoa(i)),
		}
		if hosted(a, file.URL) {
			m.Media = append(m.Media, file)
			continue
		}
		foreign++
		file.URL = bounded(file.URL, maxURL)
		m.Refused = append(m.Refused, file)
	}
	if foreign > 0 {
		m.Missing = append(m.Missing, channel.Files(foreign)+" missing at the carrier")
	}
	if more := count - maxMedia; more > 0 {
		m.Missing = append(m.Missing, fmt.Sprintf("%s beyond the first %d", channel.Files(more), maxMedia))
	}
}

// hosted reports whether a file lies where Twilio keeps files: a webhook must
// not make us fetch from anywhere else.
func hosted(a channel.Account, raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil {
		return false
	}
	if u.Scheme == "https" && (u.Host == "twilio.com" || strings.HasSuffix(u.Host, ".twilio.com")) {
		return true
	}
	base, err := url.Parse(a.BaseURL)
	return err == nil && base.Host != "" && u.Scheme == base.Scheme && u.Host == base.Host
}

// validSID bounds a sid by its documented shape. The length matters: parameters
// are signed joined end to end, so that a longer sid could hold its neighbour.
func validSID(s string) bool { return sidShape.MatchString(s) }

var sidShape = regexp.MustCompile(`^(SM|MM)[0-9A-Za-z]{1,32}$`)

func first(form url.Values, names ...string) string {
	for _, name := range names {
		if v := form.Get(name); v != "" {
			return v
		}
	}
	return ""
}

// bounded cleans s and cuts it to at most limit bytes.
func bounded(s string, limit int) string {
	return channel.CleanText(s[:min(len(s), limit)])
}
