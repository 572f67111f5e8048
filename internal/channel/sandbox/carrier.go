package sandbox

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley/internal/channel"
	"parley/internal/channel/wire"
	"parley/internal/ground/clock"
)

// The bounds of the carrier.
const (
	DefaultMessages = 100_000          // remembered
	maxRequest      = 256 << 10        // bytes of a send
	maxText         = 4096             // characters of a message
	maxField        = 2000             // bytes of each other field
	patience        = 30 * time.Second // for Parley to answer a receipt
)

// CarrierOptions configures a Carrier; the zero value is a playground's.
type CarrierOptions struct {
	// Transport carries receipts to Parley, such as wire.InProcess of Parley's
	// own handler; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Scheduler tells time; nil means RealTime.
	Scheduler Scheduler
	// Clock stamps receipts; nil means clock.Real.
	Clock clock.Clock
	// Accepts judges the bearer secret of a send; nil accepts every one.
	Accepts func(secret string) bool
	// SentAfter and DeliveredAfter are the delays of the usual receipts, each
	// since the step before; 100 and 400 ms when zero.
	SentAfter, DeliveredAfter time.Duration
	// Tries bounds the posts of one receipt, 6 when zero; Backoff is the wait
	// after the first failed one, a second when zero, and doubles each time.
	Tries   int
	Backoff time.Duration
	// Messages bounds what is remembered and the receipts under way;
	// DefaultMessages when zero.
	Messages int
}

// Carrier is a phone company in a box, behind POST /messages. It takes an
// idempotency key: the same key twice is one message with one id. Close it.
type Carrier struct {
	options CarrierOptions
	book    *book
	client  *http.Client
	ctx     context.Context
	cancel  context.CancelFunc

	mu       sync.Mutex
	script   func(Message) Plan
	journeys map[*journey]struct{}
	running  sync.WaitGroup
	closed   bool
}

// NewCarrier returns a Carrier.
func NewCarrier(o CarrierOptions) *Carrier {
	if o.Scheduler == nil {
		o.Scheduler = RealTime{}
	}
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	o.SentAfter = orDefault(o.SentAfter, 100*time.Millisecond)
	o.DeliveredAfter = orDefault(o.DeliveredAfter, 400*time.Millisecond)
	o.Backoff = orDefault(o.Backoff, time.Second)
	o.Tries = orDefault(o.Tries, 6)
	o.Messages = orDefault(o.Messages, DefaultMessages)
	ctx, cancel := context.WithCancel(context.Background())
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Carrier{
		options: o, book: newBook(o.Messages), journeys: map[*journey]struct{}{}, ctx: ctx, cancel: cancel,
		client: &http.Client{Transport: o.Transport, CheckRedirect: stay, Timeout: patience},
	}
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Script sets what is done with each message, in place of the directives in its
// text; nil brings those back. It is asked at every send, also a repeated one.
func (c *Carrier) Script(f func(Message) Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.script = f
}

// Got returns the messages taken, oldest first, each exactly once.
func (c *Carrier) Got() []Message { return c.book.got() }

// Usual returns the receipts of a message with no plan of its own.
func (c *Carrier) Usual() []Step {
	return []Step{
		{After: c.options.SentAfter, Status: channel.Sent},
		{After: c.options.DeliveredAfter, Status: channel.Delivered},
	}
}

func (c *Carrier) plan(m Message) Plan {
	c.mu.Lock()
	script := c.script
	c.mu.Unlock()
	if script == nil {
		return PlanOf(m.Text, c.Usual())
	}
	plan := script(m)
	if plan.Receipts == nil {
		plan.Receipts = c.Usual()
	}
	return plan
}

// answer is the document of every answer of the carrier. Untaken is true where
// the carrier swears that it has not got the message.
type answer struct {
	ID      string            `json:"id,omitempty"`
	Code    channel.ErrorCode `json:"code,omitempty"`
	Detail  string            `json:"detail,omitempty"`
	Untaken bool              `json:"untaken,omitempty"`
}

func (a answer) write(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a)
}

// ServeHTTP implements http.Handler.
func (c *Carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case r.Method != http.MethodPost || r.URL.Path != "/messages":
		answer{Code: channel.CheckChannelSettings, Detail: "send by POST /messages"}.write(w, http.StatusNotFound)
		return
	case !ok || secret == "" || c.options.Accepts != nil && !c.options.Accepts(secret):
		answer{Code: channel.CheckChannelSettings, Detail: "the secret is wrong"}.write(w, http.StatusUnauthorized)
		return
	}
	m, problem := readMessage(w, r, secret)
	if problem != nil {
		problem.write(w, http.StatusUnprocessableEntity)
		return
	}
	c.handle(w, r, m)
}

