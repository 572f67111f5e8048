package astwilio

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/twilio"
)

// inside is the host of addresses that never leave the process.
const inside = "http://astwilio.invalid"

// hand gives a message to the carrier and says in Twilio's words what it
// answered; nil when it took the message. A carrier that breaks off does so to
// the caller too, who then does not know.
func (s *Stand) hand(ctx context.Context, m sandbox.Message) *refusal {
	body, err := json.Marshal(map[string]string{"key": m.Key, "from": m.From, "to": m.To, "text": m.Text, "statusUrl": m.StatusURL})
	if err != nil {
		return &refusal{http.StatusInternalServerError, 20500, 0}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, inside+"/messages", bytes.NewReader(body))
	if err != nil {
		return &refusal{http.StatusInternalServerError, 20500, 0}
	}
	req.Header.Set("Authorization", "Bearer "+m.Secret)
	resp, err := s.toCarrier.Do(req)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode < 300 {
		return nil
	}
	return refused(resp)
}

// refused turns the carrier's refusal into Twilio's.
func refused(resp *http.Response) *refusal {
	var said struct {
		Code channel.ErrorCode `json:"code"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, maxForm)).Decode(&said)
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		wait, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &refusal{http.StatusTooManyRequests, 20429, wait}
	case http.StatusServiceUnavailable:
		return &refusal{http.StatusServiceUnavailable, 20503, 0}
	}
	number, ok := refusals[said.Code]
	if !ok {
		number = failureNumber(said.Code)
	}
	return &refusal{http.StatusBadRequest, number, 0}
}

// refusals are the numbers by which Twilio refuses a message at once, where they
// are others than those it reports later.
var refusals = map[channel.ErrorCode]int{
	channel.ChannelMisconfigured: 21606,
	channel.BadDestination:       21211,
	channel.RecipientBlocked:     21610,
	channel.CannotBeSent:         21619,
	channel.BodyTooLarge:         21617,
	channel.CheckChannelSettings: 20403,
}

// failures are the numbers that Twilio reports when a message it took has
// failed.
var failures = map[channel.ErrorCode]int{
	channel.ServiceUnreachable:   30500,
	channel.CheckChannelSettings: 30002,
	channel.OutsideWindow:        63016,
	channel.ChannelCannotSend:    30001,
	channel.ChannelMisconfigured: 30037,
	channel.NumberNotVerified:    30032,
	channel.BadDestination:       30005,
	channel.RecipientBlocked:     21610,
	channel.CarrierBlocks:        30004,
	channel.FlaggedAsSpam:        30007,
	channel.BadFileType:          21620,
	channel.BodyTooLarge:         21617,
	channel.TooManyAttachments:   21623,
	channel.AttachmentTooLarge:   30019,
}

// failureNumber is Twilio's number for a code; 30008, which says nothing, when it
// has no better one.
func failureNumber(code channel.ErrorCode) int {
	if number, ok := failures[code]; ok {
		return number
	}
	return 30008
}

// receiptURL is where the carrier reports a message: it carries what makes
// Twilio's callback of the report.
func receiptURL(sid, account, callback string) string {
	return inside + "/receipts?" + url.Values{"sid": {sid}, "account": {account}, "callback": {callback}}.Encode()
}

// receipt turns a receipt of the carrier's into a status callback, and hands
// Parley's answer back, so that the carrier posts again what was not taken.
func (s *Stand) receipt(w http.ResponseWriter, r *http.Request) {
	var e sandbox.Entry
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&e)
	query := r.URL.Query()
	account, credentials := s.account(query.Get("account"))
	if err != nil || credentials.Missing() != "" {
		w.WriteHeader(http.StatusGone)
		return
	}
	status, number := strings.ToLower(e.Status), 0
	if channel.Status(e.Status) == channel.Failed {
		status, number = "undelivered", failureNumber(channel.ErrorCode(e.Code))
	}
	req, err := twilio.ComposeStatus(account, query.Get("callback"), query.Get("sid"), status, number)
	if err != nil {
		w.WriteHeader(http.StatusGone)
		return
	}
	resp, err := s.options.Callbacks.RoundTrip(req.WithContext(r.Context()))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	w.WriteHeader(resp.StatusCode)
}

// refusal is Twilio's error document.
type refusal struct{ status, number, retryAfter int }

func (e *refusal) write(w http.ResponseWriter) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	writeJSON(w, e.status, map[string]any{
		"code": e.number, "status": e.status, "message": "Refused by the stand-in for Twilio",
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(e.number),
	})
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}
