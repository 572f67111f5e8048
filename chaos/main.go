// Command chaos runs Parley as operators do, breaks what it stands on, and
// checks from the outside that its promises hold: nothing acknowledged is lost,
// nothing is sent twice, order within a conversation is kept, streams go on or
// say RESYNC_REQUIRED, counts are right, and it recovers without a hand.
//
//	make chaos                                   # everything, about 50 minutes
//	make chaos CHAOS="--quick"                   # few repetitions
//	make chaos CHAOS="--only kill,locked --seed 7"
//
// The carrier, the proxies, NATS and PostgreSQL are its own; nothing that runs
// on the machine already is touched. It ends with a table in Markdown, and with
// status 1 when a check failed.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// settings are the command line.
type settings struct {
	Program         string   `default:"bin/parley" help:"The parley to break."`
	Quick           bool     `help:"Few repetitions: at a lower rate, three minutes in place of fifty."`
	AtOnce          int      `placeholder:"N" help:"How many scenarios run side by side: 1 by default, 5 in a quick run."`
	Only            []string `placeholder:"NAME" help:"Run only these scenarios, separated by commas."`
	Seed            uint64   `help:"Repeats the random choices of an earlier run; it is printed. A new one by default."`
	WithoutPostgres bool     `help:"Leave out what needs PostgreSQL's programs (initdb, pg_ctl)."`
	Keep            bool     `help:"Keep databases and logs of scenarios that failed."`
	List            bool     `help:"List the scenarios and stop."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	kong.Parse(&s, kong.Name("chaos"), kong.Description("Break what Parley stands on and check its promises."))
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil))) // of the parts of Parley that this program uses
	err := withOwnMounts()
	if err == nil {
		err = s.run(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// scenario is one fault.
type scenario struct {
	name     string
	fault    string // what happens, for the table
	checks   string // what is checked besides the invariants
	postgres bool
	most     time.Duration // that it may take; mostTime by default
	run      func(ctx context.Context, t *trial) error
}

// mostTime bounds one scenario that does not say otherwise.
const mostTime = 6 * time.Minute

func (s *settings) run(ctx context.Context, out io.Writer) error {
	chosen, err := s.choose()
	if err != nil || s.List {
		for _, sc := range scenarios {
			fmt.Fprintf(out, "%-14s %s\n", sc.name, sc.fault)
		}
		return err
	}
	if s.Program, err = filepath.Abs(s.Program); err != nil {
		return err
	}
	if _, err := os.Stat(s.Program); err != nil {
		return fmt.Errorf("%w; run make build first", err)
	}
	if s.Seed == 0 {
		s.Seed = uint64(time.Now().UnixNano())
	}
	fmt.Fprintf(out, "seed %d, %s, %d CPUs\n", s.Seed, runtime.Version(), runtime.NumCPU())
	began := time.Now()
	trials := s.tryAll(ctx, chosen, out)
	fmt.Fprintf(out, "\n%s\n%d scenarios in %s.\n", table(trials), len(trials), time.Since(began).Round(time.Second))
	failed := slices.DeleteFunc(trials, func(t *trial) bool { return t.err == nil })
	if len(failed) > 0 {
		return fmt.Errorf("%d scenarios failed, seed %d", len(failed), s.Seed)
	}
	return ctx.Err()
}

// tryAll runs the scenarios, some side by side, and says of each how it ended.
func (s *settings) tryAll(ctx context.Context, chosen []scenario, out io.Writer) []*trial {
	places := 1
	if s.Quick {
		places = 5
	}
	if s.AtOnce > 0 {
		places = s.AtOnce
	}
	trials, free := make([]*trial, len(chosen)), make(chan struct{}, places)
	var running sync.WaitGroup
	var mu sync.Mutex
	for i, sc := range chosen {
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			trials[i] = s.try(ctx, sc)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(out, trials[i].line())
		})
	}
	running.Wait()
	return trials
}

func (s *settings) choose() ([]scenario, error) {
	chosen := slices.Clone(scenarios)
	for _, name := range s.Only {
		if !slices.ContainsFunc(scenarios, func(sc scenario) bool { return sc.name == name }) {
			return nil, fmt.Errorf("there is no scenario %q", name)
		}
	}
	return slices.DeleteFunc(chosen, func(sc scenario) bool {
		return s.WithoutPostgres && sc.postgres || len(s.Only) > 0 && !slices.Contains(s.Only, sc.name)
	}), nil
}

// try runs a scenario in a folder of its own.
func (s *settings) try(ctx context.Context, sc scenario) *trial {
	t := &trial{settings: s, scenario: sc, random: rand.New(rand.NewPCG(s.Seed, 0))} //nolint:gosec // repeatable by its seed
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(sc.most, mostTime))
	defer cancel()
	began := time.Now()
	if t.dir, t.err = os.MkdirTemp("", "parley-chaos-"); t.err == nil {
		t.err = contained(func() error { return sc.run(ctx, t) })
	}
	for _, undo := range slices.Backward(t.undo) {
		t.err = errors.Join(t.err, undo())
	}
	t.took = time.Since(began)
	if t.err == nil || !s.Keep {
		t.err = errors.Join(t.err, os.RemoveAll(t.dir))
	}
	return t
}

// contained lets the other scenarios run when one panics, and its processes end.
func contained(run func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return run()
}

// trial is a scenario that runs or has run.
type trial struct {
	*settings
	scenario
	random *rand.Rand
	dir    string         // for its files
	undo   []func() error // at the end, last first
	repeat string         // how often, for the table
	notes  []string
	took   time.Duration
	err    error
}

// times is how often to do something: fully, or in a quick run.
func (t *trial) times(full, quick int) int {
	if t.Quick {
		return quick
	}
	return full
}

// between is a random duration.
func (t *trial) between(least, most time.Duration) time.Duration {
	return least + time.Duration(t.random.Int64N(int64(most-least)))
}

// repeats says how often the fault happened.
func (t *trial) repeats(format string, args ...any) { t.repeat = fmt.Sprintf(format, args...) }

// note adds a figure to the result.
func (t *trial) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

func (t *trial) after(undo func() error) { t.undo = append(t.undo, undo) }

func (t *trial) line() string {
	outcome := "ok  "
	if t.err != nil {
		outcome = "FAIL"
	}
	line := fmt.Sprintf("%s %-14s %5.1f s  %s; %s", outcome, t.name, t.took.Seconds(), t.repeat, strings.Join(t.notes, ", "))
	if t.err != nil {
		line += "\n     " + strings.ReplaceAll(t.err.Error(), "\n", "\n     ")
	}
	return line
}

func table(trials []*trial) string {
	out := "| fault | repetitions | checked, besides the invariants | result |\n| --- | --- | --- | --- |\n"
	for _, t := range trials {
		result := "holds"
		if t.err != nil {
			result = "**fails**"
		}
		out += fmt.Sprintf("| %s (`%s`) | %s | %s | %s: %s |\n", t.fault, t.name, t.repeat, t.checks, result, strings.Join(t.notes, ", "))
	}
	return out
}

// eventually waits until ok holds; it fails after some time with what was last
// said to be missing.
func eventually(ctx context.Context, most time.Duration, what string, ok func() (bool, string)) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for {
		holds, missing := ok()
		if holds {
			return time.Since(began), nil
		}
		select {
		case <-ctx.Done():
			return most, fmt.Errorf("%s: not within %s: %s", what, most, missing)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// wait lets time pass, unless ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
