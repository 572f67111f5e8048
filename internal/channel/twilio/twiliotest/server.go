// Package twiliotest is a Twilio for tests: an HTTP handler that enforces the
// documented contract of the Messages resource, records what it accepts, lists the
// messages it is told to hold, fails on demand, and posts signed webhooks.
package twiliotest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/channel/twilio"
)

// Message is a message the server took.
type Message struct {
	SID, From, To, Body string
	StatusCallback      string
}

// Fault is an answer other than Twilio's usual one. Without Take the message is
// not recorded.
type Fault struct {
	Take bool // record the message first
	Hang bool // never answer
	Drop bool // break the connection
	// Status and Code make an error answer; RetryAfter adds the header.
	Status, Code int
	RetryAfter   time.Duration
	// Body replaces the answer's document when not empty.
	Body string
}

// Server is the handler. Serve it with net/http/httptest, or without a port
// through wire.InProcess.
type Server struct {
	account     channel.Account
	credentials twilio.Credentials

	mu     sync.Mutex
	script func(Message) *Fault
	taken  []Message
	sids   int
	kept   []Kept
	lists  []url.Values
}

// New returns a Server that knows one account, by its credentials.
func New(c twilio.Credentials) *Server {
	return &Server{account: channel.Account{Credentials: c}, credentials: c}
}

// Script sets what is answered to each valid request; nil from f, or a nil f,
// means the usual answer. The message it is shown has no SID yet.
func (s *Server) Script(f func(Message) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = f
}

// Got returns the messages taken so far, oldest first.
func (s *Server) Got() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.taken...)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && s.serveResource(w, r) {
		return
	}
	m, problem := s.read(r)
	if problem != nil {
		problem.write(w)
		return
	}
	fault := s.fault(m)
	if fault == nil {
		s.create(w, m)
		return
	}
	if fault.Take {
		s.take(&m)
	}
	fault.write(w, r)
}

// show answers as the documented example of the Account resource does.
func (s *Server) show(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"sid": s.credentials.SID, "friendly_name": "Test", "status": "active", "type": "Full"})
}

func (s *Server) fault(m Message) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script == nil {
		return nil
	}
	return s.script(m)
}

func (s *Server) take(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sids++
	m.SID = fmt.Sprintf("SM%032x", s.sids)
	s.taken = append(s.taken, *m)
}

// create answers as the documented example of the Message resource does.
func (s *Server) create(w http.ResponseWriter, m Message) {
	s.take(&m)
	segments := channel.Segment(m.Body, twilio.Header).Segments
	writeJSON(w, http.StatusCreated, map[string]any{
		"account_sid": s.credentials.SID, "api_version": "2010-04-01", "body": m.Body, "direction": "outbound-api",
		"error_code": nil, "error_message": nil, "from": m.From, "num_media": "0",
		"num_segments": strconv.Itoa(segments), "sid": m.SID, "status": "queued", "to": m.To,
	})
}

func (f *Fault) write(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Hang:
		<-r.Context().Done()
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Body != "":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(max(f.Status, http.StatusOK))
		_, _ = io.WriteString(w, f.Body)
	default:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
		}
		(&refusal{f.Status, f.Code, "made by the test"}).write(w)
	}
}

// refusal is Twilio's error document.
type refusal struct {
	status, code int
	message      string
}

func (e *refusal) write(w http.ResponseWriter) {
	writeJSON(w, e.status, map[string]any{
		"code": e.code, "message": e.message, "status": e.status,
		"more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(e.code),
	})
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

// read checks a request against the contract.
func (s *Server) read(r *http.Request) (Message, *refusal) {
	user, password, ok := r.BasicAuth()
	switch {
	case !ok || user != s.credentials.SID || !s.credentials.Token.Is(password):
		return Message{}, &refusal{http.StatusUnauthorized, 20003, "Authenticate"}
	case r.URL.Path != "/2010-04-01/Accounts/"+s.credentials.SID+"/Messages.json":
		return Message{}, &refusal{http.StatusNotFound, 20404, "The requested resource was not found"}
	case r.Method != http.MethodPost:
		return Message{}, &refusal{http.StatusMethodNotAllowed, 20004, "Method not allowed"}
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil:
		return Message{}, &refusal{http.StatusUnsupportedMediaType, 20415, "Unsupported media type"}
	}
	m := Message{
		From: r.PostForm.Get("From"), To: r.PostForm.Get("To"), Body: r.PostForm.Get("Body"),
		StatusCallback: r.PostForm.Get("StatusCallback"),
	}
	if code := check(m); code != 0 {
		return m, &refusal{http.StatusBadRequest, code, "The request breaks the contract"}
	}
	return m, nil
}

var (
	e164   = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	sender = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|[0-9]{3,8})$`)
)

// check returns the number of the first documented error, zero when there is
// none.
func check(m Message) int {
	switch {
	case m.To == "":
		return 21604
	case m.From == "":
		return 21603
	case m.Body == "":
		return 21602
	case !e164.MatchString(m.To):
		return 21211
	case !sender.MatchString(m.From):
		return 21212
	case m.From == m.To:
		return 21266
	case utf8.RuneCountInString(m.Body) > twilio.MaxText:
		return 21617
	case m.StatusCallback != "" && !absolute(m.StatusCallback):
		return 21609
	}
	return 0
}

func absolute(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// PostStatus posts the signed status callback of a message taken earlier to its
// StatusCallback URL, and returns the answer's HTTP status. The error number is
// for failures, else zero.
func (s *Server) PostStatus(ctx context.Context, client *http.Client, sid, status string, number int) (int, error) {
	for _, m := range s.Got() {
		if m.SID != sid {
			continue
		}
		req, err := twilio.ComposeStatus(s.account, m.StatusCallback, sid, status, number)
		if err != nil {
			return 0, err
		}
		return post(ctx, client, req)
	}
	return 0, fmt.Errorf("twiliotest: no message %s was taken", sid)
}

// PostInbound posts a signed inbound message to webhookURL and returns the
// answer's HTTP status.
func (s *Server) PostInbound(ctx context.Context, client *http.Client, webhookURL string, m channel.Inbound) (int, error) {
	req, err := (*twilio.Provider)(nil).Compose(s.account, webhookURL, m)
	if err != nil {
		return 0, err
	}
	return post(ctx, client, req)
}

func post(ctx context.Context, client *http.Client, req *http.Request) (int, error) {
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}
