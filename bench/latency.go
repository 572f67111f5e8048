package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley/app"
	"parley/internal/channel"
)

const watchQuery = `subscription { messageAdded { message { content { ... on TextContent { text } } } } }`

// mark begins the text of a message by which it is known again.
const mark = "bench message "

// latency measures how long a customer's message takes from the carrier's post
// to a subscriber's socket, over loopback, at a modest rate.
func (s *settings) latency(ctx context.Context, r *report) error {
	return s.withApp(ctx, func(ctx context.Context, a *app.App) error {
		return running(ctx, a, func() error {
			arrivals, err := s.watch(ctx, a)
			if err != nil {
				return err
			}
			posted, answered, err := s.play(ctx, a)
			if err != nil {
				return err
			}
			return s.reportLatency(r, posted, answered, arrivals)
		})
	})
}

// watch subscribes as amy and returns the times at which messages arrive, by
// number, once all of them have.
func (s *settings) watch(ctx context.Context, a *app.App) (<-chan map[int]time.Time, error) {
	token, err := a.Tokens.Mint("amy", time.Hour)
	if err != nil {
		return nil, err
	}
	socket, response, err := websocket.Dial(ctx, "ws://"+a.Server.Addr().String()+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, err
	}
	if response.Body != nil {
		defer func() { _ = response.Body.Close() }()
	}
	for _, frame := range []any{
		map[string]any{"type": "connection_init", "payload": map[string]string{"Authorization": "Bearer " + token}},
		map[string]any{"type": "subscribe", "id": "1", "payload": map[string]string{"query": watchQuery}},
	} {
		if err := wsjson.Write(ctx, socket, frame); err != nil {
			return nil, err
		}
		// The acknowledgement, and then the first frame: the stream is open.
		if _, _, err := socket.Read(ctx); err != nil {
			return nil, err
		}
	}
	out := make(chan map[int]time.Time, 1)
	go func() {
		defer func() { _ = socket.CloseNow() }()
		out <- collect(ctx, socket, s.Latency)
	}()
	return out, nil
}

func collect(ctx context.Context, socket *websocket.Conn, want int) map[int]time.Time {
	got := map[int]time.Time{}
	for len(got) < want {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, frame, err := socket.Read(ctx)
		at := time.Now()
		cancel()
		if err != nil {
			return got
		}
		if _, rest, ok := strings.Cut(string(frame), mark); ok {
			digits, _, _ := strings.Cut(rest, `"`)
			if n, err := strconv.Atoi(digits); err == nil {
				got[n] = at
			}
		}
	}
	return got
}

// play posts the messages, each at its time whether or not the one before has
// been answered, and returns when they were posted and how long the answers took.
func (s *settings) play(ctx context.Context, a *app.App) (posted map[int]time.Time, answered []time.Duration, err error) {
	posted, answered = map[int]time.Time{}, make([]time.Duration, s.Latency)
	ticker := time.NewTicker(time.Second / time.Duration(s.Rate))
	defer ticker.Stop()
	var posts sync.WaitGroup
	errs := make([]error, s.Latency)
	for n := range s.Latency {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-ticker.C:
		}
		req, err := inbound(a, n)
		if err != nil {
			return nil, nil, err
		}
		began := time.Now()
		posted[n] = began
		posts.Go(func() {
			errs[n] = post(req.WithContext(ctx))
			answered[n] = time.Since(began)
		})
	}
	posts.Wait()
	return posted, answered, errors.Join(errs...)
}

// inbound is the signed webhook of message n, by one of ten customers.
func inbound(a *app.App, n int) (*http.Request, error) {
	return composed(a, channel.Inbound{From: fmt.Sprintf("+120255501%d", 80+n%10), To: "+12025550100", Text: mark + strconv.Itoa(n)})
}

// composed is the signed webhook of a message.
func composed(a *app.App, m channel.Inbound) (*http.Request, error) {
	account := a.Directory.Account("demo")
	caller, ok := a.Messenger.Providers[account.Provider].(channel.Caller)
	if !ok {
		return nil, fmt.Errorf("the provider %s plays no customers", account.Provider)
	}
	return caller.Compose(account.Account, a.PublicURL()+"/webhooks/"+account.Provider+"/"+account.Key, m)
}

func post(req *http.Request) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the webhook was answered %s", resp.Status)
	}
	return nil
}

func (s *settings) reportLatency(r *report, posted map[int]time.Time, answered []time.Duration, arrivals <-chan map[int]time.Time) error {
	arrived := <-arrivals
	if len(arrived) < s.Latency {
		return fmt.Errorf("the subscriber got %d of %d messages", len(arrived), s.Latency)
	}
	var seen []time.Duration
	for n, at := range arrived {
		seen = append(seen, at.Sub(posted[n]))
	}
	group := fmt.Sprintf("an inbound message, %d a second", s.Rate)
	r.add(figure{Group: group, Name: "webhook posted → answered", Clients: 1, P50: percentile(answered, 50), P99: percentile(answered, 99)})
	r.add(figure{Group: group, Name: "webhook posted → subscriber", Clients: 1, P50: percentile(seen, 50), P99: percentile(seen, 99)})
	return nil
}
