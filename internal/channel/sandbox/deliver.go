package sandbox

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"parley/internal/channel"
	"parley/internal/ground/clock"
)

// journey is a message on its way to the phone: the receipts still to be
// posted, in order, one at a time.
type journey struct {
	message Message
	steps   []Step
	try     int    // posts of the first of steps so far
	id      string // of its receipt; the same for every copy and repetition
	at      clock.Time
	stop    func()
}

// maxDoublings bounds the growth of the pause before a receipt is repeated.
const maxDoublings = 10

// full reports whether as many messages are under way as the carrier can
// follow.
func (c *Carrier) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.journeys) >= c.options.Messages
}

// Pending returns how many messages have receipts still to come.
func (c *Carrier) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.journeys)
}

// follow begins the receipts of a message just taken.
func (c *Carrier) follow(m Message, plan Plan) {
	if m.StatusURL == "" || plan.Silent || len(plan.Receipts) == 0 {
		return
	}
	j := &journey{message: m, steps: plan.Receipts, stop: func() {}}
	if !plan.Early {
		c.schedule(j, plan.Receipts[0].After)
		return
	}
	c.mu.Lock()
	c.journeys[j] = struct{}{}
	c.mu.Unlock()
	c.advance(j)
}

// schedule sets the next post of a journey, unless the carrier is closed.
func (c *Carrier) schedule(j *journey, after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.journeys[j] = struct{}{}
	j.stop = c.options.Scheduler.After(after, func() { c.advance(j) })
}

// begin claims a journey for one post; false when the carrier has closed.
func (c *Carrier) begin(j *journey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.journeys[j]; !ok || c.closed {
		return false
	}
	if j.id == "" {
		j.id, j.at = c.book.receiptID(), c.options.Clock.Now()
	}
	c.running.Add(1)
	return true
}

// advance posts the receipt that is due. One that Parley does not take is
// repeated with growing pauses, and given up after the last try.
func (c *Carrier) advance(j *journey) {
	if !c.begin(j) {
		return
	}
	defer c.running.Done()
	j.try++
	if !c.report(j) && j.try < c.options.Tries {
		c.schedule(j, c.options.Backoff<<min(j.try-1, maxDoublings))
		return
	}
	c.step(j)
}

// step goes on to the next receipt, or ends the journey.
func (c *Carrier) step(j *journey) {
	j.steps, j.try, j.id = j.steps[1:], 0, ""
	if len(j.steps) > 0 {
		c.schedule(j, j.steps[0].After)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.journeys, j)
}

// report posts the copies of one receipt and says whether Parley took them all.
func (c *Carrier) report(j *journey) bool {
	step := j.steps[0]
	entry := Entry{
		Type: "receipt", ID: j.id, At: j.at.String(), MessageID: j.message.ID,
		Status: string(step.Status), Code: string(step.Code),
	}
	taken := true
	for range max(step.Copies, 1) {
		taken = c.post(j.message, entry) && taken
	}
	return taken
}

func (c *Carrier) post(m Message, e Entry) bool {
	req, err := Compose(m.Secret, m.StatusURL, e)
	if err != nil {
		return false
	}
	resp, err := c.client.Do(req.WithContext(c.ctx))
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, maxRequest)
	return resp.StatusCode >= 200 && resp.StatusCode < 300
}

// Compose returns the signed webhook that brings entries to publicURL: one
// entry as an object, several as an array.
func Compose(secret, publicURL string, entries ...Entry) (*http.Request, error) {
	body, err := encode(entries)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, publicURL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(SignatureHeader, Sign(secret, publicURL, body))
	return req, nil
}

// ReceiptEntry returns the entry that reports a status, under an id made from
// the message and the status.
func ReceiptEntry(messageID string, s channel.Status, code channel.ErrorCode) Entry {
	return Entry{Type: "receipt", ID: messageID + "." + string(s), MessageID: messageID, Status: string(s), Code: string(code)}
}
