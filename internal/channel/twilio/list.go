package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

var _ channel.Lister = (*Provider)(nil)

// The bounds of a page: 500 messages of 1,600 characters, each six bytes in JSON.
const (
	pageSize = 500
	maxPage  = 8 << 20
)

// listed is a Message resource, as far as it is read.
type listed struct {
	SID         string `json:"sid"`
	From        string `json:"from"`
	To          string `json:"to"`
	Body        string `json:"body"`
	Direction   string `json:"direction"`
	Status      string `json:"status"`
	ErrorCode   *int   `json:"error_code"`
	NumMedia    string `json:"num_media"`
	DateSent    string `json:"date_sent"`
	DateCreated string `json:"date_created"`
}

// List implements channel.Lister: the Messages resource of the REST API, filtered by
// the day in UTC, which is as fine as Twilio documents the filter to be.
func (p *Provider) List(ctx context.Context, a channel.Account, day time.Time, next string) (out channel.Listing, err error) {
	if next == "" {
		next = messagesPath(a) + "?" + url.Values{"DateSent": {day.UTC().Format(time.DateOnly)}, "PageSize": {strconv.Itoa(pageSize)}}.Encode()
	}
	var page struct {
		Messages []listed `json:"messages"`
		Next     string   `json:"next_page_uri"`
	}
	if err := p.get(ctx, a, next, &page); err != nil {
		return out, err
	}
	if page.Next != "" && !strings.HasPrefix(page.Next, messagesPath(a)+"?") {
		return out, errors.New("Twilio's next page belongs to another account") //nolint:staticcheck // a name
	}
	out.Next = page.Next
	for _, m := range page.Messages {
		m.addTo(&out)
	}
	return out, nil
}

func messagesPath(a channel.Account) string {
	return "/2010-04-01/Accounts/" + url.PathEscape(credentials(a).SID) + "/Messages.json"
}

// addTo adds what the resource tells to the listing. A message that still comes in, or
// a status that says nothing of where ours ends, is left to a later look.
func (m *listed) addTo(out *channel.Listing) {
	if !validSID(m.SID) {
		return
	}
	if m.Direction == "inbound" {
		if m.Status != "receiving" && m.To != "" {
			out.Messages = append(out.Messages, m.inbound())
		}
		return
	}
	if to, known := statuses[m.Status]; known {
		code := ""
		if m.ErrorCode != nil {
			code = strconv.Itoa(*m.ErrorCode)
		}
		r := receipt(m.SID, m.Status, to, code)
		r.OptedOut = false // they may have opted in since; if not, Twilio refuses the next message
		out.Receipts = append(out.Receipts, r)
	}
}

// inbound leaves consent as it is: what is listed may be older than an opting out.
func (m *listed) inbound() channel.Listed {
	files, _ := strconv.Atoi(m.NumMedia)
	return channel.Listed{FileCount: files, Inbound: channel.Inbound{
		EventID: m.SID, ProviderID: m.SID, From: m.From, To: m.To, Text: channel.CleanText(m.Body),
		At: timeOf(m.DateSent, m.DateCreated),
	}}
}

// timeOf is the first time that can be read (RFC 2822), zero for none.
func timeOf(texts ...string) clock.Time {
	for _, text := range texts {
		if t, err := time.Parse(time.RFC1123Z, text); err == nil {
			return clock.Of(t)
		}
	}
	return 0
}

// Files implements channel.Lister: the Media resources of the message.
func (p *Provider) Files(ctx context.Context, a channel.Account, m *channel.Inbound) error {
	base, err := baseURL(a)
	if err != nil {
		return err
	}
	var page struct {
		Media []struct {
			ContentType string `json:"content_type"`
			URI         string `json:"uri"`
		} `json:"media_list"`
	}
	path := strings.TrimSuffix(messagesPath(a), ".json") + "/" + url.PathEscape(m.ProviderID) + "/Media.json"
	if err := p.get(ctx, a, path, &page); err != nil {
		return err
	}
	form := url.Values{"NumMedia": {strconv.Itoa(len(page.Media))}}
	for i, file := range page.Media {
		form.Set("MediaUrl"+strconv.Itoa(i), base+strings.TrimSuffix(file.URI, ".json"))
		form.Set("MediaContentType"+strconv.Itoa(i), file.ContentType)
	}
	addMedia(a, form, m)
	return nil
}

// get reads a resource of the account.
func (p *Provider) get(ctx context.Context, a channel.Account, path string, into any) error {
	if isMadeUp(a) {
		return errors.New("the account is fictitious, so no carrier was asked")
	}
	if missing := credentials(a).Missing(); missing != "" {
		return fmt.Errorf("it has no %s", missing)
	}
	base, err := baseURL(a)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return errors.New("the base URL cannot be used")
	}
	credentials(a).authenticate(req)
	req.Header.Set("Accept", "application/json")
	answer, err := p.clientFor(a).Within(maxPage).Do(req)
	switch {
	case err != nil:
		return fmt.Errorf("Twilio cannot be reached: %w", err) //nolint:staticcheck // a name
	case answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden:
		return errors.New("Twilio refuses the account SID or the auth token") //nolint:staticcheck // a name
	case answer.Status == http.StatusNotFound || answer.Status == http.StatusGone:
		return fmt.Errorf("Twilio answers HTTP %d: %w", answer.Status, channel.ErrGone) //nolint:staticcheck // a name
	case answer.Status != http.StatusOK:
		return fmt.Errorf("Twilio answers HTTP %d", answer.Status) //nolint:staticcheck // a name
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return errors.New("Twilio's answer cannot be read") //nolint:staticcheck // a name
	}
	return nil
}
