package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/check/blackbox"
)

// footprint is what a process holds at rest.
type footprint struct{ heap, goroutines, files float64 }

func (f footprint) String() string {
	return fmt.Sprintf("heap %.0f MB, %.0f goroutines, %.0f files", f.heap, f.goroutines, f.files)
}

// churn has clients come and go for half an hour while others write, and looks
// whether anything of them stays.
func churn(ctx context.Context, t *trial) error {
	w, private, err := t.observed(ctx, 0)
	if err != nil {
		return err
	}
	c, err := w.watch(ctx)
	if err != nil {
		return err
	}
	l := w.start(ctx, rate/5)
	long, warm := 30*time.Minute, 2*time.Minute
	if t.Quick {
		long, warm = 16*time.Second, 6*time.Second
	}
	var came atomic.Int64
	var first, last footprint
	for _, phase := range []struct {
		lasts time.Duration
		after *footprint
	}{{warm, &first}, {long - warm, &last}} {
		if err := w.comeAndGo(ctx, phase.lasts, &came); err != nil {
			return err
		}
		l.stop()
		if *phase.after, err = w.rest(ctx, private, float64(len(c.watchers)+len(c.hearers))); err != nil {
			return err
		}
		l.resume(ctx, rate/5)
	}
	t.repeats("%s, %d clients came and went", long, came.Load())
	t.note("at rest after %s: %s; after %s: %s", warm, first, long, last)
	// Connections to and from carriers stay open for a while, at two goroutines each. The
	// clients that came and went are hundreds in a quick run, so a loss still shows.
	const kept = 64
	if last.heap > 1.3*first.heap+10 || last.goroutines > first.goroutines+2*kept || last.files > first.files+kept {
		return fmt.Errorf("it grew from %s to %s", first, last)
	}
	return errors.Join(w.finish(ctx, l, c), l.only())
}

// comeAndGo has four clients open sockets and two open event streams, over and over,
// each left abruptly or in good order after a moment.
func (w *world) comeAndGo(ctx context.Context, lasts time.Duration, came *atomic.Int64) error {
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	var running sync.WaitGroup
	failed := make(chan error, 6)
	again := func(visit func(ctx context.Context, username string, n int) error) {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				username := []string{"amy", "bo", "sue", "ada"}[n%4]
				if err := visit(ctx, username, n); err != nil && ctx.Err() == nil {
					failed <- err
					return
				}
				came.Add(1)
				wait(ctx, 20*time.Millisecond)
			}
		})
	}
	for range 4 {
		again(w.visitBySocket)
	}
	for range 2 {
		again(w.visitByStream)
	}
	running.Wait()
	select {
	case err := <-failed:
		return fmt.Errorf("a client that came: %w", err)
	default:
		return nil
	}
}

func (w *world) visitBySocket(ctx context.Context, username string, n int) error {
	conn, err := w.clients[0].Subscribe(ctx, username, talkative, nil)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	if err := blackbox.Read(ctx, conn, &struct{}{}); err != nil {
		return err
	}
	if n%2 == 0 {
		_ = conn.Close(1000, "") // the server may be the one that is late
	}
	return nil
}

func (w *world) visitByStream(ctx context.Context, username string, _ int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]any{"query": talkative})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.clients[0].URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Accept": "text/event-stream", "Content-Type": "application/json", "Authorization": "Bearer " + w.clients[0].Tokens[username],
	} {
		req.Header.Set(name, value)
	}
	response, err := w.clients[0].HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("an event stream was answered %d", response.StatusCode)
	}
	_, err = io.ReadFull(response.Body, make([]byte, 20)) // of its first event
	return err
}

// rest waits until only those are connected who watch, and returns what the process
// then holds.
func (w *world) rest(ctx context.Context, private *blackbox.Client, watching float64) (f footprint, err error) {
	w.clients[0].HTTP.CloseIdleConnections()
	if _, err := eventually(ctx, 20*time.Second, "all who came are gone", func() (bool, string) {
		sockets, err := gauge(ctx, private, sockets)
		streams, err2 := gauge(ctx, private, "parley_event_streams")
		return err == nil && err2 == nil && sockets <= watching && streams == 0, fmt.Sprintf("%.0f sockets, %.0f streams", sockets, streams)
	}); err != nil {
		return f, err
	}
	if f.heap, err = heap(ctx, private); err != nil {
		return f, err
	}
	for range 10 { // the last ones may still be on their way out
		goroutines, err := gauge(ctx, private, "go_goroutines")
		files, err2 := gauge(ctx, private, "process_open_fds")
		if err := errors.Join(err, err2); err != nil {
			return f, err
		}
		if f.files == 0 || files < f.files {
			f.goroutines, f.files = goroutines, files
		}
		wait(ctx, 200*time.Millisecond)
	}
	return f, nil
}
