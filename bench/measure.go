package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"
)

// contender is one way to do a thing. run does it once, for one of the clients.
type contender struct {
	name string
	run  func(ctx context.Context, client int) error
}

// comparison is contenders that take turns; the first is the baseline.
type comparison struct {
	group      string
	clients    int
	contenders []contender
}

// turn is what came of one turn.
type turn struct {
	perSecond float64
	allocs    float64
	cpu       float64 // of the whole process, µs for each
	latencies []time.Duration
}

// compare lets everybody take turns, in rounds whose order rotates, and adds a
// figure for each. Ratios are the median over the rounds.
func (s *settings) compare(ctx context.Context, r *report, c comparison) error {
	turns, err := s.takeTurns(ctx, c)
	if err != nil {
		return err
	}
	for i, contender := range c.contenders {
		r.add(summary(c, contender.name, turns[i], turns[0]))
	}
	return nil
}

// takeTurns returns each contender's turns.
func (s *settings) takeTurns(ctx context.Context, c comparison) ([][]turn, error) {
	turns := make([][]turn, len(c.contenders))
	for _, contender := range c.contenders { // caches warm, and errors found
		if err := contender.run(ctx, 0); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.group, contender.name, err)
		}
	}
	for round := range s.Rounds {
		for i := range c.contenders {
			i = (i + round) % len(c.contenders)
			t, err := s.turn(ctx, c, c.contenders[i], round)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.group, c.contenders[i].name, err)
			}
			turns[i] = append(turns[i], t)
		}
	}
	return turns, nil
}

// turn runs a contender with all clients until its time is up.
func (s *settings) turn(ctx context.Context, c comparison, who contender, round int) (turn, error) {
	stop, err := s.profile(c, who, round)
	if err != nil {
		return turn{}, err
	}
	defer stop()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	busy := cpuTime()
	began := time.Now()
	latencies, err := clients(ctx, c.clients, began.Add(s.Round), who.run)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err != nil || len(latencies) == 0 {
		return turn{}, err
	}
	n := float64(len(latencies))
	return turn{
		perSecond: n / took.Seconds(), allocs: float64(after.Mallocs-before.Mallocs) / n,
		cpu: float64((cpuTime() - busy).Microseconds()) / n, latencies: latencies,
	}, nil
}

func clients(ctx context.Context, n int, until time.Time, run func(context.Context, int) error) ([]time.Duration, error) {
	var wg sync.WaitGroup
	all, errs := make([][]time.Duration, n), make([]error, n)
	for client := range n {
		wg.Go(func() {
			for errs[client] == nil && ctx.Err() == nil && time.Now().Before(until) {
				began := time.Now()
				errs[client] = run(ctx, client)
				all[client] = append(all[client], time.Since(began))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(all...), ctx.Err()
}

func summary(c comparison, name string, turns, baseline []turn) figure {
	var speeds, ratios, allocs, cpu []float64
	var latencies []time.Duration
	for i, t := range turns {
		speeds, allocs, cpu = append(speeds, t.perSecond), append(allocs, t.allocs), append(cpu, t.cpu)
		ratios = append(ratios, t.perSecond/baseline[i].perSecond)
		latencies = append(latencies, t.latencies...)
	}
	return figure{
		Group: c.group, Name: name, Clients: c.clients, PerSecond: median(speeds), Ratio: median(ratios),
		Lowest: slices.Min(ratios), Highest: slices.Max(ratios), Allocs: median(allocs), CPU: median(cpu),
		P50: percentile(latencies, 50), P99: percentile(latencies, 99),
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// percentile is in milliseconds.
func percentile(v []time.Duration, p int) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	return float64(v[(len(v)-1)*p/100].Microseconds()) / 1000
}

// profile writes a CPU profile of a contender's first turn, when asked, and what
// the whole run has allocated by its end: compare it with -diff_base.
func (s *settings) profile(c comparison, who contender, round int) (stop func(), err error) {
	if s.Profile == "" || round != 0 {
		return func() {}, nil
	}
	name := strings.NewReplacer(" ", "-", ",", "", "/", "-").Replace(fmt.Sprintf("%s_%s_%d.pprof", c.group, who.name, c.clients))
	cpu, err := os.Create(filepath.Join(s.Profile, name))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = cpu.Close()
		if allocs, err := os.Create(filepath.Join(s.Profile, "allocs_"+name)); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(allocs, 0)
			_ = allocs.Close()
		}
	}, nil
}
