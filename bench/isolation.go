package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"parley/app"
)

// isolation measures another agent's inbox page while all is quiet, and while one
// agent sends 64 of each dear document at once. What the rate would refuse would hold
// up nobody, so it is off.
func (s *settings) isolation(ctx context.Context, r *report, a *app.App) error {
	amy, err := newCaller(a, "amy", 1)
	if err != nil {
		return err
	}
	page, err := amy.repeated("inbox page", inboxQuery, nil)
	if err != nil {
		return err
	}
	conversation, err := thread(ctx, a, s.LongThread)
	if err != nil {
		return err
	}
	quiet, err := s.pages(ctx, page, nil)
	if err != nil {
		return err
	}
	const group = "amy's inbox page beside 64 documents of ada's at once"
	r.add(figure{Group: group, Name: "quiet", Clients: 1, P50: percentile(quiet, 50), P99: percentile(quiet, 99)})
	for _, d := range pricedDocuments(conversation) {
		if !d.dear {
			continue
		}
		var busy []time.Duration
		var said string
		for range s.Rounds {
			done, answered, err := burst(ctx, a, d.query)
			if err != nil {
				return err
			}
			took, err := s.pages(ctx, page, done)
			if err != nil {
				return err
			}
			busy, said = append(busy, took...), <-answered
		}
		f := figure{Group: group, Name: d.name, Clients: 64, P50: percentile(busy, 50), P99: percentile(busy, 99)}
		f.Note = fmt.Sprintf("p50 %.1f times the quiet p50, p99 %.1f times the quiet p99; %s", f.P50/percentile(quiet, 50), f.P99/percentile(quiet, 99), said)
		r.add(f)
	}
	return nil
}

// pages opens the page every 5 ms until done, or for a second, and returns how long
// each took.
func (s *settings) pages(ctx context.Context, page contender, done <-chan struct{}) (took []time.Duration, err error) {
	least := time.After(s.Round)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		if err := page.run(ctx, 0); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		select {
		case <-done:
			return took, nil
		case <-least:
			if done == nil {
				return took, nil
			}
			least = nil
		case <-ticker.C:
		}
	}
	return took, ctx.Err()
}

// burst sends 64 of a document at once, as ada. When all are answered done is closed,
// and answered says how.
func burst(ctx context.Context, a *app.App, query string) (done chan struct{}, answered chan string, err error) {
	const many = 64
	ada, err := newCaller(a, "ada", many)
	if err != nil {
		return nil, nil, err
	}
	body, err := request(query, nil)
	if err != nil {
		return nil, nil, err
	}
	done, answered = make(chan struct{}), make(chan string, 1)
	var all sync.WaitGroup
	codes := make([]string, many)
	for i := range many {
		all.Go(func() {
			codes[i] = "answered"
			if _, err := ada.post(ctx, i, body); err != nil {
				_, rest, _ := strings.Cut(err.Error(), `"code":"`)
				codes[i], _, _ = strings.Cut(rest, `"`)
			}
		})
	}
	go func() {
		all.Wait()
		times := map[string]int{}
		for _, code := range codes {
			times[code]++
		}
		answered <- strings.TrimPrefix(fmt.Sprint(times), "map") // by code, in order
		close(done)
	}()
	return done, answered, nil
}
