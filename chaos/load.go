package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/channel/sandbox"
	"parley/internal/check/blackbox"
)

// load is 64 clients that write: carriers that post customers' messages and
// agents who send, each in a conversation of its own, one after another, and each
// again with the same key until it is acknowledged.
type load struct {
	w       *world
	began   time.Time
	cancel  context.CancelFunc
	clients sync.WaitGroup
	pace    chan struct{}

	underWay atomic.Int64 // asked and not answered

	mu           sync.Mutex
	acknowledged map[string]*thread // by text
	sent         map[string]bool    // texts of these that an agent sent
	open         map[string]bool    // texts asked for and not yet acknowledged
	refused      map[string]int     // answers that were no acknowledgement
	slowest      time.Duration      // of an acknowledgement, tries included
	problem      error
}

// every is what share of the writes in a keyed thread are an agent's sends.
const every = 5

// start begins to write, rate times a second at most.
func (w *world) start(ctx context.Context, rate int) *load {
	l := &load{
		w: w, began: time.Now(), acknowledged: map[string]*thread{}, sent: map[string]bool{}, open: map[string]bool{}, refused: map[string]int{},
	}
	l.resume(ctx, rate)
	return l
}

// resume writes again after stop.
func (l *load) resume(ctx context.Context, rate int) {
	if l.w.Quick {
		rate /= 3
	}
	ctx, l.cancel = context.WithCancel(ctx)
	l.pace = make(chan struct{}, threads)
	l.clients.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for ctx.Err() == nil {
			<-ticker.C
			l.push(1)
		}
	})
	for _, th := range l.w.threads {
		l.clients.Go(func() { l.write(ctx, th) })
	}
}

// push has n clients write now, those that are not at it already.
func (l *load) push(n int) {
	for range n {
		select {
		case l.pace <- struct{}{}:
		default:
		}
	}
}

// stop ends the load. What is not acknowledged by then is left open.
func (l *load) stop() {
	l.cancel()
	l.clients.Wait()
}

func (l *load) write(ctx context.Context, th *thread) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.pace:
		}
		th.written++
		if err := l.one(ctx, th, fmt.Sprintf("m %d.%d", th.n, th.written)); err != nil {
			return
		}
	}
}

// one writes a text until it is acknowledged.
func (l *load) one(ctx context.Context, th *thread, words string) error {
	sends := th.keyless || th.written%every == 0
	began := time.Now()
	l.mu.Lock()
	l.open[words], l.sent[words] = true, sends
	l.mu.Unlock()
	for try := 0; ctx.Err() == nil; try++ {
		client := l.w.clients[(th.n+try)%len(l.w.clients)]
		l.underWay.Add(1)
		refusal, err := l.ask(ctx, client, th, words, sends)
		l.underWay.Add(-1)
		if ctx.Err() != nil {
			break // it may have been cut off by stop
		}
		if l.note(th, words, refusal, err, time.Since(began)) {
			return err
		}
		wait(ctx, 20*time.Millisecond)
	}
	return ctx.Err()
}

// note keeps what was answered and reports whether the write is over.
func (l *load) note(th *thread, words, refusal string, err error, took time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.problem = errors.Join(l.problem, err)
		return true
	case refusal != "":
		l.refused[refusal]++
		return false
	}
	delete(l.open, words)
	l.acknowledged[words] = th
	l.slowest = max(l.slowest, took)
	return true
}

const sendQuery = `mutation($id: ID!, $text: String!, $key: String!) { sendMessage(input: {
	conversationId: $id, text: $text, idempotencyKey: $key, confirmForOwner: true}) { message { id } errors { code message } } }`

// ask writes once. A refusal is an answer after which to try again; an error is
// one that must not be.
func (l *load) ask(ctx context.Context, c *blackbox.Client, th *thread, words string, sends bool) (refusal string, err error) {
	if !sends {
		return l.post(ctx, c, th, words)
	}
	var answer struct {
		SendMessage struct {
			Message *struct{ ID string }
			Errors  []struct{ Code, Message string }
		}
	}
	err = c.Query(ctx, "ada", sendQuery, map[string]any{"id": th.id, "text": words, "key": words[2:]}, &answer)
	var failure *blackbox.Failure
	switch {
	case errors.As(err, &failure):
		return failure.Extensions.Code, nil
	case err != nil:
		return noAnswer(err), nil
	case answer.SendMessage.Message == nil:
		return "", fmt.Errorf("the send of %q was refused: %v", words, answer.SendMessage.Errors)
	}
	return "", nil
}

func (l *load) post(ctx context.Context, c *blackbox.Client, th *thread, words string) (string, error) {
	req, err := sandbox.Compose(sandbox.DemoSecret, c.URL+"/webhooks/sandbox/demo",
		sandbox.Entry{Type: "message", ID: words, From: th.customer, To: th.to, Text: words})
	if err != nil {
		return "", err
	}
	status, _, err := c.Do(ctx, req)
	switch {
	case err != nil:
		return noAnswer(err), nil
	case status == http.StatusServiceUnavailable:
		return "503", nil
	case status != http.StatusOK:
		return "", fmt.Errorf("the webhook of %q was answered %d", words, status)
	}
	return "", nil
}

// noAnswer names a call that broke off; it is made again.
func noAnswer(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	return "no answer"
}

// count is how many writes were acknowledged.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acknowledged)
}

// reaches waits until n more writes are acknowledged than now.
func (l *load) reaches(ctx context.Context, n int, most time.Duration) (time.Duration, error) {
	goal := l.count() + n
	return eventually(ctx, most, "writes go on", func() (bool, string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		missing := fmt.Sprintf("%d of %d acknowledged, answers: %v", len(l.acknowledged), goal, l.refused)
		return len(l.acknowledged) >= goal || l.problem != nil, missing
	})
}

// refusals lists the answers that were no acknowledgement, with how many of each.
func (l *load) refusals() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := ""
	for _, code := range slices.Sorted(maps.Keys(l.refused)) {
		out += fmt.Sprintf(" %s×%d", code, l.refused[code])
	}
	if out == "" {
		return " none"
	}
	return out
}

// only fails when there was an answer other than these.
func (l *load) only(codes ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for code, n := range l.refused {
		if !slices.Contains(codes, code) {
			return fmt.Errorf("%d writes were answered %s", n, code)
		}
	}
	return nil
}
