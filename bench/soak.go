package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// places is how many subscribers are there at any time during a soak.
	places = 100
	// longestStay is how long a subscriber stays at most.
	longestStay = 10 * time.Second
	// soakEvents is how far apart the events are that all of them are told.
	soakEvents = 500 * time.Millisecond
	// tenths are the parts of a soak, between which samples are taken.
	tenths = 10
)

// soak lets subscribers come and go while events happen, and fails when the
// server takes more at the end than it took when it was warm.
func (s *settings) soak(ctx context.Context, r *report) (err error) {
	stand, err := openStand(ctx, "parley", s.Database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.close()) }()
	if _, err := s.emptyAgain(ctx, stand); err != nil { // what grows with the first caller
		return err
	}
	empty, err := stand.ask(order{Settle: true})
	if err != nil {
		return err
	}
	visits := &visits{}
	samples, err := visits.during(ctx, stand, s.Soak)
	if err != nil {
		return err
	}
	left, err := stand.ask(order{Settle: true})
	if err != nil {
		return err
	}
	group := fmt.Sprintf("soak of %v, %d visits", s.Soak, visits.made.Load())
	r.add(figure{Group: group, Name: "before anybody came", Note: empty.String()})
	for i, sample := range samples {
		r.add(figure{Group: group, Name: fmt.Sprintf("%d of %d", i+1, tenths), Clients: places, Note: sample.String()})
	}
	r.add(figure{Group: group, Name: "when all had left", Note: left.String()})
	return errors.Join(flat(samples), gone(empty, left))
}

// String implements fmt.Stringer.
func (s sample) String() string {
	const mega = 1e6
	return fmt.Sprintf("heap %.1f, stacks %.1f, resident %.1f, WAL %.1f MB, %d goroutines, %d files",
		float64(s.Heap)/mega, float64(s.Stack)/mega, float64(s.RSS)/mega, float64(s.WAL)/mega, s.Goroutines, s.Files)
}

// visits are subscribers who come, stay for a while and go.
type visits struct{ made atomic.Int64 }

// during keeps the places taken and samples after every tenth of the time.
func (v *visits) during(ctx context.Context, stand *stand, total time.Duration) (samples []sample, err error) {
	ctx, leave := context.WithCancel(ctx)
	var wg sync.WaitGroup
	errs := make([]error, places)
	for i := range places {
		wg.Go(func() {
			if errs[i] = v.keepComing(ctx, stand.hello); errs[i] != nil {
				leave()
			}
		})
	}
	events := time.NewTicker(soakEvents)
	defer events.Stop()
	for next := time.Now(); len(samples) < tenths && err == nil; {
		next = next.Add(total / tenths)
		err = eventsUntil(ctx, stand, next, events.C)
		if err == nil {
			var got sample
			got, err = stand.ask(order{Settle: true})
			samples = append(samples, got)
		}
	}
	leave()
	wg.Wait()
	return samples, errors.Join(append(errs, err)...)
}

// keepComing takes one place with one subscriber after another until ctx ends.
// Every other one leaves without a word.
func (v *visits) keepComing(ctx context.Context, h hello) error {
	for n := 0; ctx.Err() == nil; n++ {
		socket, err := enter(ctx, h)
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // it is over
			}
			return err
		}
		v.made.Add(1)
		stay, end := context.WithTimeout(ctx, rand.N(longestStay)) //nolint:gosec // G404: no secret
		for err == nil {
			_, _, err = socket.Read(stay) // a context that ends cuts the connection
		}
		end()
		if stay.Err() == nil {
			return fmt.Errorf("a subscriber was sent away: %w", err)
		}
		_ = socket.CloseNow()
	}
	return nil
}

func eventsUntil(ctx context.Context, stand *stand, until time.Time, ticks <-chan time.Time) error {
	for time.Now().Before(until) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks:
		}
		if _, err := stand.ask(order{Event: true}); err != nil {
			return err
		}
	}
	return nil
}

// flat fails when the last three samples are above those of the third to fifth
// by more than places being taken by others explains.
func flat(samples []sample) error {
	var problems []error
	for _, q := range []struct {
		name  string
		of    func(sample) float64
		noise float64
	}{
		{"heap and stacks", func(s sample) float64 { return float64(s.Heap + s.Stack) }, 4e6},
		{"resident memory", func(s sample) float64 { return float64(s.RSS) }, 16e6},
		{"WAL", func(s sample) float64 { return float64(s.WAL) }, 8e6},
		{"goroutines", func(s sample) float64 { return float64(s.Goroutines) }, 2 * places},
		{"files", func(s sample) float64 { return float64(s.Files) }, places},
	} {
		warm, end := mean(samples[2:5], q.of), mean(samples[tenths-3:], q.of)
		if end > warm*1.1+q.noise {
			problems = append(problems, fmt.Errorf("%s grew from %.0f to %.0f", q.name, warm, end))
		}
	}
	return errors.Join(problems...)
}

func mean(samples []sample, of func(sample) float64) (sum float64) {
	for _, s := range samples {
		sum += of(s) / float64(len(samples))
	}
	return sum
}

// gone fails when something stayed of those who left.
func gone(before, after sample) error {
	const some = places / 4 // connections kept open, and the workers' leader, who is elected some time after the start
	if after.Goroutines > before.Goroutines+some || after.Files > before.Files+some {
		return fmt.Errorf("%d goroutines and %d files before, %d and %d when all had left", before.Goroutines, before.Files, after.Goroutines, after.Files)
	}
	return nil
}
