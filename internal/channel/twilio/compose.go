package twilio

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/channel"
)

// Compose implements channel.Caller: the signed form that Twilio posts when a
// text comes in. A sid is made from the event's id when that is none, so that
// the same event gives the same sid; without an id it is random.
func (*Provider) Compose(a channel.Account, webhookURL string, m channel.Inbound) (*http.Request, error) {
	return signed(a, webhookURL, inboundForm(a, m))
}

func inboundForm(a channel.Account, m channel.Inbound) url.Values {
	sid := sidFor(m.EventID)
	form := url.Values{
		"AccountSid":    {credentials(a).SID},
		"ApiVersion":    {"2010-04-01"},
		"MessageSid":    {sid},
		"SmsMessageSid": {sid},
		"SmsSid":        {sid},
		"SmsStatus":     {"received"},
		"NumSegments":   {strconv.Itoa(max(channel.Segment(m.Text, Header).Segments, 1))},
		"NumMedia":      {strconv.Itoa(len(m.Media))},
		"From":          {m.From},
		"To":            {m.To},
		"Body":          {m.Text},
	}
	if m.FromName != "" {
		form.Set("ProfileName", m.FromName)
	}
	for i, file := range m.Media {
		form.Set("MediaUrl"+strconv.Itoa(i), file.URL)
		form.Set("MediaContentType"+strconv.Itoa(i), file.ContentType)
	}
	return form
}

func sidFor(eventID string) string {
	if validSID(eventID) {
		return eventID
	}
	if eventID == "" {
		eventID = rand.Text()
	}
	sum := sha256.Sum256([]byte(eventID))
	return "SM" + hex.EncodeToString(sum[:16])
}

// signed makes the webhook request that Twilio would send.
func signed(a channel.Account, webhookURL string, form url.Values) (*http.Request, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, webhookURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	req.Header.Set(SignatureHeader, Sign(string(credentials(a).Token), webhookURL, form))
	return req, nil
}

// ComposeStatus returns the signed status callback for a message: what Twilio
// posts to the StatusCallback URL. The error number is for failures, else zero.
func ComposeStatus(a channel.Account, statusURL, sid, status string, number int) (*http.Request, error) {
	form := url.Values{
		"AccountSid":    {credentials(a).SID},
		"ApiVersion":    {"2010-04-01"},
		"MessageSid":    {sid},
		"SmsSid":        {sid},
		"MessageStatus": {status},
		"SmsStatus":     {status},
	}
	if number != 0 {
		form.Set("ErrorCode", strconv.Itoa(number))
	}
	return signed(a, statusURL, form)
}
