package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"
)

// stand is a server in a process of its own, so that what it takes can be told
// from what its subscribers take. It is asked over its standard input and
// answers on its standard output, one JSON value for another; it ends when its
// input does.
type stand struct {
	hello
	process *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
}

// hello is a stand's first word: where it answers, and how to subscribe.
type hello struct {
	Page    string // where a page of conversations is asked for
	Token   string // what a caller proves itself with, if anything
	Version string // of what runs the stand, where it is not this program
	URL     string
	// Script is what a subscriber sends; each message is answered by one.
	Script []string
}

// order is what a stand is asked to do.
type order struct {
	// Event makes one event that every subscriber sees; on the floor it is Frame.
	Event bool
	Frame string
	// Settle collects garbage first, and gives memory back.
	Settle bool
	// Profile is the beginning of files for a heap and a goroutine profile.
	Profile string
}

// sample is what a stand takes, in bytes where it is not said.
type sample struct {
	Error                 string
	Heap, Stack, RSS, WAL int64
	Goroutines, Files     int
	CPU                   time.Duration // since its start
}

// standCommand is the command line of a stand.
type standCommand struct {
	Kind     string `arg:"" enum:"floor,parley,plain" help:"What answers: a bare WebSocket server, Parley, or the plain handler."`
	Database string `env:"PARLEY_BENCH_DATABASE" help:"What it answers from; the floor needs none."`
}

// openStand starts a stand of a kind on a database.
func openStand(ctx context.Context, kind, database string) (*stand, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self, "stand", kind)              //nolint:gosec // G204: this program itself
	process.Env = append(os.Environ(), "PARLEY_BENCH_DATABASE="+database) // it may hold a password
	return startStand(process)
}

// startStand starts a program that keeps to what stands do, as far as hello.
func startStand(process *exec.Cmd) (s *stand, err error) {
	s = &stand{process: process}
	s.process.Stderr = os.Stderr
	if s.in, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	s.out = json.NewDecoder(bufio.NewReader(out))
	if err := s.out.Decode(&s.hello); err != nil {
		return nil, errors.Join(fmt.Errorf("the stand did not start: %w", err), s.close())
	}
	return s, nil
}

func (s *stand) ask(o order) (sample, error) {
	var got sample
	err := json.NewEncoder(s.in).Encode(o)
	if err == nil {
		err = s.out.Decode(&got)
	}
	if err == nil && got.Error != "" {
		err = errors.New(got.Error)
	}
	return got, err
}

func (s *stand) close() error {
	_ = s.in.Close()
	return s.process.Wait()
}

// serveOrders is the stand's side, until there are no more orders.
func serveOrders(h hello, wal string, event func(frame string) error) error {
	out, in := json.NewEncoder(os.Stdout), json.NewDecoder(os.Stdin)
	if err := out.Encode(h); err != nil {
		return err
	}
	for {
		var o order
		if err := in.Decode(&o); err != nil {
			return nil //nolint:nilerr // the other side has gone: the end
		}
		got, err := carryOut(o, wal, event)
		if err != nil {
			got.Error = err.Error()
		}
		if err := out.Encode(got); err != nil {
			return err
		}
	}
}

func carryOut(o order, wal string, event func(frame string) error) (sample, error) {
	if o.Event {
		if err := event(o.Frame); err != nil {
			return sample{}, err
		}
	}
	if o.Settle {
		for range 3 { // a collection halves stacks that are too large
			debug.FreeOSMemory()
		}
	}
	if o.Profile != "" {
		if err := profiles(o.Profile); err != nil {
			return sample{}, err
		}
	}
	return take(wal)
}

func profiles(prefix string) error {
	for name, level := range map[string]int{"heap": 0, "goroutine": 1} {
		f, err := os.Create(prefix + "_" + name + ".pprof")
		if err != nil {
			return err
		}
		if err := errors.Join(pprof.Lookup(name).WriteTo(f, level), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// take reads what this process takes now. Where there is no /proc it leaves RSS
// and Files at zero.
func take(wal string) (sample, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := sample{Heap: int64(m.HeapInuse), Stack: int64(m.StackInuse), Goroutines: runtime.NumGoroutine()}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var total int64
		if _, err := fmt.Sscan(string(text), &total, &s.RSS); err != nil {
			return s, err
		}
		s.RSS *= int64(os.Getpagesize())
	}
	files, _ := filepath.Glob("/proc/self/fd/*")
	s.Files = len(files)
	if info, err := os.Stat(wal); err == nil {
		s.WAL = info.Size()
	}
	s.CPU = cpuTime()
	return s, nil
}

// cpuTime is how long this process has been on a core.
func cpuTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used) // of oneself it does not fail
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