// sendRequest is the document of a send.
type sendRequest struct {
	Key       string          `json:"key"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Text      string          `json:"text"`
	Type      channel.Type    `json:"type,omitempty"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	StatusURL string          `json:"statusUrl"`
}

func readMessage(w http.ResponseWriter, r *http.Request, secret string) (Message, *answer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var in sendRequest
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	m := Message{
		Key: in.Key, From: in.From, To: in.To, Text: in.Text, Type: in.Type, Payload: string(in.Payload),
		StatusURL: in.StatusURL, Secret: secret,
	}
	switch {
	case err != nil:
		return m, &answer{Code: channel.CannotBeSent, Detail: "the request is not JSON in the documented format"}
	case m.Key == "" || max(len(m.Key), len(m.StatusURL)) > maxField:
		return m, &answer{Code: channel.CannotBeSent, Detail: "the key is missing, or a field is too long"}
	case m.From == "" || len(m.From) > maxField:
		return m, &answer{Code: channel.ChannelMisconfigured, Detail: "the sender is missing"}
	case m.To == "" || len(m.To) > maxField:
		return m, &answer{Code: channel.BadDestination, Detail: "the destination is missing"}
	case m.Text == "":
		return m, &answer{Code: channel.CannotBeSent, Detail: "the text is missing"}
	case utf8.RuneCountInString(m.Text) > maxText:
		return m, &answer{Code: channel.BodyTooLarge, Detail: "the text is too long"}
	case m.StatusURL != "" && !absolute(m.StatusURL):
		return m, &answer{Code: channel.CheckChannelSettings, Detail: "the status URL is not absolute"}
	}
	return m, nil
}

func absolute(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// handle does what the plan says with a valid send.
func (c *Carrier) handle(w http.ResponseWriter, r *http.Request, m Message) {
	seen, plan := c.book.try(m), c.plan(m)
	switch {
	case seen.conflict:
		answer{Code: channel.CannotBeSent, Detail: "the key was used for another message"}.write(w, http.StatusConflict)
		return
	case seen.taken:
		answer{ID: seen.id}.write(w, http.StatusOK)
		return
	case plan.Tries > 0 && seen.try > plan.Tries:
		plan.Reaction = Take
	}
	if plan.Reaction == Take || plan.Reaction == Hang {
		c.accept(w, r, m, plan)
		return
	}
	c.decline(w, r, plan)
}

func (c *Carrier) accept(w http.ResponseWriter, r *http.Request, m Message, plan Plan) {
	if c.full() {
		c.decline(w, r, Plan{Reaction: Throttle})
		return
	}
	id, first := c.book.take(m)
	m.ID = id
	if first {
		c.follow(m, plan)
	}
	if plan.Reaction == Hang {
		c.hang(r)
		return
	}
	answer{ID: id}.write(w, http.StatusCreated)
}

func (c *Carrier) decline(w http.ResponseWriter, r *http.Request, plan Plan) {
	switch plan.Reaction {
	case Throttle:
		wait := orDefault(plan.RetryAfter, time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(max(int(wait.Seconds()), 1)))
		answer{Code: channel.ChannelCannotSend, Detail: "too many messages", Untaken: true}.write(w, http.StatusTooManyRequests)
	case Down:
		answer{Code: channel.ServiceUnreachable, Detail: "out of service", Untaken: true}.write(w, http.StatusServiceUnavailable)
	case Lose:
		c.hang(r)
	default:
		code := plan.Code
		if code == "" {
			code = channel.CannotBeSent
		}
		answer{Code: code, Detail: "refused as asked", Untaken: true}.write(w, http.StatusUnprocessableEntity)
	}
}

// hang waits until the caller gives up or the carrier closes, then breaks the
// connection: nothing is ever answered.
func (c *Carrier) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-c.ctx.Done():
	}
	panic(http.ErrAbortHandler)
}

// transport reaches this carrier without a port, for a Provider in the same process.
func (c *Carrier) transport() http.RoundTripper { return wire.InProcess(c) }

// Close stops every receipt to come, waits for those on their way and lets go
// of sends that hang. It may be called twice.
func (c *Carrier) Close() {
	c.mu.Lock()
	c.closed = true
	for j := range c.journeys {
		j.stop()
	}
	clear(c.journeys)
	c.mu.Unlock()
	c.cancel()
	c.running.Wait()
}
