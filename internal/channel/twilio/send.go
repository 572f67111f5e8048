package twilio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/channel"
	"parley/internal/channel/wire"
)

// Send implements channel.Provider: one POST to the Messages resource.
func (p *Provider) Send(ctx context.Context, a channel.Account, m channel.Outgoing) channel.Result {
	text, ok := textOf(m.Content)
	if !ok {
		return channel.Unsupported(m.Content)
	}
	if missing := credentials(a).Missing(); missing != "" {
		return wire.Misconfigured("the account has no " + missing)
	}
	form := formOf(m.From, m.To, text)
	if m.StatusURL != "" {
		form.Set("StatusCallback", m.StatusURL)
	}
	req, err := request(ctx, a, form)
	if err != nil {
		return wire.Misconfigured(err.Error())
	}
	answer, err := p.clientFor(a).Do(req)
	if err != nil {
		return wire.Lost(err)
	}
	return result(answer)
}

var _ channel.Documenter = (*Provider)(nil)

// Document implements channel.Documenter: the form that Send posts.
func (*Provider) Document(from, to string, s channel.Structured) string {
	return formOf(from, to, s.Plain).Encode()
}

func formOf(from, to, text string) url.Values {
	return url.Values{"From": {from}, "To": {to}, "Body": {text}}
}

// textOf is what of the content a text message can hold: text, and a component that is
// shown as text.
func textOf(c channel.Content) (string, bool) {
	switch c := c.(type) {
	case channel.Text:
		return string(c), true
	case channel.Structured:
		return c.Plain, c.Format == channel.PlainText
	}
	return "", false
}

func request(ctx context.Context, a channel.Account, form url.Values) (*http.Request, error) {
	base, err := baseURL(a)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+messagesPath(a), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	credentials(a).authenticate(req)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	return req, nil
}

func baseURL(a channel.Account) (string, error) {
	if a.BaseURL == "" {
		return DefaultBaseURL, nil
	}
	return wire.BaseURL(a.BaseURL)
}

// result reads Twilio's answer. What is not a clear yes or no is Unknown: a
// server error may come after the message was queued.
func result(answer wire.Answer) channel.Result {
	switch status := answer.Status; {
	case status >= 200 && status < 300:
		return accepted(answer)
	case status >= 300 && status < 400:
		return wire.Misconfigured("the base URL returned a redirect")
	case status == http.StatusRequestTimeout || status < 200 || status >= 500:
		return wire.Unclear(fmt.Sprintf("HTTP %d", status))
	default:
		return refused(answer)
	}
}

func accepted(answer wire.Answer) channel.Result {
	var created struct {
		SID string `json:"sid"`
	}
	if err := json.Unmarshal(answer.Body, &created); err != nil || !validSID(created.SID) {
		return wire.Unclear(fmt.Sprintf("HTTP %d without a message sid", answer.Status))
	}
	return channel.Result{Outcome: channel.Accepted, ProviderID: created.SID}
}

// refused reads Twilio's error document. Its message may quote a phone number,
// so that only the number of the error is kept.
func refused(answer wire.Answer) channel.Result {
	var problem struct {
		Code int `json:"code"`
	}
	_ = json.Unmarshal(answer.Body, &problem)
	code, known := codes[problem.Code]
	if throttles[problem.Code] || answer.Status == http.StatusTooManyRequests && !known {
		return channel.Result{
			Outcome:    channel.Throttled,
			Code:       channel.ChannelCannotSend,
			Detail:     detail(answer.Status, problem.Code),
			RetryAfter: wire.RetryAfter(answer.Header),
		}
	}
	if !known {
		code = codeOfStatus(answer.Status)
	}
	return channel.Result{
		Outcome: channel.Rejected, Code: code, OptedOut: problem.Code == optedOut, Detail: detail(answer.Status, problem.Code),
	}
}

// codeOfStatus judges a refusal whose number says nothing: 400 is about the
// message; everything else, such as 401, 403 or 404, about our account.
func codeOfStatus(status int) channel.ErrorCode {
	if status == http.StatusBadRequest {
		return channel.CannotBeSent
	}
	return channel.CheckChannelSettings
}

func detail(status, code int) string {
	if code == 0 {
		return "HTTP " + strconv.Itoa(status)
	}
	return fmt.Sprintf("HTTP %d, Twilio error %d", status, code)
}
