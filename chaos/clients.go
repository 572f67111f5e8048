package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"parley/internal/check/blackbox"
)

const talkative = `subscription($after: Cursor) { messageAdded(after: $after) { kind cursor
	message { id number direction status createdAt content { ... on TextContent { text } } }
	conversation { id name preview lastMessageAt isUnread newCount messageCount owner { id username name } } } }`

// observed builds a world whose process tells its metrics.
func (t *trial) observed(ctx context.Context, agents int) (*world, *blackbox.Client, error) {
	private, err := blackbox.FreeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	w, err := t.build(ctx, plan{args: []string{"--private-addr", private}, agents: agents})
	return w, &blackbox.Client{URL: "http://" + private, Timeout: 20 * time.Second}, err
}

// gauge reads a metric without labels.
func gauge(ctx context.Context, c *blackbox.Client, name string) (value float64, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	_, body, err := c.Do(ctx, req)
	for line := range strings.Lines(string(body)) {
		if rest, found := strings.CutPrefix(line, name+" "); found {
			_, err = fmt.Sscan(rest, &value)
			return value, err
		}
	}
	return 0, errors.Join(err, fmt.Errorf("there is no metric %s", name))
}

const (
	megabyte = 1 << 20
	sockets  = "parley_websocket_connections"
)

// heap is the megabytes in use after a collection of garbage.
func heap(ctx context.Context, c *blackbox.Client) (float64, error) {
	if status := c.Get(ctx, "/debug/pprof/heap?gc=1"); status != http.StatusOK {
		return 0, fmt.Errorf("the heap's profile was answered %d", status)
	}
	inUse, err := gauge(ctx, c, "go_memstats_heap_inuse_bytes")
	return inUse / megabyte, err
}

// mute has clients subscribe and never read.
func mute(ctx context.Context, t *trial) error {
	w, private, err := t.observed(ctx, 0)
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	before, err := heap(ctx, private)
	if err != nil {
		return err
	}
	const each = 40 // subscriptions of a client
	clients := t.times(12, 4)
	for range clients {
		if err := w.neverRead(ctx, each); err != nil {
			return err
		}
	}
	began := time.Now()
	l := w.start(ctx, rate/5)
	most, reading := before, float64(len(c.watchers)+len(c.hearers))
	took, err := eventually(ctx, 60*time.Second, "sockets that cannot be written to are closed", func() (bool, string) {
		now, err := heap(ctx, private)
		most = max(most, now)
		open, err2 := gauge(ctx, private, sockets)
		return err == nil && err2 == nil && open <= reading && time.Since(began) > time.Second, fmt.Sprintf("%.0f are open", open)
	})
	if err != nil {
		return err
	}
	t.repeats("%d clients with %d subscriptions each", clients, each)
	t.note("closed after %s of %d events/s, heap %.0f → %.0f MB at most", round(took), rate/5, before, most)
	if most > before+float64(clients)*40 {
		return fmt.Errorf("the heap grew from %.0f to %.0f MB", before, most)
	}
	t.note("slowest acknowledgement %s", round(l.slowestYet()))
	return errors.Join(w.finish(ctx, l, c), l.only())
}

func (l *load) slowestYet() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.slowest
}

// neverRead opens a socket with subscriptions and reads no event.
func (w *world) neverRead(ctx context.Context, subscriptions int) error {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(4096)
		}
		return conn, err
	}
	c := *w.clients[0]
	c.HTTP = &http.Client{Transport: &http.Transport{DialContext: dial}}
	conn, err := c.Subscribe(ctx, "ada", talkative, nil)
	if err != nil {
		return err
	}
	w.after(func() error { _ = conn.CloseNow(); return nil }) // the server has cut it
	for n := range subscriptions - 1 {
		frame := map[string]any{"type": "subscribe", "id": fmt.Sprint(n + 2), "payload": map[string]any{"query": talkative}}
		if err := wsjson.Write(ctx, conn, frame); err != nil {
			return err
		}
	}
	return nil
}

// reconnects has everybody connect at once, as after a restart of a proxy.
func reconnects(ctx context.Context, t *trial) error {
	const perAgent, within = 20, 10 * time.Second // sockets an agent may have; time to connect in
	agents, waves := t.times(250, 50), t.times(3, 2)
	w, private, err := t.observed(ctx, agents)
	if err != nil {
		return err
	}
	w.clients[0].Timeout = 20 * time.Second
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/10)
	var first, last float64
	for wave := range waves {
		cursor, err := blackbox.Watchers(w.clients)[0].Fresh(ctx)
		if err != nil {
			return err
		}
		busy, err := gauge(ctx, private, "process_cpu_seconds_total")
		if err != nil {
			return err
		}
		took, worst, err := w.wave(ctx, agents, perAgent, within, cursor)
		if err != nil {
			return fmt.Errorf("wave %d: %w", wave+1, err)
		}
		cpu, err := gauge(ctx, private, "process_cpu_seconds_total")
		if err != nil {
			return err
		}
		reading := float64(len(c.watchers) + len(c.hearers))
		if _, err := eventually(ctx, 20*time.Second, "the sockets are gone", func() (bool, string) {
			open, err := gauge(ctx, private, sockets)
			return err == nil && open <= reading, fmt.Sprintf("%.0f are open", open)
		}); err != nil {
			return err
		}
		if last, err = heap(ctx, private); err != nil {
			return err
		}
		if wave == 0 {
			first = last
		}
		t.note("%d open after %s, slowest first frame %s, %.1f ms of the server's CPU each",
			agents*perAgent, round(took), round(worst), 1000*(cpu-busy)/float64(agents*perAgent))
	}
	t.repeats("%d waves of %d clients in 10 s", waves, agents*perAgent)
	t.note("heap after the first wave %.0f MB, after the last %.0f MB", first, last)
	if last > 1.3*first+10 {
		return fmt.Errorf("the heap grew from %.0f to %.0f MB", first, last)
	}
	return errors.Join(w.finish(ctx, l, c), l.only("TIMEOUT")) // writes wait their turn with everybody
}

// wave connects everybody, spread over a time, each from a cursor; it returns
// when all have their first frame and have left again.
func (w *world) wave(ctx context.Context, agents, each int, within time.Duration, cursor string) (took, worst time.Duration, err error) {
	var mu sync.Mutex
	var all []*websocket.Conn
	var failed []error
	var clients sync.WaitGroup
	began := time.Now()
	for n := range agents * each {
		wait(ctx, time.Until(began.Add(time.Duration(n)*within/time.Duration(agents*each))))
		clients.Go(func() {
			start := time.Now()
			conn, err := w.clients[0].Subscribe(ctx, fmt.Sprintf("agent%d", n%agents), talkative, map[string]any{"after": cursor})
			if err == nil {
				err = blackbox.Read(ctx, conn, &struct{}{})
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			all, worst = append(all, conn), max(worst, time.Since(start))
		})
	}
	clients.Wait()
	took = time.Since(began)
	for _, conn := range all {
		_ = conn.CloseNow()
	}
	if len(failed) > 0 {
		return took, worst, fmt.Errorf("%d of %d were refused, such as: %w", len(failed), agents*each, failed[0])
	}
	return took, worst, nil
}
