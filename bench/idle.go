package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// fanOuts is how many events the subscribers are told of.
const fanOuts = 10

// idle measures what subscribers cost who hear nothing, and then one event that
// concerns them all, against a bare WebSocket server that writes the same bytes.
func (s *settings) idle(ctx context.Context, r *report) error {
	parley, err := s.audience(ctx, "parley", "")
	if err != nil {
		return err
	}
	bare, err := s.audience(ctx, "floor", parley.frame)
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d idle subscribers", s.Subscribers)
	r.add(bare.memory(group, "bare WebSocket", bare))
	r.add(parley.memory(group, "Parley", bare))
	group = fmt.Sprintf("one event of %d bytes to %d subscribers", len(parley.frame), s.Subscribers)
	r.add(bare.told(group, "bare WebSocket", bare))
	r.add(parley.told(group, "Parley", bare))
	return nil
}

// audience is what a stand took for its subscribers.
type audience struct {
	subscribers   int
	before, after sample
	delays        []time.Duration
	cpu           time.Duration // for all events
	frame         string
}

// audience opens a stand, fills it, and tells everybody of some events.
func (s *settings) audience(ctx context.Context, kind, frame string) (a *audience, err error) {
	stand, err := openStand(ctx, kind, s.Database)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stand.close()) }()
	a = &audience{subscribers: s.Subscribers, frame: frame}
	for range 2 { // caches warm, tables grown
		if a.before, err = s.emptyAgain(ctx, stand); err != nil {
			return nil, err
		}
	}
	c, err := gather(ctx, stand, s.Subscribers)
	if err != nil {
		return nil, err
	}
	defer c.close()
	settled := order{Settle: true}
	if s.Profile != "" {
		settled.Profile = filepath.Join(s.Profile, "idle_"+kind)
	}
	if a.after, err = stand.ask(settled); err != nil {
		return nil, err
	}
	return a, a.tell(stand, c)
}

// emptyAgain lets a few subscribers come and go, and takes a sample.
func (s *settings) emptyAgain(ctx context.Context, stand *stand) (sample, error) {
	c, err := gather(ctx, stand, min(100, s.Subscribers))
	if err != nil {
		return sample{}, err
	}
	c.close()
	return stand.ask(order{Settle: true})
}

// tell makes events and waits until everybody has heard of each.
func (a *audience) tell(stand *stand, c *crowd) error {
	before, err := stand.ask(order{})
	if err != nil {
		return err
	}
	for n := range fanOuts {
		fired := time.Now()
		if _, err := stand.ask(order{Event: true, Frame: a.frame}); err != nil {
			return err
		}
		delays, frame, err := c.await(fired)
		if err != nil {
			return fmt.Errorf("event %d: %w", n, err)
		}
		a.delays, a.frame = append(a.delays, delays...), string(frame)
	}
	after, err := stand.ask(order{})
	a.cpu = after.CPU - before.CPU
	return err
}

// each is what one subscriber takes, in bytes.
func (a *audience) each() float64 {
	return float64(a.after.Heap+a.after.Stack-a.before.Heap-a.before.Stack) / float64(a.subscribers)
}

func (a *audience) memory(group, name string, baseline *audience) figure {
	n := float64(a.subscribers)
	ratio := baseline.each() / a.each()
	return figure{
		Group: group, Name: name, Clients: a.subscribers, Ratio: ratio, Lowest: ratio, Highest: ratio, Kilobytes: a.each() / 1000,
		Note: fmt.Sprintf("heap %.1f, stacks %.1f, resident %.1f KB, %.1f goroutines each",
			float64(a.after.Heap-a.before.Heap)/n/1000, float64(a.after.Stack-a.before.Stack)/n/1000,
			float64(a.after.RSS-a.before.RSS)/n/1000, float64(a.after.Goroutines-a.before.Goroutines)/n),
	}
}

func (a *audience) told(group, name string, baseline *audience) figure {
	ratio := baseline.cpu.Seconds() / a.cpu.Seconds()
	return figure{
		Group: group, Name: name, Clients: a.subscribers, Ratio: ratio, Lowest: ratio, Highest: ratio,
		P50: percentile(a.delays, 50), P99: percentile(a.delays, 99), CPU: float64(a.cpu.Microseconds()) / float64(len(a.delays)),
		Note: "for each subscriber",
	}
}
