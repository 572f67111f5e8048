// Package astwilio simulates Twilio inside the process, so that a demo's Twilio
// account works without the internet.
//
// It has three parts: the Messages resource of Twilio's REST API; a sandbox carrier
// that delivers each message and obeys the directives in its text; and Twilio's signed
// status callbacks, made from the carrier's receipts.
//
//	stand := astwilio.New(astwilio.Options{Accounts: accounts, Callbacks: wire.InProcess(parley)})
//	defer stand.Close()
//	provider := twilio.New(twilio.Options{Transport: stand})
package astwilio

import (
	"crypto/rand"
	"encoding/hex"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/channel/sandbox"
	"parley/internal/channel/twilio"
	"parley/internal/channel/wire"
)

// Options configures a Stand.
type Options struct {
	// Accounts are those that may include Twilio's. Required.
	Accounts iter.Seq[channel.Account]
	// Callbacks carries status callbacks to Parley. Required.
	Callbacks http.RoundTripper
	// Carrier says how the carrier behind behaves; its Transport is set here.
	Carrier sandbox.CarrierOptions
}

// Stand stands in for api.twilio.com. It is an http.RoundTripper that answers
// every request itself, whatever host it names. It keeps no messages of its own;
// what a callback needs travels with the message. Close it.
type Stand struct {
	options   Options
	carrier   *sandbox.Carrier
	toCarrier *http.Client
	inside    http.RoundTripper
}

// maxForm bounds the body of a request, in bytes.
const maxForm = 64 << 10

// New returns a Stand.
func New(o Options) *Stand {
	s := &Stand{options: o}
	o.Carrier.Transport = wire.InProcess(http.HandlerFunc(s.receipt))
	s.carrier = sandbox.NewCarrier(o.Carrier)
	s.toCarrier = &http.Client{Transport: wire.InProcess(s.carrier)}
	s.inside = wire.InProcess(http.HandlerFunc(s.create))
	return s
}

// RoundTrip implements http.RoundTripper.
func (s *Stand) RoundTrip(r *http.Request) (*http.Response, error) { return s.inside.RoundTrip(r) }

// Carrier is the carrier behind, for tests to script and to ask what it got.
func (s *Stand) Carrier() *sandbox.Carrier { return s.carrier }

// Close stops the callbacks to come.
func (s *Stand) Close() { s.carrier.Close() }

// create is POST /2010-04-01/Accounts/{SID}/Messages.json. What a GET lists is empty,
// since no messages are kept.
func (s *Stand) create(w http.ResponseWriter, r *http.Request) {
	credentials, problem := s.authenticate(w, r)
	if problem != nil {
		problem.write(w)
		return
	}
	if r.Method == http.MethodGet {
		writeJSON(w, http.StatusOK, map[string]any{"messages": []any{}, "next_page_uri": nil})
		return
	}
	sid := newSID()
	m := sandbox.Message{
		Key: sid, From: r.PostForm.Get("From"), To: r.PostForm.Get("To"), Text: r.PostForm.Get("Body"), Secret: string(credentials.Token),
	}
	callback := r.PostForm.Get("StatusCallback")
	if number := check(m, callback); number != 0 {
		(&refusal{http.StatusBadRequest, number, 0}).write(w)
		return
	}
	if callback != "" {
		m.StatusURL = receiptURL(sid, credentials.SID, callback)
	}
	if problem := s.hand(r.Context(), m); problem != nil {
		problem.write(w)
		return
	}
	writeJSON(w, http.StatusCreated, map[string]any{
		"account_sid": credentials.SID, "api_version": "2010-04-01", "body": m.Text, "direction": "outbound-api",
		"error_code": nil, "error_message": nil, "from": m.From, "num_media": "0", "sid": sid, "status": "queued", "to": m.To,
	})
}

// authenticate checks what Twilio checks before it looks at the message, and
// reads the form.
func (s *Stand) authenticate(w http.ResponseWriter, r *http.Request) (twilio.Credentials, *refusal) {
	sid, token, _ := r.BasicAuth()
	_, credentials := s.account(sid)
	switch {
	case !credentials.Token.Is(token):
		return credentials, &refusal{http.StatusUnauthorized, 20003, 0}
	case r.URL.Path != "/2010-04-01/Accounts/"+credentials.SID+"/Messages.json":
		return credentials, &refusal{http.StatusNotFound, 20404, 0}
	case r.Method == http.MethodGet:
		return credentials, nil
	case r.Method != http.MethodPost:
		return credentials, &refusal{http.StatusMethodNotAllowed, 20004, 0}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return credentials, &refusal{http.StatusUnsupportedMediaType, 20415, 0}
	}
	return credentials, nil
}

// account finds a Twilio account by its SID; no credentials when there is none.
func (s *Stand) account(sid string) (channel.Account, twilio.Credentials) {
	for a := range s.options.Accounts {
		if c, ok := a.Credentials.(twilio.Credentials); ok && c.SID == sid {
			return a, c
		}
	}
	return channel.Account{}, twilio.Credentials{}
}

var (
	e164   = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	sender = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|[0-9]{3,8})$`)
)

// check returns the number of the first error of Twilio's that a request has,
// zero when it has none (https://www.twilio.com/docs/api/errors).
func check(m sandbox.Message, callback string) int {
	switch {
	case m.To == "":
		return 21604
	case m.From == "":
		return 21603
	case m.Text == "":
		return 21602
	case !e164.MatchString(m.To):
		return 21211
	case !sender.MatchString(m.From):
		return 21212
	case m.From == m.To:
		return 21266
	case utf8.RuneCountInString(m.Text) > twilio.MaxText:
		return 21617
	case callback != "" && !absolute(callback):
		return 21609
	}
	return 0
}

func absolute(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func newSID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return "SM" + hex.EncodeToString(b[:])
}
